import { Worker } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { LogPosition } from '../../raft/node/consensus.js';
import type { CheckpointOutcome, CheckpointWorkerData } from './checkpoint-messages.js';
import type { Durability } from './durability.js';

const PAGE_BYTES = 4096;
const FRAME_BYTES = PAGE_BYTES + 24;

export interface CheckpointLimits {
  /** WAL bytes not yet in the database file that are worth a checkpoint. */
  readonly startBytes: number;
  /** WAL bytes past which applies are held until the checkpoint is complete; the next commit starts the WAL anew. */
  readonly holdBytes: number;
  /**
   * The same while a copy of the database is made, which keeps the WAL from being started anew, and until what came
   * together meanwhile is checkpointed. The size of the database counts, if it is larger.
   */
  readonly walBytesMax: number;
}

/**
 * A checkpoint syncs twice, so many small ones would compete with the log for the disk. Past `holdBytes` the worker has
 * at most about `startBytes` left to do: some tens of milliseconds.
 */
export const CHECKPOINT_LIMITS: CheckpointLimits = {
  startBytes: 16 * 2 ** 20,
  holdBytes: 64 * 2 ** 20,
  walBytesMax: 512 * 2 ** 20,
};

/** Payload after which the size of the WAL is looked at (5 µs): it grows about three times as fast. */
const LOOK_EVERY_BYTES = 256 * 1024;
const LOOK_EVERY_COMMITS = 64;

/** The worker costs 10 MB: it ends when it has had nothing to do for so long. */
const WORKER_IDLE_MS = 30_000;

export interface CheckpointerOptions {
  readonly db: Database.Database;
  /** The position of what is committed at the moment. */
  readonly applied: () => LogPosition;
  /** The position of the database as it was opened. */
  readonly start: LogPosition;
  readonly workerUrl?: URL | undefined;
  readonly limits?: CheckpointLimits | undefined;
  /** The disk failed under the worker. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Keeps the WAL bounded without ever waiting for the disk in the serving thread, and knows the durable position: what
 * was applied when a checkpoint began is safe from a power cut once that checkpoint is complete.
 */
export class Checkpointer implements Durability {
  readonly #options: CheckpointerOptions;
  readonly #limits: CheckpointLimits;
  readonly #walSize: Database.Statement;
  readonly #pages: Database.Statement;
  readonly #listeners = new Set<(position: LogPosition) => void>();
  #position: LogPosition;
  #worker: CheckpointWorker | undefined;
  #running: Promise<void> | undefined;
  #hold: Promise<void> | undefined;
  #commits = 0;
  #bytes = 0;
  /** Long reads that are under way, and who waits for their end. */
  #readers = 0;
  #unread: (() => void) | undefined;
  /** Such a read has left more in the WAL than a held apply should wait for. */
  #catchingUp = false;
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#limits = options.limits ?? CHECKPOINT_LIMITS;
    this.#walSize = options.db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#pages = options.db.prepare('PRAGMA page_count').pluck();
    // A WAL that a copy made long becomes short again when it is started anew.
    options.db.pragma(`journal_size_limit = ${this.#limits.holdBytes}`);
    // An empty WAL means that the last close checkpointed everything; else nothing is known.
    this.#position = this.#wal().log === 0 ? options.start : { index: 0, term: 0 };
  }

  get position(): LogPosition {
    return this.#position;
  }

  get hold(): Promise<void> | undefined {
    return this.#hold;
  }

  get readers(): number {
    return this.#readers;
  }

  onDurable(listener: (position: LogPosition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(bytes: number): void {
    this.#commits += 1;
    this.#bytes += bytes;
    if (this.#commits < LOOK_EVERY_COMMITS && this.#bytes < LOOK_EVERY_BYTES) return;
    this.#commits = 0;
    this.#bytes = 0;
    this.#look();
  }

  reading(): () => void {
    let ended = false;
    this.#readers += 1;
    return () => {
      if (ended) return;
      ended = true;
      this.#readers -= 1;
      if (this.#readers > 0) return;
      this.#unread?.();
      this.#catchingUp = true;
      this.#look();
    };
  }

  /** Closes the database while the worker has it open, then ends the worker. */
  async outlive(): Promise<void> {
    await this.#run();
    this.#options.db.close();
    await this.close();
  }

  /** Ends the worker. The database's own close then checkpoints what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#worker?.close();
  }

  #look(): void {
    if (this.#closed || this.#hold !== undefined) return;
    const { log, checkpointed } = this.#wal();
    const bytes = log * FRAME_BYTES;
    const left = (log - checkpointed) * FRAME_BYTES;
    const { startBytes, holdBytes } = this.#limits;
    const mayWait = this.#readers > 0 || (this.#catchingUp && left > holdBytes / 2);
    if (bytes >= holdBytes && (!mayWait || this.#passesMax(bytes))) this.#holdUntilComplete();
    else if (left >= startBytes && this.#readers === 0) void this.#run();
  }

  #passesMax(walBytes: number): boolean {
    return walBytes >= Math.max(this.#limits.walBytesMax, (this.#pages.get() as number) * PAGE_BYTES);
  }

  /** Nothing is committed meanwhile, so that the checkpoint reaches the end of the WAL. */
  #holdUntilComplete(): void {
    const drain = async () => {
      if (this.#readers > 0) await new Promise<void>((resolve) => (this.#unread = resolve));
      await this.#running;
      await this.#run();
      this.#catchingUp = false;
      this.#hold = undefined;
    };
    this.#hold = drain();
  }

  /** One checkpoint at a time; a call meanwhile joins the one that runs. */
  #run(): Promise<void> {
    this.#running ??= this.#checkpoint().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #checkpoint(): Promise<void> {
    const applied = this.#options.applied();
    try {
      this.#worker ??= new CheckpointWorker(this.#options.db.name, this.#options.workerUrl, (ended) => {
        // One that was asked to end may do so when the next one is there already.
        if (this.#worker === ended) this.#worker = undefined;
      });
      const outcome = await this.#worker.checkpoint();
      if (outcome.complete) this.#moveTo(applied);
    } catch (error) {
      this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #moveTo(position: LogPosition): void {
    if (position.index <= this.#position.index) return;
    this.#position = position;
    for (const listener of this.#listeners) listener(position);
  }

  #wal(): { log: number; checkpointed: number } {
    return this.#walSize.get() as { log: number; checkpointed: number };
  }
}

/** The thread, from this side. It starts with the object and ends by itself when idle. */
class CheckpointWorker {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #onEnd: (ended: CheckpointWorker) => void;
  #pending: { resolve: (outcome: CheckpointOutcome) => void; reject: (error: Error) => void } | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(path: string, url: URL | undefined, onEnd: (ended: CheckpointWorker) => void) {
    this.#onEnd = onEnd;
    const workerData: CheckpointWorkerData = { path };
    this.#worker = new Worker(url ?? new URL('./checkpoint-worker.js', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'checkpoint',
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
    });
    this.#worker.unref();
    this.#worker.on('message', (outcome: CheckpointOutcome) => this.#pending?.resolve(outcome));
    this.#worker.on('error', (error) => this.#pending?.reject(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#pending?.reject(new Error('the checkpoint thread ended'));
        this.#onEnd(this);
        resolve();
      });
    });
  }

  async checkpoint(): Promise<CheckpointOutcome> {
    clearTimeout(this.#idle);
    try {
      return await new Promise<CheckpointOutcome>((resolve, reject) => {
        this.#pending = { resolve, reject };
        // A rule for browser windows, whose postMessage takes an origin.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        this.#worker.postMessage('checkpoint');
      });
    } finally {
      this.#pending = undefined;
      this.#idle = setTimeout(() => void this.close(), WORKER_IDLE_MS).unref();
    }
  }

  close(): Promise<void> {
    clearTimeout(this.#idle);
    this.#onEnd(this);
    this.#worker.ref();
    // A rule for browser windows, whose postMessage takes an origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.#worker.postMessage('close');
    return this.#exited;
  }
}
