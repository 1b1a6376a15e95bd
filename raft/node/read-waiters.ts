import { ConsensusError, type ProposeOptions } from './consensus.js';
import { DeadlineTimer } from './deadline-timer.js';

interface Waiter {
  readonly index: number;
  readonly options: ProposeOptions;
  readonly resolve: () => void;
  readonly reject: (error: ConsensusError) => void;
  readonly onAbort: () => void;
}

/** Reads that wait until this member has applied everything through an index. */
export class ReadWaiters {
  readonly #waiters = new Set<Waiter>();
  readonly #timer: DeadlineTimer;

  /** @param now milliseconds on the clock that deadlines are on. */
  constructor(private readonly now: () => number) {
    this.#timer = new DeadlineTimer(now, (time) => this.#endDue(time));
  }

  /** Resolves when `index` is applied. Rejects with a ConsensusError: deadline, aborted or stopped. */
  wait(index: number, options: ProposeOptions): Promise<void> {
    if (options.signal?.aborted === true) return Promise.reject(new ConsensusError('aborted'));
    if (options.deadline <= this.now()) return Promise.reject(new ConsensusError('deadline'));
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#fail(waiter, 'aborted');
      const waiter: Waiter = { index, options, resolve, reject, onAbort };
      this.#waiters.add(waiter);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#timer.arm(options.deadline);
    });
  }

  applied(index: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.index > index) continue;
      this.#forget(waiter);
      waiter.resolve();
    }
  }

  stop(): void {
    this.#timer.stop();
    for (const waiter of this.#waiters) this.#fail(waiter, 'stopped');
  }

  #endDue(now: number): number {
    let earliest = Infinity;
    for (const waiter of this.#waiters) {
      if (waiter.options.deadline <= now) this.#fail(waiter, 'deadline');
      else earliest = Math.min(earliest, waiter.options.deadline);
    }
    return earliest;
  }

  #fail(waiter: Waiter, reason: ConsensusError['reason']): void {
    this.#forget(waiter);
    waiter.reject(new ConsensusError(reason));
  }

  #forget(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.options.signal?.removeEventListener('abort', waiter.onAbort);
  }
}
