import type { Clock } from '../clock.js';
import type { ProposedEntry } from '../core/messages.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { Proposals } from './proposals.js';

/** Payload bytes of proposals in one step, and in one message to the leader. */
const PROPOSE_BYTES_MAX = 2 ** 20;

/** A proposal sent to the leader and not applied after so many heartbeats is sent again: it, or all of it, may be lost. */
const RESEND_HEARTBEATS = 5;

/** The member's place in the cluster at the moment. */
export interface Standing {
  readonly term: number;
  /** 0n while there is none. */
  readonly leader: bigint;
  readonly leads: boolean;
  /** It takes no part any more. */
  readonly hasEnded: boolean;
}

export interface ProposalSenderOptions {
  readonly proposals: Pick<Proposals<unknown>, 'take' | 'overdue' | 'queuedCount' | 'inFlightCount'>;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly standing: () => Standing;
  /** Nothing is on its way to the own disk. */
  readonly isDiskIdle: () => boolean;
  /** Steps the state machine of Raft with them, in this call. */
  readonly propose: (proposals: readonly ProposedEntry[]) => void;
}

/** Brings what is queued to the leader, in batches, and again what may have been lost on the way. */
export class ProposalSender {
  readonly #options: ProposalSenderOptions;
  readonly #resend: DeadlineTimer;
  #isScheduled = false;
  /** The leader has refused something since the last flush. */
  #refused = false;

  constructor(options: ProposalSenderOptions) {
    this.#options = options;
    this.#resend = new DeadlineTimer(options.clock, (now) => this.#sendAgain(now));
  }

  /** With nothing under way at the end of the running code, else after this turn: then more share one append. */
  schedule(): void {
    const { clock, proposals, standing, isDiskIdle } = this.#options;
    const { leads, hasEnded } = standing();
    if (this.#isScheduled || hasEnded) return;
    this.#isScheduled = true;
    const flush = () => {
      this.#isScheduled = false;
      this.#flush();
    };
    const isIdle = leads ? isDiskIdle() : proposals.inFlightCount === 0;
    if (isIdle) queueMicrotask(flush);
    else clock.nextTurn(flush);
  }

  /** The leader has said that it takes none now. */
  refused(): void {
    this.#refused = true;
    this.#options.clock.after(this.#options.heartbeatMs / 2, () => this.schedule());
  }

  stop(): void {
    this.#resend.stop();
  }

  get #resendMs(): number {
    return RESEND_HEARTBEATS * this.#options.heartbeatMs;
  }

  #flush(): void {
    const { proposals, clock, standing, propose } = this.#options;
    this.#refused = false;
    while (!this.#refused && proposals.queuedCount > 0) {
      const { term, leader, leads, hasEnded } = standing();
      if (hasEnded || leader === 0n) return;
      const taken = proposals.take(term, leads, PROPOSE_BYTES_MAX);
      if (taken.length === 0) continue;
      propose(taken);
      if (!leads) this.#resend.arm(clock.now() + this.#resendMs);
    }
  }

  #sendAgain(now: number): number {
    const { proposals, standing, propose } = this.#options;
    const { term, leader, leads, hasEnded } = standing();
    if (hasEnded || proposals.inFlightCount === 0) return Infinity;
    if (!leads && leader !== 0n) {
      const overdue = () => proposals.overdue(term, now - this.#resendMs / 2, PROPOSE_BYTES_MAX);
      for (let again = overdue(); again.length > 0 && standing().term === term; again = overdue()) {
        propose(again);
      }
    }
    return now + this.#resendMs;
  }
}
