/** The longest delay that setTimeout takes, in milliseconds. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * One timer for many deadlines: it wakes for the earliest and is told the next. Most calls are over long before their
 * deadline, so that arming costs a comparison.
 */
export class DeadlineTimer {
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  /**
   * @param now milliseconds on the clock that deadlines are on.
   * @param sweep ends what is due at the time given; returns the earliest deadline left, Infinity if none.
   */
  constructor(
    private readonly now: () => number,
    private readonly sweep: (now: number) => number,
  ) {}

  arm(deadline: number): void {
    if (deadline >= this.#armedFor) return;
    this.stop();
    this.#armedFor = deadline;
    const delay = Math.min(Math.max(0, Math.ceil(deadline - this.now())), DELAY_MS_MAX);
    this.#timer = setTimeout(() => this.#wake(), delay);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }

  #wake(): void {
    this.#armedFor = Infinity;
    this.arm(this.sweep(this.now()));
  }
}
