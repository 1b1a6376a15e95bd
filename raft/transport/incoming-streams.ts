/** The receiving end of the other members' streams. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Message } from '../core/messages.js';
import { FrameError } from '../log/codec.js';
import { decodeMessage } from './codec.js';
import { type Frame, FrameReader } from './frames.js';
import type { TransportLimits } from './limits.js';
import type { LogOnce } from './log-once.js';
import { ACKNOWLEDGEMENT_BYTES } from './outgoing-stream.js';
import { type Identity, STATUS, hex } from './protocol.js';
import { describe } from './request.js';

export interface IncomingStreamsOptions {
  readonly self: Identity;
  readonly limits: Pick<TransportLimits, 'windowBytes' | 'acknowledgeMs'>;
  readonly log: LogOnce;
  readonly receive: (message: Message) => void;
  readonly received: (from: bigint, bytes: number) => void;
}

/** At most one stream of each member: a new one means that the old one is dead, known here or not. */
export class IncomingStreams {
  readonly #streams = new Map<bigint, IncomingStream>();

  constructor(private readonly options: IncomingStreamsOptions) {}

  accept(request: IncomingMessage, response: ServerResponse, from: bigint): void {
    this.#streams.get(from)?.destroy();
    const stream = new IncomingStream(this.options, request, response, from);
    this.#streams.set(from, stream);
    request.once('close', () => {
      if (this.#streams.get(from) === stream) this.#streams.delete(from);
    });
  }

  has(from: bigint): boolean {
    return this.#streams.has(from);
  }

  /** Cuts the streams of these, so that they are told why when they connect again. */
  cut(members: readonly bigint[]): void {
    for (const [from, stream] of this.#streams) if (members.includes(from)) stream.destroy();
  }
}

class IncomingStream {
  readonly #reader = new FrameReader();
  #destroyed = false;
  #unacknowledged = 0;
  #acknowledgement: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: IncomingStreamsOptions,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly from: bigint,
  ) {
    response.writeHead(STATUS.ok, { 'content-type': 'application/octet-stream' });
    response.flushHeaders();
    request.on('data', (chunk: Buffer) => this.#read(chunk));
    // Told by the sender's next connection, or its absence.
    request.on('error', () => undefined);
    request.once('close', () => this.destroy());
    request.once('end', () => this.destroy());
  }

  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#acknowledgement);
    this.request.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#destroyed) return;
    this.options.received(this.from, chunk.length);
    for (const message of this.#decode(chunk)) {
      // What receives may have closed the transport.
      if (this.#destroyed) return;
      this.options.receive(message);
    }
    this.#acknowledgeSoon(chunk.length);
  }

  /** What is no message ends the connection: nothing after it can be told apart. */
  #decode(chunk: Buffer): Message[] {
    try {
      return this.#reader.push(chunk).map((frame) => this.#open(frame));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const fields = { peer: hex(this.from), detail: describe(error) };
      this.options.log.warn(`from ${hex(this.from)}`, fields, 'a peer sends what is no message');
      this.destroy();
      return [];
    }
  }

  #open(frame: Frame): Message {
    const message = decodeMessage(frame);
    if (message.from !== this.from || message.to !== this.options.self.memberId)
      throw new FrameError('a message is not between the members of its stream');
    return message;
  }

  #acknowledgeSoon(bytes: number): void {
    const { windowBytes, acknowledgeMs } = this.options.limits;
    this.#unacknowledged += bytes;
    // Often enough for the sender never to wait for the timer.
    if (this.#unacknowledged >= windowBytes / 4) this.#acknowledge();
    else this.#acknowledgement ??= setTimeout(() => this.#acknowledge(), acknowledgeMs).unref();
  }

  #acknowledge(): void {
    clearTimeout(this.#acknowledgement);
    this.#acknowledgement = undefined;
    if (this.#destroyed || this.#unacknowledged === 0) return;
    const bytes = Buffer.allocUnsafe(ACKNOWLEDGEMENT_BYTES);
    bytes.writeUInt32LE(this.#unacknowledged);
    this.#unacknowledged = 0;
    this.response.write(bytes);
  }
}
