/** The receiving end of snapshots (snapshot-sender.ts gives their form). */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FrameError } from '../log/codec.js';
import { ByteSource } from './byte-source.js';
import { FieldReader } from './fields.js';
import { FRAME_PREFIX_BYTES, frameBytes, openFrame } from './frames.js';
import { CONFIGURATION_BYTES_MAX, type TransportLimits } from './limits.js';
import type { LogOnce } from './log-once.js';
import { STATUS, hex } from './protocol.js';
import { refuse } from './refuse.js';
import { describe } from './request.js';
import { DIGEST, DIGEST_BYTES } from './snapshot-sender.js';
import type { IncomingSnapshot, TransportHandler } from './transport.js';

const HEADER_BYTES_MAX = CONFIGURATION_BYTES_MAX + 1024;

export interface SnapshotReceiverOptions {
  readonly limits: Pick<TransportLimits, 'snapshotStalledMs'>;
  readonly log: LogOnce;
  readonly handler: Pick<TransportHandler, 'receiveSnapshot'>;
}

interface Transfer {
  readonly request: IncomingMessage;
  /** All of it is here; it is being installed. */
  arrived: boolean;
}

/**
 * One snapshot at a time of each sender. A newer one ends an older one that has not arrived: who sends a second has given
 * the first up, which this side may not have noticed. One that has arrived is being installed; then the newer one is
 * refused, since it will hardly be needed.
 */
export class SnapshotReceiver {
  readonly #transfers = new Map<bigint, Transfer>();

  constructor(private readonly options: SnapshotReceiverOptions) {}

  /** Never rejects. */
  async receive(request: IncomingMessage, response: ServerResponse, from: bigint): Promise<void> {
    const { log } = this.options;
    const older = this.#transfers.get(from);
    if (older?.arrived === true) {
      refuse(request, response, { status: STATUS.refused, text: 'another snapshot is being installed' });
      return;
    }
    older?.request.destroy(new Error('the sender has begun another snapshot'));
    const transfer: Transfer = { request, arrived: false };
    this.#transfers.set(from, transfer);
    try {
      await this.#take(transfer, from);
      response.writeHead(STATUS.ok, { 'content-length': 0 }).end();
    } catch (error) {
      log.warn(
        `snapshot of ${hex(from)}`,
        { peer: hex(from) },
        `a snapshot was not taken: ${describe(error)}`,
      );
      const status = error instanceof FrameError ? STATUS.malformed : STATUS.refused;
      refuse(request, response, { status, text: 'the snapshot was not taken' });
    } finally {
      if (this.#transfers.get(from) === transfer) this.#transfers.delete(from);
    }
  }

  async #take(transfer: Transfer, from: bigint): Promise<void> {
    const { request } = transfer;
    const { limits, handler } = this.options;
    const { snapshotStalledMs } = limits;
    request.setTimeout(snapshotStalledMs, () =>
      request.destroy(new Error(`no byte of a snapshot came for ${snapshotStalledMs} ms`)),
    );
    const source = new ByteSource(request);
    try {
      const header = await readHeader(source, request);
      await handler.receiveSnapshot({ ...header, from, content: contentOf(source, header.size, transfer) });
    } finally {
      source.release();
    }
  }
}

async function readHeader(
  source: ByteSource,
  request: IncomingMessage,
): Promise<Omit<IncomingSnapshot, 'from' | 'content'>> {
  const prefix = await source.exactly(FRAME_PREFIX_BYTES);
  const bytes = frameBytes(prefix, 0);
  if (bytes > HEADER_BYTES_MAX) throw new FrameError('the header of a snapshot is too large');
  const rest = await source.exactly(bytes - FRAME_PREFIX_BYTES);
  const { head, tail: configuration } = openFrame(Buffer.concat([prefix, rest]));
  const fields = new FieldReader(head);
  const position = { index: fields.number(), term: fields.number() };
  const [senderTerm, size] = [fields.number(), fields.number()];
  fields.end();
  if (Number(request.headers['content-length']) !== bytes + size + DIGEST_BYTES)
    throw new FrameError('the length of a snapshot is not what its header says');
  return { ...position, senderTerm, size, configuration };
}

async function* contentOf(source: ByteSource, size: number, transfer: Transfer): AsyncGenerator<Uint8Array> {
  const hash = createHash(DIGEST);
  for await (const chunk of source.chunks(size)) {
    hash.update(chunk);
    yield chunk;
  }
  const digest = await source.exactly(DIGEST_BYTES);
  if (!digest.equals(hash.digest())) throw new Error('the checksum of a snapshot does not match');
  transfer.arrived = true;
  transfer.request.setTimeout(0);
}
