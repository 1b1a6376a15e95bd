import { invariant } from '../invariant.js';
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

/** A proposal that is not applied yet. */
export interface Proposal<R> {
  /** requestId.counter of its entry; 0 while it is queued. */
  counter: number;
  readonly payload: Uint8Array;
  readonly options: ProposeOptions;
  /** Undefined once the caller has its outcome; one that ended `unknown` still waits to be applied. */
  settle: ((outcome: ProposalOutcome<R>) => void) | undefined;
  onAbort: (() => void) | undefined;
}

/**
 * The proposals of this member from call to outcome: first queued, where an end is `rejected`, then in flight in the
 * log, where an early end is `unknown`.
 */
export class Proposals<R> {
  #queued: Proposal<R>[] = [];
  /** By counter, in log order. */
  readonly #inFlight = new Map<number, Proposal<R>>();
  /** Invariant: 0 ≤ pendingBytes ≤ limits.pendingBytesMax. */
  #pendingBytes = 0;
  readonly #timer: DeadlineTimer;

  /** @param counter the last counter this member has used in the log. */
  constructor(
    private counter: number,
    private readonly limits: ProposalLimits,
    private readonly now: () => number,
  ) {
    this.#timer = new DeadlineTimer(now, (time) => this.#endDue(time));
  }

  get queuedCount(): number {
    return this.#queued.length;
  }

  /** Why a proposal cannot be taken; undefined if it can. */
  refusal(payload: Uint8Array, options: ProposeOptions): RejectReason | undefined {
    if (payload.length > this.limits.payloadBytesMax) return 'too-large';
    if (options.signal?.aborted === true) return 'aborted';
    if (options.deadline <= this.now()) return 'deadline';
    const bytes = payload.length + PROPOSAL_OVERHEAD_BYTES;
    return this.#pendingBytes + bytes > this.limits.pendingBytesMax ? 'overloaded' : undefined;
  }

  /** Queues a proposal that `refusal` has passed. */
  add(payload: Uint8Array, options: ProposeOptions): Promise<ProposalOutcome<R>> {
    return new Promise((settle) => {
      const proposal: Proposal<R> = {
        counter: 0,
        payload,
        options,
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

  /** For an entry, proposed or the member's own. */
  nextCounter(): number {
    this.counter += 1;
    return this.counter;
  }

  /** Everything queued, in order; it is in flight from now on. */
  take(): readonly Proposal<R>[] {
    const taken = this.#queued;
    this.#queued = [];
    for (const proposal of taken) {
      proposal.counter = this.nextCounter();
      this.#inFlight.set(proposal.counter, proposal);
    }
    return taken;
  }

  /** The entry of this member with `counter` was applied. */
  applied(counter: number, outcome: ProposalOutcome<R>): void {
    const proposal = this.#inFlight.get(counter);
    if (proposal === undefined) return;
    this.#inFlight.delete(counter);
    this.#forget(proposal);
    end(proposal, outcome);
  }

  /** Certainly not proposed: what is queued ends `rejected`. */
  rejectQueued(reason: RejectReason): void {
    for (const proposal of this.#queued) {
      this.#forget(proposal);
      end(proposal, { type: 'rejected', reason });
    }
    this.#queued = [];
  }

  /** Gives up on what is in flight. */
  abandon(reason: UnknownReason): void {
    this.#timer.stop();
    for (const proposal of this.#inFlight.values()) {
      this.#forget(proposal);
      end(proposal, { type: 'unknown', reason });
    }
    this.#inFlight.clear();
  }

  #endEarly(proposal: Proposal<R>, reason: 'deadline' | 'aborted'): void {
    if (proposal.counter > 0) {
      end(proposal, { type: 'unknown', reason });
      return;
    }
    this.#queued = this.#queued.filter((other) => other !== proposal);
    this.#forget(proposal);
    end(proposal, { type: 'rejected', reason });
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

  #forget(proposal: Proposal<R>): void {
    this.#pendingBytes -= proposal.payload.length + PROPOSAL_OVERHEAD_BYTES;
    invariant(this.#pendingBytes >= 0, 'fewer than no bytes are pending');
  }
}

function end<R>(proposal: Proposal<R>, outcome: ProposalOutcome<R>): void {
  if (proposal.onAbort !== undefined) proposal.options.signal?.removeEventListener('abort', proposal.onAbort);
  proposal.onAbort = undefined;
  proposal.settle?.(outcome);
  proposal.settle = undefined;
}
