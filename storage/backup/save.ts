import fs from 'node:fs';
import path from 'node:path';
import { syncFolder } from '../mvcc/files.js';
import type { SnapshotChunk } from '../server/api.js';
import { fileError } from './errors.js';
import { openBackup, readBackup, type BackupFile } from './file.js';

export interface SaveOptions {
  /** Gets the file's name once it is whole, whatever had that name before, as with etcdctl. */
  readonly path: string;
  /** As of one member: of Wherry or of a real etcd. */
  readonly chunks: AsyncIterable<Pick<SnapshotChunk, 'blob' | 'remainingBytes'>>;
  readonly onProgress?: ((progress: SaveProgress) => void) | undefined;
}

export interface SaveProgress {
  /** Bytes. */
  readonly received: number;
  readonly remaining: number;
}

/**
 * Writes a snapshot beside its place, syncs it, reads it back to verify the checksum, and puts it there.
 *
 * @throws BackupError, or what the stream throws; then nothing is left behind
 */
export async function saveSnapshot(options: SaveOptions): Promise<BackupFile> {
  const part = `${options.path}.part`;
  try {
    await write(part, options);
    const file = openBackup(part);
    readBackup(file);
    fs.renameSync(part, options.path);
    syncFolder(path.dirname(path.resolve(options.path)));
    return { ...file, path: options.path };
  } catch (error) {
    fs.rmSync(part, { force: true });
    const isSystemError = error instanceof Error && 'syscall' in error;
    throw isSystemError ? fileError(`cannot write ${options.path}`, error) : error;
  }
}

async function write(part: string, { chunks, onProgress }: SaveOptions): Promise<void> {
  fs.rmSync(part, { force: true });
  // Secrets are in it.
  const handle = await fs.promises.open(part, 'wx', 0o600);
  let received = 0;
  try {
    for await (const { blob, remainingBytes } of chunks) {
      await handle.writeFile(blob);
      received += blob.length;
      onProgress?.({ received, remaining: remainingBytes });
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
