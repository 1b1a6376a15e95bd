/**
 * The seam between the replicated log and what is replicated. The store proposes commands and is handed every
 * committed command, in log order, on every member.
 */
import type { LogEntry } from '../log/log.js';

/** How a proposal ended (there is no fourth way). */
export type ProposalOutcome<R> =
  /** Committed, durable here, and applied. */
  | { readonly type: 'applied'; readonly result: R; readonly index: number; readonly term: number }
  /** Certainly not applied, now or later. */
  | { readonly type: 'rejected'; readonly reason: RejectReason }
  /** May or may not be applied, now or later: leader change, deadline, or shutdown while in flight. */
  | { readonly type: 'unknown'; readonly reason: UnknownReason };

/** `overloaded`: the bound on pending bytes is reached. `deadline`, `aborted`: over before it was proposed. */
export type RejectReason = 'no-leader' | 'overloaded' | 'stopped' | 'too-large' | 'deadline' | 'aborted';
export type UnknownReason = 'leader-changed' | 'deadline' | 'stopped' | 'aborted';

export interface ProposeOptions {
  /** Milliseconds on the consensus clock (`performance.now()`) after which the caller no longer waits. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

export interface ConsensusStatus {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** 0n while there is none. */
  readonly leaderId: bigint;
  readonly term: number;
  readonly committed: number;
  readonly applied: number;
}

export interface Consensus<R> {
  /**
   * Proposes a command. Never retries by itself, never throws for what a client or the network can cause.
   * The payload must not be changed afterwards.
   */
  propose(payload: Uint8Array, options: ProposeOptions): Promise<ProposalOutcome<R>>;

  /**
   * Confirms leadership as of the call and waits until this member has applied everything committed by then
   * (ReadIndex, dissertation §6.4). Calls in flight share a round. Rejects with a `ConsensusError` when it cannot.
   */
  readIndex(options: ProposeOptions): Promise<void>;

  status(): ConsensusStatus;

  /** Called whenever leadership or the term changes. Returns an unsubscribe function. */
  onLeadershipChange(listener: (status: ConsensusStatus) => void): () => void;

  /**
   * Stops taking proposals, applies what is committed, closes the log. Proposals in flight are finished where that is
   * possible, and end `unknown` where it is not.
   */
  stop(): Promise<void>;
}

/** A read that could not be confirmed. */
export class ConsensusError extends Error {
  override name = 'ConsensusError';
  constructor(readonly reason: 'no-leader' | 'deadline' | 'stopped' | 'aborted') {
    super(`consensus: ${reason}`);
  }
}

/** What is replicated. Apply reads only the entry and the machine's own state: no clock, no random value. */
export interface StateMachine<R> {
  /** Position of the last entry applied; {0, 0} when new. */
  readonly applied: LogPosition;
  /** Position that a power cut cannot take back. Invariant: durable ≤ applied. The log is cut only at or below. */
  readonly durable: LogPosition;
  /** True if the machine's own metadata says that its state at `applied` came from a snapshot install. */
  readonly installedSnapshot: boolean;

  /**
   * Applies a batch of committed, locally durable entries in one transaction together with their position. Entries
   * of type `noop` and `configuration` only move the position. Results are in the order of `entries`, undefined for
   * those. A client's error is a result, not an exception; an exception here stops the member.
   */
  apply(entries: readonly LogEntry[]): (R | undefined)[];

  /**
   * Resolves when the machine is ready for the next batch; undefined when it is ready now. The driver awaits this
   * between batches, so that a checkpoint may hold the next apply without ever blocking the event loop.
   */
  ready(): Promise<void> | undefined;

  /** Called after `durable` moved forward, so that the driver may cut the log. Returns an unsubscribe function. */
  onDurable(listener: (durable: LogPosition) => void): () => void;
}

export interface LogPosition {
  readonly index: number;
  readonly term: number;
}
