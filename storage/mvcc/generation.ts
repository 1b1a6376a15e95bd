import type Database from 'better-sqlite3';
import { invariant } from '../../raft/invariant.js';
import type { LogPosition } from '../../raft/node/consensus.js';
import { AuthState } from '../auth/state.js';
import type { Counters } from '../metrics/counters.js';
import { Checkpointer, type CheckpointLimits } from './checkpoint.js';
import { Compactor } from './compactor.js';
import { inMemory, type Durability } from './durability.js';
import { HashRows } from './hash-rows.js';
import { SqliteHistory } from './history.js';
import { readMetadata, textOf } from './metadata.js';
import { MvccStore } from './store.js';

export interface GenerationOptions {
  readonly checkpointWorkerUrl?: URL | undefined;
  readonly checkpointLimits?: CheckpointLimits | undefined;
  readonly counters?: Counters | undefined;
  /** The disk failed, or a file is damaged. */
  readonly onFailure: (error: Error) => void;
}

/**
 * One MVCC database and everything that stands on it. The machine has one at a time; a snapshot install puts another in
 * its place, so nobody else keeps any part of it: what is asked for now may be closed at the next turn.
 */
export class Generation {
  readonly db: Database.Database;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly store: MvccStore;
  readonly auth: AuthState;
  readonly history: SqliteHistory;
  readonly hashRows: HashRows;
  readonly compactor: Compactor;
  readonly durability: Durability;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #saveMetadata: Database.Statement;
  readonly #saveConfiguration: Database.Statement;
  #applied: LogPosition;
  #configuration: Uint8Array;
  #installedSnapshot: boolean;

  /** @throws DataDirCorruptError */
  constructor(db: Database.Database, options: GenerationOptions) {
    const metadata = readMetadata(db);
    this.db = db;
    this.clusterId = metadata.clusterId;
    this.memberId = metadata.memberId;
    this.#applied = { index: metadata.appliedIndex, term: metadata.appliedTerm };
    this.#configuration = metadata.configuration;
    this.#installedSnapshot = metadata.installedSnapshot;
    this.store = new MvccStore(db, metadata, options.counters);
    this.auth = new AuthState(db);
    this.history = new SqliteHistory(db, this.store);
    this.hashRows = new HashRows(db);
    const applied = () => this.#applied;
    this.#checkpointer = db.memory
      ? undefined
      : new Checkpointer({
          db,
          applied,
          start: this.#applied,
          workerUrl: options.checkpointWorkerUrl,
          limits: options.checkpointLimits,
          onFailure: options.onFailure,
        });
    this.durability = this.#checkpointer ?? inMemory(applied);
    this.compactor = new Compactor({
      db,
      removed: metadata.removed,
      compacted: () => this.store.compacted,
      sequenceOf: (revision) => this.history.sequenceOf(revision),
      hold: () => this.durability.hold,
      committed: (bytes) => this.durability.committed(bytes),
      counters: this.store.counters,
      onFailure: options.onFailure,
    });
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#saveMetadata = db.prepare(
      `UPDATE metadata SET applied_index = ?, applied_term = ?, revision = ?, last_sequence = ?, compacted = ?,
         installed_snapshot = 0`,
    );
    this.#saveConfiguration = db.prepare('UPDATE metadata SET membership = ?');
  }

  /** Position of what is committed in the database. */
  get applied(): LogPosition {
    return this.#applied;
  }

  get configuration(): Uint8Array {
    return this.#configuration;
  }

  /** The state at `applied` came from a snapshot: the log may lack that entry. */
  get installedSnapshot(): boolean {
    return this.#installedSnapshot;
  }

  begin(): void {
    this.#begin.run();
  }

  /** Ends the transaction: what it changed, the position it leads to and the configuration in force are one. */
  commit(applied: LogPosition, configuration: Uint8Array): void {
    invariant(applied.index >= this.#applied.index, 'a commit moves the applied position back');
    const { revision, lastSequence, compacted } = this.store;
    this.#saveMetadata.run(applied.index, applied.term, revision, lastSequence, compacted);
    if (configuration !== this.#configuration) this.#saveConfiguration.run(textOf(configuration));
    this.#commit.run();
    this.#applied = applied;
    this.#configuration = configuration;
    this.#installedSnapshot = false;
  }

  rollback(): void {
    if (this.db.inTransaction) this.db.exec('ROLLBACK');
  }

  async close(): Promise<void> {
    this.compactor.close();
    await this.#checkpointer?.close();
    this.db.close();
  }

  /**
   * Closes a database that is not the live one any more. The last connection's close writes the whole WAL into the
   * file, which takes long; so the worker's connection outlives this one.
   */
  async retire(): Promise<void> {
    this.compactor.close();
    if (this.#checkpointer === undefined) this.db.close();
    else await this.#checkpointer.outlive();
  }
}
