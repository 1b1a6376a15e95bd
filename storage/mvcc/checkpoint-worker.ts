/**
 * Runs checkpoints of the MVCC database on a connection and a thread of its own, because they wait for the disk. PASSIVE
 * never blocks the writer.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openSqlite } from '../../raft/sqlite.js';
import type { CheckpointOutcome, CheckpointWorkerData } from './checkpoint-messages.js';

const { path } = workerData as CheckpointWorkerData;
const db = openSqlite(path, { fileMustExist: true });
db.pragma('synchronous = NORMAL');
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort?.on('message', (request: 'checkpoint' | 'close') => {
  if (request === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  const { busy, log, checkpointed } = checkpoint.get() as {
    busy: number;
    log: number;
    checkpointed: number;
  };
  const outcome: CheckpointOutcome = { complete: busy === 0 && log === checkpointed };
  // A rule for browser windows, whose postMessage takes an origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(outcome);
});
