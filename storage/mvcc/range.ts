import type Database from 'better-sqlite3';
import { keyRange, type KeyRange } from '../bytes.js';
import type { KeyValue, RangeRequest } from '../client/interface.js';
import { currentKeysSql, keyParameters, oldKeysSql } from './keys-sql.js';
import type { PackedRows } from './packed-rows.js';
import { Scanner, type Scan, type ScanSteps } from './scan.js';

/** Length of the key, create revision, mod revision, version, lease as decimal text or null, key and value. */
export type KeyValueRow = readonly [number, number, number, number, string | null, Buffer];

/**
 * Leases are 64 bits, more than a JavaScript number holds. Reading all integers as bigint is slow, so only the lease
 * comes as text; it is null for most keys.
 */
export function leaseText(column: string): string {
  return `CAST(${column} AS TEXT)`;
}

/** Key and value in one buffer: two of them are what most of a row's cost would be (3.5 instead of 5.5 µs). */
export function keyAndValue(key: string, value: string): string {
  return `CAST(${key} || ${value} AS BLOB)`;
}

export function toKeyValue(row: KeyValueRow): KeyValue {
  const [keyLength, createRevision, modRevision, version, lease, bytes] = row;
  return {
    key: bytes.subarray(0, keyLength),
    value: bytes.subarray(keyLength),
    createRevision,
    modRevision,
    version,
    lease: lease === null ? 0n : BigInt(lease),
  };
}

/** The part of a range's answer that does not depend on who asks. */
export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

/** What decides the SQL of a range; the rest are parameters. */
interface Shape {
  readonly type: KeyRange['type'];
  /** At a revision before the current one. */
  readonly old: boolean;
  readonly withValue: boolean;
  readonly filtered: boolean;
  readonly order: 'ASC' | 'DESC';
  readonly target: NonNullable<RangeRequest['sortTarget']>;
}

/** Ranges over the store at its current or an older revision. Statements are prepared when first used. */
export class RangeReader {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #newest: Database.Statement;
  readonly #scanner: Scanner;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#scanner = new Scanner(db);
    this.#newest = db
      .prepare(
        `SELECT length(c.key), c.create_revision, c.mod_revision, c.version, ${leaseText('c.lease')},
           ${keyAndValue('c.key', 'h.value')}
         FROM current c CROSS JOIN history h ON h.sequence = c.sequence WHERE c.key = ?`,
      )
      .raw();
  }

  /** The newest version of a key. */
  get(key: Uint8Array): KeyValue | undefined {
    const row = this.#newest.get(key) as KeyValueRow | undefined;
    return row && toKeyValue(row);
  }

  /** @param at a readable revision; undefined for the current one */
  read(request: RangeRequest, at: number | undefined): RangeResult {
    if (at === undefined && isPlainGet(request)) {
      const kv = this.get(request.key);
      return kv === undefined ? NOTHING : { kvs: [kv], more: false, count: 1 };
    }
    const range = keyRange(request.key, request.rangeEnd);
    if (request.countOnly === true) return { kvs: [], more: false, count: this.count(range, at) };
    const limit = Math.max(request.limit ?? 0, 0);
    const filter = revisionFilter(request);
    const kvs = this.#kvs(request, { range, at, filter, limit });
    const more = limit > 0 && kvs.length > limit;
    const count = more || filter.length > 0 ? this.count(range, at) : kvs.length;
    if (more) kvs.length = limit;
    return { kvs, more, count };
  }

  /** How many keys there are. @param at undefined: now */
  count(range: KeyRange, at: number | undefined): number {
    const statement = this.#statement(`count ${range.type} ${at === undefined}`, () =>
      countSql(range.type, at !== undefined),
    );
    return (statement.get(...keyParameters(range, at)) as [number])[0];
  }

  /** The next step of a scan. @param at undefined: now */
  step(steps: ScanSteps, at: number | undefined): PackedRows {
    return this.#scanner.step(steps, at);
  }

  #kvs(request: RangeRequest, scope: Scope): KeyValue[] {
    // One row more than asked for tells whether there are more.
    const limit = scope.limit === 0 ? Infinity : scope.limit + 1;
    const { range, at, filter } = scope;
    if (filter.length === 0 && isKeyScan(request)) {
      return this.#scanner.read({ range, at, withValue: request.keysOnly !== true, limit });
    }
    return this.#rows(request, scope, limit === Infinity ? -1 : limit).map(toKeyValue);
  }

  #rows(request: RangeRequest, { range, at, filter }: Scope, limit: number): KeyValueRow[] {
    const { sortOrder = 'none', sortTarget = 'key' } = request;
    const shape: Shape = {
      type: range.type,
      old: at !== undefined,
      withValue: request.keysOnly !== true,
      filtered: filter.length > 0,
      order: sortOrder === 'descend' ? 'DESC' : 'ASC',
      target: sortTarget,
    };
    // A limit ends the scan early where keys come in the order asked for. A sort target without a sort order has it
    // too: etcd then sorts the first keys it found.
    const limitsKeys = !shape.filtered && (sortTarget === 'key' || sortOrder === 'none');
    const statement = this.#statement(Object.values(shape).join(), () => rangeSql(shape));
    return statement.all(
      ...keyParameters(range, at),
      limitsKeys ? limit : -1,
      ...filter,
      limit,
    ) as KeyValueRow[];
  }

  #statement(name: string, sql: () => string): Database.Statement {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(sql()).raw();
      this.#statements.set(name, statement);
    }
    return statement;
  }
}

const NOTHING: RangeResult = { kvs: [], more: false, count: 0 };

/** One key with its value, which is most of what is asked. */
function isPlainGet(request: RangeRequest): boolean {
  return (
    (request.rangeEnd === undefined || request.rangeEnd.length === 0) &&
    request.keysOnly !== true &&
    request.countOnly !== true &&
    revisionFilter(request).length === 0
  );
}

interface Scope {
  readonly range: KeyRange;
  readonly at: number | undefined;
  readonly filter: readonly number[];
  readonly limit: number;
}

/** Of many keys in their order. */
function isKeyScan({ rangeEnd, sortOrder = 'none', sortTarget = 'key' }: RangeRequest): boolean {
  return rangeEnd !== undefined && rangeEnd.length > 0 && sortTarget === 'key' && sortOrder !== 'descend';
}

/** The scan that answers the request, limit aside; undefined where it needs more than one. */
export function scanOf(request: RangeRequest): Omit<Scan, 'at' | 'limit'> | undefined {
  if (!isKeyScan(request) || request.countOnly === true || revisionFilter(request).length > 0)
    return undefined;
  return { range: keyRange(request.key, request.rangeEnd), withValue: request.keysOnly !== true };
}

/** Bounds on mod and create revision, in the order in which the SQL takes them; empty when none is set. */
function revisionFilter(request: RangeRequest): readonly number[] {
  const { minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0 } = request;
  if (minModRevision === 0 && maxModRevision === 0 && minCreateRevision === 0 && maxCreateRevision === 0) {
    return [];
  }
  const unbounded = Number.MAX_SAFE_INTEGER;
  return [minModRevision, maxModRevision || unbounded, minCreateRevision, maxCreateRevision || unbounded];
}

/**
 * Keys come in key order from the inner select; SQLite walks it lazily (a co-routine), so that the outer limit ends the
 * scan too. The inner limit, even of −1, keeps SQLite from dropping the inner order.
 */
function rangeSql({ type, old, withValue, filtered, order, target }: Shape): string {
  const of = old ? 'h' : 'k';
  const create = `${of}.create_revision`;
  const mod = old ? 'h.revision' : 'k.mod_revision';
  const version = `${of}.version`;
  const keys = old
    ? oldKeysSql(type, 'key, sequence')
    : currentKeysSql(type, 'key, sequence, create_revision, mod_revision, version, lease');
  const sortBy = { key: undefined, version, create, mod, value: 'h.value' }[target];
  const keyOrder = target === 'key' ? order : 'ASC';
  return `SELECT length(k.key), ${create}, ${mod}, ${version}, ${leaseText(`${of}.lease`)},
      ${withValue ? keyAndValue('k.key', 'h.value') : 'k.key'}
    FROM (${keys} ORDER BY key ${keyOrder} LIMIT ?) k
    ${old || withValue || target === 'value' ? 'CROSS JOIN history h ON h.sequence = k.sequence' : ''}
    ${filtered ? `WHERE ${mod} BETWEEN ? AND ? AND ${create} BETWEEN ? AND ?` : ''}
    ${sortBy === undefined ? '' : `ORDER BY ${sortBy} ${order}, k.key`}
    LIMIT ?`;
}

function countSql(type: KeyRange['type'], old: boolean): string {
  if (!old) return currentKeysSql(type, 'count(*)');
  return `SELECT count(*) FROM (${oldKeysSql(type, 'key')})`;
}
