import type { HardState, LogEntry } from '../../raft/log/log.js';
import type { LogBounds } from '../../raft/log/view.js';
import type { TermRun } from '../../raft/log/terms.js';

/** One write, as the log gives it to its disk. */
export type LogOperation =
  | { readonly type: 'append'; readonly entries: readonly LogEntry[] }
  | { readonly type: 'hard-state'; readonly hardState: HardState }
  | { readonly type: 'truncate'; readonly from: number }
  | { readonly type: 'compact'; readonly through: number }
  | { readonly type: 'reset'; readonly index: number; readonly term: number };

/** What a member's disk holds of its log, whatever happens to the process: only what is synced. */
export class LogDisk {
  #firstIndex = 1;
  #baseTerm = 0;
  #entries: LogEntry[] = [];
  #hardState: HardState = { term: 0, vote: 0n, commit: 0 };

  get hardState(): HardState {
    return this.#hardState;
  }

  get lastIndex(): number {
    return this.#firstIndex + this.#entries.length - 1;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  bounds(): LogBounds {
    const terms: TermRun[] = [{ term: this.#baseTerm, from: this.#firstIndex - 1 }];
    for (const { index, term } of this.#entries) {
      if (term !== terms.at(-1)?.term) terms.push({ term, from: index });
    }
    return { firstIndex: this.#firstIndex, lastIndex: this.lastIndex, terms };
  }

  /** Whether the entry is here, or is part of what was compacted: that much was committed. */
  holds(index: number, term: number): boolean {
    if (index < this.#firstIndex) return true;
    return this.#entries[index - this.#firstIndex]?.term === term;
  }

  write(operation: LogOperation): void {
    switch (operation.type) {
      case 'append':
        this.#entries.push(...operation.entries);
        break;
      case 'hard-state':
        this.#hardState = operation.hardState;
        break;
      case 'truncate':
        this.#entries.splice(operation.from - this.#firstIndex);
        break;
      case 'compact': {
        const cut = this.#entries.splice(0, operation.through + 1 - this.#firstIndex);
        this.#baseTerm = cut.at(-1)?.term ?? this.#baseTerm;
        this.#firstIndex = operation.through + 1;
        break;
      }
      case 'reset':
        this.#entries = [];
        this.#firstIndex = operation.index + 1;
        this.#baseTerm = operation.term;
        break;
    }
  }
}
