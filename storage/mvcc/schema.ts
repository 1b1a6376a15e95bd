import type Database from 'better-sqlite3';
import { encodeConfiguration, initialConfiguration } from '../../raft/core/configuration.js';
import { invariant } from '../../raft/invariant.js';
import { openSqlite } from '../../raft/sqlite.js';
import { AUTH_TABLES } from '../auth/tables.js';
import { DataDirCorruptError, DataDirFormatError, dataDirError } from './errors.js';

/** 'Whry', in the database's header: what `file` and SQLite's own tools show. */
const APPLICATION_ID = 0x57687279;

/** Version of the tables below. */
const FORMAT = 3;

/** Had one member only, and its id where the configuration is now. */
const FORMAT_OF_ONE_MEMBER = 1;

/** Had no alarms, no users and no roles. */
const FORMAT_WITHOUT_ALARMS = 2;

/** Values of about a kilobyte fit three to a page; measured faster than 8 KiB, because a lone put writes whole pages. */
export const PAGE_BYTES = 4096;

const CACHE_KIB = 16 * 1024;

/** Those that format 2 had not, with what they hold from the start. */
const TABLES_SINCE_3 = `
  CREATE TABLE alarm (
    type INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    PRIMARY KEY (type, member_id)
  ) WITHOUT ROWID;
  ${AUTH_TABLES}
`;

/**
 * Every change is a row of `history`, numbered by `sequence` in the order of (revision, sub); a null value is a
 * deletion. `previous` is the sequence of the version that it replaced.
 *
 * A version lives from its revision until the one that supersedes it. Those that live now are in `current`, those
 * that have been superseded are in `past`: a create touches one index, and the keys at any revision are a merge of
 * two scans in key order. There is no index on revision: sequences rise with it, so bisection finds one.
 */
const TABLES = `
  CREATE TABLE history (
    sequence INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    sub INTEGER NOT NULL,
    key BLOB NOT NULL,
    create_revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER,
    previous INTEGER,
    value BLOB
  );
  CREATE TABLE current (
    key BLOB PRIMARY KEY,
    sequence INTEGER NOT NULL,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX attached ON current (lease) WHERE lease IS NOT NULL;
  CREATE TABLE past (
    key BLOB NOT NULL,
    revision INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (key, revision)
  ) WITHOUT ROWID;
  CREATE TABLE lease (
    id INTEGER PRIMARY KEY,
    ttl INTEGER NOT NULL
  );
  CREATE TABLE metadata (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    cluster_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    membership TEXT NOT NULL,
    applied_index INTEGER NOT NULL,
    applied_term INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    installed_snapshot INTEGER NOT NULL
  );
  ${TABLES_SINCE_3}
`;

/**
 * Makes a new database with its tables; `fill` writes the metadata in the same transaction.
 *
 * The order matters: after WAL mode is on, auto_vacuum stays silently off for ever. So it is read back.
 */
export function createDatabase(path: string, fill: (db: Database.Database) => void): Database.Database {
  const db = open(path);
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${FORMAT}`);
    configure(db);
    db.transaction(() => {
      db.exec(TABLES);
      fill(db);
    })();
    invariant(db.pragma('page_size', { simple: true }) === PAGE_BYTES, 'page_size was not taken');
    invariant(db.pragma('auto_vacuum', { simple: true }) === 2, 'auto_vacuum was not taken');
    invariant(
      db.pragma('application_id', { simple: true }) === APPLICATION_ID,
      'application_id was not taken',
    );
    return db;
  } catch (error) {
    db.close();
    throw dataDirError(path, error);
  }
}

/** @throws DataDirError naming the file */
export function openDatabase(source: string | Buffer): Database.Database {
  const db = open(source, { fileMustExist: true });
  const path = db.name;
  try {
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      throw new DataDirCorruptError(path, 'the database is corrupt (it is not one of this store)');
    }
    upgrade(db);
    const format = db.pragma('user_version', { simple: true });
    if (format !== FORMAT) {
      throw new DataDirFormatError(path, `has format ${String(format)}, this version reads ${FORMAT}`);
    }
    configure(db);
    return db;
  } catch (error) {
    db.close();
    throw dataDirError(path, error);
  }
}

/**
 * Opens another member's copy for verification, and takes nothing in it for granted.
 *
 * @throws DataDirError naming the file
 */
export function openForeignDatabase(source: string | Buffer): Database.Database {
  const db = openDatabase(source);
  const path = db.name;
  try {
    db.pragma('trusted_schema = OFF');
    verifyPages(db);
    if (db.pragma('auto_vacuum', { simple: true }) !== 2 || schemaOf(db) !== expectedSchema()) {
      throw new DataDirCorruptError(path, 'the database is corrupt (its tables are not those of this store)');
    }
    return db;
  } catch (error) {
    db.close();
    throw dataDirError(path, error);
  }
}

/** Reads all of it, at some 0.7 GB/s. @throws DataDirCorruptError, or what SQLite throws */
export function verifyPages(db: Database.Database): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return;
  const damage = String(found).replaceAll(/\s+/g, ' ');
  throw new DataDirCorruptError(db.name, `the database is corrupt (${damage})`);
}

/** All that SQLite would run or keep up to date: tables, indexes, and triggers and views, of which there are none. */
function schemaOf(db: Database.Database): string {
  return JSON.stringify(
    db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all(),
  );
}

function expectedSchema(): string {
  const db = createDatabase(':memory:', () => undefined);
  try {
    return schemaOf(db);
  } finally {
    db.close();
  }
}

/** Step by step; what is of another format stays as it is. */
function upgrade(db: Database.Database): void {
  const format = () => db.pragma('user_version', { simple: true });
  if (format() === FORMAT_OF_ONE_MEMBER) addConfiguration(db);
  if (format() === FORMAT_WITHOUT_ALARMS) addTables(db);
}

function addConfiguration(db: Database.Database): void {
  db.transaction(() => {
    const id = db.prepare('SELECT member_id FROM metadata').pluck().safeIntegers().get() as bigint;
    const only = { id: BigInt.asUintN(64, id), name: '', peerUrls: [], clientUrls: [] };
    const configuration = encodeConfiguration(initialConfiguration([only]));
    db.prepare('UPDATE metadata SET membership = ?').run(Buffer.from(configuration).toString());
    db.pragma(`user_version = ${FORMAT_WITHOUT_ALARMS}`);
  })();
}

function addTables(db: Database.Database): void {
  db.transaction(() => {
    db.exec(TABLES_SINCE_3);
    db.pragma('user_version = 3');
  })();
}

function open(source: string | Buffer, options: Database.Options = {}): Database.Database {
  try {
    return openSqlite(source, options);
  } catch (error) {
    throw dataDirError(typeof source === 'string' ? source : ':memory:', error);
  }
}

/**
 * NORMAL: what a power cut takes is replayed from the log, so that apply waits for no disk. Checkpoints are the
 * checkpointer's business (see checkpoint.ts).
 */
function configure(db: Database.Database): void {
  if (!db.memory) {
    invariant(db.pragma('journal_mode = WAL', { simple: true }) === 'wal', 'WAL mode was not taken');
  }
  db.pragma('synchronous = NORMAL');
  db.pragma('wal_autocheckpoint = 0');
  // Costs nothing that could be measured, and notices some damage when a page is read.
  db.pragma('cell_size_check = ON');
  db.pragma(`cache_size = -${CACHE_KIB}`);
}
