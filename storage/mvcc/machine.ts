import type Database from 'better-sqlite3';
import { invariant } from '../../raft/invariant.js';
import type { LogEntry } from '../../raft/log/log.js';
import type { LogPosition, StagedSnapshot, StateMachine } from '../../raft/node/consensus.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import type {
  CompactionResponse,
  DeleteRangeResponse,
  LeaseGrantResponse,
  LeaseRevokeResponse,
  PutResponse,
  ResponseHeader,
  TxnResponse,
} from '../client/interface.js';
import { applyAuthChange } from '../auth/apply.js';
import { checkCommand } from '../auth/authorize.js';
import type { AuthChange } from '../auth/change.js';
import type { AuthState } from '../auth/state.js';
import type { TokenEvent } from '../auth/tokens.js';
import { decodeCommand, type Command } from '../command.js';
import { EtcdError } from '../errors.js';
import { LEASE_TTL_SECONDS_MAX, LEASE_TTL_SECONDS_MIN } from '../lease/limits.js';
import type { Counters } from '../metrics/counters.js';
import type { AlarmResponse } from '../server/api.js';
import type { CopyOptions, StagedDatabase, SnapshotStore } from '../snapshot/snapshots.js';
import { forbidden } from './alarms.js';
import type { Compactor } from './compactor.js';
import type { Generation } from './generation.js';
import type { HashRows } from './hash-rows.js';
import type { SqliteHistory } from './history.js';
import type { LeaseRecord } from './leases.js';
import type { Change, MvccStore } from './store.js';
import { executeDelete, executePut, executeTxn, type HeaderSource } from './txn.js';

/** What a command came to: the response, or the error that its client is told. */
export type CommandResult =
  | PutResponse
  | DeleteRangeResponse
  | TxnResponse
  | CompactionResponse
  | LeaseGrantResponse
  | LeaseRevokeResponse
  | AlarmResponse
  | AuthenticateResult
  | EtcdError;

export interface AuthenticateResult {
  readonly header: ResponseHeader;
  readonly token: string;
}

/** What a batch changed, told after it was committed and before any proposer hears of it. */
export interface AppliedBatch {
  readonly revision: number;
  readonly term: number;
  readonly changes: readonly Change[];
  readonly granted: readonly LeaseRecord[];
  readonly revoked: readonly bigint[];
  readonly compacted: boolean;
  /** Of all its commands. */
  readonly bytes: number;
  readonly tokens: readonly TokenEvent[];
}

export interface MachineTotals {
  readonly revision: number;
  readonly compacted: number;
  readonly keys: number;
  /** Of the database, and of what in it holds something. */
  readonly bytes: number;
  readonly bytesInUse: number;
  /** Long reads that are under way. */
  readonly readers: number;
  /** Of users and roles. */
  readonly authRevision: number;
}

export interface MvccMachineOptions {
  /** Of the live database. Owned from here on. */
  readonly generation: Generation;
  /** Makes the generation of a database that a snapshot install puts in place. */
  readonly open: (db: Database.Database) => Generation;
  readonly snapshots: SnapshotStore;
  /** The disk failed while a database was put in the place of another. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The replicated state machine: commands from the log, in order, into the MVCC database. A snapshot install replaces the
 * database, so whoever reads asks for `store`, `history` and the rest each time.
 */
export class MvccMachine implements StateMachine<CommandResult> {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly #options: MvccMachineOptions;
  readonly #listeners = new Set<(batch: AppliedBatch) => void>();
  readonly #installListeners = new Set<() => void>();
  readonly #durableListeners = new Set<(position: LogPosition) => void>();
  #generation: Generation;
  #unsubscribe: () => void;
  /** Settles when the databases of before are closed. */
  #retired: Promise<void> = Promise.resolve();
  #failed = false;

  #granted: LeaseRecord[] = [];
  #revoked: bigint[] = [];
  #compacted = false;
  #tokens: TokenEvent[] = [];

  constructor(options: MvccMachineOptions) {
    this.#options = options;
    this.#generation = options.generation;
    this.clusterId = options.generation.clusterId;
    this.memberId = options.generation.memberId;
    this.#unsubscribe = this.#followDurability();
  }

  get store(): MvccStore {
    return this.#generation.store;
  }

  get auth(): AuthState {
    return this.#generation.auth;
  }

  get history(): SqliteHistory {
    return this.#generation.history;
  }

  get hashRows(): HashRows {
    return this.#generation.hashRows;
  }

  get compactor(): Compactor {
    return this.#generation.compactor;
  }

  get counters(): Counters {
    return this.store.counters;
  }

  get applied(): LogPosition {
    return this.#generation.applied;
  }

  get configuration(): Uint8Array {
    return this.#generation.configuration;
  }

  get installedSnapshot(): boolean {
    return this.#generation.installedSnapshot;
  }

  get durable(): LogPosition {
    return this.#generation.durability.position;
  }

  /** False once it is closed. */
  get isOpen(): boolean {
    return this.#generation.db.open;
  }

  ready(): Promise<void> | undefined {
    return this.#generation.durability.hold;
  }

  onDurable(listener: (durable: LogPosition) => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  /** Listeners are called within `apply`, after the commit. Returns an unsubscribe function. */
  onApplied(listener: (batch: AppliedBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Listeners are called when a snapshot has taken the place of the state, before anything else runs: all of it may
   * differ, and what led there is not told. Returns an unsubscribe function.
   */
  onInstalled(listener: () => void): () => void {
    this.#installListeners.add(listener);
    return () => this.#installListeners.delete(listener);
  }

  header(raftTerm: number): ResponseHeader {
    return { clusterId: this.clusterId, memberId: this.memberId, revision: this.store.revision, raftTerm };
  }

  /** Bytes of the database, and of those that hold something. */
  sizes(): { readonly total: number; readonly inUse: number } {
    const { db } = this.#generation;
    const pragma = (name: string) => Number(db.pragma(name, { simple: true }));
    const pageBytes = pragma('page_size');
    const pages = pragma('page_count');
    return { total: pages * pageBytes, inUse: (pages - pragma('freelist_count')) * pageBytes };
  }

  /** Of this moment; counting the keys for the first time takes a while. */
  totals(): MachineTotals {
    const { revision, compacted, keyCount } = this.store;
    const { total, inUse } = this.sizes();
    const { readers } = this.#generation.durability;
    const authRevision = this.auth.revision;
    return { revision, compacted, keys: keyCount, bytes: total, bytesInUse: inUse, readers, authRevision };
  }

  async snapshot(options?: CopyOptions): Promise<OutgoingSnapshot> {
    return this.counters.copies.time(this.#options.snapshots.copy(this.#generation, options));
  }

  async stage(incoming: IncomingSnapshot): Promise<StagedSnapshot> {
    const { clusterId, memberId, counters } = this;
    counters.snapshotsComing += 1;
    try {
      const staging = this.#options.snapshots.stage(incoming, { clusterId, memberId });
      const staged = await counters.snapshotSaves.time(staging);
      return { install: () => this.#install(staged), discard: () => staged.discard() };
    } finally {
      counters.snapshotsComing -= 1;
    }
  }

  /** Ends the copies that are being made and closes the database. Nothing is applied any more. */
  async close(): Promise<void> {
    await this.#options.snapshots.close();
    await this.#retired;
    this.#unsubscribe();
    await this.#generation.close();
  }

  apply(entries: readonly LogEntry[]): (CommandResult | undefined)[] {
    invariant(!this.#failed, 'apply after a failed apply');
    try {
      return this.#apply(entries);
    } catch (error) {
      // What is in memory may be ahead of the database now: this machine is done.
      this.#failed = true;
      this.#generation.rollback();
      throw error;
    }
  }

  #apply(entries: readonly LogEntry[]): (CommandResult | undefined)[] {
    const generation = this.#generation;
    const begun = performance.now();
    const results: (CommandResult | undefined)[] = [];
    let bytes = 0;
    let { index, term } = generation.applied;
    let { configuration } = generation;
    generation.begin();
    for (const entry of entries) {
      invariant(entry.index === index + 1, `entry ${entry.index} applied after ${index}`);
      index = entry.index;
      term = entry.term;
      bytes += entry.payload.length;
      if (entry.type === 'configuration') configuration = entry.payload;
      results.push(entry.type === 'normal' ? this.#execute(entry) : undefined);
    }
    const committing = performance.now();
    generation.commit({ index, term }, configuration);
    const commitSeconds = secondsSince(committing);
    this.#publish(term, bytes);
    generation.durability.committed(bytes);
    this.counters.applied(secondsSince(begun), commitSeconds);
    return results;
  }

  /**
   * The new database goes live on disk, then here, in one step: whoever runs before it sees the old state, whoever runs
   * after it the new one. The old one is closed behind that.
   */
  async #install(staged: StagedDatabase): Promise<void> {
    const old = this.#generation;
    let next: Generation | undefined;
    try {
      next = this.#options.open(staged.open());
      invariant(next.applied.index > old.applied.index, 'a snapshot is installed over a newer state');
      invariant(next.store.revision >= old.store.revision, 'a snapshot would move the revision back');
    } catch (error) {
      await next?.close();
      await staged.discard();
      throw error;
    }
    this.#makeLive(staged);
    this.#unsubscribe();
    this.#generation = next;
    this.#unsubscribe = this.#followDurability();
    for (const listener of this.#installListeners) listener();
    this.#retire(old, staged);
  }

  #makeLive(staged: StagedDatabase): void {
    try {
      staged.makeLive();
    } catch (error) {
      // Nobody knows which of the two a restart will open, so no more may be applied to either.
      this.#failed = true;
      this.#options.onFailure(error);
      throw error;
    }
  }

  #retire(old: Generation, staged: StagedDatabase): void {
    const before = this.#retired;
    const retire = async () => {
      await Promise.all([before, old.retire()]);
      await staged.removeOld();
    };
    this.#retired = retire().catch((error: unknown) => this.#options.onFailure(error));
  }

  #followDurability(): () => void {
    return this.#generation.durability.onDurable((position) => {
      for (const listener of this.#durableListeners) listener(position);
    });
  }

  #publish(term: number, bytes: number): void {
    const batch: AppliedBatch = {
      revision: this.store.revision,
      term,
      changes: this.store.takeChanges(),
      granted: this.#granted,
      revoked: this.#revoked,
      compacted: this.#compacted,
      bytes,
      tokens: this.#tokens,
    };
    if (batch.granted.length > 0) this.#granted = [];
    if (batch.revoked.length > 0) this.#revoked = [];
    if (batch.tokens.length > 0) this.#tokens = [];
    this.#compacted = false;
    for (const listener of this.#listeners) listener(batch);
  }

  #execute(entry: LogEntry): CommandResult {
    const command = decodeCommand(entry.payload);
    const header = this.#headers(entry.term);
    const result = checkCommand(this.auth, this.store.leases, command) ?? this.#run(command, entry, header);
    this.store.endRevision();
    return result;
  }

  #run(command: Command, { index, term }: LogEntry, header: HeaderSource): CommandResult {
    const refusal = forbidden(command, this.store.alarms);
    if (refusal !== undefined) return refusal;
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
      case 'alarm': {
        const alarms = this.store.alarms.execute(command.request);
        return { header: header(), alarms };
      }
      case 'lease-revoke':
        return this.#revoke(command.id, command.term, term, header);
      default:
        return this.#changeAuth(command.change, index, header);
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
    this.counters.leaseGranted(ttl);
    return { header: header(), id, ttl };
  }

  #changeAuth(
    change: AuthChange,
    index: number,
    header: HeaderSource,
  ): CompactionResponse | AuthenticateResult | EtcdError {
    const error = applyAuthChange(this.auth, change);
    if (error !== undefined) return error;
    switch (change.type) {
      case 'authenticate': {
        const token = `${change.token}.${index}`;
        this.#tokens.push({ type: 'issued', user: change.name, token });
        return { header: header(), token };
      }
      case 'user-delete':
      case 'user-change-password':
        this.#tokens.push({ type: 'user-changed', user: change.name });
        break;
      case 'disable':
        this.#tokens.push({ type: 'disabled' });
        break;
    }
    return { header: header() };
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
    this.counters.leasesRevoked += 1;
    if (leaderTerm !== 0) this.counters.leasesExpired += 1;
    return { header: header() };
  }
}

/** `begun`: of `performance.now()`. */
function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}
