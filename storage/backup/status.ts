import type Database from 'better-sqlite3';
import { openSqlite } from '../../raft/sqlite.js';
import { leaseText } from '../mvcc/range.js';
import { ContentHash } from './content-hash.js';
import { BackupError, fileError } from './errors.js';
import { openBackup, readBackup, type BackupFile } from './file.js';

export interface BackupStatus {
  /** Of all keys, values and leases (content-hash.ts), hexadecimal: the same for every member and after a restore. */
  readonly hash: string;
  readonly revision: number;
  readonly compactedRevision: number;
  /** Keys at that revision. */
  readonly keys: number;
  readonly leases: number;
  /** Bytes of the database. */
  readonly size: number;
  /** Of the tables (mvcc/schema.ts). */
  readonly format: number;
  /** Verified where it is true; false for a file without one. */
  readonly hasChecksum: boolean;
}

/** Pairs read at once. */
const READ_ROWS = 256;

/** What a backup holds. Reads all of it, and verifies it as a restore would. @throws BackupError */
export function backupStatus(path: string): BackupStatus {
  const file = openBackup(path);
  refuseEtcd(file);
  readBackup(file, { skipChecksum: !file.hasChecksum });
  const db = openForReading(path);
  try {
    const damage = db.pragma('quick_check(1)', { simple: true });
    if (damage !== 'ok') throw new BackupError(`${path} is damaged: ${String(damage)}`);
    return { ...contentOf(db), size: file.bytes, hasChecksum: file.hasChecksum };
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    db.close();
  }
}

/** @throws BackupError */
export function refuseEtcd({ path, kind }: BackupFile): void {
  if (kind !== 'etcd') return;
  throw new BackupError(
    `${path} is a snapshot of a real etcd: look at it and restore it with etcdutl (or etcdctl), then move it with wherry migrate`,
  );
}

function openForReading(path: string): Database.Database {
  try {
    const db = openSqlite(path, { readonly: true, fileMustExist: true });
    db.pragma('trusted_schema = OFF');
    db.pragma('cell_size_check = ON');
    return db;
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

function contentOf(db: Database.Database): Omit<BackupStatus, 'size' | 'hasChecksum'> {
  const metadata = db.prepare('SELECT revision, compacted FROM metadata').get() as
    | { readonly revision: number; readonly compacted: number }
    | undefined;
  if (metadata === undefined) throw new BackupError(`${db.name} is damaged: it has no metadata`);
  const hash = hashOf(db);
  return {
    hash: hash.finish(),
    keys: hash.count,
    revision: metadata.revision,
    compactedRevision: metadata.compacted,
    leases: db.prepare('SELECT count(*) FROM lease').pluck().get() as number,
    format: db.pragma('user_version', { simple: true }) as number,
  };
}

function hashOf(db: Database.Database): ContentHash {
  const page = db
    .prepare(
      `SELECT c.key, h.value, ${leaseText('c.lease')} FROM current c CROSS JOIN history h ON h.sequence = c.sequence
       WHERE c.key > ? ORDER BY c.key LIMIT ?`,
    )
    .raw();
  const hash = new ContentHash();
  for (let last: Uint8Array = Buffer.alloc(0); ; ) {
    const rows = page.all(last, READ_ROWS) as [Buffer, Buffer, string | null][];
    for (const [key, value, lease] of rows) hash.add({ key, value, lease: BigInt(lease ?? 0) });
    const end = rows.at(-1);
    if (end === undefined) return hash;
    last = end[0];
  }
}
