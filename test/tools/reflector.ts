/**
 * A reflector by client-go's rules (1.35): it fills a store from a WatchList or from a list in pages, follows a watch, and
 * begins again from what it knows whenever something ends, as every informer of a Go controller does.
 */
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a reflector needs to know of any object. */
export interface ReflectedObject {
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface ReflectorOptions {
  readonly url: string;
  /** Of the collection. */
  readonly path: string;
  /** Initial state by `sendInitialEvents`, which falls back to lists where a server does not know it; else by lists. */
  readonly watchList: boolean;
  /**
   * Objects of a page: its lists are of the newest state then, as those of who sets WatchListPageSize, and of kubectl. Absent:
   * the first list is of any state, whole, and later ones of one that is not older than the last.
   */
  readonly pageSize?: number;
}

interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string }[] };
}

interface Event {
  readonly type: string;
  readonly object: ReflectedObject & Status;
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly ReflectedObject[];
}

/** Whoever asks for pages of this size of any state gets all in one. */
const PAGE_SIZE = 500;
/** client-go waits 0.8 s and more. */
const BACKOFF_MS = 20;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

class Refusal extends Error {
  constructor(readonly status: Status) {
    super(JSON.stringify(status));
  }

  get isExpired(): boolean {
    return this.status.code === 410;
  }

  get isTooLarge(): boolean {
    const causes = this.status.details?.causes ?? [];
    return this.status.code === 504 && causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
  }
}

const nameOf = ({ metadata }: ReflectedObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export class Reflector {
  /** What it holds for the state. */
  readonly store = new Map<string, ReflectedObject>();
  /** What cannot be if the server keeps the rules. */
  readonly faults: string[] = [];
  readonly counts = { watchLists: 0, lists: 0, pages: 0, watches: 0, expired: 0, bookmarks: 0 };
  readonly #options: ReflectorOptions;
  readonly #end = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #last = '';
  /** The last one was refused: the next list or watch asks for the newest state. */
  #isLastUnavailable = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** `namespace/name@revision` of what it holds, in order. */
  state(): string[] {
    return [...this.store.values()]
      .map((object) => `${nameOf(object)}@${object.metadata.resourceVersion}`)
      .sort();
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.#listAndWatch().catch((error: unknown) => {
        if (error instanceof Refusal && error.isExpired) this.counts.expired += 1;
      });
      if (!this.#end.signal.aborted) await sleep(BACKOFF_MS);
    }
  }

  async #listAndWatch(): Promise<void> {
    if (this.#options.watchList) {
      await this.#watchList();
      return;
    }
    await this.#list();
    await this.#watchOn();
  }

  /** A watch that ends is begun again; one that ends without an event, or with an error, brings a new list. */
  async #watchOn(): Promise<void> {
    while (!this.#end.signal.aborted && (await this.#watch())) this.counts.watches += 1;
  }

  /** The state into a store of its own, which takes the other's place at the bookmark; then the same stream goes on. */
  async #watchList(): Promise<void> {
    this.counts.watchLists += 1;
    const initial = new Map<string, ReflectedObject>();
    let isComplete = false;
    const from = this.#isLastUnavailable ? '' : this.#last;
    const query = `sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=${from}`;
    try {
      await this.#follow(query, (event) => {
        const { type, object } = event;
        if (isComplete) this.#apply(event);
        else if (type !== 'BOOKMARK') {
          if (type === 'DELETED') initial.delete(nameOf(object));
          else initial.set(nameOf(object), object);
        } else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
          this.#replace([...initial.values()], object.metadata.resourceVersion);
          isComplete = true;
        }
      });
    } catch (error) {
      // What ends a watch says nothing of lists and states that are not older.
      if (!isComplete && error instanceof Refusal)
        this.#isLastUnavailable = error.isExpired || error.isTooLarge;
      throw error;
    }
    if (isComplete) await this.#watchOn();
  }

  /** Whether anything came. */
  async #watch(): Promise<boolean> {
    let any = false;
    await this.#follow(`resourceVersion=${this.#last}`, (event) => {
      any = true;
      this.#apply(event);
    });
    return any;
  }

  #apply({ type, object }: Event): void {
    const { resourceVersion } = object.metadata;
    if (Number(resourceVersion) < Number(this.#last)) {
      this.faults.push(`${type} ${resourceVersion} came after ${this.#last}`);
    }
    this.#last = resourceVersion;
    const name = nameOf(object);
    const known = this.store.get(name);
    if (type === 'BOOKMARK') this.counts.bookmarks += 1;
    else if (type === 'DELETED') {
      if (!this.store.delete(name)) this.faults.push(`${name}@${resourceVersion} was DELETED and not there`);
    } else {
      if ((type === 'ADDED') !== (known === undefined)) {
        this.faults.push(`${name}@${resourceVersion} was ${type} over ${known?.metadata.resourceVersion}`);
      }
      this.store.set(name, object);
    }
  }

  /** In pages, from the cache at first, and whole and newest when that is refused. */
  async #list(): Promise<void> {
    this.counts.lists += 1;
    const isNewest = this.#isLastUnavailable || this.#options.pageSize !== undefined;
    try {
      await this.#listFrom(isNewest ? '' : this.#last || '0');
    } catch (error) {
      if (!(error instanceof Refusal) || !(error.isExpired || error.isTooLarge)) throw error;
      this.counts.expired += 1;
      await this.#listFrom('');
    }
    this.#isLastUnavailable = false;
  }

  async #listFrom(resourceVersion: string): Promise<void> {
    // Pages of an old state would come from etcd, so whoever names one takes it whole, from the cache.
    const isPaged = resourceVersion === '' || resourceVersion === '0';
    const limit = isPaged ? (this.#options.pageSize ?? PAGE_SIZE) : 0;
    const items: ReflectedObject[] = [];
    let query = `limit=${limit}&resourceVersion=${resourceVersion}`;
    let first: string | undefined;
    for (;;) {
      const page = await this.#page(query).catch((error: unknown) => {
        if (first === undefined || !(error instanceof Refusal) || !error.isExpired) throw error;
        return undefined;
      });
      if (page === undefined) {
        // The token has died: everything, as one page.
        this.counts.expired += 1;
        const whole = await this.#page(`resourceVersion=${resourceVersion}`);
        return this.#replace(whole.items, whole.metadata.resourceVersion);
      }
      first ??= page.metadata.resourceVersion;
      if (page.metadata.resourceVersion !== first) {
        this.faults.push(`a page is of ${page.metadata.resourceVersion} and the first of ${first}`);
      }
      items.push(...page.items);
      const { continue: token } = page.metadata;
      if (token === undefined) return this.#replace(items, first);
      query = `limit=${limit}&continue=${encodeURIComponent(token)}`;
    }
  }

  async #page(query: string): Promise<List> {
    this.counts.pages += 1;
    const { status, body } = await this.#send(`?${query}`);
    if (status !== 200) throw new Refusal(JSON.parse(body) as Status);
    return JSON.parse(body) as List;
  }

  #replace(items: readonly ReflectedObject[], resourceVersion: string): void {
    if (Number(resourceVersion) < Number(this.#last)) {
      this.faults.push(`a state of ${resourceVersion} came after ${this.#last}`);
    }
    const names = new Set(items.map(nameOf));
    if (names.size !== items.length) this.faults.push(`a state of ${resourceVersion} names an object twice`);
    this.store.clear();
    for (const item of items) this.store.set(nameOf(item), item);
    this.#last = resourceVersion;
    this.#isLastUnavailable = false;
  }

  /** Resolves when the stream ends. Rejects with what it was told or refused with. */
  async #follow(query: string, onEvent: (event: Event) => void): Promise<void> {
    const path = `?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&${query}`;
    let rest = '';
    let refusal: Refusal | undefined;
    const take = (line: string) => {
      const event = JSON.parse(line) as Event;
      if (event.type === 'ERROR') refusal = new Refusal(event.object);
      else if (refusal === undefined) onEvent(event);
    };
    const status = await this.#open(path, (answered, piece) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      if (answered === 200) for (const line of lines) take(line);
    });
    if (refusal !== undefined) throw refusal;
    if (status !== 200 && status !== 0) throw new Refusal({ code: status });
  }

  /** Resolves with the whole of an answer. Rejects where it is cut off. */
  async #send(path: string): Promise<{ readonly status: number; readonly body: string }> {
    let body = '';
    const status = await this.#open(path, (_status, piece) => (body += piece), true);
    return { status, body };
  }

  /** `whole`: rejects where the answer is cut off. */
  #open(path: string, onPiece: (status: number, piece: string) => void, whole = false): Promise<number> {
    const url = `${this.#options.url}${this.#options.path}${path}`;
    return new Promise((resolve, reject) => {
      const call = httpRequest(url, { agent: false, signal: this.#end.signal }, (response) => {
        const { statusCode = 0 } = response;
        response.setEncoding('utf8');
        response.on('data', (piece: string) => onPiece(statusCode, piece));
        response.on('error', () => undefined);
        response.once('close', () => {
          if (whole && !response.complete) reject(new Error('cut off'));
          else resolve(statusCode);
        });
      });
      call.on('error', (error) => (whole ? reject(error) : resolve(0)));
      call.end();
    });
  }
}
