/** One connection to another member: messages one way, acknowledgements of their bytes the other. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { KEEP_ALIVE_MS, type TransportLimits } from './limits.js';
import { STATUS } from './protocol.js';
import { type RequestTarget, describe, openRequest, readBody } from './request.js';

/** An acknowledgement: how many more bytes the receiver has taken in, u32 little-endian. */
export const ACKNOWLEDGEMENT_BYTES = 4;
/** Buffers are joined into pieces of about this size: copying costs less than writing many. Larger ones stay alone. */
const PIECE_BYTES = 64 * 2 ** 10;
/** Of the line in which the other side says why it refuses. */
const REFUSAL_BYTES_MAX = 1024;

export type StreamEnd =
  | { readonly type: 'lost'; readonly detail: string }
  | { readonly type: 'refused'; readonly status: number; readonly detail: string };

export interface StreamEvents {
  /** From here on `write` may be called. */
  accepted(): void;
  /** There may be room in the window again. */
  acknowledged(): void;
  /** Called once, and last, unless `close` was called. */
  ended(end: StreamEnd): void;
}

export class OutgoingStream {
  #state: 'opening' | 'accepted' | 'ended' = 'opening';
  #request: ClientRequest | undefined;
  readonly #deadline: NodeJS.Timeout;
  #partial: Buffer = Buffer.alloc(0);
  /** Invariant: 0 ≤ unacknowledged. */
  #unacknowledged = 0;
  /** When the receiver last took in something, or had nothing to. Milliseconds of `performance.now()`. */
  #progressAt = 0;

  constructor(
    target: RequestTarget,
    limits: Pick<TransportLimits, 'acceptMs'>,
    private readonly events: StreamEvents,
  ) {
    const { acceptMs } = limits;
    // After a stall of this process, what has come in meanwhile speaks first.
    const expire = () => setImmediate(() => this.#notAccepted(acceptMs));
    this.#deadline = setTimeout(expire, acceptMs).unref();
    // Not at once, so that `ended` never comes out of the constructor.
    queueMicrotask(() => this.#open(target));
  }

  get accepted(): boolean {
    return this.#state === 'accepted';
  }

  /** Bytes on the way. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** All of it in one write. Only while accepted. */
  write(buffers: readonly Buffer[], bytes: number): void {
    if (this.#request === undefined) return;
    if (this.#unacknowledged === 0) this.#progressAt = performance.now();
    this.#unacknowledged += bytes;
    this.#request.cork();
    for (const piece of piecesOf(buffers)) this.#request.write(piece);
    this.#request.uncork();
  }

  /** Ends the stream if the receiver has taken in nothing for so long, of what there was. */
  checkProgress(now: number, stalledMs: number): void {
    if (this.#unacknowledged > 0 && now - this.#progressAt > stalledMs)
      this.#lost(`nothing was taken in for ${stalledMs} ms`);
  }

  close(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#deadline);
    this.#request?.destroy();
  }

  #open(target: RequestTarget): void {
    if (this.#state === 'ended') return;
    const lost = (error: unknown) => this.#lost(describe(error));
    try {
      this.#request = openRequest(target);
    } catch (error) {
      lost(error);
      return;
    }
    this.#request.setSocketKeepAlive(true, KEEP_ALIVE_MS);
    this.#request.once('socket', (socket) => socket.unref());
    this.#request.on('error', lost);
    this.#request.on('close', () => this.#lost('the connection was closed'));
    this.#request.once('response', (response) => this.#answered(response));
    this.#request.flushHeaders();
  }

  #answered(response: IncomingMessage): void {
    if (this.#state === 'ended') return;
    response.on('error', (error) => this.#lost(describe(error)));
    const status = response.statusCode ?? 0;
    if (status !== STATUS.ok) {
      const refused = (detail: string) => this.#end({ type: 'refused', status, detail });
      readBody(response, REFUSAL_BYTES_MAX).then(
        (body) => refused(body.toString()),
        () => refused(''),
      );
      return;
    }
    clearTimeout(this.#deadline);
    this.#state = 'accepted';
    response.on('data', (chunk: Buffer) => this.#acknowledge(chunk));
    response.on('end', () => this.#lost('the other side ended the stream'));
    this.events.accepted();
  }

  #notAccepted(acceptMs: number): void {
    if (this.#state === 'opening') this.#lost(`not accepted within ${acceptMs} ms`);
  }

  #acknowledge(chunk: Buffer): void {
    if (this.#state === 'ended') return;
    const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let offset = 0;
    for (; offset + ACKNOWLEDGEMENT_BYTES <= bytes.length; offset += ACKNOWLEDGEMENT_BYTES)
      this.#unacknowledged -= bytes.readUInt32LE(offset);
    this.#partial = bytes.subarray(offset);
    if (this.#unacknowledged < 0) {
      this.#lost('more was acknowledged than was sent');
      return;
    }
    this.#progressAt = performance.now();
    this.events.acknowledged();
  }

  #lost(detail: string): void {
    this.#end({ type: 'lost', detail });
  }

  #end(end: StreamEnd): void {
    if (this.#state === 'ended') return;
    this.close();
    this.events.ended(end);
  }
}

function* piecesOf(buffers: readonly Buffer[]): Generator<Buffer> {
  let piece: Buffer[] = [];
  let bytes = 0;
  for (const buffer of buffers) {
    if (bytes > 0 && bytes + buffer.length > PIECE_BYTES) {
      yield joined(piece, bytes);
      piece = [];
      bytes = 0;
    }
    piece.push(buffer);
    bytes += buffer.length;
  }
  if (bytes > 0) yield joined(piece, bytes);
}

function joined(buffers: readonly Buffer[], bytes: number): Buffer {
  const [first] = buffers;
  return buffers.length === 1 && first !== undefined ? first : Buffer.concat(buffers, bytes);
}
