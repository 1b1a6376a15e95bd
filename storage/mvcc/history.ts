import type Database from 'better-sqlite3';
import type { KeyRange } from '../bytes.js';
import type { KeyValue } from '../client/interface.js';
import type { HistoryChange, HistoryChunk, HistoryQuery, HistoryReader } from '../watch/history.js';
import { keyAndValue, leaseText, toKeyValue } from './range.js';
import { tombstone, type Change, type MvccStore } from './store.js';

/** Rows of history that one chunk looks at, whether they match or not. */
const SCAN_ROWS_MAX = 4096;

/** Rows read at once. */
const READ_ROWS = 16;

/**
 * Sequence, previous, sub, whether it is a deletion, length of the key, create revision, revision, version, lease, key and
 * value.
 */
type HistoryRow = readonly [
  number,
  number | null,
  number,
  0 | 1,
  number,
  number,
  number,
  number,
  string | null,
  Buffer,
];

const COLUMNS = `sequence, previous, sub, value IS NULL, length(key), create_revision, revision, version,
  ${leaseText('lease')}, ${keyAndValue('key', "coalesce(value, x'')")}`;

const CONDITIONS: Record<KeyRange['type'], string> = {
  point: 'key = ?',
  from: 'key >= ?',
  span: 'key >= ? AND key < ?',
};

/** History from the database's rows. */
export class SqliteHistory implements HistoryReader {
  readonly #store: MvccStore;
  readonly #scan: Record<KeyRange['type'], Database.Statement>;
  readonly #version: Database.Statement;
  readonly #revisionAt: Database.Statement;

  constructor(db: Database.Database, store: MvccStore) {
    this.#store = store;
    const scan = (type: KeyRange['type']) =>
      db
        .prepare(
          `SELECT ${COLUMNS} FROM history WHERE sequence >= ? AND sequence < ? AND ${CONDITIONS[type]}
           ORDER BY sequence LIMIT ?`,
        )
        .raw();
    this.#scan = { point: scan('point'), from: scan('from'), span: scan('span') };
    this.#version = db.prepare(`SELECT ${COLUMNS} FROM history WHERE sequence = ?`).raw();
    this.#revisionAt = db
      .prepare('SELECT revision FROM history WHERE sequence >= ? ORDER BY sequence LIMIT 1')
      .pluck();
  }

  read({ range, from, prevKv, bytesMax }: HistoryQuery): HistoryChunk {
    const { begin, end, next } = this.#window(from);
    const rows: HistoryRow[] = [];
    let bytes = 0;
    let stoppedAt = next;
    for (const row of this.#rows(range, begin, end)) {
      const revision = row[6];
      if (bytes > bytesMax && revision !== rows.at(-1)?.[6]) {
        stoppedAt = revision;
        break;
      }
      rows.push(row);
      bytes += row[9].length;
    }
    return { changes: rows.map((row) => this.#change(row, prevKv)), next: stoppedAt };
  }

  /** In pieces, so that no more is read than is taken, but for a few rows. */
  *#rows(range: KeyRange, begin: number, end: number): Generator<HistoryRow> {
    const keys = range.type === 'span' ? [range.start, range.end] : [range.start];
    for (let next = begin; ; ) {
      const rows = this.#scan[range.type].all(next, end, ...keys, READ_ROWS) as HistoryRow[];
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < READ_ROWS) return;
      next = last[0] + 1;
    }
  }

  previous(change: Change): KeyValue | undefined {
    const before = change.kv.modRevision - 1;
    if (change.previous === 0 || before < this.#store.compacted) return undefined;
    const row = this.#version.get(change.previous) as HistoryRow | undefined;
    if (row === undefined || row[3] === 1) return undefined;
    const kv = keyValueOf(row);
    if (kv.modRevision <= before) return kv;
    // Put and deleted in one transaction: what counts is the version before it.
    return this.#store.range({ key: kv.key, revision: before }).kvs[0];
  }

  /** The first row of `revision` or later: rows are numbered in the order of revisions, so bisection finds it. */
  sequenceOf(revision: number): number {
    let low = 1;
    let high = this.#store.lastSequence + 1;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const found = this.#revisionAt.get(middle) as number | undefined;
      if (found === undefined || found >= revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whole revisions of about SCAN_ROWS_MAX rows. */
  #window(from: number): { begin: number; end: number; next: number } {
    const begin = this.sequenceOf(from);
    const beyond = this.#revisionAt.get(begin + SCAN_ROWS_MAX) as number | undefined;
    if (beyond === undefined) {
      return { begin, end: this.#store.lastSequence + 1, next: this.#store.revision + 1 };
    }
    const next = Math.max(beyond, from + 1);
    return { begin, end: this.sequenceOf(next), next };
  }

  #change(row: HistoryRow, withPrevious: boolean): HistoryChange {
    const [, previous, sub, isDeletion] = row;
    const kv = keyValueOf(row);
    const change: Change = {
      type: isDeletion === 1 ? 'delete' : 'put',
      kv: isDeletion === 1 ? tombstone(kv.key, kv.modRevision) : kv,
      sub,
      previous: previous ?? 0,
    };
    return { change, prevKv: withPrevious ? this.previous(change) : undefined };
  }
}

function keyValueOf(row: HistoryRow): KeyValue {
  const [, , , , keyLength, createRevision, revision, version, lease, bytes] = row;
  return toKeyValue([keyLength, createRevision, revision, version, lease, bytes]);
}
