import type { KeyRange } from '../bytes.js';
import type { Change } from '../mvcc/store.js';

/** A change together with the version that it replaced, where that was asked for. */
export interface HistoryChange {
  readonly change: Change;
  readonly prevKv: Change['kv'] | undefined;
}

export interface HistoryQuery {
  readonly range: KeyRange;
  /** First revision wanted. Invariant: compacted ≤ from. */
  readonly from: number;
  /** Look up the version at mod − 1 of each change. */
  readonly prevKv: boolean;
  /** Stop after the revision in which the keys and values read pass this many bytes. */
  readonly bytesMax: number;
}

export interface HistoryChunk {
  /** Whole revisions, in order. */
  readonly changes: readonly HistoryChange[];
  /** Everything before this revision has been seen: where the next chunk begins. Above `from`. */
  readonly next: number;
}

/**
 * Reads the changes of a key range from the past: what a watcher gets that started there or fell behind. Each call does
 * a bounded amount of work. Implementations: SqliteHistory, RecentHistory; both run test/storage/history.test.ts.
 */
export interface HistoryReader {
  /** Undefined if this reader does not go back to `from`. */
  read(query: HistoryQuery): HistoryChunk | undefined;
  /** The version that `change` replaced, as it was at mod − 1; undefined if none or compacted. */
  previous(change: Change): Change['kv'] | undefined;
}
