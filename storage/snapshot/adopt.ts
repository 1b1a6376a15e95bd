import type Database from 'better-sqlite3';
import type { SnapshotHeader } from '../../raft/transport/transport.js';
import { asBuffer } from '../bytes.js';
import { readMetadata } from '../mvcc/metadata.js';
import { openForeignDatabase } from '../mvcc/schema.js';
import { SnapshotError, type Owner } from './snapshots.js';

export interface Expected extends SnapshotHeader, Owner {}

/**
 * Verifies that a copy is whole, of this cluster, and where its header says; then makes it this member's own. The log
 * may lack the entry where it stands: `installed_snapshot` says so to the next start.
 *
 * @throws SnapshotError, DataDirError
 */
export function adopt(source: string | Buffer, expected: Expected): Database.Database {
  const db = openForeignDatabase(source);
  try {
    verify(db, expected);
    db.prepare('UPDATE metadata SET member_id = ?, installed_snapshot = 1').run(
      BigInt.asIntN(64, expected.memberId),
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function verify(db: Database.Database, expected: Expected): void {
  const metadata = readMetadata(db);
  if (metadata.clusterId !== expected.clusterId) {
    throw new SnapshotError('unfit', `the snapshot is of cluster ${metadata.clusterId.toString(16)}`);
  }
  const { appliedIndex, appliedTerm, configuration } = metadata;
  if (appliedIndex !== expected.index || appliedTerm !== expected.term) {
    const stands = `index ${appliedIndex} of term ${appliedTerm}`;
    throw new SnapshotError(
      'unfit',
      `the snapshot stands at ${stands}, its header says ${expected.index} of ${expected.term}`,
    );
  }
  if (!asBuffer(configuration).equals(expected.configuration)) {
    throw new SnapshotError('unfit', 'the configuration in the snapshot is not that of its header');
  }
}
