/** Copies and verifies whole databases, which takes seconds, on a thread and connections of its own. One task each. */
import fs from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openSqlite } from '../../raft/sqlite.js';
import { DataDirCorruptError, DataDirFormatError } from '../mvcc/errors.js';
import { syncFile, syncFolder } from '../mvcc/files.js';
import { readMetadata } from '../mvcc/metadata.js';
import { adopt, type Expected } from './adopt.js';
import type { SnapshotOutcome, SnapshotTask } from './messages.js';
import { SnapshotError } from './snapshots.js';

function copy(from: string, to: string): SnapshotOutcome {
  const live = openSqlite(from, { fileMustExist: true });
  try {
    // The copy need not outlive the process.
    live.pragma('synchronous = OFF');
    live.prepare('VACUUM INTO ?').run(to);
  } finally {
    // Closing may write the live WAL into its file, if this connection is the last.
    live.pragma('synchronous = NORMAL');
    live.close();
  }
  const copied = openSqlite(to, { fileMustExist: true, readonly: true });
  try {
    const { appliedIndex, appliedTerm, configuration } = readMetadata(copied);
    const { size } = fs.statSync(to);
    return { type: 'copied', index: appliedIndex, term: appliedTerm, configuration, size };
  } finally {
    copied.close();
  }
}

function adoptFile(file: string, expected: Expected): SnapshotOutcome {
  try {
    adopt(file, expected).close();
  } catch (error) {
    if (!isSendersFault(error)) throw error;
    return { type: 'refused', message: error.message };
  }
  syncFile(file);
  syncFolder(path.dirname(file));
  return { type: 'adopted' };
}

function isSendersFault(error: unknown): error is Error {
  return (
    error instanceof SnapshotError ||
    error instanceof DataDirCorruptError ||
    error instanceof DataDirFormatError
  );
}

function run(task: SnapshotTask): SnapshotOutcome {
  try {
    return task.type === 'copy' ? copy(task.from, task.to) : adoptFile(task.path, task.expected);
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

// A rule for browser windows, whose postMessage takes an origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(run(workerData as SnapshotTask));
