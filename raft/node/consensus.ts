/**
 * The seam between the replicated log and what is replicated. The store proposes commands and is handed every
 * committed command, in log order, on every member.
 */
import type { ChangeRefusal, Configuration, ConfigurationChange } from '../core/configuration.js';
import type { LogEntry } from '../log/log.js';
import type { AskOptions, IncomingSnapshot, OutgoingSnapshot } from '../transport/transport.js';

/** How a proposal ended (there is no fourth way). */
export type ProposalOutcome<R> =
  /** Committed, durable here, and applied. */
  | { readonly type: 'applied'; readonly result: R; readonly index: number; readonly term: number }
  /** Certainly not applied, now or later. */
  | { readonly type: 'rejected'; readonly reason: RejectReason }
  /** May or may not be applied, now or later: deadline, abort or shutdown while in flight. */
  | { readonly type: 'unknown'; readonly reason: UnknownReason };

/**
 * `no-leader`: none was there until the deadline. `not-leader`: it was not to be forwarded. `overloaded`: the bound on
 * pending bytes is reached. `deadline`, `aborted`: over before it was proposed. The rest refuse a change of the
 * configuration.
 */
export type RejectReason =
  | 'no-leader'
  | 'not-leader'
  | 'overloaded'
  | 'stopped'
  | 'too-large'
  | 'deadline'
  | 'aborted'
  | ChangeRefusal;
/** `snapshot`: it may be part of a snapshot that was installed here. */
export type UnknownReason = 'deadline' | 'stopped' | 'aborted' | 'snapshot';

export interface ProposeOptions {
  /** Milliseconds on the consensus clock (`performance.now()`) after which the caller no longer waits. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
  /** False: only while this member leads, in its present term or not at all. True when absent. */
  readonly forward?: boolean;
}

export interface ConsensusStatus {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** 0n while there is none. */
  readonly leaderId: bigint;
  readonly term: number;
  readonly committed: number;
  readonly applied: number;
  /** Gets the log and has no vote. */
  readonly isLearner: boolean;
}

export interface Consensus<R> {
  /**
   * Proposes a command, by way of the leader wherever that is. It is in the log once or not at all: it is sent again
   * only where it certainly is not, as after a change of leaders. Never throws for what a client or the network can
   * cause. The payload must not be changed afterwards.
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

  /** The newest configuration of this member's log, committed or not. */
  configuration(): Configuration;

  /** Proposes a configuration: one step if at most one vote changes, else through a joint one. */
  changeConfiguration(
    changes: readonly ConfigurationChange[],
    options: ProposeOptions,
  ): Promise<ProposalOutcome<Configuration>>;

  /** How far the log of each member is, as the leader knows it: durable index by id. Empty on a follower. */
  matches(): ReadonlyMap<bigint, number>;

  /** Asks the leader to hand over to this voter; resolves when it, or another, leads. Rejects with ConsensusError. */
  transferLeadership(to: bigint, options: ProposeOptions): Promise<void>;

  /**
   * A question that the leader answers past the log (`answerQuestions`); answered here when this member leads.
   * Rejects with a TransportError, or with ConsensusError: no-leader.
   */
  askLeader(question: Uint8Array, options: AskOptions): Promise<Uint8Array>;

  /** The same of one certain other member. Rejects with a TransportError. */
  ask(member: bigint, question: Uint8Array, options: AskOptions): Promise<Uint8Array>;

  /** Sets who answers the questions of other members. */
  answerQuestions(answer: (question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>): void;

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
   * Payload of the last entry of type `configuration` applied, or what the machine was created with: the encoded
   * configuration (core/configuration.ts). Kept with the state, in snapshots too.
   */
  readonly configuration: Uint8Array;

  /**
   * Applies a batch of committed, locally durable entries in one transaction together with their position. Entries
   * of type `noop` only move the position, those of type `configuration` also replace `configuration`. Results are in
   * the order of `entries`, undefined for both. A client's error is a result, not an exception; an exception here
   * stops the member.
   */
  apply(entries: readonly LogEntry[]): (R | undefined)[];

  /**
   * Resolves when the machine is ready for the next batch; undefined when it is ready now. The driver awaits this
   * between batches, so that a checkpoint may hold the next apply without ever blocking the event loop.
   */
  ready(): Promise<void> | undefined;

  /** Called after `durable` moved forward, so that the driver may cut the log. Returns an unsubscribe function. */
  onDurable(listener: (durable: LogPosition) => void): () => void;

  /** A consistent copy of the state, as of now or a little later. The machine goes on meanwhile. */
  snapshot(): Promise<OutgoingSnapshot>;

  /**
   * Takes in another member's copy, verifies it and makes it durable beside the live state. Rejects, and leaves nothing
   * behind, if it does not arrive whole or is not of this cluster.
   */
  stage(snapshot: IncomingSnapshot): Promise<StagedSnapshot>;
}

export interface StagedSnapshot {
  /**
   * Makes it the live state, durably, with `installedSnapshot` set: `applied` and `configuration` are the snapshot's
   * when it resolves. The driver applies nothing meanwhile, and only installs what is ahead of `applied`.
   */
  install(): Promise<void>;
  /** In place of `install`. */
  discard(): Promise<void>;
}

export interface LogPosition {
  readonly index: number;
  readonly term: number;
}
