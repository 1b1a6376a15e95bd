/** A watch of ConfigMaps through one member, which goes on where it was whenever its connection ends. */
import { type IncomingMessage, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { COLLECTION, type ConfigMap } from './cluster-load.js';

interface WatchedChange {
  readonly type: string;
  readonly object: ConfigMap;
}

const RECONNECT_MS = 30;
const POLL_MS = 20;

export class ResumingWatcher {
  /** Revisions of all changes, in the order in which they came. */
  readonly revisions: number[] = [];
  /** Connections made so far. */
  connections = 0;
  #connected = false;
  /** What no watch should be told. */
  readonly errors: string[] = [];
  readonly #url: string;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #last: number;

  /** Sees what comes after a revision through the API server at `url`. */
  constructor(url: string, after: number) {
    this.#url = url;
    this.#last = after;
    this.#running = this.#run();
  }

  get last(): number {
    return this.#last;
  }

  async untilConnected(msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    while (!this.#connected) {
      if (performance.now() > deadline) throw new Error(`a watch of ${this.#url} cannot connect`);
      await sleep(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Resolves when it has seen a revision or later ones. */
  async reached(revision: number, msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    while (this.#last < revision) {
      if (performance.now() > deadline)
        throw new Error(`a watch of ${this.#url} is at ${this.#last} and should be at ${revision}`);
      await sleep(POLL_MS);
    }
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.#follow().catch(() => undefined);
      this.#connected = false;
      if (!this.#end.signal.aborted) await sleep(RECONNECT_MS);
    }
  }

  /** One connection, until it ends. */
  async #follow(): Promise<void> {
    const response = await this.#connect();
    this.connections += 1;
    this.#connected = true;
    let rest = '';
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as WatchedChange);
    }
  }

  #connect(): Promise<IncomingMessage> {
    const url = `${this.#url}${COLLECTION}?watch=true&resourceVersion=${this.#last}`;
    return new Promise((resolve, reject) => {
      const call = get(url, { agent: false, signal: this.#end.signal }, (response) => {
        if (response.statusCode === 200) return resolve(response);
        response.resume();
        return reject(new Error(`a watch was answered with ${response.statusCode}`));
      });
      call.on('error', reject);
    });
  }

  #take({ type, object }: WatchedChange): void {
    if (type === 'ERROR') {
      this.errors.push(JSON.stringify(object));
      return;
    }
    this.#last = Number(object.metadata.resourceVersion);
    this.revisions.push(this.#last);
  }
}

/** What a watch must have told of. */
export interface Expected {
  /** Revisions of writes that were acknowledged. */
  readonly acknowledged: readonly number[];
  /** Of changes that it did not see, if there are any (`unseenChanges`). */
  readonly unseen: readonly number[];
}

/** What is wrong with what a watcher saw, one text each: all changes in order, none twice, none missing. */
export function watchFaults(
  name: string,
  watcher: Pick<ResumingWatcher, 'revisions' | 'errors'>,
  { acknowledged, unseen }: Expected,
): string[] {
  const { revisions, errors } = watcher;
  const faults = errors.map((error) => `the watch through ${name} was told ${error}`);
  for (const [place, revision] of revisions.entries()) {
    const before = revisions[place - 1] ?? revision - 1;
    if (revision <= before) faults.push(`the watch through ${name} told of ${revision} after ${before}`);
  }
  const seen = new Set(revisions);
  const missed = [...acknowledged.filter((revision) => !seen.has(revision)), ...unseen];
  if (missed.length > 0) faults.push(`the watch through ${name} missed ${missed.slice(0, 10).join(', ')} …`);
  return faults;
}
