import { invariant } from '../invariant.js';

/** A run of entries of one term. */
export interface TermRun {
  readonly term: number;
  /** Index of the run's first entry; the run ends where the next one starts. */
  readonly from: number;
}

/**
 * The term of every index in the log, as runs: terms never fall with rising index and change rarely, so that a log of
 * any length needs a few numbers. Knows nothing of where the log ends; callers ask only for indexes they hold.
 */
export class Terms {
  #runs: TermRun[];

  /** @param runs in index order; the first one covers the base, the index before the first entry. */
  constructor(runs: readonly TermRun[]) {
    invariant(runs.length > 0, 'terms without the run of the base');
    this.#runs = [...runs];
  }

  /** Term of the entry at `index`, at least the first run's `from`. */
  at(index: number): number {
    for (let i = this.#runs.length - 1; i >= 0; i -= 1) {
      const run = this.#runs[i];
      if (run !== undefined && run.from <= index) return run.term;
    }
    throw new RangeError(`no term is known for index ${index}`);
  }

  append(index: number, term: number): void {
    const last = this.#runs.at(-1);
    invariant(
      last !== undefined && term >= last.term,
      `entry ${index} has a lower term than the one before it`,
    );
    if (term > last.term) this.#runs.push({ term, from: index });
  }

  truncateSuffix(from: number): void {
    while (this.#runs.length > 1 && (this.#runs.at(-1)?.from ?? 0) >= from) this.#runs.pop();
  }

  /** Forgets runs that end before `base`. */
  compactPrefix(base: number): void {
    let keep = this.#runs.length - 1;
    while (keep > 0 && (this.#runs[keep]?.from ?? 0) > base) keep -= 1;
    this.#runs = this.#runs.slice(keep);
  }
}
