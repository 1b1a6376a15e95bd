import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { LogError } from '../raft/log/errors.js';
import type { RaftLog } from '../raft/log/log.js';
import { MemoryLog } from '../raft/log/memory.js';
import { openSqliteLog } from '../raft/log/sqlite.js';
import type { LogPosition } from '../raft/node/consensus.js';
import { SingleMember } from '../raft/node/single-member.js';
import { StartRefusedError } from '../raft/node/start.js';
import { systemClock, type Clock } from './clock.js';
import { Checkpointer, type CheckpointLimits } from './mvcc/checkpoint.js';
import { Compactor } from './mvcc/compactor.js';
import {
  DataDirCorruptError,
  DataDirError,
  DataDirFormatError,
  DataDirLockedError,
  DataDirUnusableError,
  dataDirError,
} from './mvcc/errors.js';
import { openLiveDatabase, syncFolder } from './mvcc/files.js';
import { SqliteHistory } from './mvcc/history.js';
import { MvccMachine, type Durability } from './mvcc/machine.js';
import { insertMetadata, newMetadata, readMetadata } from './mvcc/metadata.js';
import { createDatabase } from './mvcc/schema.js';
import { startService, type Service } from './service.js';

/** As pino takes them. */
export interface StoreLogger {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface StoreOptions {
  /** A directory, made if absent; `:memory:` keeps nothing on disk. */
  readonly dataDir: string;
  /** Of a new store; random 64-bit numbers when absent. */
  readonly clusterId?: bigint;
  readonly memberId?: bigint;
  /** Where the worker threads' modules are, for those who bundle. */
  readonly workerUrls?: { readonly log?: URL | undefined; readonly checkpoint?: URL | undefined };
  readonly clock?: Clock;
  readonly logger?: StoreLogger;
  /**
   * Called once when the store cannot go on (the disk failed, a file is damaged): it has stopped, calls reject with
   * Stopped, and the process should end.
   */
  readonly onFatal?: (error: Error) => void;
  readonly checkpointLimits?: CheckpointLimits;
  /** Bytes of one request's command; 1.5 MiB as in etcd when absent. */
  readonly requestBytesMax?: number;
  /** 128 as in etcd when absent. */
  readonly txnOpsMax?: number;
  /** 10 minutes as in etcd when absent. */
  readonly watchProgressIntervalMs?: number;
  /** Bytes above which a response is split for a watch that allows it. */
  readonly watchFragmentBytesMax?: number;
}

export interface Store extends Service {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

const MEMORY = ':memory:';

/** The MVCC database and what keeps it. */
interface Parts {
  readonly db: Database.Database;
  readonly machine: MvccMachine;
  readonly history: SqliteHistory;
  readonly compactor: Compactor;
  readonly checkpointer: Checkpointer | undefined;
}

/**
 * Opens the store of one member and replays what its log holds beyond the database.
 *
 *     <dataDir>/member/log.db        Raft's log; held open exclusively: the directory's lock
 *     <dataDir>/member/CURRENT       names the live database
 *     <dataDir>/member/mvcc-<n>.db   keys, history, leases, metadata
 *
 * @throws DataDirError, one line that names the file: locked, corrupt, of an unknown format, or unusable
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const isMemory = options.dataDir === MEMORY;
  const folder = path.join(options.dataDir, 'member');
  if (!isMemory) makeFolder(options.dataDir, folder);
  const log = isMemory ? new MemoryLog() : await openLog(options, folder);
  const failure = new Failure(options);
  let parts: Parts | undefined;
  try {
    parts = openParts(options, isMemory ? undefined : folder, log, failure);
    return await start(options, parts, log, failure);
  } catch (error) {
    await closeParts(parts);
    await log.close();
    throw startError(options.dataDir, error);
  }
}

async function start(options: StoreOptions, parts: Parts, log: RaftLog, failure: Failure): Promise<Store> {
  const { machine } = parts;
  const { clusterId, memberId } = machine;
  const consensus = await SingleMember.start({
    clusterId,
    memberId,
    log,
    stateMachine: machine,
    onFatal: (error) => failure.report(error),
  });
  failure.stop = () => consensus.stop();
  const service = startService(
    {
      ...parts,
      consensus,
      closeParts: async () => {
        await consensus.stop();
        await closeParts(parts);
      },
    },
    { ...options, clock: options.clock ?? systemClock },
  );
  const { revision, compacted } = machine.store;
  options.logger?.info({ dataDir: options.dataDir, revision, compacted }, 'store opened');
  return { ...service, clusterId, memberId };
}

function openParts(options: StoreOptions, folder: string | undefined, log: RaftLog, failure: Failure): Parts {
  const fill = (db: Database.Database) => insertMetadata(db, newMetadata(...ids(options)));
  const db =
    folder === undefined
      ? createDatabase(MEMORY, fill)
      : openLiveDatabase({ folder, mayCreate: log.lastIndex === 0, fill });
  try {
    const metadata = readMetadata(db);
    const applied = () => machine.applied;
    const checkpointer =
      folder === undefined
        ? undefined
        : new Checkpointer({
            db,
            applied,
            start: { index: metadata.appliedIndex, term: metadata.appliedTerm },
            workerUrl: options.workerUrls?.checkpoint,
            limits: options.checkpointLimits,
            onFailure: (error) => failure.report(error),
          });
    const machine: MvccMachine = new MvccMachine(db, metadata, checkpointer ?? inMemory(applied));
    const history = new SqliteHistory(db, machine.store);
    const compactor = new Compactor({
      db,
      removed: metadata.removed,
      compacted: () => machine.store.compacted,
      sequenceOf: (revision) => history.sequenceOf(revision),
      hold: () => checkpointer?.hold,
      committed: (bytes) => checkpointer?.committed(bytes),
      onFailure: (error) => failure.report(error),
    });
    return { db, machine, history, compactor, checkpointer };
  } catch (error) {
    db.close();
    throw dataDirError(db.name, error);
  }
}

async function closeParts(parts: Parts | undefined): Promise<void> {
  parts?.compactor.close();
  await parts?.checkpointer?.close();
  parts?.db.close();
}

/** What is in memory is as durable as it gets. */
function inMemory(applied: () => LogPosition): Durability {
  return {
    get position() {
      return applied();
    },
    committed: () => undefined,
    hold: undefined,
    onDurable: () => () => undefined,
  };
}

function ids({ clusterId, memberId }: StoreOptions): [bigint, bigint] {
  return [clusterId ?? randomId(), memberId ?? randomId()];
}

/** 64 random bits, never 0, which means "none". */
function randomId(): bigint {
  const id = randomBytes(8).readBigUInt64BE();
  return id === 0n ? 1n : id;
}

function makeFolder(dataDir: string, folder: string): void {
  try {
    if (fs.mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) {
      syncFolder(path.dirname(path.resolve(dataDir)));
      syncFolder(dataDir);
    }
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    throw dataDirError(dataDir, error);
  }
}

async function openLog(options: StoreOptions, folder: string): Promise<RaftLog> {
  const url = options.workerUrls?.log;
  try {
    return await openSqliteLog({ path: path.join(folder, 'log.db'), ...(url && { workerUrl: url }) });
  } catch (error) {
    throw startError(options.dataDir, error);
  }
}

/** The disk failed or a file is damaged: told once, and nothing is accepted any more. */
class Failure {
  stop: () => Promise<void> = () => Promise.resolve();
  readonly #options: StoreOptions;
  #reported = false;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  report(cause: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#options.logger?.error({ err: error }, 'the store has failed');
    this.stop().catch(() => undefined);
    this.#options.onFatal?.(error);
  }
}

function startError(dataDir: string, error: unknown): unknown {
  if (error instanceof DataDirError) return error;
  const options = { cause: error };
  if (error instanceof StartRefusedError) return new DataDirCorruptError(dataDir, error.message, options);
  if (!(error instanceof LogError)) return error;
  const detail = error.detail ?? '';
  switch (error.code) {
    case 'locked':
      return new DataDirLockedError(dataDir, 'another process has it open', options);
    case 'corrupt':
      return new DataDirCorruptError(error.path, `the log is corrupt (${detail})`, options);
    case 'incompatible':
      return new DataDirFormatError(error.path, `is no log that this version reads (${detail})`, options);
    default:
      return new DataDirUnusableError(error.path, `cannot be used (${detail})`, options);
  }
}
