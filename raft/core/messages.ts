/**
 * What members say to each other. Plain data; the transport may lose, repeat, delay and reorder any of it. Messages that
 * a member sends to itself, such as its own vote, come back to it once what they speak of is durable.
 */
import type { EntryType, LogEntry, RequestId } from '../log/log.js';
import type { ChangeRefusal } from './configuration.js';

interface Envelope {
  /** Member ids. */
  readonly from: bigint;
  readonly to: bigint;
  /** The sender's term when it made the message; of a pre-vote, the term that it would stand in. */
  readonly term: number;
}

/** A wish for an entry, on its way to the leader. */
export interface ProposedEntry {
  readonly type: Exclude<EntryType, 'noop'>;
  /** Names the proposal through all repetitions; a leader appends it once. */
  readonly requestId: RequestId;
  /** Of a configuration: the encoded changes; the leader makes the whole configuration of them. */
  readonly payload: Uint8Array;
}

/** AppendEntries (Raft §5.3). */
export interface AppendMessage extends Envelope {
  readonly type: 'append';
  readonly previousIndex: number;
  readonly previousTerm: number;
  /** Contiguous, from previousIndex + 1. Messages made together share the array. */
  readonly entries: readonly LogEntry[];
  readonly commit: number;
}

export interface AppendedMessage extends Envelope {
  readonly type: 'append-response';
  /** Entries through this one are the leader's own, and durable. Of a rejection: the previousIndex that was refused. */
  readonly index: number;
  /** Present when refused: where the leader should look next, so that a whole term is skipped at once (Raft §5.3). */
  readonly hint?:
    | {
        /** The newest index at or before `index` whose term is not above the leader's at that place. */
        readonly index: number;
        readonly term: number;
      }
    | undefined;
}

/** Keeps followers quiet, tells what is committed, and confirms leadership for reads (dissertation §6.4). */
export interface HeartbeatMessage extends Envelope {
  readonly type: 'heartbeat';
  readonly commit: number;
  /** The newest round of confirmation; answered with the same number. Rises within a term. */
  readonly round: number;
}

export interface HeartbeatResponseMessage extends Envelope {
  readonly type: 'heartbeat-response';
  readonly round: number;
}

/** What is committed of the entries that this follower has acknowledged. Not answered. */
export interface CommitMessage extends Envelope {
  readonly type: 'commit';
  readonly commit: number;
}

/** RequestVote, and the round before it that changes nothing (Raft §5.2, dissertation §9.6). */
export interface VoteMessage extends Envelope {
  readonly type: 'vote';
  readonly preVote: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader has asked for it: those who hear from the leader answer too. */
  readonly transfer: boolean;
}

export interface VoteResponseMessage extends Envelope {
  readonly type: 'vote-response';
  readonly preVote: boolean;
  readonly granted: boolean;
}

/** To the leader of `term`, who takes each of them once. */
export interface ProposeMessage extends Envelope {
  readonly type: 'propose';
  readonly proposals: readonly ProposedEntry[];
}

/** They are not in the log of the leader of `term`, and will not be unless they are sent again. */
export interface ProposalRefusedMessage extends Envelope {
  readonly type: 'proposal-refused';
  readonly requestIds: readonly RequestId[];
  readonly reason: ProposalRefusal;
}

/** `not-leader`: also while the leader hands its leadership over. `change-pending` and it may pass by waiting. */
export type ProposalRefusal = 'not-leader' | ChangeRefusal;

/** Asks the leader for an index to read at. */
export interface ReadMessage extends Envelope {
  readonly type: 'read';
  /** The asking member's own number. */
  readonly id: number;
}

export interface ReadResponseMessage extends Envelope {
  readonly type: 'read-response';
  readonly id: number;
  /** Whoever has applied this has applied all that was committed when the question came. */
  readonly index: number;
}

/** Stand for election now: the leader hands over (dissertation §3.10). */
export interface TimeoutNowMessage extends Envelope {
  readonly type: 'timeout-now';
}

export type Message =
  | AppendMessage
  | AppendedMessage
  | CommitMessage
  | HeartbeatMessage
  | HeartbeatResponseMessage
  | VoteMessage
  | VoteResponseMessage
  | ProposeMessage
  | ProposalRefusedMessage
  | ReadMessage
  | ReadResponseMessage
  | TimeoutNowMessage;
