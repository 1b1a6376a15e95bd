import type { HardState, LogEntry, RaftLog } from './log.js';
import { EMPTY_LOG, LogView } from './view.js';

/** A log for `--data-dir :memory:` and for tests: it is as durable as the process. */
export class MemoryLog implements RaftLog {
  readonly #view = new LogView(EMPTY_LOG, Infinity);
  readonly failure = undefined;
  #hardState: HardState = { term: 0, vote: 0n, commit: 0 };

  get firstIndex(): number {
    return this.#view.firstIndex;
  }

  get lastIndex(): number {
    return this.#view.lastIndex;
  }

  get durableIndex(): number {
    return this.#view.lastIndex;
  }

  get residentIndex(): number {
    return this.#view.residentIndex;
  }

  get baseTerm(): number {
    return this.#view.baseTerm;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  append(entries: readonly LogEntry[], hardState?: HardState): Promise<void> {
    this.#view.append(entries);
    if (hardState !== undefined) this.#hardState = hardState;
    return Promise.resolve();
  }

  read(from: number, through: number, maxBytes?: number): LogEntry[] {
    return this.#view.read(from, through, maxBytes);
  }

  readOld(from: number, through: number, maxBytes?: number): Promise<LogEntry[]> {
    return Promise.resolve(this.#view.read(from, through, maxBytes));
  }

  release(through: number): void {
    this.#view.release(through);
  }

  term(index: number): number | undefined {
    return this.#view.term(index);
  }

  truncateSuffix(from: number): Promise<void> {
    this.#view.truncateSuffix(from);
    return Promise.resolve();
  }

  compactPrefix(through: number): Promise<void> {
    this.#view.compactPrefix(through);
    return Promise.resolve();
  }

  reset(index: number, term: number): Promise<void> {
    this.#view.reset(index, term);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
