import type Database from 'better-sqlite3';
import { leaseText } from './range.js';

/** A lease as the database keeps it: when it ends is the leader's business (lease/lessor.ts). */
export interface LeaseRecord {
  readonly id: bigint;
  /** Seconds. */
  readonly ttl: number;
}

/** The granted leases, and which keys are attached to them. */
export class LeaseTable {
  readonly #find: Database.Statement;
  readonly #insert: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #attached: Database.Statement;
  readonly #all: Database.Statement;

  constructor(db: Database.Database) {
    this.#find = db.prepare('SELECT ttl FROM lease WHERE id = ?').pluck();
    this.#insert = db.prepare('INSERT INTO lease (id, ttl) VALUES (?, ?)');
    this.#delete = db.prepare('DELETE FROM lease WHERE id = ?');
    this.#attached = db.prepare('SELECT key FROM current WHERE lease = ? ORDER BY key').pluck();
    this.#all = db.prepare(`SELECT ${leaseText('id')}, ttl FROM lease ORDER BY id`).raw();
  }

  has(id: bigint): boolean {
    return this.#find.get(id) !== undefined;
  }

  grant(lease: LeaseRecord): void {
    this.#insert.run(lease.id, lease.ttl);
  }

  revoke(id: bigint): void {
    this.#delete.run(id);
  }

  /** Keys whose newest version holds the lease, in key order. */
  keys(id: bigint): readonly Buffer[] {
    return this.#attached.all(id) as Buffer[];
  }

  all(): readonly LeaseRecord[] {
    return (this.#all.all() as [string, number][]).map(([id, ttl]) => ({ id: BigInt(id), ttl }));
  }
}
