/** What goes into the state machine of Raft, and what comes out. All of it is plain data. */
import type { HardState, LogEntry, RequestId } from '../log/log.js';
import type { Configuration } from './configuration.js';
import type { Message, ProposalRefusal, ProposedEntry } from './messages.js';

export type Input =
  /** Time has passed; due when `deadline` is reached, harmless earlier. */
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly message: Message }
  /** Appended by a leader, sent to the leader by others. */
  | { readonly type: 'propose'; readonly proposals: readonly ProposedEntry[] }
  /** A local question for an index to read at; answered by `Effects.reads`. */
  | { readonly type: 'read'; readonly id: number }
  /** Hand the leadership to this voter. Nothing happens on a follower. */
  | { readonly type: 'transfer'; readonly to: bigint }
  /** Stand for election now, without waiting for a time-out: the only voter at its start. */
  | { readonly type: 'campaign' }
  /** Messages to this member may have been lost. */
  | { readonly type: 'unreachable'; readonly member: bigint }
  /** What `Effects.fetches` asked for. */
  | { readonly type: 'fetched'; readonly member: bigint; readonly entries: readonly LogEntry[] }
  /** The snapshot that `Effects.snapshots` asked for is installed there (its index), or is not (undefined). */
  | { readonly type: 'snapshot-sent'; readonly member: bigint; readonly index: number | undefined }
  /**
   * The state machine has installed a snapshot, durably. The log starts anew behind it unless it has that entry.
   */
  | {
      readonly type: 'installed';
      readonly index: number;
      readonly term: number;
      readonly configuration: Configuration;
    };

/**
 * What one step asks for. The log is changed at once, in this order, before the next step: reset, truncate, append.
 */
export interface Effects {
  /** Forget the log and start after this position. */
  reset: { readonly index: number; readonly term: number } | undefined;
  /** Remove entries from this index on. Invariant: above what is committed. */
  truncateFrom: number | undefined;
  entries: LogEntry[];
  /** To be durable together with `entries`. */
  hardState: HardState | undefined;
  /** May be sent at once. */
  messages: Message[];
  /**
   * May be sent only when everything given out so far, this step included, is durable. Those to this member itself
   * come back as input then.
   */
  messagesAfterSync: Message[];
  /** Reads that are answered: to be served once this much is applied. */
  reads: { readonly id: number; readonly index: number }[];
  /** Proposals of this member that are certainly not in the log, nor ever will be by this way. */
  refused: { readonly requestId: RequestId; readonly reason: ProposalRefusal }[];
  /** Entries that are not in memory and that a follower needs: to be read and given back by `fetched`. */
  fetches: {
    readonly member: bigint;
    readonly from: number;
    readonly through: number;
    readonly maxBytes: number;
  }[];
  /** Followers that need a snapshot. Answered by `snapshot-sent`. */
  snapshots: { readonly member: bigint }[];
}
