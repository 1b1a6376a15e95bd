/**
 * Writers that create, change and delete ConfigMaps at random, each those of its own names, so that it knows what became of
 * every one of them: where a request got no answer, it looks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../raft/random.js';
import { type Answer, ApiClient } from './api-client.js';
import type { WatchedMap } from './cut-watcher.js';

/** One change that was certainly done. Undefined where the object was deleted; the revision of that is not answered. */
export interface Written {
  readonly key: string;
  readonly map: WatchedMap | undefined;
}

export interface MapWritersOptions {
  /** Asked before each request. */
  readonly url: () => string;
  readonly random: Random;
  readonly writers: number;
  readonly namespaces: readonly string[];
  readonly tiers: readonly string[];
  /** Asked with the newest revision: whether those who watch are so far behind that writers should rest. */
  readonly isAhead: (revision: number) => boolean;
}

const NAMES_EACH = 5;
const REQUEST_TIMEOUT_MS = 30_000;
const REFUSED_PAUSE_MS = 30;
const AHEAD_PAUSE_MS = 5;
const DELETE_PERCENT = 25;
/** So long that a cut falls within an object as often as between two. */
const FILLING_LENGTH_MAX = 600;

export class MapWriters {
  /** In the order in which each key's changes were done. */
  readonly written: Written[] = [];
  readonly faults: string[] = [];
  readonly #options: MapWritersOptions;
  readonly #client = new ApiClient();
  #running: Promise<unknown> = Promise.resolve();
  #stopping = false;
  #values = 0;
  #newest = 0;

  constructor(options: MapWritersOptions) {
    this.#options = options;
  }

  start(): void {
    const { writers } = this.#options;
    this.#running = Promise.all(Array.from({ length: writers }, (_, writer) => this.#run(writer)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#client.close();
  }

  async #run(writer: number): Promise<void> {
    const { random, namespaces } = this.#options;
    const known = new Map<string, WatchedMap>();
    while (!this.#stopping) {
      if (this.#options.isAhead(this.#newest)) {
        await sleep(AHEAD_PAUSE_MS);
        continue;
      }
      const namespace = pick(random, namespaces);
      const name = `w${writer}-${random.between(1, NAMES_EACH)}`;
      const key = `${namespace}/${name}`;
      const before = known.get(key);
      const after = await this.#write(namespace, name, before);
      if (after === 'unchanged') continue;
      this.written.push({ key, map: after });
      this.#newest = Math.max(this.#newest, Number(after?.metadata.resourceVersion ?? 0));
      if (after === undefined) known.delete(key);
      else known.set(key, after);
    }
  }

  /** What the object is then; undefined: it is gone. */
  async #write(
    namespace: string,
    name: string,
    before: WatchedMap | undefined,
  ): Promise<WatchedMap | undefined | 'unchanged'> {
    const { random } = this.#options;
    const collection = `/api/v1/namespaces/${namespace}/configmaps`;
    const object = `${collection}/${name}`;
    const isDeletion = before !== undefined && random.between(1, 100) <= DELETE_PERCENT;
    const answer = isDeletion
      ? await this.#send('DELETE', object)
      : before === undefined
        ? await this.#send('POST', collection, this.#map(name))
        : await this.#send('PUT', object, this.#map(name));
    if (answer?.status === 200 || answer?.status === 201) {
      return isDeletion ? undefined : (answer.body as WatchedMap);
    }
    if (answer !== undefined && answer.status < 500) {
      this.faults.push(`${isDeletion ? 'DELETE' : 'write'} of ${object}: ${JSON.stringify(answer.body)}`);
    }
    return this.#look(object, before);
  }

  async #look(object: string, before: WatchedMap | undefined): Promise<WatchedMap | undefined | 'unchanged'> {
    for (;;) {
      const answer = await this.#send('GET', object);
      if (answer?.status === 404) return before === undefined ? 'unchanged' : undefined;
      if (answer?.status === 200) {
        const map = answer.body as WatchedMap;
        const isSame = map.metadata.resourceVersion === before?.metadata.resourceVersion;
        return isSame ? 'unchanged' : map;
      }
      await sleep(REFUSED_PAUSE_MS);
    }
  }

  async #send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<Answer | undefined> {
    const url = this.#options.url() + path;
    return this.#client
      .send({ method, url, timeoutMs: REQUEST_TIMEOUT_MS, ...(body && { body }) })
      .catch(() => undefined);
  }

  #map(name: string): object {
    const { random, tiers } = this.#options;
    const filling = 'f'.repeat(random.between(0, FILLING_LENGTH_MAX));
    return {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name, labels: { tier: pick(random, tiers) } },
      data: { value: String((this.#values += 1)), filling },
    };
  }
}

const pick = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.between(0, choices.length - 1)] as T;
