import type { Clock } from '../clock.js';

/**
 * One timer for many deadlines: it wakes for the earliest and is told the next. Most calls are over long before their
 * deadline, so that arming costs a comparison.
 */
export class DeadlineTimer {
  #cancel: () => void = () => undefined;
  #armedFor = Infinity;

  /** @param sweep ends what is due at the time given; returns the earliest deadline left, Infinity if none. */
  constructor(
    private readonly clock: Clock,
    private readonly sweep: (now: number) => number,
  ) {}

  arm(deadline: number): void {
    if (deadline >= this.#armedFor) return;
    this.stop();
    this.#armedFor = deadline;
    this.#cancel = this.clock.after(Math.max(0, Math.ceil(deadline - this.clock.now())), () => this.#wake());
  }

  stop(): void {
    this.#cancel();
    this.#armedFor = Infinity;
  }

  #wake(): void {
    this.#armedFor = Infinity;
    this.arm(this.sweep(this.clock.now()));
  }
}
