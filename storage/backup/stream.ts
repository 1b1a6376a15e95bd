import { createHash } from 'node:crypto';
import type { OutgoingSnapshot } from '../../raft/transport/transport.js';
import type { CallOptions, ResponseHeader } from '../client/interface.js';
import { EtcdError, GrpcCode } from '../errors.js';
import type { SnapshotChunk } from '../server/api.js';
import { ETCD_VERSION } from '../version.js';

/** Bytes of a chunk at most: few enough messages to cost nothing, small enough not to hold up others on a connection. */
export const CHUNK_BYTES_MAX = 256 * 1024;

export interface SnapshotSource {
  /** A copy that holds everything that was applied before the call. */
  readonly copy: () => Promise<OutgoingSnapshot>;
  readonly header: () => ResponseHeader;
}

/**
 * Maintenance.Snapshot of etcd's API: this member's database as of the call, then its SHA-256 as a chunk of its own. The
 * copy is made when the first chunk is asked for, read as chunks are taken, and removed when the stream ends or is left.
 *
 * @throws EtcdError: Canceled, DeadlineExceeded, Stopped, or Internal for what the disk said
 */
export async function* snapshotStream(
  source: SnapshotSource,
  options: CallOptions = {},
): AsyncGenerator<SnapshotChunk, void, undefined> {
  const deadline = performance.now() + (options.timeout ?? Infinity);
  const check = () => {
    if (options.signal?.aborted === true) throw EtcdError.of('Canceled');
    if (performance.now() > deadline) throw EtcdError.of('DeadlineExceeded');
  };
  check();
  const copy = await source.copy().catch((error: unknown) => {
    throw cannot(error);
  });
  try {
    const header = source.header();
    const hash = createHash('sha256');
    let remainingBytes = copy.size;
    for await (const blob of pieces(copy)) {
      check();
      hash.update(blob);
      remainingBytes -= blob.length;
      yield { header, remainingBytes, blob, version: ETCD_VERSION };
    }
    if (remainingBytes !== 0) throw cannot(new Error('its copy was cut short'));
    check();
    yield { header, remainingBytes, blob: hash.digest(), version: ETCD_VERSION };
  } finally {
    await copy.release();
  }
}

async function* pieces(copy: OutgoingSnapshot): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of copy.read()) {
      for (let start = 0; start < part.length; start += CHUNK_BYTES_MAX) {
        yield part.subarray(start, start + CHUNK_BYTES_MAX);
      }
    }
  } catch (error) {
    throw cannot(error);
  }
}

function cannot(error: unknown): EtcdError {
  if (error instanceof EtcdError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new EtcdError(GrpcCode.Internal, `the snapshot cannot be made: ${detail}`);
}
