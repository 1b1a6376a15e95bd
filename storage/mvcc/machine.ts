import type Database from 'better-sqlite3';
import { invariant } from '../../raft/invariant.js';
import type { LogEntry } from '../../raft/log/log.js';
import type { LogPosition, StateMachine } from '../../raft/node/consensus.js';
import type {
  CompactionResponse,
  DeleteRangeResponse,
  LeaseGrantResponse,
  LeaseRevokeResponse,
  PutResponse,
  ResponseHeader,
  TxnResponse,
} from '../client/interface.js';
import { decodeCommand, type Command } from '../command.js';
import { EtcdError } from '../errors.js';
import { LEASE_TTL_SECONDS_MAX, LEASE_TTL_SECONDS_MIN } from '../lease/limits.js';
import type { LeaseRecord } from './leases.js';
import type { Metadata } from './metadata.js';
import { MvccStore, type Change } from './store.js';
import { executeDelete, executePut, executeTxn, type HeaderSource } from './txn.js';

/** What a command came to: the response, or the error that its client is told. */
export type CommandResult =
  | PutResponse
  | DeleteRangeResponse
  | TxnResponse
  | CompactionResponse
  | LeaseGrantResponse
  | LeaseRevokeResponse
  | EtcdError;

/** What a batch changed, told after it was committed and before any proposer hears of it. */
export interface AppliedBatch {
  readonly revision: number;
  readonly term: number;
  readonly changes: readonly Change[];
  readonly granted: readonly LeaseRecord[];
  readonly revoked: readonly bigint[];
  readonly compacted: boolean;
}

/** Holds the next apply back, and knows what a power cut cannot take (checkpoint.ts). */
export interface Durability {
  readonly position: LogPosition;
  /** Called after each commit, with the payload bytes that it carried. */
  committed(bytes: number): void;
  /** Defined while applies must wait. */
  readonly hold: Promise<void> | undefined;
  onDurable(listener: (position: LogPosition) => void): () => void;
}

/** The replicated state machine: commands from the log, in order, into the MVCC database. */
export class MvccMachine implements StateMachine<CommandResult> {
  readonly store: MvccStore;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly installedSnapshot: boolean;
  readonly #db: Database.Database;
  readonly #durability: Durability;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #saveMetadata: Database.Statement;
  readonly #listeners = new Set<(batch: AppliedBatch) => void>();
  #applied: LogPosition;
  #failed = false;

  #granted: LeaseRecord[] = [];
  #revoked: bigint[] = [];
  #compacted = false;

  constructor(db: Database.Database, metadata: Metadata, durability: Durability) {
    this.#db = db;
    this.#durability = durability;
    this.store = new MvccStore(db, metadata);
    this.clusterId = metadata.clusterId;
    this.memberId = metadata.memberId;
    this.installedSnapshot = metadata.installedSnapshot;
    this.#applied = { index: metadata.appliedIndex, term: metadata.appliedTerm };
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#saveMetadata = db.prepare(
      `UPDATE metadata SET applied_index = ?, applied_term = ?, revision = ?, last_sequence = ?, compacted = ?,
         installed_snapshot = 0`,
    );
  }

  get applied(): LogPosition {
    return this.#applied;
  }

  get durable(): LogPosition {
    return this.#durability.position;
  }

  ready(): Promise<void> | undefined {
    return this.#durability.hold;
  }

  onDurable(listener: (durable: LogPosition) => void): () => void {
    return this.#durability.onDurable(listener);
  }

  /** Listeners are called within `apply`, after the commit. Returns an unsubscribe function. */
  onApplied(listener: (batch: AppliedBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  header(raftTerm: number): ResponseHeader {
    return { clusterId: this.clusterId, memberId: this.memberId, revision: this.store.revision, raftTerm };
  }

  apply(entries: readonly LogEntry[]): (CommandResult | undefined)[] {
    invariant(!this.#failed, 'apply after a failed apply');
    try {
      return this.#apply(entries);
    } catch (error) {
      // What is in memory may be ahead of the database now: this machine is done.
      this.#failed = true;
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #apply(entries: readonly LogEntry[]): (CommandResult | undefined)[] {
    const results: (CommandResult | undefined)[] = [];
    let bytes = 0;
    let { index, term } = this.#applied;
    this.#begin.run();
    for (const entry of entries) {
      invariant(entry.index === index + 1, `entry ${entry.index} applied after ${index}`);
      index = entry.index;
      term = entry.term;
      bytes += entry.payload.length;
      results.push(entry.type === 'normal' ? this.#execute(entry) : undefined);
    }
    const { revision, lastSequence, compacted } = this.store;
    this.#saveMetadata.run(index, term, revision, lastSequence, compacted);
    this.#commit.run();
    this.#applied = { index, term };
    this.#publish(term);
    this.#durability.committed(bytes);
    return results;
  }

  #publish(term: number): void {
    const batch: AppliedBatch = {
      revision: this.store.revision,
      term,
      changes: this.store.takeChanges(),
      granted: this.#granted,
      revoked: this.#revoked,
      compacted: this.#compacted,
    };
    if (batch.granted.length > 0) this.#granted = [];
    if (batch.revoked.length > 0) this.#revoked = [];
    this.#compacted = false;
    for (const listener of this.#listeners) listener(batch);
  }

  #execute(entry: LogEntry): CommandResult {
    const command = decodeCommand(entry.payload);
    const header = this.#headers(entry.term);
    const result = this.#run(command, entry.term, header);
    this.store.endRevision();
    return result;
  }

  #run(command: Command, term: number, header: HeaderSource): CommandResult {
    switch (command.type) {
      case 'put':
        return executePut(this.store, command.request, header);
      case 'delete':
        return executeDelete(this.store, command.request, header);
      case 'txn':
        return executeTxn(this.store, command.request, header);
      case 'compact':
        return this.#compact(command.revision) ?? { header: header() };
      case 'lease-grant':
        return this.#grant(command.id, command.ttl, header);
      default:
        return this.#revoke(command.id, command.term, term, header);
    }
  }

  /** One header for all responses of an entry that are made at the same revision. */
  #headers(term: number): HeaderSource {
    let header: ResponseHeader | undefined;
    return () => {
      if (header?.revision !== this.store.revision) header = this.header(term);
      return header;
    };
  }

  #compact(revision: number): EtcdError | undefined {
    const error = this.store.compact(revision);
    if (error === undefined) this.#compacted = true;
    return error;
  }

  #grant(id: bigint, requestedTtl: number, header: HeaderSource): LeaseGrantResponse | EtcdError {
    if (requestedTtl > LEASE_TTL_SECONDS_MAX) return EtcdError.of('LeaseTTLTooLarge');
    if (this.store.leases.has(id)) return EtcdError.of('LeaseExist');
    const ttl = Math.max(requestedTtl, LEASE_TTL_SECONDS_MIN);
    this.store.leases.grant({ id, ttl });
    this.#granted.push({ id, ttl });
    return { header: header(), id, ttl };
  }

  /** An expiry counts only in the term of the leader that saw it: a later leader may have prolonged the lease. */
  #revoke(
    id: bigint,
    leaderTerm: number,
    entryTerm: number,
    header: HeaderSource,
  ): LeaseRevokeResponse | EtcdError {
    const isVoid = leaderTerm !== 0 && leaderTerm !== entryTerm;
    if (isVoid || !this.store.leases.has(id)) return EtcdError.of('LeaseNotFound');
    for (const key of this.store.leases.keys(id)) this.store.deleteRange({ key });
    this.store.leases.revoke(id);
    this.#revoked.push(id);
    return { header: header() };
  }
}
