import { latin1, type KeyRange } from '../bytes.js';
import type { KeyValue } from '../client/interface.js';
import type { Change } from '../mvcc/store.js';
import type { HistoryChange, HistoryChunk, HistoryQuery, HistoryReader } from './history.js';

export interface RecentLimits {
  readonly changesMax: number;
  /** Bytes of keys and values kept. */
  readonly bytesMax: number;
}

export const RECENT_LIMITS: RecentLimits = { changesMax: 4096, bytesMax: 4 * 2 ** 20 };

/** Changes are kept in memory of this size, several in each. */
const BLOCK_BYTES = 64 * 1024;

interface Kept {
  readonly change: Change;
  readonly key: string;
  readonly bytes: number;
}

/**
 * The newest changes, in memory: a watcher that fell behind for a moment, or starts where a list ended, needs no disk.
 * Keeps whole revisions, at most as many as the limits allow, and the newest one always.
 */
export class RecentHistory implements HistoryReader {
  readonly #limits: RecentLimits;
  readonly #lookUpPrevious: (change: Change) => KeyValue | undefined;
  /** Changes in order; those before #first are forgotten. */
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;
  #block = Buffer.alloc(0);
  #taken = 0;
  /** Holds every change from here on. */
  #floor: number;
  #revision: number;

  /** @param revision the store's, before the first change that is recorded */
  constructor(
    revision: number,
    lookUpPrevious: (change: Change) => KeyValue | undefined,
    limits: RecentLimits = RECENT_LIMITS,
  ) {
    this.#revision = revision;
    this.#floor = revision + 1;
    this.#lookUpPrevious = lookUpPrevious;
    this.#limits = limits;
  }

  record(change: Change, key: string): void {
    const { kv } = change;
    this.#trim(kv.modRevision);
    const bytes = kv.key.length + kv.value.length;
    this.#kept.push({ change: this.#withoutSurroundings(change, bytes), key, bytes });
    this.#bytes += bytes;
    this.#revision = kv.modRevision;
  }

  read({ range, from, prevKv, bytesMax }: HistoryQuery): HistoryChunk | undefined {
    if (from < this.#floor) return undefined;
    const matches = matcher(range);
    const changes: HistoryChange[] = [];
    let bytes = 0;
    for (let index = this.#indexOf(from); index < this.#kept.length; index++) {
      const kept = this.#kept[index];
      if (kept === undefined || !matches(kept.key)) continue;
      const { change } = kept;
      const last = changes.at(-1)?.change.kv.modRevision;
      if (bytes > bytesMax && change.kv.modRevision !== last) {
        return { changes, next: change.kv.modRevision };
      }
      changes.push({ change, prevKv: prevKv ? this.previous(change) : undefined });
      bytes += kept.bytes;
    }
    return { changes, next: Math.max(this.#revision + 1, from) };
  }

  previous(change: Change): KeyValue | undefined {
    return this.#lookUpPrevious(change);
  }

  /** Makes room for a change of this revision: forgets whole revisions, never part of the one being recorded. */
  #trim(revision: number): void {
    const { changesMax, bytesMax } = this.#limits;
    while (this.#kept.length - this.#first >= changesMax || this.#bytes > bytesMax) {
      const oldest = this.#kept[this.#first];
      if (oldest === undefined || oldest.change.kv.modRevision === revision) break;
      this.#bytes -= oldest.bytes;
      this.#floor = oldest.change.kv.modRevision + 1;
      this.#first += 1;
    }
    if (this.#first > changesMax) {
      this.#kept = this.#kept.slice(this.#first);
      this.#first = 0;
    }
  }

  /**
   * Key and value are views of the command, or of what the database returned, or lie in Node's pool of small buffers:
   * kept as they are, each of thousands of small changes would hold all that is around it.
   */
  #withoutSurroundings(change: Change, bytes: number): Change {
    const { key, value } = change.kv;
    const held = key.buffer.byteLength + (value.buffer === key.buffer ? 0 : value.buffer.byteLength);
    if (held <= 2 * bytes) return change;
    const copy = this.#take(bytes);
    copy.set(key);
    copy.set(value, key.length);
    const kv = { ...change.kv, key: copy.subarray(0, key.length), value: copy.subarray(key.length) };
    return { ...change, kv };
  }

  /** Memory that goes with that of its neighbours, which are forgotten at about the same time. */
  #take(bytes: number): Buffer {
    if (bytes > BLOCK_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    if (this.#taken + bytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#taken = 0;
    }
    const begin = this.#taken;
    this.#taken += bytes;
    return this.#block.subarray(begin, this.#taken);
  }

  /** Index of the first change at `revision` or later. */
  #indexOf(revision: number): number {
    let low = this.#first;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#kept[middle]?.change.kv.modRevision ?? Infinity;
      if (found >= revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function matcher(range: KeyRange): (key: string) => boolean {
  const start = latin1(range.start);
  if (range.type === 'point') return (key) => key === start;
  if (range.type === 'from') return (key) => key >= start;
  const end = latin1(range.end);
  return (key) => key >= start && key < end;
}
