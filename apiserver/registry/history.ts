/**
 * The way of a watcher whose place is no longer in memory: a private etcd watch from its revision on, until it has caught
 * up. It holds a bounded number of changes; the store keeps the rest until the reader goes on.
 *
 * What has come is passed on once the state before it has been seen readable after it came: a deletion that the store had
 * compacted away by the time its stream got there (see `isReadable`) can then not be missing.
 */
import type { EtcdClient, KeyValue, WatchResponse, WatchStream } from '../../storage/client/interface.js';
import { expired, type StatusError } from '../errors.js';
import { Change } from './change.js';
import { type KeySpace, keyOfOrder, namespaceOf, type Scope } from './keys.js';
import { isReadable } from './load.js';
import type { ItemFormat, StoredItem } from './stored-item.js';

/** Changes that wait for one reader before its stream is held. */
const HISTORY_CHANGES_MAX = 256;
/** JSON bytes that wait for one reader before its stream is held. */
const HISTORY_BYTES_MAX = 1024 * 1024;
/** Pause before a stream that was cut is opened again, in milliseconds. */
const HISTORY_RETRY_MS = 500;

/** `too old resource version: N (M)`: M is the oldest revision from which one can surely still watch. */
export const tooOld = (revision: number, oldest: number): StatusError =>
  expired(`too old resource version: ${revision} (${oldest})`);

export interface HistorySource {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly format: ItemFormat;
}

export class History {
  /** Changes that may be taken, by revision. */
  private changes: Change[] = [];
  /** Changes that came after them and are not yet known to be all. */
  private unconfirmed: Change[] = [];
  /** JSON bytes of both. */
  private bytes = 0;
  private stream: WatchStream | undefined;
  private retry: NodeJS.Timeout | undefined;
  private held = false;
  /** Whose changes are being confirmed. */
  private confirming: WatchStream | undefined;
  /** Every change up to this revision has come, none is missing, and all may be taken. */
  private reached: number;
  /** The stream has told up to this revision. Invariant: reached ≤ told. */
  private told: number;
  /** Why it cannot go on. */
  failure: StatusError | undefined;

  /** `onReady` is called when changes, progress or a failure have come. */
  constructor(
    private readonly source: HistorySource,
    private readonly scope: Scope,
    after: number,
    private readonly onReady: () => void,
  ) {
    this.reached = after;
    this.told = after;
    this.open();
  }

  /** The next change, which is removed; undefined when none waits. */
  take(): Change | undefined {
    const change = this.changes.shift();
    if (change === undefined) return undefined;
    this.bytes -= change.bytes;
    if (this.held && !this.isFull()) {
      this.held = false;
      this.stream?.resume();
    }
    return change;
  }

  /** Revision of the next change. */
  get nextRevision(): number | undefined {
    return this.changes[0]?.revision;
  }

  /** Once every change that came has been taken: nothing up to this revision is missing. */
  get position(): number {
    return this.reached;
  }

  /** Asks how far the store is, when nothing waits and that is not far enough. */
  askProgress(): void {
    this.stream?.requestProgress();
  }

  close(): void {
    clearTimeout(this.retry);
    const { stream } = this;
    this.stream = undefined;
    this.changes = [];
    this.unconfirmed = [];
    stream?.close();
  }

  private open(): void {
    const stream = this.source.client.watch();
    this.stream = stream;
    this.held = false;
    for (const { bytes } of this.unconfirmed) this.bytes -= bytes;
    this.unconfirmed = [];
    this.told = this.reached;
    stream.deliver((response) => this.receive(stream, response));
    stream.closed.then(
      () => this.reopen(stream),
      () => this.reopen(stream),
    );
    stream.create({
      ...this.source.keys.etcdRange(this.scope),
      startRevision: this.reached + 1,
      prevKv: true,
    });
  }

  private reopen(stream: WatchStream): void {
    if (this.stream !== stream || this.failure !== undefined) return;
    this.stream = undefined;
    this.retry = setTimeout(() => this.open(), HISTORY_RETRY_MS);
    this.retry.unref();
  }

  private isFull(): boolean {
    const waiting = this.changes.length + this.unconfirmed.length;
    return waiting >= HISTORY_CHANGES_MAX || this.bytes >= HISTORY_BYTES_MAX;
  }

  private receive(stream: WatchStream, response: WatchResponse): boolean {
    if (stream !== this.stream || this.failure !== undefined) return true;
    if (response.canceled === true) {
      this.end(stream, response.compactRevision);
      this.onReady();
      return true;
    }
    if (response.created === true) {
      stream.requestProgress();
      return true;
    }
    if (this.isFull()) {
      this.held = true;
      return false;
    }
    if (response.events.length === 0) this.told = Math.max(this.told, response.header.revision);
    for (const event of response.events) {
      const change = this.changeOf(event.kv, event.type, event.prevKv);
      if (change === undefined) {
        this.fail(event.kv.modRevision);
        break;
      }
      this.unconfirmed.push(change);
      this.bytes += change.bytes;
      this.told = change.revision;
    }
    if (this.failure !== undefined || this.told === this.reached) this.onReady();
    else if (this.confirming !== stream) void this.confirm(stream);
    return true;
  }

  /** What comes while the store is asked is confirmed by the next question. */
  private async confirm(stream: WatchStream): Promise<void> {
    const { client, keys } = this.source;
    this.confirming = stream;
    while (this.reached < this.told && this.failure === undefined) {
      const { told } = this;
      const { length } = this.unconfirmed;
      const isWhole = await isReadable(client, keys, this.reached).catch(() => undefined);
      if (stream !== this.stream) return;
      if (isWhole === undefined) {
        this.reopen(stream);
        stream.close();
        return;
      }
      if (isWhole) {
        for (const change of this.unconfirmed.splice(0, length)) this.changes.push(change);
        this.reached = told;
      } else this.fail(this.reached + 1);
      this.onReady();
    }
    this.confirming = undefined;
  }

  private end(stream: WatchStream, compactRevision: number | undefined): void {
    if (compactRevision === undefined || compactRevision === 0) this.reopen(stream);
    else this.fail(compactRevision);
  }

  private fail(oldest: number): void {
    this.failure = tooOld(this.reached, oldest);
    this.stream?.close();
  }

  /** Undefined when the store no longer has the previous state, which a compaction in this very moment can cause. */
  private changeOf(kv: KeyValue, type: 'put' | 'delete', prevKv: KeyValue | undefined): Change | undefined {
    const created = type === 'put' && kv.createRevision === kv.modRevision;
    if (prevKv === undefined && !created) return undefined;
    const key = keyOfOrder(this.source.keys.orderOfEtcdKey(kv.key));
    const previous = created || prevKv === undefined ? undefined : this.itemOf(key, prevKv);
    const current = type === 'put' ? this.itemOf(key, kv) : undefined;
    if (current === undefined && previous === undefined) return undefined;
    return new Change(kv.modRevision, key, namespaceOf(key), current, previous);
  }

  private itemOf(key: string, kv: KeyValue): StoredItem | undefined {
    try {
      return this.source.format.fromValue(key, kv.value, kv.modRevision);
    } catch {
      return undefined;
    }
  }
}
