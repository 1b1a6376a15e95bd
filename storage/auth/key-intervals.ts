import { keyRange, latin1 } from '../bytes.js';

/** start ≤ key < end; undefined: no upper bound. */
interface Interval {
  readonly start: string;
  readonly end: string | undefined;
}

/**
 * The union of key ranges, each as `key` and `range_end` of a request. What a user may read, or write, is such a union:
 * adjacent grants, of several roles too, allow a range over all of them, as in etcd. Keys are latin1 strings, whose
 * order is that of bytes.
 */
export class KeyIntervals {
  /** Sorted, apart from each other. */
  readonly #intervals: readonly Interval[];

  constructor(ranges: Iterable<{ readonly key: Uint8Array; readonly rangeEnd?: Uint8Array | undefined }>) {
    this.#intervals = merge([...ranges].map(({ key, rangeEnd }) => intervalOf(key, rangeEnd)));
  }

  /** True if every key of the range is in the union. */
  covers(key: Uint8Array, rangeEnd?: Uint8Array): boolean {
    const range = intervalOf(key, rangeEnd);
    const found = this.#lastFrom(range.start);
    if (found === undefined || !endsAfter(found.end, range.start)) return false;
    if (found.end === undefined) return true;
    return range.end !== undefined && range.end <= found.end;
  }

  /** The last interval that begins at or before a key. */
  #lastFrom(key: string): Interval | undefined {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle]?.start ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return this.#intervals[low - 1];
  }
}

/** One key is the interval up to the next key there can be. */
function intervalOf(key: Uint8Array, rangeEnd: Uint8Array | undefined): Interval {
  const range = keyRange(key, rangeEnd);
  const start = latin1(range.start);
  if (range.type === 'point') return { start, end: `${start}\0` };
  return { start, end: range.type === 'from' ? undefined : latin1(range.end) };
}

/** An interval that ends where it begins, or before, holds no key. */
function merge(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals
    .filter(({ start, end }) => endsAfter(end, start))
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last === undefined || (last.end !== undefined && last.end < interval.start)) merged.push(interval);
    else if (last.end !== undefined && endsAfter(interval.end, last.end)) {
      merged[merged.length - 1] = { start: last.start, end: interval.end };
    }
  }
  return merged;
}

function endsAfter(end: string | undefined, key: string): boolean {
  return end === undefined || end > key;
}
