import type { LogEntry } from '../../raft/log/log.js';
import { isSameEntry } from './ledger.js';

interface Known {
  readonly entry: LogEntry;
  readonly previousTerm: number;
}

/**
 * Every entry that was ever in a log. Two logs with an entry of the same index and term have the same entry there, and
 * the same before it (log matching, Raft §5.3): that each has the same term before it is enough, one by one.
 */
export class LogMatching {
  /** By index, then by term. */
  readonly #known = new Map<number, Map<number, Known>>();

  /** What is wrong with an entry that is now in a log after one of `previousTerm`; whether it was never seen before. */
  add(
    entry: LogEntry,
    previousTerm: number,
  ): { readonly problem: string | undefined; readonly isNew: boolean } {
    const { index, term } = entry;
    let ofIndex = this.#known.get(index);
    if (ofIndex === undefined) this.#known.set(index, (ofIndex = new Map()));
    const known = ofIndex.get(term);
    if (known === undefined) {
      ofIndex.set(term, { entry, previousTerm });
      return { problem: undefined, isNew: true };
    }
    if (!isSameEntry(known.entry, entry)) {
      return { problem: `has another entry ${index}/${term} than others had (log matching)`, isNew: false };
    }
    if (known.previousTerm === previousTerm) return { problem: undefined, isNew: false };
    const others = `others of term ${known.previousTerm}`;
    return {
      problem: `has ${index}/${term} after one of term ${previousTerm}, ${others} (log matching)`,
      isNew: false,
    };
  }
}
