/**
 * The durable log of one member: entries, and the hard state that Raft must not forget (Raft §5, figure 2).
 *
 * Every implementation runs the suite in test/raft/log-suite.ts.
 */

/** Identifies a proposal, so that its member knows its own at apply. No two proposals ever have the same. */
export interface RequestId {
  /** 64 random bits that a member chooses at each start; 0n for entries that nobody waits for. */
  readonly session: bigint;
  /** Counts within the session, from 1. */
  readonly counter: number;
}

/** What an entry carries. `normal` is a command of the state machine; the others belong to Raft itself. */
export type EntryType = 'normal' | 'noop' | 'configuration';

export interface LogEntry {
  /** Version of this entry's encoding, 1 at present. */
  readonly format: 1;
  /** Position in the log; the first entry ever is 1. */
  readonly index: number;
  /** The leader's term when it was proposed. Never falls with rising index. */
  readonly term: number;
  readonly type: EntryType;
  readonly requestId: RequestId;
  readonly payload: Uint8Array;
}

/** Durable before any message that depends on it is sent (Raft §5.2). */
export interface HardState {
  readonly term: number;
  /** The member voted for in `term`; 0n for none. */
  readonly vote: bigint;
  /** Highest index known committed. May lag; Raft finds it again. */
  readonly commit: number;
}

/** Whose log it is: the votes in it are one member's own. */
export interface LogOwner {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

export interface RaftLog {
  /** Index of the oldest entry kept; `lastIndex + 1` when there is none. */
  readonly firstIndex: number;
  /** Index of the newest entry appended, durable or not. */
  readonly lastIndex: number;
  /** Index up to which entries are synced to disk. Invariant: durableIndex ≤ lastIndex. */
  readonly durableIndex: number;
  /** Term of entry `firstIndex - 1`, the last one cut away; 0 when nothing was cut. */
  readonly baseTerm: number;
  readonly hardState: HardState;
  /** Why nothing can be written any more; undefined while it can. What is asked of the log after that changes nothing. */
  readonly failure: Error | undefined;

  /**
   * Appends entries (contiguous with lastIndex) and, if given, replaces the hard state; both become durable together.
   * Readable at once; the promise resolves when they are on disk. Calls in flight share one sync (group commit).
   * A failure to write is fatal to the log: this and every later call rejects.
   */
  append(entries: readonly LogEntry[], hardState?: HardState): Promise<void>;

  /**
   * Index of the oldest entry that `read` can give; older ones are on disk only and come from `readOld`.
   * Invariant: firstIndex ≤ residentIndex ≤ lastIndex + 1. Entries not yet released are always resident, except for
   * those that were in the log when it was opened.
   */
  readonly residentIndex: number;

  /**
   * Entries from `from` (at least residentIndex) through `through` or lastIndex, stopping early, after at least one
   * entry, before `maxBytes` of payload are passed.
   */
  read(from: number, through: number, maxBytes?: number): LogEntry[];

  /** As `read`, for any entry from firstIndex on. May give fewer entries than are there, but at least one. */
  readOld(from: number, through: number, maxBytes?: number): Promise<LogEntry[]>;

  /** The caller has applied entries through `through` and can wait for them from now on: memory may let them go. */
  release(through: number): void;

  /** Term of the entry at `index`, of `firstIndex - 1` too; undefined outside. */
  term(index: number): number | undefined;

  /** Removes every entry from `from` on (a follower's conflict, Raft §5.3). Durable with the next append. */
  truncateSuffix(from: number): Promise<void>;

  /** Removes entries through `through`, at most the durable applied index. */
  compactPrefix(through: number): Promise<void>;

  /** Forgets everything and starts after (index, term): used after a snapshot is installed. */
  reset(index: number, term: number): Promise<void>;

  /** Syncs what was appended and releases the files. */
  close(): Promise<void>;
}
