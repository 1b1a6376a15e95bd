/** What passes between a `SqliteLog` and its worker. Operations are carried out in the order they were posted. */
import type { LogErrorCode } from './errors.js';
import type { HardState, LogOwner } from './log.js';
import type { LogBounds } from './view.js';

/** Comes first: which log it is. */
export interface LogOpening {
  readonly path: string;
}

export type LogOperation =
  /** `frames` as of packEntries, contiguous with what is there. */
  | { readonly type: 'append'; readonly frames: Uint8Array }
  | { readonly type: 'hard-state'; readonly hardState: HardState }
  | { readonly type: 'truncate-suffix'; readonly from: number }
  | { readonly type: 'compact-prefix'; readonly through: number; readonly baseTerm: number }
  | { readonly type: 'reset'; readonly index: number; readonly term: number }
  | { readonly type: 'claim'; readonly owner: LogOwner };

export type LogRequest =
  /** Answered by `synced` once all of it is on disk. Sequences rise by one. */
  | { readonly type: 'write'; readonly sequence: number; readonly operations: readonly LogOperation[] }
  | {
      readonly type: 'read';
      readonly id: number;
      readonly from: number;
      readonly through: number;
      readonly maxBytes: number;
    }
  | { readonly type: 'close' };

export type LogResponse =
  | {
      readonly type: 'opened';
      readonly bounds: LogBounds;
      readonly hardState: HardState;
      /** Undefined until it was claimed. */
      readonly owner: LogOwner | undefined;
    }
  /** Every write through this sequence is on disk; the last commit took so long. */
  | { readonly type: 'synced'; readonly sequence: number; readonly seconds: number }
  | { readonly type: 'entries'; readonly id: number; readonly frames: Uint8Array }
  | { readonly type: 'closed' }
  /** The worker has given up; nothing follows. */
  | { readonly type: 'failed'; readonly code: LogErrorCode; readonly detail: string | undefined };
