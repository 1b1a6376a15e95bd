import type { Clock } from '../../raft/clock.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

/** How fast a machine's clock goes; 1 is right. It may change at any time. */
export interface ClockRate {
  value: number;
}

/** Longest wait of `nextTurn`, in milliseconds: how long a turn of a busy event loop takes. */
const TURN_MS_MAX = 0.2;

/** A process's clock: from an arbitrary start, at its machine's own rate. */
export class SkewedClock implements Clock {
  #reading: number;
  #readAt: number;
  #rate: number;

  constructor(
    private readonly process: Process,
    private readonly rate: ClockRate,
    private readonly random: Random,
  ) {
    this.#reading = random.uniform(0, 100_000);
    this.#readAt = process.world.now;
    this.#rate = rate.value;
  }

  /** A new rate counts from the first reading after it changed. */
  now(): number {
    const { now } = this.process.world;
    this.#reading += (now - this.#readAt) * this.#rate;
    this.#readAt = now;
    this.#rate = this.rate.value;
    return this.#reading;
  }

  /** As Node's timers: whole milliseconds, one at least. */
  after(ms: number, callback: () => void): () => void {
    return this.process.after(Math.max(1, Math.trunc(ms)) / this.rate.value, callback);
  }

  nextTurn(callback: () => void): void {
    this.process.after(this.random.uniform(0, TURN_MS_MAX), callback);
  }
}
