import type { Worker } from 'node:worker_threads';
import { invariant } from '../invariant.js';
import type { RaftObserver } from '../observer.js';
import { packEntries, unpackEntries } from './codec.js';
import { LogError } from './errors.js';
import type { HardState, LogEntry, LogOwner, RaftLog } from './log.js';
import type { LogOperation, LogRequest, LogResponse } from './messages.js';
import { type LogThread, openIn, startLogThread } from './thread.js';
import { LogView } from './view.js';

export interface SqliteLogOptions {
  /** The database file, created if absent; its folder must exist. `-wal` beside it belongs to it. */
  readonly path: string;
  /** Bytes of released entries kept in memory for `read`. Entries not yet released are kept beyond it. */
  readonly residentBytesMax?: number;
  /** Started before; one of its own when absent. */
  readonly thread?: LogThread;
  readonly observer?: Pick<RaftObserver, 'logWritten' | 'logSynced'> | undefined;
}

/** Enough for a follower that is a moment behind. */
const RESIDENT_BYTES_MAX = 4 * 2 ** 20;

/** Writes posted together, in the worker's hands until `synced`. */
interface Flight {
  readonly sequence: number;
  /** The log's last index once this is synced; lowered if entries are taken away meanwhile. */
  lastIndex: number;
  readonly synced: Deferred;
}

/**
 * Opens the log, creating it if there is none, and holds its lock until `close` or the end of the process.
 *
 * @throws LogError: locked, corrupt, incompatible or failed
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const { path, thread = startLogThread() } = options;
  const response = await openIn(thread, { path }).catch((error: unknown) => {
    throw LogError.from(error, path);
  });
  if (response.type === 'opened') return new SqliteLog(thread.worker, options, response);
  if (response.type === 'failed') throw new LogError(response.code, path, response.detail);
  throw new LogError('failed', path, `unexpected ${response.type}`);
}

/**
 * The durable log: SQLite written by a worker thread. This side keeps where the log starts and ends, every entry's
 * term and the newest entries, so that all but `readOld` answer at once.
 */
export class SqliteLog implements RaftLog {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #observer: SqliteLogOptions['observer'];
  readonly #view: LogView;
  #hardState: HardState;
  #owner: LogOwner | undefined;
  #durableIndex: number;

  /** Written in this turn of the event loop and not posted yet, with entries still to be packed. */
  #operations: LogOperation[] = [];
  #entries: LogEntry[] = [];
  #nextFlight: Flight | undefined;
  #sequence = 0;
  readonly #flights: Flight[] = [];

  readonly #reads = new Map<
    number,
    { resolve: (entries: LogEntry[]) => void; reject: (error: Error) => void }
  >();
  #readId = 0;
  #failure: LogError | undefined;
  #closing: Promise<void> | undefined;
  readonly #closed = new Deferred();

  /** Use `openSqliteLog`. */
  constructor(worker: Worker, options: SqliteLogOptions, opened: LogResponse & { type: 'opened' }) {
    this.#worker = worker;
    this.#path = options.path;
    this.#observer = options.observer;
    this.#view = new LogView(opened.bounds, options.residentBytesMax ?? RESIDENT_BYTES_MAX);
    this.#hardState = opened.hardState;
    this.#owner = opened.owner;
    this.#durableIndex = opened.bounds.lastIndex;
    worker.on('message', (response: LogResponse) => this.#receive(response));
    worker.on('error', (error) => this.#fail(LogError.from(error, this.#path)));
    worker.on('exit', () => this.#fail(new LogError('failed', this.#path, 'its thread ended')));
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

  get failure(): LogError | undefined {
    return this.#failure ?? (this.#closing === undefined ? undefined : new LogError('closed', this.#path));
  }

  /**
   * Says whose log it is, before anything else is written to it: a new one is that member's from then on.
   *
   * @throws LogError: foreign, if it is another's
   */
  claim(owner: LogOwner): void {
    const present = this.#owner;
    if (present !== undefined) {
      if (present.clusterId === owner.clusterId && present.memberId === owner.memberId) return;
      throw new LogError('foreign', this.#path, nameOf(present));
    }
    this.#owner = owner;
    this.#enqueue({ type: 'claim', owner });
    // That it is not on disk is told by the log's failure.
    this.#flight().synced.promise.catch(() => undefined);
  }

  append(entries: readonly LogEntry[], hardState?: HardState): Promise<void> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    this.#view.append(entries);
    for (const entry of entries) this.#entries.push(entry);
    if (hardState !== undefined) {
      this.#hardState = hardState;
      this.#enqueue({ type: 'hard-state', hardState });
    }
    return this.#flight().synced.promise;
  }

  read(from: number, through: number, maxBytes?: number): LogEntry[] {
    return this.#view.read(from, through, maxBytes);
  }

  readOld(from: number, through: number, maxBytes = Infinity): Promise<LogEntry[]> {
    invariant(from >= this.firstIndex, `entry ${from} is compacted`);
    if (from >= this.residentIndex) return Promise.resolve(this.read(from, through, maxBytes));
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    // Its place among the writes is where the caller sees it.
    this.#post();
    this.#readId += 1;
    const id = this.#readId;
    const onDisk = Math.min(through, this.residentIndex - 1);
    this.#request({ type: 'read', id, from, through: onDisk, maxBytes });
    return new Promise((resolve, reject) => this.#reads.set(id, { resolve, reject }));
  }

  release(through: number): void {
    invariant(through <= this.#durableIndex, `entry ${through} released before it was durable`);
    this.#view.release(through);
  }

  term(index: number): number | undefined {
    return this.#view.term(index);
  }

  truncateSuffix(from: number): Promise<void> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    this.#view.truncateSuffix(from);
    this.#lowerTo(from - 1);
    this.#enqueue({ type: 'truncate-suffix', from });
    return this.#flight().synced.promise;
  }

  compactPrefix(through: number): Promise<void> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    invariant(through <= this.#durableIndex, `cannot compact through ${through} before it is durable`);
    if (through < this.firstIndex) return Promise.resolve();
    this.#view.compactPrefix(through);
    this.#enqueue({ type: 'compact-prefix', through, baseTerm: this.baseTerm });
    return this.#flight().synced.promise;
  }

  reset(index: number, term: number): Promise<void> {
    const { failure } = this;
    if (failure !== undefined) return Promise.reject(failure);
    this.#view.reset(index, term);
    for (const flight of this.#flights) flight.lastIndex = index;
    this.#durableIndex = index;
    this.#enqueue({ type: 'reset', index, term });
    return this.#flight().synced.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#post();
      this.#request({ type: 'close' });
      await this.#closed.promise;
      this.#failure ??= new LogError('closed', this.#path);
    }
    await this.#worker.terminate();
  }

  /** The flight that takes what is written in this turn; it leaves once the running code is done. */
  #flight(): Flight {
    if (this.#nextFlight === undefined) {
      this.#sequence += 1;
      this.#nextFlight = { sequence: this.#sequence, lastIndex: this.lastIndex, synced: new Deferred() };
      queueMicrotask(() => this.#post());
    }
    return this.#nextFlight;
  }

  #enqueue(operation: LogOperation): void {
    this.#packEntries();
    this.#operations.push(operation);
  }

  #packEntries(): void {
    if (this.#entries.length === 0) return;
    this.#operations.push({ type: 'append', frames: packEntries(this.#entries) });
    this.#entries = [];
  }

  #post(): void {
    const flight = this.#nextFlight;
    if (flight === undefined) return;
    this.#nextFlight = undefined;
    this.#packEntries();
    flight.lastIndex = this.lastIndex;
    this.#flights.push(flight);
    this.#request({ type: 'write', sequence: flight.sequence, operations: this.#operations });
    this.#operations = [];
  }

  #request(request: LogRequest): void {
    const transfer: ArrayBuffer[] = [];
    if (request.type === 'write') {
      for (const operation of request.operations) {
        if (operation.type !== 'append') continue;
        this.#observer?.logWritten(operation.frames.byteLength);
        transfer.push(operation.frames.buffer as ArrayBuffer);
      }
    }
    // A rule for browser windows, whose postMessage takes an origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.#worker.postMessage(request, transfer);
  }

  #receive(response: LogResponse): void {
    switch (response.type) {
      case 'synced':
        this.#observer?.logSynced(response.seconds);
        this.#land(response.sequence);
        break;
      case 'entries':
        this.#answerRead(response.id, response.frames);
        break;
      case 'closed':
        this.#closed.resolve();
        break;
      case 'failed':
        this.#fail(new LogError(response.code, this.#path, response.detail));
        break;
      case 'opened':
        invariant(false, 'the log worker opened twice');
    }
  }

  #land(sequence: number): void {
    while (this.#flights[0] !== undefined && this.#flights[0].sequence <= sequence) {
      const flight = this.#flights.shift();
      if (flight === undefined) return;
      this.#durableIndex = flight.lastIndex;
      invariant(this.#durableIndex <= this.lastIndex, 'more is durable than was appended');
      flight.synced.resolve();
    }
  }

  #answerRead(id: number, frames: Uint8Array): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    try {
      read?.resolve(unpackEntries(frames));
    } catch (error) {
      const corrupt = new LogError(
        'corrupt',
        this.#path,
        error instanceof Error ? error.message : String(error),
      );
      read?.reject(corrupt);
      this.#fail(corrupt);
    }
  }

  #lowerTo(lastIndex: number): void {
    this.#durableIndex = Math.min(this.#durableIndex, lastIndex);
    for (const flight of this.#flights) flight.lastIndex = Math.min(flight.lastIndex, lastIndex);
  }

  /** The first failure counts: the worker has ended or will, and no later write reaches the disk. */
  #fail(error: LogError): void {
    const failure = (this.#failure ??= error);
    const flights = this.#nextFlight === undefined ? this.#flights : [...this.#flights, this.#nextFlight];
    for (const flight of flights) flight.synced.reject(failure);
    for (const read of this.#reads.values()) read.reject(failure);
    this.#flights.length = 0;
    this.#nextFlight = undefined;
    this.#reads.clear();
    this.#closed.resolve();
  }
}

function nameOf({ clusterId, memberId }: LogOwner): string {
  return `member ${memberId.toString(16)} of cluster ${clusterId.toString(16)}`;
}

class Deferred {
  resolve!: () => void;
  reject!: (error: Error) => void;
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}
