import type Database from 'better-sqlite3';
import type { Counters } from '../metrics/counters.js';

/** A step ends after so many milliseconds, which is what requests wait; a commit comes on top. */
const STEP_MS = 1;
/** Rows read at once. */
const READ_ROWS = 16;

/** What removing a row is taken to write. */
const ROW_BYTES = 512;

/** A step is followed by a pause this many times as long, so that compaction takes at most a fifth of the thread. */
const PAUSE_FACTOR = 4;
/** It takes up to a half when another compaction has come before the last was done: writers are faster than a fifth. */
const HURRIED_PAUSE_FACTOR = 1;

/** Free pages that are kept, because the next writes fill them: a tenth of the file, 1 MiB at least. */
const FREE_PAGES_MIN = 256;
const FREE_SHARE = 0.1;
/** Pages given back in one step. */
const VACUUM_PAGES = 64;
const VACUUM_PAGE_BYTES = 4096;

interface HistoryRow {
  readonly sequence: number;
  readonly revision: number;
  readonly previous: number | null;
  readonly deletion: 0 | 1;
}

export interface CompactorOptions {
  readonly db: Database.Database;
  /** As the metadata says. */
  readonly removed: number;
  /** The compacted revision of this moment. */
  readonly compacted: () => number;
  readonly sequenceOf: (revision: number) => number;
  /** Defined while nothing may be written. */
  readonly hold: () => Promise<void> | undefined;
  /** Told what each step wrote. */
  readonly committed: (bytes: number) => void;
  readonly counters?: Pick<Counters, 'compactedRows' | 'compactionPauses' | 'compactions'> | undefined;
  readonly onFailure: (error: Error) => void;
}

/**
 * Removes what compaction made unreadable, in small steps between requests, then gives the space back.
 *
 * A version is readable at revisions from its own until the one that superseded it. Below the compacted revision C go
 * versions superseded at or before C, and deletions before C. They are found without an index by walking history up to
 * C: each row names the version that it superseded. Rows of revision C itself stay for watchers that start there.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #statements;
  /** Everything below is removed. */
  #removed: number;
  /** Next row of history to look at; 0 before the walk for this compaction began. */
  #position = 0;
  #target = 0;
  /** When the walk began. */
  #begunAt = 0;
  #scheduled: NodeJS.Timeout | undefined;
  #waiters: { readonly revision: number; readonly resolve: () => void }[] = [];
  /** Who waits for all free pages to be given back. */
  #emptying: (() => void)[] = [];
  #pauses = 0;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#removed = options.removed;
    this.#statements = prepareStatements(options.db);
  }

  /** Starts, or goes on, removing what lies below the compacted revision. */
  start(): void {
    if (this.#closed || this.#pauses > 0 || this.#scheduled !== undefined) return;
    this.#schedule(0);
  }

  /** Nothing is removed until all that this returned are called: what is there stays for whoever reads it in turns. */
  pause(): () => void {
    let resumed = false;
    this.#pauses += 1;
    return () => {
      if (resumed) return;
      resumed = true;
      this.#pauses -= 1;
      if (this.#pauses === 0) this.start();
    };
  }

  /** Resolves when the rows below `revision` are gone, or the store closes. */
  removedThrough(revision: number): Promise<void> {
    if (this.#closed || this.#removed >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  /** Keeps no free pages for the next writes, this time. Resolves when they are given back, or the store closes. */
  giveAllBack(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptying.push(resolve);
      this.start();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#scheduled);
    this.#settle(Infinity);
    this.#settleEmptying();
  }

  #schedule(ms: number): void {
    this.#scheduled = setTimeout(() => void this.#wake(), ms).unref();
  }

  async #wake(): Promise<void> {
    try {
      await this.#options.hold();
      if (this.#closed) return;
      if (this.#pauses > 0) {
        this.#scheduled = undefined;
        return;
      }
      const begun = performance.now();
      const removed = this.#removed;
      if (this.#position === 0) this.#begunAt = begun;
      const more = this.#step();
      const tookMs = performance.now() - begun;
      this.#scheduled = undefined;
      const factor = this.#isBehind ? HURRIED_PAUSE_FACTOR : PAUSE_FACTOR;
      if (!more) return;
      this.#options.counters?.compactionPauses.observe(tookMs);
      const isWalkOver = this.#position === 0 && this.#removed > removed;
      if (isWalkOver) this.#options.counters?.compactions.observe(begun + tookMs - this.#begunAt);
      this.#schedule(tookMs * factor);
    } catch (error) {
      this.#options.onFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Else the database would grow for as long as the writers are. */
  get #isBehind(): boolean {
    return this.#position !== 0 && this.#target < this.#options.compacted();
  }

  /** False when there is nothing left to do. */
  #step(): boolean {
    if (this.#removed < this.#options.compacted()) {
      this.#removeSome();
      this.#settle(this.#removed);
      return true;
    }
    return this.#giveBack();
  }

  #removeSome(): void {
    if (this.#position === 0) {
      this.#target = this.#options.compacted();
      this.#position = this.#options.sequenceOf(Math.max(this.#removed, 0));
    }
    const { begin, commit, saveRemoved } = this.#statements;
    const end = performance.now() + STEP_MS;
    let rows = 0;
    begin.run();
    do rows += this.#removeFew(end);
    while (this.#position !== 0 && performance.now() < end);
    saveRemoved.run(this.#removed);
    commit.run();
    this.#options.committed(rows * ROW_BYTES);
  }

  /** Until `end`, which one large value alone may pass. Returns how many rows it has looked at. */
  #removeFew(end: number): number {
    const rows = this.#statements.walk.all(this.#position, READ_ROWS) as HistoryRow[];
    let looked = 0;
    for (const row of rows) {
      if (row.revision > this.#target) break;
      this.#removeBehind(row);
      looked += 1;
      this.#position = row.sequence + 1;
      // Rows of this revision may follow.
      this.#removed = Math.max(this.#removed, row.revision - 1);
      if (performance.now() >= end) return looked;
    }
    if (looked === READ_ROWS) return looked;
    this.#position = 0;
    this.#removed = this.#target;
    return looked;
  }

  /** Removes the version that `row` superseded, and `row` itself if it is a deletion, as far as they lie before C. */
  #removeBehind(row: HistoryRow): void {
    const { find, removePast } = this.#statements;
    if (row.previous !== null) {
      const previous = find.get(row.previous) as { revision: number; key: Buffer } | undefined;
      if (previous !== undefined && previous.revision < this.#target) {
        removePast.run(previous.key, previous.revision);
        this.#remove(row.previous);
      }
    }
    if (row.deletion === 1 && row.revision < this.#target) this.#remove(row.sequence);
  }

  #remove(sequence: number): void {
    this.#statements.removeHistory.run(sequence);
    if (this.#options.counters !== undefined) this.#options.counters.compactedRows += 1;
  }

  #giveBack(): boolean {
    const { freePages, pages } = this.#statements;
    const free = freePages.get() as number;
    const isEmptying = this.#emptying.length > 0;
    const kept = isEmptying ? 0 : Math.max(FREE_PAGES_MIN, (pages.get() as number) * FREE_SHARE);
    if (free <= kept) {
      this.#settleEmptying();
      return false;
    }
    // A prepared statement would stop after its first page.
    this.#options.db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    this.#options.committed(VACUUM_PAGES * VACUUM_PAGE_BYTES);
    return true;
  }

  #settleEmptying(): void {
    for (const resolve of this.#emptying) resolve();
    this.#emptying = [];
  }

  #settle(removed: number): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) {
      if (waiter.revision <= removed) waiter.resolve();
    }
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > removed);
  }
}

function prepareStatements(db: Database.Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    walk: db.prepare(
      `SELECT sequence, revision, previous, value IS NULL AS deletion FROM history
       WHERE sequence >= ? ORDER BY sequence LIMIT ?`,
    ),
    find: db.prepare('SELECT revision, key FROM history WHERE sequence = ?'),
    removePast: db.prepare('DELETE FROM past WHERE key = ? AND revision = ?'),
    removeHistory: db.prepare('DELETE FROM history WHERE sequence = ?'),
    saveRemoved: db.prepare('UPDATE metadata SET removed = ?'),
    freePages: db.prepare('PRAGMA freelist_count').pluck(),
    pages: db.prepare('PRAGMA page_count').pluck(),
  };
}
