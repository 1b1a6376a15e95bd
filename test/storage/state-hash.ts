/** What all members must agree on, whatever else their databases differ in. */
import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

/**
 * Hash of the logical content: revision, compacted revision, leases, users and roles, and every version and deletion that can be read or
 * watched. Rows that compaction has not removed yet do not count, nor do ids, positions and pages.
 */
export function stateHash(db: Database.Database): string {
  const hash = createHash('sha256');
  for (const line of stateLines(db)) hash.update(`${line}\n`);
  return hash.digest('hex');
}

/** The same to read, for a test that wants to say what differs. */
export function stateLines(db: Database.Database): string[] {
  const all = (sql: string) => db.prepare(sql).raw().all() as unknown[][];
  const lines = [
    ...all('SELECT revision, compacted FROM metadata'),
    ...all('SELECT CAST(id AS TEXT), ttl FROM lease ORDER BY id'),
    ...all('SELECT enabled, revision FROM auth'),
    ...all('SELECT name, password, no_password FROM auth_user ORDER BY name'),
    ...all('SELECT user, role FROM auth_user_role ORDER BY user, role'),
    ...all('SELECT name FROM auth_role ORDER BY name'),
    ...all('SELECT role, hex(key), hex(range_end), type FROM auth_permission ORDER BY role, key, range_end'),
    ...all(
      `SELECT revision, sub, hex(key), create_revision, version, CAST(lease AS TEXT), hex(value), value IS NULL
       FROM history h, (SELECT compacted FROM metadata) WHERE revision >= compacted
         OR sequence IN (SELECT sequence FROM current)
         OR sequence IN (SELECT sequence FROM past WHERE superseded > compacted)
       ORDER BY revision, sub`,
    ),
  ];
  return lines.map((line) => line.join(' '));
}
