import Database from 'better-sqlite3';
import { latin1 } from '../bytes.js';
import type { KeyValue, ResponseHeader, WatchEvent } from '../client/interface.js';
import type { Clock } from '../clock.js';
import { EtcdError } from '../errors.js';
import { Counters } from '../metrics/counters.js';
import type { Change } from '../mvcc/store.js';
import { isFiltered, toEvent, toEvents } from './events.js';
import { WatcherGroups, type Group } from './groups.js';
import type { HistoryQuery, HistoryReader } from './history.js';
import { RecentHistory } from './recent.js';
import { HubStream } from './stream.js';
import { OPTION_PREV_KV, type Watcher } from './watcher.js';

/** Bytes of one chunk of history: with prev_kv up to twice that, and always one revision. */
const CHUNK_BYTES_MAX = 512 * 1024;

/** Reading history gives way to requests after so long. */
const SLICE_MS = 2;

/** What may be another object at any turn, after a snapshot was installed. */
export interface WatchedState {
  /** Revision and compacted revision of this moment. */
  readonly store: { readonly revision: number; readonly compacted: number };
  readonly history: HistoryReader;
}

export interface WatchHubOptions {
  readonly state: WatchedState;
  readonly header: () => ResponseHeader;
  readonly clock: Clock;
  /** Between periodic progress responses; etcd's default is 10 minutes. */
  readonly progressIntervalMs?: number | undefined;
  /** Bytes above which a response is split for a watch that allows it; etcd's request limit. */
  readonly fragmentBytesMax?: number | undefined;
  readonly counters?: WatchCounters | undefined;
  /** The database cannot be read: it is damaged, or the disk failed. */
  readonly onDamage?: ((error: Error) => void) | undefined;
}

type WatchCounters = Pick<Counters, 'events' | 'watchesCreated'>;

/** Of this moment. */
export interface WatchTotals {
  readonly streams: number;
  readonly watchers: number;
  /** Those that read history. */
  readonly lagging: number;
  /** Events that were made and not taken yet. */
  readonly pendingEvents: number;
}

const PROGRESS_INTERVAL_MS = 10 * 60 * 1000;
const FRAGMENT_BYTES_MAX = 1.5 * 2 ** 20;

/**
 * Tells watchers what was applied. A synced watcher is told from memory, within the apply; a watcher that started in the
 * past, or whose stream did not take a response, reads history in chunks until it has caught up. Everything happens on
 * one thread, so that between reading the last chunk and being synced nothing can be applied: no gap, no duplicate.
 */
export class WatchHub {
  readonly fragmentBytesMax: number;
  readonly counters: WatchCounters;
  readonly #options: WatchHubOptions;
  readonly #state: WatchedState;
  #recent: RecentHistory;
  /** Synced watchers have been told of everything through this revision. */
  #told: number;
  readonly #groups = new WatcherGroups();
  readonly #streams = new Set<HubStream>();
  /** Streams that have watchers to catch up and take responses. */
  readonly #runnable = new Set<HubStream>();
  readonly #answerLater = new Set<HubStream>();
  #publishing = false;
  #working = false;
  #closed = false;
  #cancelProgress: (() => void) | undefined;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.fragmentBytesMax = options.fragmentBytesMax ?? FRAGMENT_BYTES_MAX;
    this.#state = options.state;
    this.counters = options.counters ?? new Counters();
    this.#recent = this.#newRecent();
    this.#told = options.state.store.revision;
  }

  /** True while some watchers have been told of the newest revision and others have not. */
  get publishing(): boolean {
    return this.#publishing;
  }

  header(): ResponseHeader {
    return this.#options.header();
  }

  totals(): WatchTotals {
    const totals = { streams: this.#streams.size, watchers: 0, lagging: 0, pendingEvents: 0 };
    for (const stream of this.#streams) {
      totals.watchers += stream.watcherCount;
      totals.lagging += stream.lagging.size;
      totals.pendingEvents += stream.pendingEvents;
    }
    return totals;
  }

  open(): HubStream {
    const stream = new HubStream(this);
    if (this.#closed) stream.end(EtcdError.of('Stopped'));
    else this.#streams.add(stream);
    return stream;
  }

  /** Ends all streams, also those opened later. */
  close(): void {
    this.#closed = true;
    this.#cancelProgress?.();
    for (const stream of this.#streams) stream.end(EtcdError.of('Stopped'));
  }

  /** Called after the changes are committed, before those who proposed them hear of it. */
  publish(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#publishing = true;
    this.#told = this.#state.store.revision;
    const touched: Group[] = [];
    for (const change of changes) {
      const key = latin1(change.kv.key);
      this.#recent.record(change, key);
      this.#groups.match(key, (group) => {
        if (group.matched.length === 0) touched.push(group);
        group.matched.push(change);
      });
    }
    if (touched.length > 0) {
      const header = this.header();
      const previous = this.#rememberedPrevious();
      for (const group of touched) this.#tell(group, header, previous);
    }
    this.#publishing = false;
    if (this.#answerLater.size === 0) return;
    const streams = [...this.#answerLater];
    this.#answerLater.clear();
    for (const stream of streams) stream.answerProgress();
  }

  /**
   * Another state has taken the place of the one that was told. What happened between them synced watchers read from the
   * new history, or they end as compacted if it is not there any more.
   */
  installed(): void {
    this.#recent = this.#newRecent();
    for (const stream of this.#streams) {
      for (const watcher of stream.watchers) {
        if (watcher.synced) this.#fallBehind(watcher, this.#told + 1);
      }
      this.catchUp(stream);
    }
    this.#told = this.#state.store.revision;
  }

  add(watcher: Watcher): void {
    if (watcher.progressNotify) this.#startProgress();
    if (watcher.next > this.#state.store.revision) {
      this.#sync(watcher);
      return;
    }
    if (this.#endIfCompacted(watcher)) return;
    watcher.stream.lagging.add(watcher);
    this.catchUp(watcher.stream);
  }

  remove(watcher: Watcher): void {
    if (watcher.synced) this.#groups.remove(watcher);
    watcher.synced = false;
  }

  forget(stream: HubStream): void {
    this.#streams.delete(stream);
    this.#runnable.delete(stream);
    this.#answerLater.delete(stream);
  }

  answerLater(stream: HubStream): void {
    if (this.#publishing || stream.lagging.size === 0) this.#answerLater.add(stream);
  }

  /** Lets the stream's watchers that fell behind go on reading. */
  catchUp(stream: HubStream): void {
    if (stream.lagging.size === 0 || stream.paused) return;
    this.#runnable.add(stream);
    if (this.#working) return;
    this.#working = true;
    setImmediate(() => this.#work());
  }

  #tell(group: Group, header: ResponseHeader, previous: (change: Change) => KeyValue | undefined): void {
    const changes = group.matched.splice(0);
    const first = changes[0]?.kv.modRevision ?? 0;
    const eventsOf: (readonly WatchEvent[] | undefined)[] = [];
    for (const watcher of group.watchers) {
      if (watcher.stream.paused) {
        this.#fallBehind(watcher, first);
        continue;
      }
      let events: readonly WatchEvent[];
      if (watcher.next > first) {
        const seen = watcher.next;
        events = toEvents(
          changes.filter((change) => change.kv.modRevision >= seen),
          watcher.options,
          previous,
        );
      } else {
        events = eventsOf[watcher.options] ??= toEvents(changes, watcher.options, previous);
      }
      watcher.next = Math.max(watcher.next, header.revision + 1);
      if (events.length > 0) watcher.stream.sendEvents(watcher, header, events);
    }
  }

  #fallBehind(watcher: Watcher, revision: number): void {
    if (watcher.next > this.#state.store.revision) return;
    this.#groups.remove(watcher);
    watcher.synced = false;
    watcher.next = Math.max(watcher.next, revision);
    watcher.stream.lagging.add(watcher);
  }

  #newRecent(): RecentHistory {
    return new RecentHistory(this.#state.store.revision, (change) => this.#state.history.previous(change));
  }

  #sync(watcher: Watcher): void {
    watcher.synced = true;
    watcher.stream.lagging.delete(watcher);
    this.#groups.add(watcher);
    watcher.stream.answerProgress();
  }

  /** A previous version is read once, however many watchers of whatever ranges want it. */
  #rememberedPrevious(): (change: Change) => KeyValue | undefined {
    const known = new Map<Change, KeyValue | undefined>();
    return (change) => {
      if (known.has(change)) return known.get(change);
      const kv = this.#state.history.previous(change);
      known.set(change, kv);
      return kv;
    };
  }

  #work(): void {
    const end = this.#options.clock.now() + SLICE_MS;
    do {
      const [stream] = this.#runnable;
      if (stream === undefined) break;
      // To the back of the row, so that each stream gets its turn.
      this.#runnable.delete(stream);
      const [watcher] = stream.lagging;
      if (watcher === undefined || stream.paused) continue;
      this.#runnable.add(stream);
      stream.lagging.delete(watcher);
      stream.lagging.add(watcher);
      this.#tryReadOn(watcher);
    } while (this.#options.clock.now() < end);
    this.#working = this.#runnable.size > 0;
    if (this.#working) setImmediate(() => this.#work());
  }

  /** A database that cannot be read ends the stream, as it fails a range. */
  #tryReadOn(watcher: Watcher): void {
    try {
      this.#readOn(watcher);
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      this.#options.onDamage?.(error);
      watcher.stream.end(EtcdError.of('Corrupt'));
    }
  }

  #readOn(watcher: Watcher): void {
    if (this.#endIfCompacted(watcher)) return;
    const { stream, options } = watcher;
    const query: HistoryQuery = {
      range: watcher.range,
      from: watcher.next,
      prevKv: (options & OPTION_PREV_KV) !== 0,
      bytesMax: CHUNK_BYTES_MAX,
    };
    const chunk = this.#recent.read(query) ?? this.#state.history.read(query);
    if (chunk === undefined) return;
    watcher.next = chunk.next;
    const events: WatchEvent[] = [];
    for (const { change, prevKv } of chunk.changes) {
      if (!isFiltered(change, options)) events.push(toEvent(change, prevKv));
    }
    if (events.length > 0) stream.sendEvents(watcher, this.header(), events);
    const caughtUp = watcher.next > this.#state.store.revision;
    if (caughtUp && stream.has(watcher)) this.#sync(watcher);
  }

  #endIfCompacted(watcher: Watcher): boolean {
    const { compacted } = this.#state.store;
    if (watcher.next >= compacted) return false;
    watcher.stream.sendCompacted(watcher, this.header(), compacted);
    return true;
  }

  #startProgress(): void {
    this.#cancelProgress ??= this.#options.clock.after(
      this.#options.progressIntervalMs ?? PROGRESS_INTERVAL_MS,
      () => this.#tellProgress(),
    );
  }

  /** Watches that asked for it, are synced, and were told nothing since the last time. */
  #tellProgress(): void {
    this.#cancelProgress = undefined;
    const header = this.header();
    for (const stream of this.#streams) {
      for (const watcher of stream.watchers) {
        if (!watcher.progressNotify) continue;
        this.#startProgress();
        const knows = watcher.synced && !stream.paused && watcher.next <= header.revision + 1;
        if (knows && !watcher.told) stream.send({ header, watchId: watcher.id, events: [] });
        watcher.told = false;
      }
    }
  }
}
