import type Database from 'better-sqlite3';
import { openSqlite } from '../sqlite.js';
import { FrameError, packFrame, payloadBytes, unpackFrames, type Frame } from './codec.js';
import { LogError } from './errors.js';
import type { HardState, LogOwner } from './log.js';
import type { LogOperation } from './messages.js';
import { emptyMetadata, readMetadata, writeMetadata, type LogMetadata } from './metadata.js';
import { readOwner, writeOwner } from './owner.js';
import { prepareSchema, verifyPages, WAL_BYTES_MAX } from './schema.js';
import type { TermRun } from './terms.js';
import type { LogBounds } from './view.js';

const PAGE_AND_FRAME_BYTES = 4096 + 24;

/** Free pages that are kept, because the next entries fill them: 16 MiB. What is above goes back to the disk. */
const FREE_PAGES_MAX = 4096;
/** Steps of housekeeping are small, because a commit may wait for one: about 0.5 ms each. */
const FREE_PAGES_STEP = 128;
const DEAD_ENTRIES_STEP = 128;
/** A backlog is worked off in so many steps, so that no rate of appends outruns the housekeeping. */
const DEAD_ENTRIES_STEPS_MAX = 64;

/** Rows read at once. */
const READ_ROWS = 16;

interface EntryRow {
  readonly entry_index: number;
  readonly term: number;
  readonly checksum: number;
  readonly body: Buffer;
}

/**
 * The log's database. All calls block on the disk: it lives in the worker thread.
 *
 * Compacting moves `firstIndex` at once; the rows below it are dead and go later, in `housekeep`.
 */
export class LogDatabase {
  readonly #db: Database.Database;
  readonly #statements;
  #metadata: LogMetadata;
  #metadataChanged = false;
  #lastIndex: number;
  /** Oldest row there is, dead or not. Invariant: deadFrom ≤ firstIndex. */
  #deadFrom: number;

  /** @throws LogError: locked, corrupt, incompatible or failed */
  static open(path: string): LogDatabase {
    try {
      return new LogDatabase(path);
    } catch (error) {
      throw error instanceof FrameError
        ? new LogError('corrupt', path, error.message)
        : LogError.from(error, path);
    }
  }

  private constructor(private readonly path: string) {
    this.#db = openSqlite(path, { timeout: 0 });
    try {
      prepareSchema(this.#db, path, () => writeMetadata(this.#db, emptyMetadata()));
      verifyPages(this.#db, path);
      this.#statements = prepareStatements(this.#db);
      this.#metadata = readMetadata(this.#db, path);
      const { firstIndex } = this.#metadata;
      const { oldest, newest } = this.#statements.ends.get() as {
        oldest: number | null;
        newest: number | null;
      };
      this.#lastIndex = Math.max(newest ?? 0, firstIndex - 1);
      this.#deadFrom = Math.min(oldest ?? firstIndex, firstIndex);
      if (this.#lastIndex >= firstIndex) {
        this.#verifyEnds(oldest ?? 0);
      }
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  bounds(): LogBounds {
    return { firstIndex: this.#metadata.firstIndex, lastIndex: this.#lastIndex, terms: this.#terms() };
  }

  hardState(): HardState {
    const { term, vote, commit } = this.#metadata;
    return { term, vote, commit };
  }

  owner(): LogOwner | undefined {
    return readOwner(this.#db);
  }

  begin(): void {
    this.#statements.begin.run();
  }

  /** Returns when everything since `begin` is synced to disk. */
  commit(): void {
    if (this.#metadataChanged) {
      writeMetadata(this.#db, this.#metadata);
      this.#metadataChanged = false;
    }
    this.#statements.commit.run();
  }

  /** Carries out one operation within a transaction. */
  execute(operation: LogOperation): void {
    switch (operation.type) {
      case 'append':
        for (const frame of unpackFrames(operation.frames)) this.#insert(frame);
        break;
      case 'hard-state':
        this.#change(operation.hardState);
        break;
      case 'truncate-suffix':
        this.#statements.deleteFrom.run(operation.from);
        this.#lastIndex = Math.min(this.#lastIndex, operation.from - 1);
        break;
      case 'compact-prefix':
        this.#change({ firstIndex: operation.through + 1, baseTerm: operation.baseTerm });
        break;
      case 'reset':
        this.#statements.deleteFrom.run(0);
        this.#change({ firstIndex: operation.index + 1, baseTerm: operation.term });
        this.#lastIndex = operation.index;
        this.#deadFrom = operation.index + 1;
        break;
      case 'claim':
        writeOwner(this.#db, operation.owner);
        break;
    }
  }

  /** Frames of entries from `from` on, one at least, verified against their checksums. */
  read(from: number, through: number, maxBytes: number): Buffer {
    const frames: Buffer[] = [];
    let bytes = 0;
    let index = from;
    for (const row of this.#rows(from, through)) {
      if (row.entry_index !== index) break;
      bytes += payloadBytes(row.body);
      if (bytes > maxBytes && index > from) break;
      frames.push(this.#frame(row));
      index += 1;
    }
    if (frames.length === 0) throw new LogError('corrupt', this.path, `entry ${from} is missing`);
    return Buffer.concat(frames);
  }

  /** In pieces, so that no more is read than is taken, but for a few rows. */
  *#rows(from: number, through: number): Generator<EntryRow> {
    for (let next = from; next <= through; next += READ_ROWS) {
      const rows = this.#statements.range.all(next, through, READ_ROWS) as EntryRow[];
      yield* rows;
      if (rows.length < READ_ROWS) return;
    }
  }

  /** Moves the WAL into the database once it has grown to its bound; the next commit then starts it anew. */
  checkpointIfDue(): void {
    const { log } = this.#statements.walSize.get() as { log: number };
    if (log * PAGE_AND_FRAME_BYTES >= WAL_BYTES_MAX) this.checkpoint();
  }

  checkpoint(): void {
    this.#statements.checkpoint.get();
  }

  /** Takes one small step at removing dead rows and giving space back. False when there is nothing left to do. */
  housekeep(): boolean {
    const dead = this.#metadata.firstIndex - this.#deadFrom;
    if (dead > 0) {
      const step = Math.max(DEAD_ENTRIES_STEP, Math.ceil(dead / DEAD_ENTRIES_STEPS_MAX));
      this.#deadFrom = Math.min(this.#deadFrom + step, this.#metadata.firstIndex);
      this.#statements.deleteBelow.run(this.#deadFrom);
      return true;
    }
    if ((this.#statements.freePages.get() as number) <= FREE_PAGES_MAX) return false;
    // Not a prepared statement: better-sqlite3 steps one once, which frees one page.
    this.#db.exec(`PRAGMA incremental_vacuum(${FREE_PAGES_STEP})`);
    return true;
  }

  get hasDeadRows(): boolean {
    return this.#deadFrom < this.#metadata.firstIndex;
  }

  close(): void {
    this.#db.close();
  }

  #insert({ index, term, checksum, body }: Frame): void {
    this.#statements.insert.run(index, term, checksum, body);
    this.#lastIndex = index;
  }

  #change(change: Partial<LogMetadata>): void {
    this.#metadata = { ...this.#metadata, ...change };
    this.#metadataChanged = true;
  }

  #frame({ entry_index: index, term, checksum, body }: EntryRow): Buffer {
    try {
      return packFrame({ index, term, checksum, body });
    } catch (error) {
      throw error instanceof FrameError ? new LogError('corrupt', this.path, error.message) : error;
    }
  }

  /** Cheap enough for every start; what lies between is verified when it is read. */
  #verifyEnds(oldest: number): void {
    if (oldest > this.#metadata.firstIndex) {
      throw new LogError('corrupt', this.path, `entry ${this.#metadata.firstIndex} is missing`);
    }
    this.read(this.#lastIndex, this.#lastIndex, Infinity);
  }

  /** The log's term runs, found by bisection: terms never fall, so a few dozen lookups do for any length. */
  #terms(): TermRun[] {
    const { firstIndex, baseTerm } = this.#metadata;
    const runs: TermRun[] = [{ term: baseTerm, from: firstIndex - 1 }];
    let term = baseTerm;
    for (let from = firstIndex; from <= this.#lastIndex; ) {
      const next = this.#termAt(from);
      if (next !== term) runs.push({ term: next, from });
      term = next;
      from = this.#endOfRun(from, term);
    }
    return runs;
  }

  /** First index after `from` whose term is not `term`. */
  #endOfRun(from: number, term: number): number {
    let same = from;
    let other = this.#lastIndex + 1;
    if (this.#termAt(this.#lastIndex) === term) return other;
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (this.#termAt(middle) === term) same = middle;
      else other = middle;
    }
    return other;
  }

  #termAt(index: number): number {
    const term = this.#statements.termAt.get(index) as number | undefined;
    if (term === undefined) throw new LogError('corrupt', this.path, `entry ${index} is missing`);
    return term;
  }
}

function prepareStatements(db: Database.Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    insert: db.prepare('INSERT INTO entries (entry_index, term, checksum, body) VALUES (?, ?, ?, ?)'),
    deleteFrom: db.prepare('DELETE FROM entries WHERE entry_index >= ?'),
    deleteBelow: db.prepare('DELETE FROM entries WHERE entry_index < ?'),
    range: db.prepare(
      'SELECT entry_index, term, checksum, body FROM entries WHERE entry_index BETWEEN ? AND ? ORDER BY entry_index LIMIT ?',
    ),
    ends: db.prepare(
      'SELECT (SELECT min(entry_index) FROM entries) AS oldest, (SELECT max(entry_index) FROM entries) AS newest',
    ),
    termAt: db.prepare('SELECT term FROM entries WHERE entry_index = ?').pluck(),
    walSize: db.prepare('PRAGMA wal_checkpoint = NOOP'),
    checkpoint: db.prepare('PRAGMA wal_checkpoint = PASSIVE'),
    freePages: db.prepare('PRAGMA freelist_count').pluck(),
  };
}
