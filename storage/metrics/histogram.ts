/** `count` upper bounds, each `factor` times the one before. */
export function exponential(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_none, index) => Number((start * factor ** index).toPrecision(12)));
}

/** Counts values by size, as Prometheus has them. Cheap to add to: rendering is done when somebody asks. */
export class Histogram {
  /** By bucket; the last is of what exceeds every bound. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds upper ends of the buckets, rising */
  constructor(readonly bounds: readonly number[]) {
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    this.sum += value;
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? Infinity)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  /** Passes on what the work comes to, and counts the seconds that it took if it came to something. */
  async time<T>(work: Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work;
    this.observe((performance.now() - begun) / 1000);
    return result;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }
}
