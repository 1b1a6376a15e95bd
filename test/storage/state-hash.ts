/** What all members must agree on, whatever else their databases differ in. */
import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

/**
 * Hash of the logical content: revision, compacted revision, leases, and every version and deletion that can be read or
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
