/**
 * A client that watches ConfigMaps over connections that are cut, and goes on from the last resourceVersion that it has
 * seen. When that is too old it lists, as every client does, and goes on from there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { followWatch, type WatchProtocol, type WatchTarget } from './watch-connection.js';

export interface WatchedMap {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: { readonly tier?: string };
  };
  readonly data?: { readonly value?: string };
}

interface WatchedEvent {
  readonly type: string;
  readonly object: WatchedMap & { readonly code?: number; readonly message?: string };
}

/** What a watcher may see. */
export interface WatchedPart {
  /** Absent: all. */
  readonly namespace?: string;
  readonly name?: string;
  readonly tier?: string;
}

export interface CutWatcherOptions extends WatchedPart {
  readonly protocol: WatchProtocol;
  /** Through what cuts. */
  readonly target: WatchTarget;
  /** For lists, which are not cut. */
  readonly directUrl: string;
  /** More of the query. */
  readonly query?: string;
}

export const keyOf = ({ metadata }: WatchedMap): string => `${metadata.namespace}/${metadata.name}`;

/** What servers put into other namespaces by themselves is nobody's here. */
export const isOurs = ({ metadata }: WatchedMap): boolean => metadata.namespace.startsWith('cut-');

/** `MODIFIED cut-0/w1-2@345 x 67`: type, key, revision, label and value. */
export const sayEvent = (type: string, map: WatchedMap): string =>
  `${type} ${keyOf(map)}@${map.metadata.resourceVersion} ${map.metadata.labels?.tier} ${map.data?.value}`;

/** What was seen in one go: a state, and all that came after it. */
export interface Stretch {
  /** Revision of the state. */
  readonly from: number;
  /** key@revision of its objects, in order. */
  readonly state: readonly string[];
  readonly events: string[];
  /** It ended because its place was too old. */
  expired: boolean;
}

const RETRY_MS = 20;

export class CutWatcher {
  readonly stretches: Stretch[] = [];
  /** What no client should be told. */
  readonly faults: string[] = [];
  connections = 0;
  bookmarks = 0;
  readonly #options: CutWatcherOptions;
  readonly #end = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #last = 0;

  constructor(options: CutWatcherOptions) {
    this.#options = options;
  }

  /** The last revision seen. */
  get last(): number {
    return this.#last;
  }

  get part(): WatchedPart {
    return this.#options;
  }

  get description(): string {
    const { protocol, namespace = 'all', name, tier } = this.#options;
    return `${protocol} of ${namespace}${name === undefined ? '' : `, name ${name}`}${tier === undefined ? '' : `, tier ${tier}`}`;
  }

  /** Begins with a list. */
  async start(): Promise<void> {
    await this.#list();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const { protocol, target, query = '' } = this.#options;
      const path = `${this.#path()}&watch=true&resourceVersion=${this.#last}${query}`;
      const onEvent = (json: string) => this.#take(JSON.parse(json) as WatchedEvent);
      const status = await followWatch({ protocol, target, path, signal, onEvent });
      this.connections += 1;
      if (status !== 200 && !signal.aborted) await sleep(RETRY_MS);
      if (this.stretches.at(-1)?.expired === true && !signal.aborted) await this.#list();
    }
  }

  #path(): string {
    const { namespace, name, tier } = this.#options;
    const where = namespace === undefined ? '' : `/namespaces/${namespace}`;
    const fields = name === undefined ? '' : `&fieldSelector=metadata.name%3D${name}`;
    const labels = tier === undefined ? '' : `&labelSelector=tier%3D${tier}`;
    return `/api/v1${where}/configmaps?${fields}${labels}`;
  }

  async #list(): Promise<void> {
    for (;;) {
      const answer = await fetch(this.#options.directUrl + this.#path()).catch(() => undefined);
      if (answer?.status === 200) {
        const list = (await answer.json()) as {
          readonly metadata: { readonly resourceVersion: string };
          readonly items: readonly WatchedMap[];
        };
        this.#last = Number(list.metadata.resourceVersion);
        const state = list.items
          .filter(isOurs)
          .map((item) => `${keyOf(item)}@${item.metadata.resourceVersion}`);
        this.stretches.push({ from: this.#last, state, events: [], expired: false });
        return;
      }
      await sleep(RETRY_MS);
    }
  }

  #take({ type, object }: WatchedEvent): void {
    const stretch = this.stretches.at(-1);
    if (stretch === undefined) return;
    if (type === 'ERROR') {
      if (object.code === 410) stretch.expired = true;
      else this.faults.push(`${this.description} was told ${JSON.stringify(object)}`);
      return;
    }
    const revision = Number(object.metadata.resourceVersion);
    if (revision < this.#last)
      this.faults.push(`${this.description} went back from ${this.#last} to ${revision}`);
    this.#last = revision;
    if (type === 'BOOKMARK') this.bookmarks += 1;
    else if (isOurs(object)) stretch.events.push(sayEvent(type, object));
  }
}
