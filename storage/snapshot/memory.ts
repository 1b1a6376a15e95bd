import type Database from 'better-sqlite3';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import { DataDirError } from '../mvcc/errors.js';
import type { Generation } from '../mvcc/generation.js';
import { adopt, type Expected } from './adopt.js';
import { contentOf } from './content.js';
import { SnapshotError, type Owner, type SnapshotStore, type StagedDatabase } from './snapshots.js';

/** Snapshots of a member that keeps nothing on disk. */
export class MemorySnapshots implements SnapshotStore {
  // oxlint-disable-next-line typescript/require-await: what it throws is a rejection
  async copy({ db, applied, configuration }: Generation): Promise<OutgoingSnapshot> {
    const content = db.serialize();
    return {
      ...applied,
      configuration,
      size: content.length,
      read: async function* () {
        yield content;
      },
      release: () => Promise.resolve(),
    };
  }

  async stage(incoming: IncomingSnapshot, owner: Owner): Promise<StagedDatabase> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of contentOf(incoming)) chunks.push(chunk);
    const { index, term, configuration } = incoming;
    const db = adoptBytes(Buffer.concat(chunks), { index, term, configuration, ...owner });
    return {
      open: () => db,
      makeLive: () => undefined,
      removeOld: () => Promise.resolve(),
      discard: () => {
        db.close();
        return Promise.resolve();
      },
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function adoptBytes(bytes: Buffer, expected: Expected): Database.Database {
  try {
    return adopt(bytes, expected);
  } catch (error) {
    if (error instanceof DataDirError) throw new SnapshotError('unfit', error.message, { cause: error });
    throw error;
  }
}
