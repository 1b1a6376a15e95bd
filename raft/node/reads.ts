import type { Clock } from '../clock.js';
import { ConsensusError, type ProposeOptions } from './consensus.js';
import { DeadlineTimer } from './deadline-timer.js';

interface Waiter {
  readonly options: ProposeOptions;
  /** What must be applied; Infinity until the leader has said so. */
  index: number;
  readonly resolve: () => void;
  readonly reject: (error: ConsensusError) => void;
  readonly onAbort: () => void;
}

interface Round {
  /** Numbers of its questions. They were put after its waiters had come, so that the answer to any of them is good. */
  readonly firstId: number;
  lastId: number;
  askedAt: number;
  readonly waiters: readonly Waiter[];
}

/** A question, or its answer, may be lost; it is asked again after so long. Milliseconds. */
const ASK_AGAIN_MS = 200;

/**
 * Reads on their way: each waits for the index of a round of confirmation that began after it, then until that much is
 * applied. One round is under way at a time, and all who come meanwhile share the next.
 */
export class Reads {
  /** Those that wait for the next round. */
  #next: Waiter[] = [];
  #round: Round | undefined;
  /** Those that know their index. */
  readonly #ready = new Set<Waiter>();
  #lastId: number;
  readonly #deadlines: DeadlineTimer;
  readonly #askAgain: DeadlineTimer;

  /**
   * @param startId questions are counted from here: elsewhere at each start, as answers to an earlier process may come
   * @param ask puts the question to the leader, if there is one; the answer comes by `answered`, perhaps at once.
   * @param applied what this member has applied
   * @param endedWaiting why a read whose deadline is over has failed
   */
  constructor(
    private readonly clock: Clock,
    startId: number,
    private readonly ask: (id: number) => void,
    private readonly applied: () => number,
    private readonly endedWaiting: () => ConsensusError['reason'],
  ) {
    this.#lastId = startId;
    this.#deadlines = new DeadlineTimer(clock, (time) => this.#endDue(time));
    this.#askAgain = new DeadlineTimer(clock, (time) => this.#repeat(time));
  }

  /** Rejects with a ConsensusError. */
  read(options: ProposeOptions): Promise<void> {
    if (options.signal?.aborted === true) return Promise.reject(new ConsensusError('aborted'));
    if (options.deadline <= this.clock.now()) return Promise.reject(new ConsensusError('deadline'));
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#fail(waiter, 'aborted');
      const waiter: Waiter = { options, index: Infinity, resolve, reject, onAbort };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#next.push(waiter);
      this.#deadlines.arm(options.deadline);
      if (this.#round === undefined) this.#begin();
    });
  }

  /** The leader's answer to question `id`. */
  answered(id: number, index: number): void {
    const round = this.#round;
    if (round === undefined || id < round.firstId || id > round.lastId) return;
    for (const waiter of round.waiters) {
      if (waiter.index !== Infinity) continue;
      waiter.index = index;
      this.#ready.add(waiter);
    }
    this.#round = undefined;
    this.appliedThrough(this.applied());
    if (this.#next.length > 0) this.#begin();
  }

  appliedThrough(index: number): void {
    for (const waiter of this.#ready) {
      if (waiter.index > index) continue;
      this.#forget(waiter);
      waiter.resolve();
    }
  }

  /** The leader is another one: it does not know of the question. */
  leaderChanged(): void {
    if (this.#round !== undefined) this.#putQuestion(this.#round);
  }

  stop(): void {
    this.#deadlines.stop();
    this.#askAgain.stop();
    for (const waiter of this.#waiting()) this.#fail(waiter, 'stopped');
  }

  #begin(): void {
    const round = { firstId: this.#lastId + 1, lastId: 0, askedAt: 0, waiters: this.#next };
    this.#next = [];
    this.#round = round;
    this.#putQuestion(round);
  }

  #putQuestion(round: Round): void {
    this.#lastId += 1;
    round.lastId = this.#lastId;
    round.askedAt = this.clock.now();
    this.ask(round.lastId);
    if (this.#round === round) this.#askAgain.arm(round.askedAt + ASK_AGAIN_MS);
  }

  #repeat(now: number): number {
    const round = this.#round;
    if (round === undefined) return Infinity;
    if (!round.waiters.some(isOpen)) this.answered(round.lastId, 0);
    else if (now - round.askedAt >= ASK_AGAIN_MS) this.#putQuestion(round);
    return (this.#round?.askedAt ?? Infinity) + ASK_AGAIN_MS;
  }

  #endDue(now: number): number {
    let earliest = Infinity;
    for (const waiter of this.#waiting()) {
      if (waiter.options.deadline <= now) this.#fail(waiter, this.endedWaiting());
      else earliest = Math.min(earliest, waiter.options.deadline);
    }
    return earliest;
  }

  #waiting(): Waiter[] {
    return [...(this.#round?.waiters ?? []).filter(isOpen), ...this.#next.filter(isOpen), ...this.#ready];
  }

  #fail(waiter: Waiter, reason: ConsensusError['reason']): void {
    this.#forget(waiter);
    // Passed over by the round that it waits for.
    waiter.index = -1;
    waiter.reject(new ConsensusError(reason));
  }

  #forget(waiter: Waiter): void {
    this.#ready.delete(waiter);
    waiter.options.signal?.removeEventListener('abort', waiter.onAbort);
  }
}

function isOpen({ index }: Waiter): boolean {
  return index === Infinity;
}
