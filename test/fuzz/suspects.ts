/** Which requests were under way when the server stood still: by number, since the generator can have them again. */
import type { FuzzCase } from './generator.js';
import type { Outcome } from './outcome.js';
import type { Stall } from './stalls.js';

interface Entry {
  readonly index: number;
  readonly bytes: number;
  readonly sentAt: number;
  readonly endedAt: number;
  /** Of the longest stall around it. */
  ms: number;
}

/** Answers and stalls that are remembered: each may be told of before the other. */
const REMEMBERED = 512;
/** Requests to look at again: those around the longest stalls, and of them the largest. */
const LOOKED_AT_MAX = 24;

export class Suspects {
  readonly #recent: Entry[] = [];
  readonly #stalls: Stall[] = [];
  readonly #suspected = new Map<number, Entry>();

  answered({ case: fuzzCase, sentAt, endedAt }: Outcome): void {
    const entry = { index: fuzzCase.index, bytes: bytesOf(fuzzCase), sentAt, endedAt, ms: 0 };
    this.#recent.push(entry);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    for (const stall of this.#stalls) this.#judge(entry, stall);
  }

  stalled(stall: Stall): void {
    this.#stalls.push(stall);
    if (this.#stalls.length > REMEMBERED) this.#stalls.shift();
    for (const entry of this.#recent) this.#judge(entry, stall);
  }

  #judge(entry: Entry, { from, to, ms }: Stall): void {
    if (entry.sentAt > to || entry.endedAt < from || ms <= entry.ms) return;
    entry.ms = ms;
    this.#suspected.set(entry.index, entry);
    if (this.#suspected.size <= 2 * LOOKED_AT_MAX) return;
    const kept = this.#worst().map(({ index }) => index);
    for (const index of this.#suspected.keys()) if (!kept.includes(index)) this.#suspected.delete(index);
  }

  #worst(): Entry[] {
    return [...this.#suspected.values()]
      .sort((a, b) => b.ms - a.ms || b.bytes - a.bytes)
      .slice(0, LOOKED_AT_MAX);
  }

  get longestMs(): number {
    return Math.max(0, ...this.#stalls.map(({ ms }) => ms));
  }

  /** Numbers of the requests around a stall of more than `msMin`. */
  indexes(msMin: number): number[] {
    return this.#worst()
      .filter(({ ms }) => ms > msMin)
      .map(({ index }) => index);
  }

  clear(): void {
    this.#stalls.length = 0;
    this.#suspected.clear();
    this.#recent.length = 0;
  }
}

const bytesOf = (fuzzCase: FuzzCase): number =>
  fuzzCase.kind === 'wire'
    ? fuzzCase.bytes.length
    : fuzzCase.message.body.length + fuzzCase.message.target.length;
