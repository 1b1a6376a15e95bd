import { statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { LogError } from './errors.js';

/** Marks the file as ours ("WhrL"). */
const APPLICATION_ID = 0x5768724c;
/** Version of the tables below. */
const USER_VERSION = 2;
/** Did not say whose log it is. */
const VERSION_WITHOUT_OWNER = 1;
const PAGE_BYTES = 4096;
const AUTO_VACUUM_INCREMENTAL = 2;
const SYNCHRONOUS_FULL = 2;

/**
 * Once checkpointed, the WAL is written over from its start and not cut, up to this size. A commit into bytes that the
 * file already has is one sync of data; one that makes the file longer waits for the file system's journal too
 * (measured: 0.21 ms against 0.40 ms).
 */
export const WAL_BYTES_MAX = 4 * 2 ** 20;

const OWNER_TABLE = `
  CREATE TABLE owner (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    cluster_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL
  ) STRICT;
`;

const TABLES = `
  CREATE TABLE metadata (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    format INTEGER NOT NULL,
    term INTEGER NOT NULL,
    vote INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    base_term INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    entry_index INTEGER PRIMARY KEY,
    term INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  ${OWNER_TABLE}
`;

/**
 * Takes the lock, creates what a new file lacks, and verifies the settings that durability rests on.
 *
 * @param fill writes the first rows, in the transaction that creates the tables.
 * @throws LogError, or what SQLite throws
 */
export function prepareSchema(db: Database.Database, path: string, fill: () => void): void {
  // On an existing WAL database the lock mode comes first, else SQLite makes a shared-memory file. On a new one it
  // comes after the settings that read the file: two processes would keep a shared lock each and both be refused.
  const isNew = sizeOf(path) === 0;
  // SQLite would take the missing end of the last page for zeroes; a crash may leave it in the WAL.
  if (sizeOf(path) % PAGE_BYTES !== 0 && sizeOf(`${path}-wal`) === 0) {
    throw new LogError('corrupt', path, 'it ends within a page');
  }
  if (!isNew) db.pragma('locking_mode = EXCLUSIVE');
  if (isNew || isEmpty(db)) {
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('locking_mode = EXCLUSIVE');
  }
  db.exec('BEGIN EXCLUSIVE');
  if (isEmpty(db)) {
    // One transaction, so that a process killed here leaves either an empty file or a whole one.
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${USER_VERSION}`);
    db.exec(TABLES);
    fill();
  } else if (isWithoutOwner(db)) {
    db.exec(OWNER_TABLE);
    db.pragma(`user_version = ${USER_VERSION}`);
  }
  db.exec('COMMIT');
  verifyIdentity(db, path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
  verifySettings(db, path);
}

/** 0 of what is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function isEmpty(db: Database.Database): boolean {
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  return tables === 0 && db.pragma('application_id', { simple: true }) === 0;
}

function isWithoutOwner(db: Database.Database): boolean {
  const isOurs = db.pragma('application_id', { simple: true }) === APPLICATION_ID;
  return isOurs && db.pragma('user_version', { simple: true }) === VERSION_WITHOUT_OWNER;
}

function verifyIdentity(db: Database.Database, path: string): void {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new LogError('incompatible', path, 'the file is of another application');
  }
  const version = db.pragma('user_version', { simple: true });
  if (version !== USER_VERSION) {
    throw new LogError(
      'incompatible',
      path,
      `its version is ${String(version)}, this program reads ${USER_VERSION}`,
    );
  }
}

function verifySettings(db: Database.Database, path: string): void {
  const expected = {
    page_size: PAGE_BYTES,
    auto_vacuum: AUTO_VACUUM_INCREMENTAL,
    locking_mode: 'exclusive',
    journal_mode: 'wal',
    synchronous: SYNCHRONOUS_FULL,
  };
  for (const [setting, value] of Object.entries(expected)) {
    const actual = db.pragma(setting, { simple: true });
    if (actual !== value) {
      throw new LogError('incompatible', path, `${setting} is ${String(actual)} instead of ${value}`);
    }
  }
}

/** A start does not wait for larger ones to be read (1.4 ms/MiB); entries have checksums besides. */
const VERIFIED_BYTES_MAX = 64 * 2 ** 20;

/** @throws LogError, or what SQLite throws */
export function verifyPages(db: Database.Database, path: string): void {
  if (Number(db.pragma('page_count', { simple: true })) * PAGE_BYTES > VERIFIED_BYTES_MAX) return;
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new LogError('corrupt', path, String(found).replaceAll(/\s+/g, ' '));
}
