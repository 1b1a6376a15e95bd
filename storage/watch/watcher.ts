import type { KeyRange } from '../bytes.js';
import type { HubStream } from './stream.js';

/** Bits of `Watcher.options`: watchers of one range with equal options get the same events. */
export const OPTION_NO_PUT = 1;
export const OPTION_NO_DELETE = 2;
export const OPTION_PREV_KV = 4;

/** One watch of a stream. */
export interface Watcher {
  readonly id: number;
  readonly stream: HubStream;
  readonly range: KeyRange;
  /** Any of the option bits. */
  readonly options: number;
  readonly fragment: boolean;
  readonly progressNotify: boolean;
  /**
   * First revision that it has not seen. Of a synced watcher this may lie in the future (where it asked to start) or
   * before the store's revision (nothing of its range has changed since).
   */
  next: number;
  /** Synced: gets events from memory, as they are applied. Else it reads history until it has caught up. */
  synced: boolean;
  /** Told something since the last round of periodic progress. */
  told: boolean;
}
