import type { Clock } from '../clock.js';
import type { ProposedEntry } from '../core/messages.js';
import { invariant } from '../invariant.js';
import type { RequestId } from '../log/log.js';
import type { ProposalOutcome, ProposeOptions, RejectReason, UnknownReason } from './consensus.js';
import { DeadlineTimer } from './deadline-timer.js';

export interface ProposalLimits {
  /** Bytes of one payload. Past it a proposal is rejected as too large. */
  readonly payloadBytesMax: number;
  /** Bytes of all payloads proposed and not applied yet, each counted with an overhead. Past it: overloaded. */
  readonly pendingBytesMax: number;
}

/** etcd's default request limit is 1.5 MiB; the rest is room for what the store puts around a request. */
export const PROPOSAL_LIMITS: ProposalLimits = {
  payloadBytesMax: 16 * 2 ** 20,
  pendingBytesMax: 64 * 2 ** 20,
};

/** Counted for each proposal beside its payload, so that empty ones are bounded too. */
export const PROPOSAL_OVERHEAD_BYTES = 256;

/** A proposal that is not applied yet. `R` is what applying it gives. */
interface Proposal<R> {
  readonly type: ProposedEntry['type'];
  readonly payload: Uint8Array;
  readonly options: ProposeOptions;
  /** requestId.counter under which it is in flight; 0 while it is queued. */
  counter: number;
  /** The term whose leader it was given to; no leader of another term takes it. */
  term: number;
  /** When it was last sent. */
  sentAt: number;
  /** Undefined once the caller has its outcome; one that ended `unknown` still counts as pending. */
  settle: ((outcome: ProposalOutcome<R>) => void) | undefined;
  onAbort: (() => void) | undefined;
}

/**
 * The proposals of this member from call to outcome: first queued, where an end is `rejected`, then in flight, where
 * they may be in the leader's log and an early end is `unknown`. One that certainly is not in the log is queued again.
 */
export class Proposals<R> {
  #queued: Proposal<R>[] = [];
  /** By counter, in the order in which they were given to a leader. */
  readonly #inFlight = new Map<number, Proposal<R>>();
  /** Invariant: 0 ≤ pendingBytes ≤ limits.pendingBytesMax. */
  #pendingBytes = 0;
  #counter = 0;
  readonly #timer: DeadlineTimer;

  /** @param endedWaiting why a proposal that was never sent has ended with its deadline */
  constructor(
    private readonly session: bigint,
    private readonly limits: ProposalLimits,
    private readonly clock: Clock,
    private readonly endedWaiting: () => RejectReason,
  ) {
    this.#timer = new DeadlineTimer(clock, (time) => this.#endDue(time));
  }

  get queuedCount(): number {
    return this.#queued.length;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  /** Why a proposal cannot be taken; undefined if it can. */
  refusal(payload: Uint8Array, options: ProposeOptions): RejectReason | undefined {
    if (payload.length > this.limits.payloadBytesMax) return 'too-large';
    if (options.signal?.aborted === true) return 'aborted';
    if (options.deadline <= this.clock.now()) return 'deadline';
    const bytes = payload.length + PROPOSAL_OVERHEAD_BYTES;
    return this.#pendingBytes + bytes > this.limits.pendingBytesMax ? 'overloaded' : undefined;
  }

  /** Queues a proposal that `refusal` has passed. */
  add(
    type: ProposedEntry['type'],
    payload: Uint8Array,
    options: ProposeOptions,
  ): Promise<ProposalOutcome<R>> {
    return new Promise((settle) => {
      const proposal: Proposal<R> = {
        type,
        payload,
        options,
        counter: 0,
        term: 0,
        sentAt: 0,
        settle,
        onAbort: undefined,
      };
      this.#queued.push(proposal);
      this.#pendingBytes += payload.length + PROPOSAL_OVERHEAD_BYTES;
      if (options.signal !== undefined) {
        proposal.onAbort = () => this.#endEarly(proposal, 'aborted');
        options.signal.addEventListener('abort', proposal.onAbort, { once: true });
      }
      this.#timer.arm(options.deadline);
    });
  }

  /**
   * What is queued, in order, up to `maxBytes` of payload and one at least, for the leader of `term`; it is in flight
   * from now on. What is not to be forwarded is left out, and ends, where this member does not lead.
   */
  take(term: number, isLeader: boolean, maxBytes: number): ProposedEntry[] {
    const taken: ProposedEntry[] = [];
    let bytes = 0;
    let count = 0;
    for (const proposal of this.#queued) {
      bytes += proposal.payload.length;
      if (bytes > maxBytes && taken.length > 0) break;
      count += 1;
      if (!isLeader && proposal.options.forward === false) this.#end(proposal, 'not-leader');
      else taken.push(this.#launch(proposal, term));
    }
    this.#queued = this.#queued.slice(count);
    return taken;
  }

  /** The entry of this session with `counter` was applied. */
  applied(counter: number, outcome: ProposalOutcome<R>): void {
    const proposal = this.#inFlight.get(counter);
    if (proposal === undefined) return;
    this.#inFlight.delete(counter);
    this.#forget(proposal);
    settle(proposal, outcome);
  }

  /** An entry of `term` is applied: what was given to leaders of earlier terms and is not applied never will be. */
  passedTerm(term: number): void {
    const lost = [...this.#inFlight.values()].filter((proposal) => proposal.term < term);
    if (lost.length > 0) this.#queueAgain(lost, 'not-leader');
  }

  /**
   * Certainly not in the log: queued again where that may help, else at its end. A refusal may be late, and of a proposal
   * that this member made before it was started anew.
   */
  refused({ session, counter }: RequestId, reason: RejectReason): void {
    const proposal = session === this.session ? this.#inFlight.get(counter) : undefined;
    if (proposal === undefined) return;
    if (reason === 'not-leader' || reason === 'change-pending') {
      this.#queueAgain([proposal], reason);
    } else {
      this.#inFlight.delete(counter);
      this.#end(proposal, reason);
    }
  }

  /**
   * In flight to the leader of `term`, another member, since before `sentBefore`: up to `maxBytes` of payload and one at
   * least; they count as sent now. Those that nobody waits for are forgotten: if they are lost, nothing else ends them.
   */
  overdue(term: number, sentBefore: number, maxBytes: number): ProposedEntry[] {
    const overdue: ProposedEntry[] = [];
    let bytes = 0;
    for (const proposal of this.#inFlight.values()) {
      if (proposal.term !== term || proposal.sentAt >= sentBefore) continue;
      if (proposal.settle === undefined) {
        this.#inFlight.delete(proposal.counter);
        this.#forget(proposal);
        continue;
      }
      bytes += proposal.payload.length;
      if (bytes > maxBytes && overdue.length > 0) break;
      overdue.push(this.#entry(proposal));
    }
    return overdue;
  }

  /** A snapshot of `term` was installed: what was given to leaders up to then may be part of it. */
  passedOver(term: number): void {
    for (const [counter, proposal] of this.#inFlight) {
      if (proposal.term > term) continue;
      this.#inFlight.delete(counter);
      this.#forget(proposal);
      settle(proposal, { type: 'unknown', reason: 'snapshot' });
    }
  }

  /** Certainly not proposed: what is queued ends `rejected`. */
  rejectQueued(reason: RejectReason): void {
    const queued = this.#queued;
    this.#queued = [];
    for (const proposal of queued) this.#end(proposal, reason);
  }

  /** Gives up on what is in flight. */
  abandon(reason: UnknownReason): void {
    this.#timer.stop();
    for (const proposal of this.#inFlight.values()) {
      this.#forget(proposal);
      settle(proposal, { type: 'unknown', reason });
    }
    this.#inFlight.clear();
  }

  #launch(proposal: Proposal<R>, term: number): ProposedEntry {
    this.#counter += 1;
    proposal.counter = this.#counter;
    proposal.term = term;
    this.#inFlight.set(proposal.counter, proposal);
    return this.#entry(proposal);
  }

  #entry(proposal: Proposal<R>): ProposedEntry {
    proposal.sentAt = this.clock.now();
    const { type, payload, counter } = proposal;
    return { type, payload, requestId: { session: this.session, counter } };
  }

  /**
   * In front, as they came before what is queued. Whoever was told `unknown` has stopped waiting; what is not to be
   * forwarded was for that one term.
   */
  #queueAgain(proposals: readonly Proposal<R>[], reason: RejectReason): void {
    const again: Proposal<R>[] = [];
    for (const proposal of proposals) {
      this.#inFlight.delete(proposal.counter);
      proposal.counter = 0;
      if (proposal.settle === undefined) this.#forget(proposal);
      else if (proposal.options.forward === false) this.#end(proposal, reason);
      else again.push(proposal);
    }
    this.#queued = [...again, ...this.#queued];
  }

  #endEarly(proposal: Proposal<R>, reason: 'deadline' | 'aborted'): void {
    if (proposal.counter > 0) {
      settle(proposal, { type: 'unknown', reason });
      return;
    }
    this.#queued = this.#queued.filter((other) => other !== proposal);
    this.#end(proposal, reason === 'deadline' ? this.endedWaiting() : reason);
  }

  #endDue(now: number): number {
    let earliest = Infinity;
    for (const proposal of [...this.#inFlight.values(), ...this.#queued]) {
      if (proposal.settle === undefined) continue;
      if (proposal.options.deadline <= now) this.#endEarly(proposal, 'deadline');
      else earliest = Math.min(earliest, proposal.options.deadline);
    }
    return earliest;
  }

  #end(proposal: Proposal<R>, reason: RejectReason): void {
    this.#forget(proposal);
    settle(proposal, { type: 'rejected', reason });
  }

  #forget(proposal: Proposal<R>): void {
    this.#pendingBytes -= proposal.payload.length + PROPOSAL_OVERHEAD_BYTES;
    invariant(this.#pendingBytes >= 0, 'fewer than no bytes are pending');
  }
}

function settle<R>(proposal: Proposal<R>, outcome: ProposalOutcome<R>): void {
  if (proposal.onAbort !== undefined) proposal.options.signal?.removeEventListener('abort', proposal.onAbort);
  proposal.onAbort = undefined;
  proposal.settle?.(outcome);
  proposal.settle = undefined;
}
