import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import Database, { SqliteError } from 'better-sqlite3';
import { LogError } from '../raft/log/errors.js';
import type { RaftLog } from '../raft/log/log.js';
import { MemoryLog } from '../raft/log/memory.js';
import { openSqliteLog, SqliteLog } from '../raft/log/sqlite.js';
import { type LogThread, startLogThread } from '../raft/log/thread.js';
import { encodeConfiguration, initialConfiguration } from '../raft/core/configuration.js';
import { RAFT_TIMES } from '../raft/core/options.js';
import { invariant } from '../raft/invariant.js';
import type { Consensus } from '../raft/node/consensus.js';
import { TAIL_LIMITS, type TailLimits } from '../raft/node/tail.js';
import { Member } from '../raft/node/member.js';
import { StartRefusedError } from '../raft/node/start.js';
import { createHttpTransport } from '../raft/transport/http.js';
import type { PeerTls } from '../raft/transport/tls.js';
import { NO_TRANSPORT, type Transport } from '../raft/transport/transport.js';
import { refuseUnfinishedRestore } from './backup/unfinished.js';
import { openJwtTokens } from './auth/jwt-tokens.js';
import type { AuthTokenOptions } from './auth/token-options.js';
import type { TokenProvider } from './auth/tokens.js';
import { systemClock, type Clock } from './clock.js';
import { Counters } from './metrics/counters.js';
import type { CheckpointLimits } from './mvcc/checkpoint.js';
import {
  DataDirCorruptError,
  DataDirError,
  DataDirFormatError,
  DataDirLockedError,
  DataDirUnusableError,
  dataDirError,
} from './mvcc/errors.js';
import { openLiveDatabase, readCurrent, syncFolder } from './mvcc/files.js';
import { Generation, type GenerationOptions } from './mvcc/generation.js';
import { MvccMachine, type CommandResult } from './mvcc/machine.js';
import { insertMetadata, newMetadata, type Identity } from './mvcc/metadata.js';
import { createDatabase } from './mvcc/schema.js';
import type { UpkeepOptions } from './maintenance/upkeep.js';
import { startService, type Service } from './service.js';
import { FolderSnapshots } from './snapshot/folder.js';
import { MemorySnapshots } from './snapshot/memory.js';

/** As pino takes them. */
export interface StoreLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface StoreOptions extends Omit<UpkeepOptions, 'logger'> {
  /** A directory, made if absent; `:memory:` keeps nothing on disk. */
  readonly dataDir: string;
  /** Where other members reach this one over HTTP; absent: there are none. */
  readonly peers?: { readonly listenUrls: readonly string[]; readonly tls?: PeerTls | undefined };
  /** In place of `peers`: another way to the other members. */
  readonly transport?: (self: Pick<Identity, 'clusterId' | 'memberId'>) => Transport;
  /**
   * Who a new store is, and who is in its cluster. Called only when the data directory has no store yet; absent: a
   * cluster of one, with random ids.
   */
  readonly bootstrap?: () => Promise<Identity>;
  /** Milliseconds without a leader after which a member stands for election; etcd's default is 1,000. */
  readonly electionTimeoutMs?: number;
  /** Milliseconds between two signs of life of a leader; etcd's default is 100. */
  readonly heartbeatMs?: number;
  /** Log entries kept for followers that are behind; one that is further behind gets a snapshot. 10,000 when absent. */
  readonly snapshotCount?: number;
  /** Called once when this member was removed from its cluster: it takes no part any more, and the process should end. */
  readonly onRemoved?: () => void;
  /** For the log; started before, so that the store is open sooner. */
  readonly logThread?: LogThread | undefined;
  /** Where the worker threads' modules are, for those who bundle. */
  readonly workerUrls?: {
    readonly log?: URL | undefined;
    readonly checkpoint?: URL | undefined;
    readonly snapshot?: URL | undefined;
  };
  readonly clock?: Clock;
  readonly logger?: StoreLogger;
  /**
   * Called once when the store cannot go on (the disk failed, a file is damaged): it has stopped, calls reject with
   * Stopped, and the process should end.
   */
  readonly onFatal?: (error: Error) => void;
  readonly checkpointLimits?: CheckpointLimits;
  /** What is counted is added here, for those who want to count more. */
  readonly counters?: Counters;
  /** Whether to compare what this member holds with the others before it serves, and to refuse to start if it differs. */
  readonly initialCorruptCheck?: boolean;
  /** Bytes of one request's command; 1.5 MiB as in etcd when absent. */
  readonly requestBytesMax?: number;
  /** 128 as in etcd when absent. */
  readonly txnOpsMax?: number;
  /** 10 minutes as in etcd when absent. */
  readonly watchProgressIntervalMs?: number;
  /** Bytes above which a response is split for a watch that allows it. */
  readonly watchFragmentBytesMax?: number;
  /** What who has authenticated is given; etcd's simple tokens when absent. */
  readonly authToken?: AuthTokenOptions;
  /** Seconds that a simple token lives after its last use; 300 as in etcd when absent. */
  readonly simpleTokenTtlSeconds?: number;
}

export interface Store extends Service {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** For those who manage the cluster. */
  readonly consensus: Consensus<CommandResult>;
}

const MEMORY = ':memory:';
const LOG_NAME = 'log.db';

/** A copy for a follower is fresh while this share of the log's tail has been applied since. */
const FRESH_SHARE = 10;

/**
 * Opens the store of one member and replays what its log holds beyond the database.
 *
 *     <dataDir>/member/log.db        Raft's log; held open exclusively: the directory's lock
 *     <dataDir>/member/CURRENT       names the live database
 *     <dataDir>/member/mvcc-<n>.db   keys, history, leases, metadata
 *
 * @throws DataDirError, one line that names the file: locked, corrupt, of an unknown format, or unusable
 * @throws AuthTokenError, one line that says why the keys of tokens do not serve
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const isMemory = options.dataDir === MEMORY;
  const tokens = options.authToken?.type === 'jwt' ? await openJwtTokens(options.authToken) : undefined;
  const counters = options.counters ?? new Counters();
  const folder = path.join(options.dataDir, 'member');
  if (!isMemory) makeFolder(options.dataDir, folder);
  const log = isMemory ? new MemoryLog() : await openLog(options, folder, counters);
  const liveFile = () => (isMemory ? MEMORY : path.join(folder, readCurrent(folder) ?? ''));
  const failure = new Failure(options, liveFile);
  let machine: MvccMachine | undefined;
  try {
    machine = await openMachine({ ...options, counters }, isMemory ? undefined : folder, log, failure);
    if (log instanceof SqliteLog) log.claim({ clusterId: machine.clusterId, memberId: machine.memberId });
    return await start(options, { machine, log, tokens }, failure);
  } catch (error) {
    await machine?.close();
    await log.close();
    throw startError(options.dataDir, error);
  }
}

interface StoreParts {
  readonly machine: MvccMachine;
  readonly log: RaftLog;
  /** Undefined: etcd's simple ones. */
  readonly tokens: TokenProvider | undefined;
}

async function start(
  options: StoreOptions,
  { machine, log, tokens }: StoreParts,
  failure: Failure,
): Promise<Store> {
  const { clusterId, memberId } = machine;
  const { clock = systemClock, electionTimeoutMs = RAFT_TIMES.electionTimeoutMs } = options;
  const consensus = await Member.start<CommandResult>({
    clusterId,
    memberId,
    session: randomId(),
    log,
    stateMachine: machine,
    transport: transportOf(options, { clusterId, memberId }, machine.counters),
    times: { electionTimeoutMs, heartbeatMs: options.heartbeatMs ?? RAFT_TIMES.heartbeatMs },
    tailLimits: tailLimits(options),
    logger: options.logger,
    observer: machine.counters,
    onFatal: (error) => failure.report(error),
    onRemoved: () => options.onRemoved?.(),
  });
  failure.stop = () => consensus.stop();
  const closeParts = async () => {
    await consensus.stop();
    await machine.close();
  };
  const onDamage = (error: Error) => failure.report(error);
  const service = startService(
    { machine, consensus, closeParts, onDamage },
    { ...options, clock, electionTimeoutMs, tokens },
  );
  await checkAgainstOthers(options, service);
  const { revision, compacted } = machine.store;
  options.logger?.info({ dataDir: options.dataDir, revision, compacted }, 'store opened');
  return { ...service, clusterId, memberId, consensus };
}

/** @throws DataDirCorruptError: what this member holds is not what the others do */
async function checkAgainstOthers(options: StoreOptions, service: Service): Promise<void> {
  if (options.initialCorruptCheck !== true) return;
  if (!(await service.upkeep.corruption.differsFromOthers())) return;
  await service.close();
  throw new DataDirCorruptError(options.dataDir, 'what it holds is not what the other members hold');
}

function transportOf(
  { transport, peers, logger }: StoreOptions,
  self: Pick<Identity, 'clusterId' | 'memberId'>,
  observer: Counters,
): Transport {
  if (transport !== undefined) return transport(self);
  if (peers === undefined) return NO_TRANSPORT;
  return createHttpTransport({ ...self, ...peers, logger, observer });
}

/** @param folder undefined: in memory */
async function openMachine(
  options: StoreOptions,
  folder: string | undefined,
  log: RaftLog,
  failure: Failure,
): Promise<MvccMachine> {
  const isNew = folder === undefined || readCurrent(folder) === undefined;
  const identity = isNew ? await (options.bootstrap ?? clusterOfOne)() : undefined;
  const fill = (db: Database.Database) => {
    invariant(identity !== undefined, 'a database is made where there is one');
    insertMetadata(db, newMetadata(identity));
  };
  // Who has taken part in an election has had a database.
  const mayCreate = log.lastIndex === 0 && log.hardState.term === 0;
  const db =
    folder === undefined ? createDatabase(MEMORY, fill) : openLiveDatabase({ folder, mayCreate, fill });
  const onFailure = (error: unknown) => failure.report(error);
  const open = (db: Database.Database) =>
    openGeneration(db, {
      checkpointWorkerUrl: options.workerUrls?.checkpoint,
      checkpointLimits: options.checkpointLimits,
      counters: options.counters,
      onFailure,
    });
  const snapshots =
    folder === undefined
      ? new MemorySnapshots()
      : new FolderSnapshots({
          folder,
          workerUrl: options.workerUrls?.snapshot,
          freshEntries: Math.ceil(tailLimits(options).entriesMax / FRESH_SHARE),
        });
  return new MvccMachine({ generation: open(db), open, snapshots, onFailure });
}

function openGeneration(db: Database.Database, options: GenerationOptions): Generation {
  try {
    return new Generation(db, options);
  } catch (error) {
    db.close();
    throw dataDirError(db.name, error);
  }
}

function tailLimits({ snapshotCount }: StoreOptions): TailLimits {
  if (snapshotCount === undefined) return TAIL_LIMITS;
  const cutStep = Math.min(TAIL_LIMITS.cutStep, Math.ceil(snapshotCount / 10));
  return { ...TAIL_LIMITS, entriesMax: snapshotCount, cutStep };
}

function clusterOfOne(): Promise<Identity> {
  const memberId = randomId();
  const only = { id: memberId, name: '', peerUrls: [], clientUrls: [] };
  const configuration = encodeConfiguration(initialConfiguration([only]));
  return Promise.resolve({ clusterId: randomId(), memberId, configuration });
}

/** 64 random bits, never 0, which means "none". */
function randomId(): bigint {
  const id = randomBytes(8).readBigUInt64BE();
  return id === 0n ? 1n : id;
}

function makeFolder(dataDir: string, folder: string): void {
  refuseUnfinishedRestore(dataDir);
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

async function openLog(options: StoreOptions, folder: string, observer: Counters): Promise<RaftLog> {
  refuseLostLog(folder);
  try {
    return await openSqliteLog({
      path: path.join(folder, LOG_NAME),
      observer,
      thread: options.logThread ?? startLogThread(options.workerUrls?.log),
    });
  } catch (error) {
    throw startError(options.dataDir, error);
  }
}

/** The log is made before the first database: without it a member would not know how it has voted. */
function refuseLostLog(folder: string): void {
  const file = path.join(folder, LOG_NAME);
  if (readCurrent(folder) === undefined || (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0)
    return;
  throw new DataDirCorruptError(file, 'is missing or empty, but there is a database');
}

/** The disk failed or a file is damaged: told once, and nothing is accepted any more. */
class Failure {
  stop: () => Promise<void> = () => Promise.resolve();
  readonly #options: StoreOptions;
  readonly #liveFile: () => string;
  #reported = false;

  constructor(options: StoreOptions, liveFile: () => string) {
    this.#options = options;
    this.#liveFile = liveFile;
  }

  report(cause: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    const error = this.#named(cause);
    this.#options.logger?.error({ err: error }, 'the store has failed');
    this.stop().catch(() => undefined);
    this.#options.onFatal?.(error);
  }

  /** What SQLite says of a file does not say of which. */
  #named(cause: unknown): Error {
    if (cause instanceof SqliteError) return dataDirError(this.#liveFile(), cause);
    if (cause instanceof LogError) return startError(this.#options.dataDir, cause) as Error;
    return cause instanceof Error ? cause : new Error(String(cause));
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
    case 'foreign':
      return new DataDirCorruptError(
        error.path,
        `is the log of ${detail}, and the store is another's`,
        options,
      );
    case 'corrupt':
      return new DataDirCorruptError(error.path, `the log is corrupt (${detail})`, options);
    case 'incompatible':
      return new DataDirFormatError(error.path, `is no log that this version reads (${detail})`, options);
    default:
      return new DataDirUnusableError(error.path, `cannot be used (${detail})`, options);
  }
}
