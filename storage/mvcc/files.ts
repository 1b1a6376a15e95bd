import fs from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import { DataDirCorruptError, dataDirError } from './errors.js';
import { openSqlite } from '../../raft/sqlite.js';
import { createDatabase, openDatabase, PAGE_BYTES, verifyPages } from './schema.js';

/**
 * The MVCC database's files. A database renamed over one whose `-wal` is still there opens silently with the old
 * content, so nothing is ever renamed over a database: each carries a generation in its name, and CURRENT names the
 * live one. A new generation is written and synced before CURRENT is switched to it.
 */
const CURRENT = 'CURRENT';
const NEXT_CURRENT = 'CURRENT.tmp';
const DATABASE_NAME = /^mvcc-([1-9][0-9]*)\.db$/;

/** Databases, copies of them on their way to other members, and what SQLite puts beside both. */
const DATABASE_FILE = /^(mvcc|copy)-[1-9][0-9]*\.db(-wal|-shm|-journal)?$/;
const SUFFIXES = ['', '-wal', '-shm', '-journal'];

const VERIFIED_BYTES_MAX = 64 * 2 ** 20;
const VERIFIED_BYTES_MAX_UNCLOSED = 256 * 2 ** 20;

export function databaseName(generation: number): string {
  return `mvcc-${generation}.db`;
}

/** Of the database with this name; 0 for none. */
export function generationOf(name: string | undefined): number {
  return Number(DATABASE_NAME.exec(name ?? '')?.[1] ?? 0);
}

/** Of a copy that is sent to other members. */
export function copyName(number: number): string {
  return `copy-${number}.db`;
}

export interface LiveDatabaseOptions {
  readonly folder: string;
  /** False where the log already has entries: then a database must be there. */
  readonly mayCreate: boolean;
  /** Writes the metadata of a new database. */
  readonly fill: (db: Database.Database) => void;
}

/**
 * Opens the database that CURRENT names, or makes the first one in a folder without CURRENT. Files of other generations
 * (of a creation or installation that did not get to its end) and copies are removed. The caller holds the directory's lock.
 *
 * @throws DataDirError naming the file
 */
export function openLiveDatabase({ folder, mayCreate, fill }: LiveDatabaseOptions): Database.Database {
  const live = readCurrent(folder);
  if (live === undefined) {
    if (!mayCreate) {
      throw new DataDirCorruptError(path.join(folder, CURRENT), 'is missing, but the log has entries');
    }
    removeOtherDatabases(folder, undefined);
    const name = databaseName(1);
    const db = createFirst(path.join(folder, name), fill);
    switchCurrent(folder, name);
    return db;
  }
  const file = path.join(folder, live);
  if (!fs.existsSync(file)) throw new DataDirCorruptError(file, `is missing, and ${CURRENT} names it`);
  verify(file);
  const db = openDatabase(file);
  removeOtherDatabases(folder, live);
  return db;
}

/**
 * Every page of a database that is not too large for a start to wait for it (1.4 ms/MiB); of a larger one where the last
 * process did not close it, which is when pages may be torn. What is not read now is read by somebody, some time, and
 * then the store ends. Nothing is altered.
 */
function verify(file: string): void {
  const size = fs.statSync(file).size;
  const wasClosed = (fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
  // SQLite would take the missing end of the last page for zeroes.
  if (wasClosed && size % PAGE_BYTES !== 0) {
    throw new DataDirCorruptError(file, 'the database is corrupt (it ends within a page)');
  }
  if (size > (wasClosed ? VERIFIED_BYTES_MAX : VERIFIED_BYTES_MAX_UNCLOSED)) return;
  try {
    const db = openSqlite(file, { fileMustExist: true, readonly: true });
    try {
      verifyPages(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw dataDirError(file, error);
  }
}

/** The new database's content must be on disk before CURRENT speaks of it: closing checkpoints and syncs. */
function createFirst(file: string, fill: (db: Database.Database) => void): Database.Database {
  createDatabase(file, fill).close();
  return openDatabase(file);
}

/** Name of the live database; undefined in a new folder. */
export function readCurrent(folder: string): string | undefined {
  const file = path.join(folder, CURRENT);
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw dataDirError(file, error);
  }
  const name = text.trimEnd();
  if (!DATABASE_NAME.test(name)) throw new DataDirCorruptError(file, 'names no database');
  return name;
}

/** Durable when it returns; a power cut leaves the old file or the new one, never half of it. */
export function switchCurrent(folder: string, name: string): void {
  const file = path.join(folder, CURRENT);
  const temporary = path.join(folder, NEXT_CURRENT);
  try {
    const descriptor = fs.openSync(temporary, 'w', 0o600);
    try {
      fs.writeSync(descriptor, `${name}\n`);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, file);
    syncFolder(folder);
  } catch (error) {
    throw dataDirError(file, error);
  }
}

/** Of a file that no connection of this process has open: closing this descriptor would drop SQLite's locks. */
export function syncFile(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Makes the folder's entries durable: file names created, renamed or removed in it. */
export function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function removeOtherDatabases(folder: string, live: string | undefined): void {
  for (const name of fs.readdirSync(folder)) {
    const belongsToLive = live !== undefined && (name === live || name.startsWith(`${live}-`));
    const isLeftOver = name === NEXT_CURRENT || (DATABASE_FILE.test(name) && !belongsToLive);
    if (isLeftOver) fs.rmSync(path.join(folder, name));
  }
}

/** Removes a database that nobody has open. */
export async function removeDatabase(folder: string, name: string): Promise<void> {
  for (const suffix of SUFFIXES) await fs.promises.rm(path.join(folder, `${name}${suffix}`), { force: true });
}
