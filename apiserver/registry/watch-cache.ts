/**
 * All objects of one resource in memory, kept up to date by one etcd watch: what get, list and watch are served from
 * (decision 6). `apply` runs inside the store's own apply, so that a write's event is here before its writer gets its
 * answer (decision 16).
 */
import type { EtcdClient, KeyValue, WatchResponse, WatchStream } from '../../storage/client/interface.js';
import { noSuchResource } from '../errors.js';
import { BookmarkSchedule } from './bookmark-schedule.js';
import { CatchUp } from './catch-up.js';
import { Change } from './change.js';
import { ChangeWindow } from './change-window.js';
import { ItemTree } from './item-tree.js';
import { type KeySpace, keyOfOrder, namespaceOf, type Scope } from './keys.js';
import { isReadable, load } from './load.js';
import { Snapshots } from './snapshots.js';
import type { ItemFormat, StoredItem } from './stored-item.js';
import type { Selector, WantedRevision, WatchEvent } from './types.js';
import { CacheWatcher, type WatcherHost } from './watcher.js';
import { Watchers } from './watchers.js';

/** Pauses before a lost watch is opened again, in milliseconds. */
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;
/** A store in another process is asked how far it is so long before, in milliseconds: about a tick. */
const BOOKMARK_ASK_AHEAD_MS = 1500;

export interface WatchCacheOptions {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly format: ItemFormat;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what must not happen and of values that cannot be read; serving goes on. */
  readonly onError: (error: unknown, what: string) => void;
  /** The object of a bookmark, with the zero values that Go prints. */
  readonly bookmarkObject: () => Readonly<Record<string, unknown>>;
  readonly catchUpMs?: number;
  readonly window?: ChangeWindow;
}

export interface WatchStart {
  readonly scope: Scope;
  readonly labels: Selector;
  readonly fields: Selector;
  /** undefined: from the cache's present state. */
  readonly after: number | undefined;
  readonly initialEvents: boolean;
  /** What they are of, where it is not the cache's present state: the state at `after`. */
  readonly initialItems: readonly StoredItem[] | undefined;
  readonly announceEnd: boolean;
  readonly allowBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

export class WatchCache implements WatcherHost {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly format: ItemFormat;
  readonly window: ChangeWindow;
  readonly snapshots = new Snapshots();
  readonly watchers: Watchers;
  private present = ItemTree.empty();
  private reached = 0;
  /** The present state is that of every revision from here to `reached`. */
  private changedAt = 0;
  private compactedAt = 0;
  private stream: WatchStream | undefined;
  private starting: Promise<void> | undefined;
  private running = false;
  private closed = false;
  private retryMs = RETRY_FIRST_MS;
  private retry: NodeJS.Timeout | undefined;
  private readonly waiters: CatchUp;

  constructor(private readonly options: WatchCacheOptions) {
    this.client = options.client;
    this.keys = options.keys;
    this.format = options.format;
    this.window = options.window ?? new ChangeWindow();
    this.waiters = new CatchUp(() => this.askProgress(), options.catchUpMs);
    this.watchers = new Watchers((error) => options.onError(error, 'a watcher failed'));
  }

  /** The state is complete up to this revision. */
  get revision(): number {
    return this.reached;
  }

  get tree(): ItemTree {
    return this.present;
  }

  /** The state has been loaded and is being kept up to date. */
  get isRunning(): boolean {
    return this.running;
  }

  /** Resolves when the state has been loaded; starts that on the first call. Rejects with EtcdError; may be tried again. */
  start(): Promise<void> {
    if (this.closed) return Promise.reject(noSuchResource());
    if (this.starting === undefined) {
      this.starting = this.load();
      this.starting.catch(() => {
        this.starting = undefined;
      });
    }
    return this.starting;
  }

  get(order: string): StoredItem | undefined {
    return this.present.get(order);
  }

  /** The state at exactly this revision, if it is at hand and has not been compacted. */
  stateAt(revision: number): ItemTree | undefined {
    if (revision < this.compactedAt) return undefined;
    if (this.changedAt <= revision && revision <= this.reached) return this.present;
    return this.snapshots.at(revision, this.options.now());
  }

  /** Keeps the present state for the next pages of a list. Returns the revision to ask for. */
  keepState(): void {
    this.snapshots.keep(this.present, this.changedAt, this.options.now());
  }

  /**
   * Whether the state is complete up to this revision, as soon as that is known. False: the store cannot say it, so it has
   * to be asked for the state itself. Rejects with StatusError 504 after 3 s.
   */
  complete(revision: WantedRevision): boolean | Promise<boolean> {
    if (this.reached >= revision) return true;
    // The embedded store answers this within the call.
    const isTold = this.askProgress();
    if (this.reached >= revision) return true;
    if (!isTold) return false;
    return this.waiters.wait(revision, () => this.reached, { eventsOnly: false });
  }

  /** Waits for the event of a write that was done at this revision, which comes from any store. Never rejects. */
  async settled(revision: number): Promise<void> {
    if (this.reached >= revision) return;
    this.askProgress();
    if (this.reached >= revision) return;
    await this.waiters.wait(revision, () => this.reached, { eventsOnly: true }).catch(() => undefined);
  }

  watch(start: WatchStart): CacheWatcher {
    const after = start.after ?? this.reached;
    const watcher = new CacheWatcher(this, {
      ...start,
      after,
      initial: start.initialEvents ? this.initialState(start) : undefined,
    });
    if (start.allowBookmarks) {
      watcher.bookmarks = new BookmarkSchedule(this.options.now(), start.timeoutSeconds);
    }
    this.watchers.add(watcher);
    this.watchers.wake(watcher);
    return watcher;
  }

  bookmark(revision: number, initialEventsEnd: boolean): WatchEvent {
    const {
      kind: _kind,
      apiVersion: _apiVersion,
      metadata: _metadata,
      ...zero
    } = this.options.bookmarkObject();
    const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: String(revision), ...annotations };
    const item = this.format.unnamed({ metadata, ...zero }, revision);
    return { type: 'BOOKMARK', item, ...(initialEventsEnd ? { initialEventsEnd } : {}) };
  }

  wake(watcher: CacheWatcher): void {
    this.watchers.wake(watcher);
  }

  remove(watcher: CacheWatcher): void {
    this.watchers.remove(watcher);
  }

  /** What API servers have agreed to forget is not answered from memory either: it would be there for some and not for others. */
  compacted(revision: number): void {
    this.compactedAt = Math.max(this.compactedAt, revision);
    this.snapshots.compacted(revision);
  }

  /** Sends the bookmarks that are due and lets go of old snapshots. To be called about once a second. */
  tick(now: number): void {
    this.snapshots.prune(now);
    let asked = false;
    for (const watcher of this.watchers) {
      const { bookmarks } = watcher;
      if (bookmarks === undefined || bookmarks.dueIn(now) > BOOKMARK_ASK_AHEAD_MS) continue;
      if (!asked) this.askProgress();
      asked = true;
      if (bookmarks.dueIn(now) > 0) continue;
      bookmarks.sent(now);
      if (watcher.notifyBookmark()) this.wake(watcher);
    }
  }

  /** Ends all watches: the resource is no longer served. */
  close(): void {
    this.closed = true;
    this.running = false;
    clearTimeout(this.retry);
    this.waiters.close();
    const { stream } = this;
    this.stream = undefined;
    stream?.close();
    for (const watcher of this.watchers) watcher.fail(noSuchResource());
    this.snapshots.clear();
  }

  private initialState({ initialItems, scope }: WatchStart): Iterator<StoredItem> {
    return initialItems === undefined ? this.present.clone().iterate(scope) : initialItems.values();
  }

  /** False: the store cannot say how far it has told of events. */
  private askProgress(): boolean {
    return this.stream?.requestProgress() ?? true;
  }

  private reach(revision: number): void {
    if (revision <= this.reached) return;
    this.reached = revision;
    this.waiters.reached(revision);
  }

  private async load(): Promise<void> {
    const { tree, revision } = await load(this.client, this.keys, (order, kv) => this.itemOf(order, kv));
    if (this.closed) return;
    for (const watcher of this.watchers) if (watcher.notifyReset(this.reached)) this.wake(watcher);
    this.window.reset(revision);
    this.snapshots.changing(revision);
    this.present = tree;
    this.changedAt = revision;
    this.running = true;
    this.reach(revision);
    this.follow();
  }

  /** Opens the watch that goes on behind what is known. */
  private follow(): void {
    const stream = this.client.watch();
    this.stream = stream;
    stream.deliver((response) => {
      this.receive(stream, response);
      return true;
    });
    const lost = () => this.lost(stream, false);
    stream.closed.then(lost, lost);
    stream.create({
      key: this.keys.prefix,
      rangeEnd: this.keys.rangeEnd,
      startRevision: this.reached + 1,
      progressNotify: true,
    });
  }

  /** Never throws: it runs within the store's apply. */
  private receive(stream: WatchStream, response: WatchResponse): void {
    if (stream !== this.stream) return;
    try {
      if (response.canceled === true) {
        this.lost(stream, (response.compactRevision ?? 0) > 0);
      } else if (response.created !== true) {
        this.retryMs = RETRY_FIRST_MS;
        for (const event of response.events) this.apply(event.kv, event.type);
        const last = response.events.at(-1)?.kv.modRevision;
        this.reach(last ?? response.header.revision);
      }
    } catch (error) {
      this.options.onError(error, 'the watch cache failed to apply a change and loads again');
      this.lost(stream, true);
    }
  }

  private apply(kv: KeyValue, type: 'put' | 'delete'): void {
    // A stream that was opened again may repeat what is known.
    if (kv.modRevision <= this.reached) return;
    const order = this.keys.orderOfEtcdKey(kv.key);
    const previous = this.present.get(order);
    const current = type === 'put' ? this.itemOf(order, kv) : undefined;
    if (current === undefined && previous === undefined) return;
    this.snapshots.changing(kv.modRevision);
    if (current === undefined) this.present.delete(order);
    else this.present.set(order, current);
    this.changedAt = kv.modRevision;
    const key = current?.key ?? previous?.key ?? order;
    const change = new Change(kv.modRevision, key, namespaceOf(key), current, previous);
    this.watchers.notify(change, this.window.push(change));
  }

  /** A value that is no object is left out: one bad value must not make all others unreadable. */
  private itemOf(order: string, kv: KeyValue): StoredItem | undefined {
    const key = keyOfOrder(order);
    try {
      return this.format.fromValue(key, kv.value, kv.modRevision, true);
    } catch (error) {
      this.options.onError(error, `the value of ${this.keys.etcdPath(key)} is not an object`);
      return undefined;
    }
  }

  /** The watch ended. After a compaction what happened meanwhile is gone, so the state is loaded again. */
  private lost(stream: WatchStream, compacted: boolean): void {
    if (this.closed || stream !== this.stream) return;
    this.stream = undefined;
    stream.close();
    this.retryLater(compacted);
  }

  private retryLater(compacted: boolean): void {
    this.retry = setTimeout(() => void (compacted ? this.loadAgain() : this.goOn()), this.retryMs);
    this.retry.unref();
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }

  /** Behind what is known, unless part of that is gone. */
  private async goOn(): Promise<void> {
    const isWhole = await isReadable(this.client, this.keys, this.reached).catch(() => undefined);
    if (this.closed) return;
    if (isWhole === undefined) this.retryLater(false);
    else if (isWhole) this.follow();
    else await this.loadAgain();
  }

  private async loadAgain(): Promise<void> {
    try {
      await this.load();
    } catch (error) {
      this.options.onError(error, 'the watch cache could not be loaded');
      this.retryLater(true);
    }
  }
}
