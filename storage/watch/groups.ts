import { latin1, type KeyRange } from '../bytes.js';
import type { Change } from '../mvcc/store.js';
import type { Watcher } from './watcher.js';

/** Above every latin1 string. */
const NO_END = '\u0100';

/** The watchers of one key range, which are matched together. */
export interface Group {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  readonly watchers: Set<Watcher>;
  /** Changes of the batch being published that fall into the range. */
  readonly matched: Change[];
}

/**
 * The synced watchers by key range. Points are found in a map, spans in a sorted array that is read as a balanced
 * interval tree: each middle element also knows the largest end of its part. A key is matched in O(log n + matches).
 */
export class WatcherGroups {
  readonly #points = new Map<string, Group>();
  readonly #spansByName = new Map<string, Group>();
  /** Ordered by start. */
  readonly #spans: Group[] = [];
  #largestEnds: string[] = [];
  #stale = false;

  add(watcher: Watcher): void {
    const { range } = watcher;
    const start = latin1(range.start);
    if (range.type === 'point') {
      this.#group(this.#points, start, start, start).watchers.add(watcher);
      return;
    }
    const end = range.type === 'span' ? latin1(range.end) : NO_END;
    const group = this.#group(this.#spansByName, spanName(start, end), start, end);
    group.watchers.add(watcher);
    if (group.watchers.size > 1) return;
    this.#spans.splice(this.#positionOf(start), 0, group);
    this.#stale = true;
  }

  remove(watcher: Watcher): void {
    const { range } = watcher;
    const start = latin1(range.start);
    const groups = range.type === 'point' ? this.#points : this.#spansByName;
    const end = range.type === 'span' ? latin1(range.end) : NO_END;
    const name = range.type === 'point' ? start : spanName(start, end);
    const group = groups.get(name);
    if (group === undefined) return;
    group.watchers.delete(watcher);
    if (group.watchers.size > 0) return;
    groups.delete(name);
    if (range.type === 'point') return;
    this.#spans.splice(this.#spans.indexOf(group), 1);
    this.#stale = true;
  }

  /** Calls for each group whose range holds the key. */
  match(key: string, found: (group: Group) => void): void {
    const point = this.#points.get(key);
    if (point !== undefined) found(point);
    if (this.#spans.length === 0) return;
    if (this.#stale) this.#refresh();
    this.#visit(key, 0, this.#spans.length, found);
  }

  #group(groups: Map<string, Group>, name: string, start: string, end: string): Group {
    let group = groups.get(name);
    if (group === undefined) {
      group = { start, end, watchers: new Set(), matched: [] };
      groups.set(name, group);
    }
    return group;
  }

  #positionOf(start: string): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[middle]?.start ?? '') < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #refresh(): void {
    this.#largestEnds = this.#spans.map(() => '');
    this.#largestEnd(0, this.#spans.length);
    this.#stale = false;
  }

  #largestEnd(low: number, high: number): string {
    if (low >= high) return '';
    const middle = (low + high) >>> 1;
    let largest = this.#spans[middle]?.end ?? '';
    const left = this.#largestEnd(low, middle);
    const right = this.#largestEnd(middle + 1, high);
    if (left > largest) largest = left;
    if (right > largest) largest = right;
    this.#largestEnds[middle] = largest;
    return largest;
  }

  #visit(key: string, low: number, high: number, found: (group: Group) => void): void {
    if (low >= high) return;
    const middle = (low + high) >>> 1;
    const group = this.#spans[middle];
    if (group === undefined || (this.#largestEnds[middle] ?? '') <= key) return;
    this.#visit(key, low, middle, found);
    if (group.start > key) return;
    if (group.end > key) found(group);
    this.#visit(key, middle + 1, high, found);
  }
}

/** Lengths keep two ranges apart whose texts run together. */
function spanName(start: string, end: string): string {
  return `${start.length} ${start}${end}`;
}

export function isEmptyRange(range: KeyRange): boolean {
  return range.type === 'span' && Buffer.compare(range.start, range.end) >= 0;
}
