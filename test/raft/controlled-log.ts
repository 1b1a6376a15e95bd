import type { HardState, LogEntry, RaftLog } from '../../raft/log/log.js';
import { EMPTY_LOG, LogView, type LogBounds } from '../../raft/log/view.js';

interface Flight {
  readonly entries: readonly LogEntry[];
  readonly lastIndex: number;
  readonly hardState: HardState | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface DurableContent {
  readonly bounds: LogBounds;
  readonly entries: readonly LogEntry[];
  readonly hardState: HardState;
}

/** A log whose disk is in the test's hands: nothing is durable before `sync`. */
export class ControlledLog implements RaftLog {
  readonly #view: LogView;
  readonly #onDisk: LogEntry[] = [];
  #flights: Flight[] = [];
  #durableHardState: HardState;
  failure: Error | undefined;
  hardState: HardState;
  durableIndex: number;
  residentIndex: number;
  /** Sizes of the appends of entries, in order. */
  readonly appends: number[] = [];
  readonly compactions: number[] = [];
  closed = false;
  /** Syncs each append at once; a start needs that. */
  autoSync = true;

  /** @param content what the disk holds; nothing of it is in memory. */
  constructor(content?: DurableContent) {
    this.#view = new LogView(content?.bounds ?? EMPTY_LOG, Infinity);
    this.#onDisk.push(...(content?.entries ?? []));
    this.hardState = content?.hardState ?? { term: 0, vote: 0n, commit: 0 };
    this.#durableHardState = this.hardState;
    this.durableIndex = this.#view.lastIndex;
    this.residentIndex = this.#view.lastIndex + 1;
  }

  get firstIndex(): number {
    return this.#view.firstIndex;
  }

  get lastIndex(): number {
    return this.#view.lastIndex;
  }

  get baseTerm(): number {
    return this.#view.baseTerm;
  }

  /** Appends not synced yet. */
  get inFlight(): number {
    return this.#flights.length;
  }

  /** What a power cut would leave. */
  durable(): DurableContent {
    const terms = [{ term: this.baseTerm, from: this.firstIndex - 1 }];
    for (const { index, term } of this.#onDisk)
      if (term !== terms.at(-1)?.term) terms.push({ term, from: index });
    const bounds = { firstIndex: this.firstIndex, lastIndex: this.durableIndex, terms };
    return { bounds, entries: [...this.#onDisk], hardState: this.#durableHardState };
  }

  append(entries: readonly LogEntry[], hardState?: HardState): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#view.append(entries);
    if (hardState !== undefined) this.hardState = hardState;
    if (entries.length > 0) this.appends.push(entries.length);
    const { lastIndex } = this;
    const appended = new Promise<void>((resolve, reject) => {
      this.#flights.push({ entries, lastIndex, hardState, resolve, reject });
    });
    if (this.autoSync) this.sync();
    return appended;
  }

  /** Makes the oldest `count` appends durable. */
  sync(count = Infinity): void {
    for (const flight of this.#flights.splice(0, count)) {
      this.#onDisk.push(...flight.entries);
      this.#durableHardState = flight.hardState ?? this.#durableHardState;
      this.durableIndex = flight.lastIndex;
      flight.resolve();
    }
  }

  /** The disk fails: nothing in flight or to come is written. */
  fail(error: Error): void {
    this.failure = error;
    for (const flight of this.#flights) flight.reject(error);
    this.#flights = [];
  }

  read(from: number, through: number, maxBytes?: number): LogEntry[] {
    return this.#view.read(from, through, maxBytes);
  }

  async readOld(from: number, through: number): Promise<LogEntry[]> {
    await new Promise(setImmediate);
    const first = this.#onDisk[0]?.index ?? 1;
    return this.#onDisk.slice(from - first, through + 1 - first).slice(0, 10);
  }

  release(through: number): void {
    this.#view.release(through);
  }

  term(index: number): number | undefined {
    return this.#view.term(index);
  }

  truncateSuffix(): Promise<void> {
    throw new Error('a single member never takes entries away');
  }

  compactPrefix(through: number): Promise<void> {
    this.compactions.push(through);
    return Promise.resolve();
  }

  reset(index: number, term: number): Promise<void> {
    this.#view.reset(index, term);
    this.#onDisk.length = 0;
    this.durableIndex = index;
    this.residentIndex = index + 1;
    return Promise.resolve();
  }

  /** As the real one: what was appended is synced, unless the disk has failed. */
  close(): Promise<void> {
    this.sync();
    this.closed = true;
    return Promise.resolve();
  }
}
