import type Database from 'better-sqlite3';
import type { LogOwner } from './log.js';

/** Whose log it is, written once. Ids are 64 bits, unsigned here and signed in SQLite. */
export function readOwner(db: Database.Database): LogOwner | undefined {
  const row = db.prepare('SELECT cluster_id, member_id FROM owner').safeIntegers(true).get() as
    | { readonly cluster_id: bigint; readonly member_id: bigint }
    | undefined;
  return (
    row && {
      clusterId: BigInt.asUintN(64, row.cluster_id),
      memberId: BigInt.asUintN(64, row.member_id),
    }
  );
}

export function writeOwner(db: Database.Database, { clusterId, memberId }: LogOwner): void {
  db.prepare('INSERT INTO owner (id, cluster_id, member_id) VALUES (0, ?, ?)').run(
    BigInt.asIntN(64, clusterId),
    BigInt.asIntN(64, memberId),
  );
}
