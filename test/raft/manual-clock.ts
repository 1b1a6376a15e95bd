import type { Clock } from '../../raft/clock.js';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** How many turns of the event loop let everything run that waits for no time. */
const SETTLING_TURNS = 12;

/** Time that passes when a test says so; turns of the event loop are real. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  nextTurn(callback: () => void): void {
    setImmediate(callback);
  }

  /** Timers go off at their times, in order; between them everything runs that can. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#earliest();
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** Advances in small steps until it is so; throws when it is not within `withinMs`. Returns how long it took. */
  async until(condition: () => boolean, withinMs: number): Promise<number> {
    const start = this.#now;
    await settle();
    while (!condition()) {
      if (this.#now - start >= withinMs) throw new Error(`not so within ${withinMs} ms`);
      await this.advance(5);
    }
    return this.#now - start;
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) if (earliest === undefined || timer.at < earliest.at) earliest = timer;
    return earliest;
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < SETTLING_TURNS; i += 1) await new Promise(setImmediate);
}
