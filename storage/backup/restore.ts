/**
 * Makes a data directory from a backup: the first state of a new cluster, which takes nothing of the old one for its own.
 * Its log begins behind that state as after a snapshot install, so that whoever joins later gets the state too.
 */
import fs from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { encodeConfiguration } from '../../raft/core/configuration.js';
import { openSqliteLog } from '../../raft/log/sqlite.js';
import { startLogThread } from '../../raft/log/thread.js';
import { type Bootstrap, type InitialMember, loneMember, restoredCluster } from '../cluster/bootstrap.js';
import { DataDirError } from '../mvcc/errors.js';
import { databaseName, switchCurrent, syncFile, syncFolder } from '../mvcc/files.js';
import { readMetadata, textOf } from '../mvcc/metadata.js';
import { openForeignDatabase } from '../mvcc/schema.js';
import { BackupError, fileError } from './errors.js';
import { openBackup, readBackup } from './file.js';
import { refuseEtcd } from './status.js';
import { restoringFolder } from './unfinished.js';

export interface RestoreOptions {
  readonly file: string;
  /** Absent, or an empty folder. */
  readonly dataDir: string;
  readonly own: InitialMember;
  /** All members, each restored from the same file with the same options; absent: the one that is restored. */
  readonly initial?: readonly InitialMember[] | undefined;
  readonly token: string;
  /**
   * What the revision is raised by. It must be more than the old cluster had written since the backup: then no revision
   * means one thing to an old client and another to the new store.
   */
  readonly bumpRevision: number;
  /** Nothing below the raised revision can be read or watched: old clients are told, and list anew. */
  readonly markCompacted: boolean;
  readonly skipHashCheck: boolean;
  /** For those who bundle. */
  readonly logWorkerUrl?: URL | undefined;
}

export interface RestoreOutcome {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  /** −1 for none. */
  readonly compacted: number;
}

/** Where every restored member stands: behind this one entry, which no log holds. */
const POSITION = { index: 1, term: 1 };

/**
 * Durable when it resolves. One that is killed leaves an empty folder, or one that a start refuses; one that fails leaves
 * none of its files.
 *
 * @throws BackupError; BootstrapError where the members do not fit together
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreOutcome> {
  const { dataDir } = options;
  const file = openBackup(options.file);
  refuseEtcd(file);
  refuseUsed(dataDir);
  const folder = restoringFolder(dataDir);
  const existed = fs.existsSync(dataDir);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const database = path.join(folder, databaseName(1));
    const contentHash = copyTo(database, (take) =>
      readBackup(file, { skipChecksum: options.skipHashCheck, take }),
    );
    const outcome = rewrite(database, options, contentHash);
    syncFile(database);
    await startLog(folder, options.logWorkerUrl);
    switchCurrent(folder, databaseName(1));
    fs.renameSync(folder, path.join(dataDir, 'member'));
    syncFolder(dataDir);
    if (!existed) syncFolder(path.dirname(path.resolve(dataDir)));
    return outcome;
  } catch (error) {
    fs.rmSync(existed ? folder : dataDir, { recursive: true, force: true });
    throw explained(options.file, error);
  }
}

function refuseUsed(dataDir: string): void {
  let names: string[];
  try {
    names = fs.existsSync(dataDir) ? fs.readdirSync(dataDir) : [];
  } catch (error) {
    throw fileError(`cannot use the data directory ${dataDir}`, error);
  }
  if (names.length === 0) return;
  const isUnfinished = names.length === 1 && fs.existsSync(restoringFolder(dataDir));
  throw new BackupError(
    isUnfinished
      ? `a restore into ${dataDir} did not get to its end; remove that folder and restore again`
      : `the data directory ${dataDir} is not empty; restore into a new one`,
  );
}

function copyTo<T>(target: string, read: (take: (piece: Uint8Array) => void) => T): T {
  const descriptor = fs.openSync(target, 'wx', 0o600);
  try {
    return read((piece) => {
      for (let written = 0; written < piece.length; ) {
        written += fs.writeSync(descriptor, piece, written);
      }
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Verifies the database and makes it the first state of its new cluster. */
function rewrite(database: string, options: RestoreOptions, contentHash: Buffer): RestoreOutcome {
  const db = openForeignDatabase(database);
  try {
    const bootstrap = bootstrapOf(options, contentHash);
    const before = readMetadata(db);
    const revision = before.revision + options.bumpRevision;
    if (!Number.isSafeInteger(revision)) {
      throw new BackupError(`the revision ${before.revision} cannot be raised by ${options.bumpRevision}`);
    }
    const compacted = options.markCompacted ? revision : before.compacted;
    db.transaction(() => saveMetadata(db, bootstrap, { revision, compacted }))();
    readMetadata(db);
    const { clusterId, memberId } = bootstrap;
    return { clusterId, memberId, revision, compacted };
  } finally {
    db.close();
  }
}

/** Members that are restored with other options, or from another backup, are of another cluster and refuse each other. */
function bootstrapOf(options: RestoreOptions, contentHash: Buffer): Bootstrap {
  const { own, initial, token, bumpRevision, markCompacted } = options;
  if (initial === undefined) return loneMember(own);
  const origin = [contentHash.toString('hex'), `${bumpRevision}`, `${markCompacted}`];
  return restoredCluster(initial, own, token, origin);
}

function saveMetadata(
  db: Database.Database,
  { clusterId, memberId, configuration }: Bootstrap,
  { revision, compacted }: { readonly revision: number; readonly compacted: number },
): void {
  db.prepare(
    `UPDATE metadata SET cluster_id = ?, member_id = ?, membership = ?, applied_index = ?, applied_term = ?,
       revision = ?, compacted = ?, installed_snapshot = 0`,
  ).run(
    BigInt.asIntN(64, clusterId),
    BigInt.asIntN(64, memberId),
    textOf(encodeConfiguration(configuration)),
    POSITION.index,
    POSITION.term,
    revision,
    compacted,
  );
  // They are about members of the old cluster, and raised again where there is reason.
  db.exec('DELETE FROM alarm');
}

async function startLog(folder: string, workerUrl: URL | undefined): Promise<void> {
  const log = await openSqliteLog({ path: path.join(folder, 'log.db'), thread: startLogThread(workerUrl) });
  try {
    const { index, term } = POSITION;
    // In one turn, so that both are one write.
    await Promise.all([log.reset(index, term), log.append([], { term, vote: 0n, commit: index })]);
  } finally {
    await log.close();
  }
}

/** Errors of the copy are errors of the file that it is a copy of. */
function explained(file: string, error: unknown): unknown {
  if (error instanceof DataDirError) {
    return new BackupError(error.message.replace(error.path, file), { cause: error });
  }
  const isSystemError = error instanceof Error && 'code' in error;
  return isSystemError ? fileError(`cannot restore ${file}`, error) : error;
}
