import { invariant } from '../invariant.js';
import type { LogEntry } from './log.js';
import { Terms, type TermRun } from './terms.js';

/** What a log holds when it is opened. */
export interface LogBounds {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Term runs from `firstIndex - 1` on. */
  readonly terms: readonly TermRun[];
}

export const EMPTY_LOG: LogBounds = { firstIndex: 1, lastIndex: 0, terms: [{ term: 0, from: 0 }] };

/** What an entry costs in memory beside its payload, in bytes; a round guess. */
const ENTRY_OVERHEAD_BYTES = 200;

/**
 * The part of a log that lives in memory: where it starts and ends, the term of every entry, and the newest entries
 * themselves. It follows `RaftLog` in what it accepts; whoever owns it adds the disk.
 */
export class LogView {
  #firstIndex: number;
  #lastIndex: number;
  #terms: Terms;
  /** Entries residentIndex … lastIndex. */
  #resident: LogEntry[] = [];
  #residentBytes = 0;
  #released = 0;

  /** @param residentBytesMax released entries are let go of once this many bytes are held. */
  constructor(
    bounds: LogBounds,
    private readonly residentBytesMax: number,
  ) {
    this.#firstIndex = bounds.firstIndex;
    this.#lastIndex = bounds.lastIndex;
    this.#terms = new Terms(bounds.terms);
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get residentIndex(): number {
    return this.#lastIndex + 1 - this.#resident.length;
  }

  get residentBytes(): number {
    return this.#residentBytes;
  }

  get baseTerm(): number {
    return this.#terms.at(this.#firstIndex - 1);
  }

  term(index: number): number | undefined {
    return index < this.#firstIndex - 1 || index > this.#lastIndex ? undefined : this.#terms.at(index);
  }

  append(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      invariant(
        entry.index === this.#lastIndex + 1,
        `entry ${entry.index} appended after ${this.#lastIndex}`,
      );
      this.#terms.append(entry.index, entry.term);
      this.#resident.push(entry);
      this.#residentBytes += cost(entry);
      this.#lastIndex = entry.index;
    }
  }

  read(from: number, through: number, maxBytes = Infinity): LogEntry[] {
    invariant(
      from >= this.residentIndex,
      `entry ${from} is not in memory, ${this.residentIndex} is the oldest`,
    );
    const start = from - this.residentIndex;
    const end = Math.min(through, this.#lastIndex) - this.residentIndex + 1;
    let bytes = 0;
    for (let i = start; i < end; i += 1) {
      bytes += this.#resident[i]?.payload.length ?? 0;
      if (bytes > maxBytes && i > start) return this.#resident.slice(start, i);
    }
    return this.#resident.slice(start, Math.max(start, end));
  }

  release(through: number): void {
    invariant(through <= this.#lastIndex, `entry ${through} released before it was there`);
    this.#released = Math.max(this.#released, through);
    if (this.#residentBytes > this.residentBytesMax) this.#evict();
  }

  truncateSuffix(from: number): void {
    invariant(from >= this.#firstIndex, `cannot take away entry ${from}, it is compacted`);
    if (from > this.#lastIndex) return;
    this.#dropResident(Math.max(0, from - this.residentIndex), this.#resident.length);
    this.#lastIndex = from - 1;
    this.#released = Math.min(this.#released, this.#lastIndex);
    this.#terms.truncateSuffix(from);
  }

  compactPrefix(through: number): void {
    invariant(
      through <= this.#lastIndex,
      `cannot compact through ${through}, the log ends at ${this.#lastIndex}`,
    );
    if (through < this.#firstIndex) return;
    this.#dropResident(0, Math.max(0, through + 1 - this.residentIndex));
    this.#firstIndex = through + 1;
    this.#terms.compactPrefix(through);
  }

  reset(index: number, term: number): void {
    this.#dropResident(0, this.#resident.length);
    this.#firstIndex = index + 1;
    this.#lastIndex = index;
    this.#released = index;
    this.#terms = new Terms([{ term, from: index }]);
  }

  /** Goes down to three quarters of the bound at once: moving the rest of the array for each entry would be dear. */
  #evict(): void {
    const target = this.residentBytesMax * 0.75;
    const releasable = this.#released + 1 - this.residentIndex;
    let bytes = this.#residentBytes;
    let count = 0;
    for (; count < releasable && bytes > target; count += 1) {
      const entry = this.#resident[count];
      bytes -= entry === undefined ? 0 : cost(entry);
    }
    this.#dropResident(0, count);
  }

  #dropResident(start: number, end: number): void {
    for (const entry of this.#resident.splice(start, end - start)) this.#residentBytes -= cost(entry);
  }
}

function cost(entry: LogEntry): number {
  return entry.payload.length + ENTRY_OVERHEAD_BYTES;
}
