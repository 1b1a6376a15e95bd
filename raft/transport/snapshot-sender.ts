/**
 * A snapshot on its way to another member, as the body of a POST on a connection of its own:
 *
 * ```
 * frame (frames.ts): head = index u64 | term u64 | sender's term u64 | size u64, tail = configuration
 * content, `size` bytes
 * SHA-256 of the content
 * ```
 */
import { createHash } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import { FieldWriter } from './fields.js';
import { tailOf } from './frames.js';
import type { TransportLimits } from './limits.js';
import { SNAPSHOT_PATH, STATUS } from './protocol.js';
import { type Exchange, describe, exchange } from './request.js';
import { type OutgoingSnapshot, TransportError } from './transport.js';

export const DIGEST = 'sha256';
export const DIGEST_BYTES = 32;
/** Of the line in which the other side says why it refuses. */
const ANSWER_BYTES_MAX = 1024;

type SnapshotTarget = Omit<Exchange, 'path' | 'method' | 'send' | 'answerBytesMax' | 'timeoutMs'>;

/** Resolves when the other side has installed it. Rejects with a TransportError once nothing reads `snapshot`. */
export async function sendSnapshotTo(
  target: SnapshotTarget,
  senderTerm: number,
  snapshot: OutgoingSnapshot,
  limits: Pick<TransportLimits, 'snapshotStalledMs'>,
): Promise<void> {
  const header = encodeHeader(senderTerm, snapshot);
  const { status, body } = await exchange({
    ...target,
    path: SNAPSHOT_PATH,
    method: 'POST',
    headers: {
      ...target.headers,
      'content-length': header.length + snapshot.size + DIGEST_BYTES,
      // Else a refusal that comes early would close the connection, and with it go astray (refuse.ts).
      connection: 'keep-alive',
    },
    answerBytesMax: ANSWER_BYTES_MAX,
    send: (request) => upload(request, header, snapshot, limits.snapshotStalledMs),
  });
  if (status !== STATUS.ok)
    throw new TransportError('refused', `${target.url}: ${status} ${body.toString()}`);
}

function encodeHeader(senderTerm: number, { index, term, size, configuration }: OutgoingSnapshot): Buffer {
  const tail = tailOf(Buffer.from(configuration));
  const start = new FieldWriter().number(index).number(term).number(senderTerm).number(size).seal(tail);
  return Buffer.concat([start, tail.bytes]);
}

async function upload(
  request: ClientRequest,
  header: Buffer,
  snapshot: OutgoingSnapshot,
  stalledMs: number,
): Promise<void> {
  const stalled = new TransportError('timeout', `no byte of the snapshot moved for ${stalledMs} ms`);
  request.setTimeout(stalledMs, () => request.destroy(stalled));
  // What follows, the installation, takes as long as it takes.
  request.once('finish', () => request.setTimeout(0));
  request.write(header);
  const hash = createHash(DIGEST);
  let bytes = 0;
  for await (const chunk of content(snapshot)) {
    if (request.destroyed) return;
    bytes += chunk.length;
    if (bytes > snapshot.size) break;
    hash.update(chunk);
    if (!request.write(chunk)) await room(request);
  }
  if (bytes !== snapshot.size)
    throw new TransportError('aborted', `the snapshot has not the ${snapshot.size} bytes that it says`);
  request.end(hash.digest());
}

/** A source that fails is nothing that the other side or the way to it has done. */
async function* content(snapshot: OutgoingSnapshot): AsyncGenerator<Uint8Array> {
  try {
    yield* snapshot.read();
  } catch (error) {
    throw new TransportError('aborted', `the snapshot cannot be read: ${describe(error)}`);
  }
}

function room(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done);
      request.off('close', done);
      resolve();
    };
    request.on('drain', done);
    request.on('close', done);
  });
}
