import type Database from 'better-sqlite3';
import { invariant } from '../../raft/invariant.js';
import { keyRange, NO_BYTES, type KeyRange } from '../bytes.js';
import type { DeleteRangeRequest, KeyValue, RangeRequest } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { Counters } from '../metrics/counters.js';
import { AlarmTable } from './alarms.js';
import { LeaseTable } from './leases.js';
import type { Metadata } from './metadata.js';
import type { PackedRows } from './packed-rows.js';
import { leaseText, RangeReader, type RangeResult } from './range.js';
import type { ScanSteps } from './scan.js';

/** One row of history as it is made: what watchers are told. */
export interface Change {
  readonly type: 'put' | 'delete';
  /** Of a deletion: the key, and the revision of the deletion. */
  readonly kv: KeyValue;
  /** Position within the revision, from 0. */
  readonly sub: number;
  /** Sequence of the version that it replaced; 0 for none. */
  readonly previous: number;
}

/** Sequence, create revision, mod revision, version and lease (as text or null) of the newest version of a key. */
type CurrentRow = readonly [number, number, number, number, string | null];

/** Of a key's newest version, without its value. */
export interface KeyState {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

/**
 * The keys, their history and the leases, in one SQLite database. Reads are allowed at any time; writes happen within
 * the machine's transaction (machine.ts): changes, `endRevision`, and `takeChanges` after the commit.
 */
export class MvccStore {
  readonly leases: LeaseTable;
  readonly alarms: AlarmTable;
  readonly #reader: RangeReader;
  readonly #find: Database.Statement;
  readonly #insertHistory: Database.Statement;
  readonly #insertPast: Database.Statement;
  readonly #upsertCurrent: Database.Statement;
  readonly #deleteCurrent: Database.Statement;
  readonly #countKeys: Database.Statement;

  #revision: number;
  #compacted: number;
  #lastSequence: number;
  /** Changes of the revision being made, which is `#revision + 1`. */
  #sub = 0;
  #changes: Change[] = [];
  /** Undefined until somebody wants to know. */
  #keyCount: number | undefined;

  constructor(
    db: Database.Database,
    metadata: Metadata,
    readonly counters = new Counters(),
  ) {
    this.#revision = metadata.revision;
    this.#compacted = metadata.compacted;
    this.#lastSequence = metadata.lastSequence;
    this.leases = new LeaseTable(db);
    this.alarms = new AlarmTable(db);
    this.#reader = new RangeReader(db);
    this.#countKeys = db.prepare('SELECT count(*) FROM current').pluck();
    this.#find = db
      .prepare(
        `SELECT sequence, create_revision, mod_revision, version, ${leaseText('lease')} FROM current WHERE key = ?`,
      )
      .raw();
    this.#insertHistory = db.prepare(
      `INSERT INTO history (sequence, revision, sub, key, create_revision, version, lease, previous, value)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertPast = db.prepare(
      'INSERT INTO past (key, revision, superseded, sequence) VALUES (?, ?, ?, ?)',
    );
    this.#upsertCurrent = db.prepare(
      `INSERT INTO current (key, sequence, create_revision, mod_revision, version, lease) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence, create_revision = excluded.create_revision,
         mod_revision = excluded.mod_revision, version = excluded.version, lease = excluded.lease`,
    );
    this.#deleteCurrent = db.prepare('DELETE FROM current WHERE key = ?');
  }

  /** The newest revision; within a transaction that has changed something, the one being made. */
  get revision(): number {
    return this.#sub === 0 ? this.#revision : this.#revision + 1;
  }

  get compacted(): number {
    return this.#compacted;
  }

  /** Keys that there are. Counted once (10 ms for each 100,000), then kept. */
  get keyCount(): number {
    this.#keyCount ??= this.#countKeys.get() as number;
    return this.#keyCount;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Why `revision` cannot be read, if it cannot; 0 and below mean the current one. */
  checkReadable(revision: number): EtcdError | undefined {
    if (revision <= 0) return undefined;
    if (revision > this.revision) return EtcdError.of('FutureRev');
    if (revision < this.#compacted) return EtcdError.of('Compacted');
    return undefined;
  }

  /** The caller has checked that the revision is readable. */
  range(request: RangeRequest): RangeResult {
    const { revision = 0 } = request;
    this.counters.ranges += 1;
    return this.#reader.read(request, revision <= 0 || revision === this.revision ? undefined : revision);
  }

  /** Of a scan at a readable revision. */
  step(steps: ScanSteps, revision: number): PackedRows {
    return this.#reader.step(steps, revision === this.revision ? undefined : revision);
  }

  /** How many keys there are at a readable revision. */
  count(range: KeyRange, revision: number): number {
    return this.#reader.count(range, revision === this.revision ? undefined : revision);
  }

  get(key: Uint8Array): KeyValue | undefined {
    return this.#reader.get(key);
  }

  /** Cheaper than `get`: reads no value. */
  state(key: Uint8Array): KeyState | undefined {
    const row = this.#find.get(key) as CurrentRow | undefined;
    return (
      row && {
        createRevision: row[1],
        modRevision: row[2],
        version: row[3],
        lease: row[4] === null ? 0n : BigInt(row[4]),
      }
    );
  }

  /** Ends a write transaction, whose changes are one revision. Returns the store's revision. */
  endRevision(): number {
    if (this.#sub > 0) {
      this.#revision += 1;
      this.#sub = 0;
      invariant(Number.isSafeInteger(this.#revision), 'revisions are exhausted');
    }
    return this.#revision;
  }

  put(key: Uint8Array, value: Uint8Array, lease: bigint): void {
    const revision = this.#revision + 1;
    const found = this.#find.get(key) as CurrentRow | undefined;
    const previous = found === undefined ? 0 : found[0];
    const createRevision = found === undefined ? revision : found[1];
    const version = found === undefined ? 1 : found[3] + 1;
    const sequence = ++this.#lastSequence;
    const leaseValue = lease === 0n ? null : lease;
    if (found !== undefined) this.#insertPast.run(key, found[2], revision, previous);
    this.#insertHistory.run(
      sequence,
      revision,
      this.#sub,
      key,
      createRevision,
      version,
      leaseValue,
      previous === 0 ? null : previous,
      value,
    );
    this.#upsertCurrent.run(key, sequence, createRevision, revision, version, leaseValue);
    const kv = { key, value, createRevision, modRevision: revision, version, lease };
    this.counters.puts += 1;
    this.counters.putBytes += key.length + value.length;
    if (found === undefined && this.#keyCount !== undefined) this.#keyCount += 1;
    this.#changes.push({ type: 'put', kv, sub: this.#sub++, previous });
  }

  /** Deletes the range in key order. Returns how many keys there were, and the versions deleted if asked for. */
  deleteRange(request: DeleteRangeRequest): { deleted: number; prevKvs: readonly KeyValue[] } {
    const { key, rangeEnd = NO_BYTES, prevKv = false } = request;
    this.counters.deletes += 1;
    if (keyRange(key, rangeEnd).type === 'point') {
      const prevKvs = prevKv ? [this.get(key)].filter((kv) => kv !== undefined) : [];
      return { deleted: this.#delete(key), prevKvs };
    }
    const { kvs } = this.#reader.read({ key, rangeEnd, keysOnly: !prevKv }, undefined);
    for (const kv of kvs) this.#delete(kv.key);
    return { deleted: kvs.length, prevKvs: prevKv ? kvs : [] };
  }

  #delete(key: Uint8Array): number {
    const found = this.#find.get(key) as CurrentRow | undefined;
    if (found === undefined) return 0;
    const revision = this.#revision + 1;
    const previous = found[0];
    this.#insertPast.run(key, found[2], revision, previous);
    this.#insertHistory.run(++this.#lastSequence, revision, this.#sub, key, 0, 0, null, previous, null);
    this.#deleteCurrent.run(key);
    if (this.#keyCount !== undefined) this.#keyCount -= 1;
    this.#changes.push({ type: 'delete', kv: tombstone(key, revision), sub: this.#sub++, previous });
    return 1;
  }

  /** @returns why it cannot be, or undefined when it is done */
  compact(revision: number): EtcdError | undefined {
    if (revision <= this.#compacted) return EtcdError.of('Compacted');
    if (revision > this.#revision) return EtcdError.of('FutureRev');
    this.#compacted = revision;
    return undefined;
  }

  /** The changes since the last call, in order. */
  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }
}

/** The `kv` of a deletion's event. */
export function tombstone(key: Uint8Array, revision: number): KeyValue {
  return {
    key,
    value: NO_BYTES,
    createRevision: 0,
    modRevision: revision,
    version: 0,
    lease: 0n,
  };
}
