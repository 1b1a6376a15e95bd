/** What became of one request. */
import type { Answer } from './answers.js';
import type { FuzzCase } from './generator.js';

export interface Outcome {
  readonly case: FuzzCase;
  /** What came back in full. */
  readonly answers: readonly Answer[];
  /** What was wrong with how it came back: no answer, half of one, one that is no HTTP. */
  readonly problems: readonly string[];
  /** Milliseconds since the epoch: when it was sent, and when it was over. */
  readonly sentAt: number;
  readonly endedAt: number;
}

export type OnOutcome = (outcome: Outcome) => void;

/** An answer that takes longer is none. */
export const ANSWER_MS_MAX = 30_000;

/** Time as all processes of a machine have it. */
export const now = (): number => performance.timeOrigin + performance.now();

/** So many at a time; who wants to be one more waits. */
export class Slots {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(private readonly size: number) {
    this.#free = size;
  }

  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  async allFree(): Promise<void> {
    for (let i = 0; i < this.size; i += 1) await this.take();
    for (let i = 0; i < this.size; i += 1) this.give();
  }
}
