import { keyRange } from '../bytes.js';
import type {
  ResponseHeader,
  WatchCreateRequest,
  WatchEvent,
  WatchResponse,
  WatchStream,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { Delivery } from './delivery.js';
import { fragments } from './events.js';
import { isEmptyRange } from './groups.js';
import type { WatchHub } from './hub.js';
import { OPTION_NO_DELETE, OPTION_NO_PUT, OPTION_PREV_KV, type Watcher } from './watcher.js';

/** Of a response that creates no watch, and of one that concerns all watches of a stream. */
const NO_WATCH_ID = -1;

/** Smallest key there is: what an empty key of a watch means. */
export const FIRST_KEY = Uint8Array.of(0);

/** Answers to create and cancel that may wait for a reader who does not read. Past it the stream is cut. */
const WAITING_RESPONSES_MAX = 10_000;

/**
 * One client's stream of watches. It hands responses to its receiver and stops at the first one that is refused; from
 * then on it keeps no events: watches that have some fall behind, and read history when the receiver goes on.
 */
export class HubStream implements WatchStream {
  /** Watches that read history. */
  readonly lagging = new Set<Watcher>();
  readonly closed: Promise<Error | undefined>;
  readonly #hub: WatchHub;
  readonly #watchers = new Map<number, Watcher>();
  readonly #delivery: Delivery;
  #resolveClosed!: (error: Error | undefined) => void;
  #ended = false;
  #nextId = 0;
  #progressRequested = false;

  constructor(hub: WatchHub) {
    this.#hub = hub;
    this.#delivery = new Delivery({
      stream: this,
      onBroken: (error) => this.end(error instanceof Error ? error : new Error(String(error))),
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** The receiver has said "not now". */
  get paused(): boolean {
    return this.#delivery.isRefused;
  }

  get watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Made and not delivered. */
  get pendingEvents(): number {
    return this.#delivery.waitingEvents;
  }

  create(request: WatchCreateRequest): void {
    if (this.#ended) return;
    const key = request.key.length === 0 ? FIRST_KEY : request.key;
    const range = keyRange(key, request.rangeEnd);
    const header = this.#hub.header();
    if (isEmptyRange(range)) return this.refuse('mvcc: watcher range is empty');
    const id = this.#chooseId(request.watchId ?? 0);
    if (id === undefined) {
      return this.refuse('mvcc: duplicate watch ID provided on the WatchStream');
    }
    const { startRevision = 0 } = request;
    const watcher: Watcher = {
      id,
      stream: this,
      range,
      options: optionsOf(request),
      fragment: request.fragment ?? false,
      progressNotify: request.progressNotify ?? false,
      next: startRevision === 0 ? header.revision + 1 : Math.max(startRevision, 1),
      synced: false,
      told: false,
    };
    this.#watchers.set(id, watcher);
    this.#hub.counters.watchesCreated += 1;
    this.send({ header, watchId: id, created: true, events: [] });
    if (this.has(watcher)) this.#hub.add(watcher);
  }

  /** Answers a create request that makes no watch. */
  refuse(cancelReason: string): void {
    const header = this.#hub.header();
    this.send({ header, watchId: NO_WATCH_ID, created: true, canceled: true, cancelReason, events: [] });
  }

  cancel(watchId: number): void {
    const watcher = this.#watchers.get(watchId);
    if (watcher === undefined) return;
    this.#forget(watcher);
    this.send({ header: this.#hub.header(), watchId, canceled: true, events: [] });
    this.answerProgress();
  }

  requestProgress(): true {
    if (this.#ended) return true;
    this.#progressRequested = true;
    this.answerProgress();
    return true;
  }

  deliver(receiver: (response: WatchResponse) => boolean): void {
    this.#delivery.setReceiver(receiver);
    this.resume();
  }

  resume(): void {
    this.#delivery.resume();
    if (this.paused || this.#ended) return;
    this.#hub.catchUp(this);
    this.answerProgress();
  }

  close(): void {
    this.end(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchResponse> {
    return this.#delivery.iterator;
  }

  end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const watcher of this.#watchers.values()) this.#forget(watcher);
    this.#hub.forget(this);
    this.#delivery.end(error);
    this.#resolveClosed(error);
  }

  has(watcher: Watcher): boolean {
    return this.#watchers.get(watcher.id) === watcher;
  }

  sendEvents(watcher: Watcher, header: ResponseHeader, events: readonly WatchEvent[]): void {
    watcher.told = true;
    this.#hub.counters.events += events.length;
    const watchId = watcher.id;
    if (!watcher.fragment) return this.send({ header, watchId, events });
    const parts = fragments(events, this.#hub.fragmentBytesMax);
    parts.forEach((part, index) => {
      if (index === parts.length - 1) this.send({ header, watchId, events: part });
      else this.send({ header, watchId, fragment: true, events: part });
    });
  }

  /** The watch asked for what is compacted. */
  sendCompacted(watcher: Watcher, header: ResponseHeader, compactRevision: number): void {
    this.#forget(watcher);
    this.send({ header, watchId: watcher.id, canceled: true, compactRevision, events: [] });
    this.answerProgress();
  }

  send(response: WatchResponse): void {
    if (this.#ended) return;
    if (this.#delivery.waiting >= WAITING_RESPONSES_MAX) this.end(EtcdError.of('RequestTooManyRequests'));
    else this.#delivery.send(response);
  }

  /** Answers a progress request once every watch has seen all there is, up to the header's revision. */
  answerProgress(): void {
    if (!this.#progressRequested || this.paused || this.#watchers.size === 0) return;
    if (this.lagging.size > 0 || this.#hub.publishing) return this.#hub.answerLater(this);
    const header = this.#hub.header();
    for (const watcher of this.#watchers.values()) {
      // It is about to read history, or starts in the future: what it was told so far says nothing about this revision.
      if (!watcher.synced || watcher.next > header.revision + 1) return this.#hub.answerLater(this);
    }
    this.#progressRequested = false;
    this.send({ header, watchId: NO_WATCH_ID, events: [] });
  }

  #chooseId(wanted: number): number | undefined {
    if (wanted !== 0) return this.#watchers.has(wanted) ? undefined : wanted;
    while (this.#watchers.has(this.#nextId)) this.#nextId += 1;
    return this.#nextId++;
  }

  #forget(watcher: Watcher): void {
    this.#watchers.delete(watcher.id);
    this.lagging.delete(watcher);
    this.#hub.remove(watcher);
  }
}

function optionsOf({ filters = [], prevKv = false }: WatchCreateRequest): number {
  return (
    (filters.includes('noput') ? OPTION_NO_PUT : 0) |
    (filters.includes('nodelete') ? OPTION_NO_DELETE : 0) |
    (prevKv ? OPTION_PREV_KV : 0)
  );
}
