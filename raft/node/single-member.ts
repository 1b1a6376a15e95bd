import { setImmediate as nextTurn } from 'node:timers/promises';
import { invariant } from '../invariant.js';
import type { EntryType, LogEntry, RaftLog } from '../log/log.js';
import {
  ConsensusError,
  type Consensus,
  type ConsensusStatus,
  type ProposalOutcome,
  type ProposeOptions,
  type StateMachine,
} from './consensus.js';
import { Progress } from './progress.js';
import { PROPOSAL_LIMITS, Proposals, type ProposalLimits } from './proposals.js';
import { ReadWaiters } from './read-waiters.js';
import { matchLogToMachine } from './start.js';
import { Tail, TAIL_LIMITS, type TailLimits } from './tail.js';

export interface SingleMemberOptions<R> {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Owned from here on: closed by stop, and when the start fails. */
  readonly log: RaftLog;
  readonly stateMachine: StateMachine<R>;
  /** Called once if the disk fails or apply throws; the member has stopped then, and the process should end. */
  readonly onFatal: (error: unknown) => void;
  readonly proposalLimits?: ProposalLimits;
  readonly tailLimits?: TailLimits;
  /** The consensus clock in milliseconds; performance.now by default. */
  readonly now?: () => number;
}

/** Bounds on one apply, which blocks the event loop: entries, and bytes of payload. */
export const APPLY_ENTRIES_MAX = 256;
export const APPLY_BYTES_MAX = 2 * 2 ** 20;

interface EntryContent {
  readonly index: number;
  readonly type: EntryType;
  readonly counter: number;
  readonly payload: Uint8Array;
}

const RESOLVED = Promise.resolve();

/**
 * Consensus among one: what is durable in the own log is committed. The loop is that of every Raft driver: proposals
 * are persisted (`#persist`), then committed, then applied (`#applyCommitted`); the disk and the state machine work at
 * the same time, each at its own pace.
 */
export class SingleMember<R> implements Consensus<R> {
  readonly #options: SingleMemberOptions<R>;
  readonly #log: RaftLog;
  readonly #machine: StateMachine<R>;
  readonly #progress: Progress;
  readonly #proposals: Proposals<R>;
  readonly #reads: ReadWaiters;
  readonly #tail: Tail;
  readonly #listeners = new Set<(status: ConsensusStatus) => void>();

  #leading = false;
  #failed = false;
  #flushScheduled = false;
  /** Settles when everything appended so far is durable, or the member has failed. */
  #persisted: Promise<void> = RESOLVED;
  #isApplying = false;
  /** Settles when the apply loop ends. */
  #applied: Promise<void> = RESOLVED;
  #unsubscribe: () => void = () => undefined;
  #stopped: Promise<void> | undefined;

  /**
   * Takes the leadership of a new term and applies everything in the log before it takes proposals.
   *
   * @throws StartRefusedError, and what the log or the state machine throws
   */
  static async start<R>(options: SingleMemberOptions<R>): Promise<SingleMember<R>> {
    const { log, stateMachine } = options;
    try {
      await matchLogToMachine(log, stateMachine);
      const member = new SingleMember(options);
      await member.#lead();
      return member;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  private constructor(options: SingleMemberOptions<R>) {
    const now = options.now ?? (() => performance.now());
    this.#options = options;
    this.#log = options.log;
    this.#machine = options.stateMachine;
    const lastTerm = this.#log.term(this.#log.lastIndex) ?? 0;
    const term = Math.max(this.#log.hardState.term, lastTerm) + 1;
    this.#progress = new Progress(term, this.#machine.applied.index);
    // Entries alone use up counters, so that no entry of an earlier run has one above the last index.
    this.#proposals = new Proposals(this.#log.lastIndex, options.proposalLimits ?? PROPOSAL_LIMITS, now);
    this.#reads = new ReadWaiters(now);
    this.#tail = new Tail(options.tailLimits ?? TAIL_LIMITS);
  }

  propose(payload: Uint8Array, options: ProposeOptions): Promise<ProposalOutcome<R>> {
    const refusal = this.#leading ? this.#proposals.refusal(payload, options) : 'stopped';
    if (refusal !== undefined) return Promise.resolve({ type: 'rejected', reason: refusal });
    const outcome = this.#proposals.add(payload, options);
    this.#scheduleFlush();
    return outcome;
  }

  readIndex(options: ProposeOptions): Promise<void> {
    if (!this.#leading) return Promise.reject(new ConsensusError('stopped'));
    const { applied, committed } = this.#progress;
    return applied === committed ? RESOLVED : this.#reads.wait(committed, options);
  }

  status(): ConsensusStatus {
    const { clusterId, memberId } = this.#options;
    const { term, committed, applied } = this.#progress;
    return { clusterId, memberId, leaderId: this.#leading ? memberId : 0n, term, committed, applied };
  }

  onLeadershipChange(listener: (status: ConsensusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for what is in flight, so that its callers learn the truth; only what cannot be finished ends `unknown`. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#proposals.rejectQueued('stopped');
    this.#stepDown();
    await this.#persisted;
    await this.#applied;
    this.#proposals.abandon('stopped');
    this.#reads.stop();
    this.#unsubscribe();
    await this.#log.close();
  }

  /** Term and vote are durable, and the term has an entry, before this member acts as the leader (Raft §5.2, §8). */
  async #lead(): Promise<void> {
    const index = this.#log.lastIndex + 1;
    const counter = this.#proposals.nextCounter();
    const noop = this.#entry({ index, type: 'noop', counter, payload: new Uint8Array() });
    await this.#log.append([noop], this.#hardState(noop.index));
    this.#progress.persisted(this.#log.durableIndex, noop.term);
    await this.#applyAll();
    this.#leading = true;
    this.#unsubscribe = this.#machine.onDurable(({ index }) => this.#cut(index));
    this.#cut(this.#machine.durable.index);
  }

  /** With the disk idle at the end of the running code, else after this turn: then more share one append. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    const flush = () => {
      this.#flushScheduled = false;
      if (this.#proposals.queuedCount > 0) this.#persist();
    };
    if (this.#log.durableIndex === this.#log.lastIndex) queueMicrotask(flush);
    else setImmediate(flush);
  }

  /** Persist → commit → apply. */
  #persist(): void {
    let index = this.#log.lastIndex;
    const entries = this.#proposals.take().map(({ counter, payload }) => {
      index += 1;
      this.#tail.appended(index, payload.length);
      return this.#entry({ index, type: 'normal', counter, payload });
    });
    this.#persisted = this.#commit(entries);
  }

  async #commit(entries: readonly LogEntry[]): Promise<void> {
    try {
      await this.#log.append(entries);
      this.#progress.persisted(this.#log.durableIndex, this.#progress.term);
      this.#applyCommitted();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** At most one loop runs; it goes on while there is something committed. */
  #applyCommitted(): void {
    if (this.#failed || this.#isApplying) return;
    this.#applied = this.#applyAll().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Never holds the event loop for longer than one batch, nor suspends while a batch can go at once. The loop's end
   * and the flag's fall are one step, so that no commit falls between them.
   */
  async #applyAll(): Promise<void> {
    this.#isApplying = true;
    try {
      while (!this.#failed && this.#progress.applied < this.#progress.committed) {
        const held = this.#machine.ready();
        if (held !== undefined) await held;
        const batch = this.#nextBatch();
        this.#apply(Array.isArray(batch) ? batch : await batch);
        if (this.#progress.applied < this.#progress.committed) await nextTurn();
      }
    } finally {
      this.#isApplying = false;
    }
  }

  #nextBatch(): LogEntry[] | Promise<LogEntry[]> {
    const from = this.#progress.applied + 1;
    const through = Math.min(this.#progress.committed, this.#progress.applied + APPLY_ENTRIES_MAX);
    if (from >= this.#log.residentIndex) return this.#log.read(from, through, APPLY_BYTES_MAX);
    return this.#log.readOld(from, through, APPLY_BYTES_MAX);
  }

  #apply(entries: readonly LogEntry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    invariant(first !== undefined && last !== undefined, 'the log has no committed entry to apply');
    invariant(first.index === this.#progress.applied + 1, `entry ${first.index} is applied out of order`);
    invariant(last.index <= this.#log.durableIndex, `entry ${last.index} is applied before it is durable`);
    const results = this.#machine.apply(entries);
    invariant(results.length === entries.length, 'apply returned a result too many or too few');
    invariant(this.#machine.applied.index === last.index, 'apply did not move the applied index');
    this.#progress.appliedThrough(last.index);
    this.#log.release(last.index);
    for (const [position, entry] of entries.entries()) this.#answer(entry, results[position]);
    this.#reads.applied(last.index);
  }

  #answer({ index, term, type, requestId }: LogEntry, result: R | undefined): void {
    if (type !== 'normal' || requestId.session !== this.#options.memberId) return;
    this.#proposals.applied(requestId.counter, { type: 'applied', result: result as R, index, term });
  }

  /** Shortens the log once the state machine needs less of it. The commit index is recorded beside. */
  #cut(durable: number): void {
    invariant(durable <= this.#progress.applied, 'more of the state machine is durable than was applied');
    if (!this.#leading) return;
    const through = this.#tail.cutThrough(this.#log.firstIndex, durable);
    if (through === 0) return;
    const written = [
      this.#log.append([], this.#hardState(this.#progress.committed)),
      this.#log.compactPrefix(through),
    ];
    Promise.all(written).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#proposals.rejectQueued('stopped');
    this.#proposals.abandon('stopped');
    this.#reads.stop();
    this.#unsubscribe();
    this.#stepDown();
    this.#options.onFatal(error);
  }

  #stepDown(): void {
    if (!this.#leading) return;
    this.#leading = false;
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }

  #hardState(commit: number) {
    return { term: this.#progress.term, vote: this.#options.memberId, commit };
  }

  #entry({ index, type, counter, payload }: EntryContent): LogEntry {
    const requestId = { session: this.#options.memberId, counter };
    return { format: 1, index, term: this.#progress.term, type, requestId, payload };
  }
}
