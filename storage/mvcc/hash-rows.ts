import type Database from 'better-sqlite3';
import { keyAndValue, leaseText } from './range.js';

/** A row of history, as a hash reads it. */
export interface HashRow {
  readonly sequence: number;
  readonly revision: number;
  readonly sub: number;
  readonly isDeletion: boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint;
  /** The revision that superseded it; Infinity for none, and for all where it was not asked for. 0 of a deletion. */
  readonly superseded: number;
}

/**
 * Sequence, revision, sub, whether it is a deletion, length of the key, create revision, version, lease, key and value,
 * and superseded.
 */
type RawRow = readonly [
  number,
  number,
  number,
  0 | 1,
  number,
  number,
  number,
  string | null,
  Buffer,
  number | null,
];

const COLUMNS = `h.sequence, h.revision, h.sub, h.value IS NULL, length(h.key), h.create_revision, h.version,
  ${leaseText('h.lease')}, ${keyAndValue('h.key', "coalesce(h.value, x'')")}`;

const SUPERSEDED = '(SELECT p.superseded FROM past p WHERE p.key = h.key AND p.revision = h.revision)';

/** Those that grow with the number of keys, and the one that differs between members. */
const NOT_SMALL = ['history', 'current', 'past', 'lease', 'metadata'];

/** Everything in one database, in pieces that its caller bounds. */
export class HashRows {
  readonly #db: Database.Database;
  readonly #plain: Database.Statement;
  readonly #withSuperseded: Database.Statement;
  readonly #leases: Database.Statement;

  constructor(db: Database.Database) {
    this.#db = db;
    const rows = (superseded: string) =>
      db
        .prepare(
          `SELECT ${COLUMNS}, ${superseded} FROM history h
           WHERE h.sequence >= ? AND h.sequence < ? ORDER BY h.sequence LIMIT ?`,
        )
        .raw();
    this.#plain = rows('NULL');
    this.#withSuperseded = rows(SUPERSEDED);
    this.#leases = db
      .prepare(`SELECT ${leaseText('id')}, ttl FROM lease WHERE id > ? ORDER BY id LIMIT ?`)
      .raw();
  }

  /** In their order, from the sequence `from` to before `end`. */
  read(
    from: number,
    end: number,
    limit: number,
    { superseded }: { readonly superseded: boolean },
  ): readonly HashRow[] {
    const statement = superseded ? this.#withSuperseded : this.#plain;
    return (statement.all(from, end, limit) as RawRow[]).map(rowOf);
  }

  /** Id and seconds of each lease whose id is above `after`. */
  leases(after: bigint, limit: number): readonly (readonly [string, number])[] {
    return this.#leases.all(after, limit) as [string, number][];
  }

  /** All other tables, row by row as text: alarms, users, roles. */
  *small(): Generator<string> {
    const names = this.#db
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
      .pluck()
      .all() as string[];
    for (const name of names.filter((name) => !NOT_SMALL.includes(name))) {
      const columns = this.#db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(name) as string[];
      const quoted = columns.map((column) => `quote("${column}")`);
      const line = quoted.join(` || ',' || `);
      const lines = this.#db.prepare(`SELECT ${line} AS line FROM "${name}" ORDER BY line`).pluck().all();
      for (const text of lines as string[]) yield `${name} ${text}\n`;
    }
  }
}

function rowOf(raw: RawRow): HashRow {
  const [sequence, revision, sub, isDeletion, keyLength, createRevision, version, lease, bytes, superseded] =
    raw;
  return {
    sequence,
    revision,
    sub,
    isDeletion: isDeletion === 1,
    key: bytes.subarray(0, keyLength),
    value: bytes.subarray(keyLength),
    createRevision,
    version,
    lease: lease === null ? 0n : BigInt(lease),
    superseded: isDeletion === 1 ? 0 : (superseded ?? Infinity),
  };
}
