import { invariant } from '../../raft/invariant.js';
import { LogError } from '../../raft/log/errors.js';
import type { HardState, LogEntry, RaftLog } from '../../raft/log/log.js';
import { LogView } from '../../raft/log/view.js';
import type { LogDisk, LogOperation } from './log-disk.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

/** How a disk behaves now. It may change at any time. */
export interface DiskSpeed {
  /** Milliseconds a sync takes, on average. */
  syncMs: number;
}

export interface SimulatedLogOptions {
  readonly process: Process;
  readonly disk: LogDisk;
  readonly speed: DiskSpeed;
  readonly random: Random;
  readonly residentBytesMax: number;
  readonly watcher: LogWatcher;
}

/** Told of every change at once, durable or not. */
export interface LogWatcher {
  appended(entries: readonly LogEntry[]): void;
  truncated(from: number): void;
  reset(index: number): void;
}

/** What was written in one piece of running code; it becomes durable as a whole. */
interface Flight {
  readonly operations: LogOperation[];
  /** As in the real log: lowered if entries are taken away meanwhile. */
  lastIndex: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Entries that one `readOld` gives at most. */
const READ_ENTRIES_MAX = 20;

/**
 * The log on a disk that takes its time: writes become durable in order, those that wait while one is under way together
 * (group commit), and the log hears of it a little later still. A crash takes away any number of the last flights.
 */
export class SimulatedLog implements RaftLog {
  readonly #process: Process;
  readonly #disk: LogDisk;
  readonly #speed: DiskSpeed;
  readonly #random: Random;
  readonly #watcher: LogWatcher;
  readonly #view: LogView;
  /** Every entry from `firstIndex` on, in memory or not, for `readOld`. */
  #entries: LogEntry[];
  #hardState: HardState;
  #durableIndex: number;
  #forming: Flight | undefined;
  #waiting: Flight[] = [];
  #syncing: Flight[] = [];
  /** Synced, and the log has not heard of it. */
  #landing: Flight[] = [];
  failure: LogError | undefined;

  constructor(options: SimulatedLogOptions) {
    this.#process = options.process;
    this.#disk = options.disk;
    this.#speed = options.speed;
    this.#random = options.random;
    this.#watcher = options.watcher;
    this.#view = new LogView(options.disk.bounds(), options.residentBytesMax);
    this.#entries = [...options.disk.entries];
    this.#hardState = options.disk.hardState;
    this.#durableIndex = options.disk.lastIndex;
  }

  get firstIndex(): number {
    return this.#view.firstIndex;
  }

  get lastIndex(): number {
    return this.#view.lastIndex;
  }

  get durableIndex(): number {
    return this.#durableIndex;
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

  /** The entry at an index, in memory or not; undefined outside. */
  entry(index: number): LogEntry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  append(entries: readonly LogEntry[], hardState?: HardState): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#view.append(entries);
    this.#entries.push(...entries);
    if (hardState !== undefined) this.#hardState = hardState;
    this.#watcher.appended(entries);
    if (entries.length > 0) this.#add({ type: 'append', entries: [...entries] });
    if (hardState !== undefined) this.#add({ type: 'hard-state', hardState });
    return this.#flight().promise;
  }

  read(from: number, through: number, maxBytes?: number): LogEntry[] {
    return this.#view.read(from, through, maxBytes);
  }

  async readOld(from: number, through: number, maxBytes = Infinity): Promise<LogEntry[]> {
    invariant(from >= this.firstIndex, `entry ${from} is compacted`);
    if (from >= this.residentIndex) return this.read(from, through, maxBytes);
    if (this.failure !== undefined) throw this.failure;
    const onDisk = Math.min(through, this.residentIndex - 1, from + READ_ENTRIES_MAX - 1);
    const read = this.#entries.slice(from - this.firstIndex, onDisk + 1 - this.firstIndex);
    let bytes = read[0]?.payload.length ?? 0;
    let count = 1;
    while (count < read.length && bytes <= maxBytes) {
      bytes += read[count]?.payload.length ?? 0;
      if (bytes <= maxBytes) count += 1;
    }
    await this.#process.sleep(this.#syncTime());
    return read.slice(0, count);
  }

  release(through: number): void {
    invariant(through <= this.#durableIndex, `entry ${through} released before it was durable`);
    this.#view.release(through);
  }

  term(index: number): number | undefined {
    return this.#view.term(index);
  }

  truncateSuffix(from: number): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#watcher.truncated(from);
    this.#view.truncateSuffix(from);
    this.#entries.splice(from - this.firstIndex);
    this.#durableIndex = Math.min(this.#durableIndex, from - 1);
    for (const flight of this.#flights()) flight.lastIndex = Math.min(flight.lastIndex, from - 1);
    return this.#write({ type: 'truncate', from });
  }

  compactPrefix(through: number): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    invariant(through <= this.#durableIndex, `cannot compact through ${through} before it is durable`);
    if (through < this.firstIndex) return Promise.resolve();
    this.#entries.splice(0, through + 1 - this.firstIndex);
    this.#view.compactPrefix(through);
    return this.#write({ type: 'compact', through });
  }

  reset(index: number, term: number): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#watcher.reset(index);
    this.#view.reset(index, term);
    this.#entries = [];
    for (const flight of this.#flights()) flight.lastIndex = index;
    this.#durableIndex = index;
    return this.#write({ type: 'reset', index, term });
  }

  async close(): Promise<void> {
    while (this.failure === undefined) {
      const last = this.#flights().at(-1);
      if (last === undefined) break;
      await last.promise.catch(() => undefined);
    }
    this.failure ??= new LogError('closed', 'simulated');
  }

  /** The process ends: of the flights that are not synced any number survives, the oldest. */
  crash(): void {
    const unsynced = [...this.#syncing, ...this.#waiting];
    this.#writeToDisk(unsynced.slice(0, this.#random.between(0, unsynced.length)));
    this.#syncing = [];
    this.#waiting = [];
    this.failure ??= new LogError('closed', 'simulated');
  }

  /** A write fails: what is in flight is lost in part or whole, and nothing more is written. */
  fail(): void {
    const flights = this.#flights();
    this.crash();
    const failure = new LogError('failed', 'simulated', 'the disk has failed');
    this.failure = failure;
    this.#landing = [];
    this.#forming = undefined;
    for (const flight of flights) flight.reject(failure);
  }

  /** All that have not landed, the oldest first. */
  #flights(): Flight[] {
    const forming = this.#forming === undefined ? [] : [this.#forming];
    return [...this.#landing, ...this.#syncing, ...this.#waiting, ...forming];
  }

  #write(operation: LogOperation): Promise<void> {
    this.#add(operation);
    return this.#flight().promise;
  }

  #add(operation: LogOperation): void {
    this.#flight().operations.push(operation);
  }

  #flight(): Flight {
    if (this.#forming === undefined) {
      this.#forming = { operations: [], lastIndex: this.lastIndex, ...newPromise() };
      queueMicrotask(() => this.#depart());
    }
    return this.#forming;
  }

  #depart(): void {
    const flight = this.#forming;
    if (flight === undefined || this.failure !== undefined || !this.#process.isAlive) return;
    this.#forming = undefined;
    flight.lastIndex = this.lastIndex;
    this.#waiting.push(flight);
    if (this.#syncing.length === 0) this.#sync();
  }

  /** The disk works on while the process is paused; only the news of it waits. */
  #sync(): void {
    this.#syncing = this.#waiting;
    this.#waiting = [];
    if (this.#syncing.length === 0) return;
    const { world } = this.#process;
    const synced = this.#syncing;
    world.after(this.#syncTime(), () => {
      if (this.#syncing !== synced || this.failure !== undefined) return;
      this.#writeToDisk(synced);
      this.#syncing = [];
      this.#landing.push(...synced);
      world.count('syncs');
      this.#process.after(this.#random.uniform(0, LANDING_MS_MAX), () => this.#land(synced.length));
      this.#sync();
    });
  }

  #land(count: number): void {
    if (this.failure !== undefined) return;
    for (const flight of this.#landing.splice(0, count)) {
      this.#durableIndex = flight.lastIndex;
      invariant(this.#durableIndex <= this.lastIndex, 'more is durable than was appended');
      flight.resolve();
    }
  }

  #writeToDisk(flights: readonly Flight[]): void {
    for (const { operations } of flights) for (const operation of operations) this.#disk.write(operation);
  }

  #syncTime(): number {
    return this.#random.exponential(this.#speed.syncMs) + SYNC_MS_MIN;
  }
}

function newPromise(): Pick<Flight, 'promise' | 'resolve' | 'reject'> {
  let settle: Pick<Flight, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  invariant(settle !== undefined, 'a promise calls back at once');
  return { promise, ...settle };
}

/** What any sync takes, in milliseconds. */
const SYNC_MS_MIN = 0.05;
/** From the disk to the process, in milliseconds. */
const LANDING_MS_MAX = 0.1;
