import { invariant } from '../invariant.js';
import type { LogEntry } from '../log/log.js';

/** What the state machine sees of the durable log: everything that was appended, durable or not. A RaftLog is one. */
export interface LogReader {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Index of the oldest entry that `read` can give. */
  readonly residentIndex: number;
  /** Term of the entry at `index`, of `firstIndex - 1` too; undefined outside. */
  term(index: number): number | undefined;
  read(from: number, through: number, maxBytes?: number): LogEntry[];
}

/** What a step does to the log, in this order. */
export interface LogChanges {
  readonly reset: { readonly index: number; readonly term: number } | undefined;
  readonly truncateFrom: number | undefined;
  readonly entries: LogEntry[];
}

/**
 * The log as it is in the middle of a step: the durable one, with what this step has changed laid over it. The driver
 * carries the changes over before the next step.
 */
export class StepLog {
  #reset: LogChanges['reset'];
  #truncateFrom: number | undefined;
  #entries: LogEntry[] = [];
  /** Where the durable log must end when the next step begins. */
  #expected: number;

  constructor(private readonly reader: LogReader) {
    this.#expected = reader.lastIndex;
  }

  begin(): void {
    invariant(this.reader.lastIndex === this.#expected, 'the log did not follow the last step');
  }

  /** The changes of this step, to be carried over to the durable log. */
  end(): LogChanges {
    const changes = { reset: this.#reset, truncateFrom: this.#truncateFrom, entries: this.#entries };
    this.#expected = this.lastIndex;
    this.#reset = undefined;
    this.#truncateFrom = undefined;
    this.#entries = [];
    return changes;
  }

  get firstIndex(): number {
    return this.#reset === undefined ? this.reader.firstIndex : this.#reset.index + 1;
  }

  get lastIndex(): number {
    return this.#entries.at(-1)?.index ?? this.#baseIndex;
  }

  get lastTerm(): number {
    return this.term(this.lastIndex) ?? 0;
  }

  /** As LogReader's. */
  term(index: number): number | undefined {
    const base = this.#baseIndex;
    if (index > base) return this.#entries[index - base - 1]?.term;
    if (this.#reset !== undefined) return index === this.#reset.index ? this.#reset.term : undefined;
    return this.reader.term(index);
  }

  matches(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  /**
   * Entries from `from` on, one at least, as far as memory and `maxBytes` of payload reach. Undefined if the first one
   * is on disk only.
   */
  read(from: number, maxBytes: number): LogEntry[] | undefined {
    const base = this.#baseIndex;
    if (from > base) return withinBytes(this.#entries, from - base - 1, maxBytes);
    if (from < this.reader.residentIndex) return undefined;
    return this.reader.read(from, base, maxBytes);
  }

  /** Where `read` can begin. */
  get residentIndex(): number {
    return this.#reset === undefined ? this.reader.residentIndex : this.#reset.index + 1;
  }

  append(entry: LogEntry): void {
    invariant(entry.index === this.lastIndex + 1, `entry ${entry.index} appended after ${this.lastIndex}`);
    invariant(entry.term >= this.lastTerm, `entry ${entry.index} has a lower term than the one before it`);
    this.#entries.push(entry);
  }

  truncate(from: number): void {
    invariant(from >= this.firstIndex && from <= this.lastIndex, `no entry ${from} to take away`);
    invariant(this.#entries.length === 0 && this.#reset === undefined, 'truncated after other changes');
    this.#truncateFrom = from;
  }

  reset(index: number, term: number): void {
    invariant(this.#entries.length === 0 && this.#truncateFrom === undefined, 'reset after other changes');
    this.#reset = { index, term };
  }

  /** The newest index at or before `index` whose term is at most `term`: terms never fall, so bisection finds it. */
  newestWithTermAtMost(index: number, term: number): number {
    let low = this.firstIndex - 1;
    let high = Math.min(index, this.lastIndex);
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      if ((this.term(middle) ?? 0) <= term) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }

  /** The last index that the durable log contributes. */
  get #baseIndex(): number {
    if (this.#reset !== undefined) return this.#reset.index;
    return this.#truncateFrom === undefined ? this.reader.lastIndex : this.#truncateFrom - 1;
  }
}

function withinBytes(entries: readonly LogEntry[], start: number, maxBytes: number): LogEntry[] {
  let bytes = 0;
  let end = start;
  for (; end < entries.length; end += 1) {
    bytes += entries[end]?.payload.length ?? 0;
    if (bytes > maxBytes && end > start) break;
  }
  return entries.slice(start, end);
}
