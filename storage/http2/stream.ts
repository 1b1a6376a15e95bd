import type { Connection } from './connection.js';
import { ErrorCode } from './frames.js';

/** Request headers by name, with HTTP/2's own (`:method`, `:path`, …); of several of a name, joined by a comma. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** Who answers a stream. Nothing is told after `closed`. */
export interface StreamHandler {
  /** Belongs to the handler from now on. */
  received(chunk: Buffer): void;
  /** The client sends no more. */
  ended(): void;
  /** After a `write` that said false. */
  drained(): void;
  closed(): void;
}

/** What waits for a client that does not read, before whoever writes is told so, in bytes. */
const SEND_BUFFER_BYTES = 256 * 1024;

/** One exchange of a connection. Bytes go out as far as the client's windows allow; the rest waits here. */
export class Stream {
  readonly id: number;
  readonly connection: Connection;
  /** What the client takes of this stream, in bytes. May be negative (RFC 9113 §6.9.2). */
  sendWindow: number;
  /** The client has sent its last. */
  isRemoteEnded = false;
  /** Our last is said, though it may still wait. */
  isEnding = false;
  /** Nothing is to come from either side. */
  isClosed = false;
  /** Received and not yet given back to the client's window. */
  unacknowledged = 0;
  isPaused = false;
  /** Of a request that is not complete, in bytes. */
  held = 0;
  #handler: StreamHandler | undefined;
  #hasHeaders = false;
  #queue: Buffer[] = [];
  #queued = 0;
  #trailers: Buffer | undefined;
  #wantsDrain = false;

  constructor(connection: Connection, id: number, sendWindow: number) {
    this.connection = connection;
    this.id = id;
    this.sendWindow = sendWindow;
  }

  get hasHeaders(): boolean {
    return this.#hasHeaders;
  }

  /** Bytes wait for the client's windows. */
  get isWaiting(): boolean {
    return this.#queued > 0;
  }

  serve(handler: StreamHandler): void {
    this.#handler = handler;
  }

  /** @param block of headers */
  respond(block: Buffer, { end = false } = {}): void {
    if (this.isClosed || this.#hasHeaders) return;
    this.#hasHeaders = true;
    this.connection.sender.sendHeaders(this.id, block, end);
    if (end) this.#finish();
  }

  /** False: more than should wait, `drained` is told when less does. */
  write(data: Buffer): boolean {
    if (this.isClosed || this.isEnding || data.length === 0) return true;
    if (!this.connection.sender.mayQueue(data.length)) {
      this.reset(ErrorCode.enhanceYourCalm);
      return true;
    }
    this.#queue.push(data);
    this.#queued += data.length;
    this.connection.sender.wantsToSend(this);
    if (this.#queued < SEND_BUFFER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** @param trailers a block of headers that ends the stream; absent: the data ends it */
  end(trailers?: Buffer): void {
    if (this.isClosed || this.isEnding) return;
    this.isEnding = true;
    this.#trailers = trailers;
    if (this.#queued === 0) this.#sendEnd();
  }

  /** Headers, one message and trailers together, where the windows take them at once. */
  sendWhole(headers: Buffer, data: Buffer, trailers: Buffer): void {
    if (this.isClosed || this.isEnding) return;
    if (!this.#hasHeaders && this.connection.sender.sendWhole(this, headers, data, trailers)) {
      this.#hasHeaders = true;
      this.isEnding = true;
      this.#finish();
      return;
    }
    this.respond(headers);
    this.write(data);
    this.end(trailers);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.connection.acknowledge(this);
  }

  reset(code: ErrorCode): void {
    if (this.isClosed) return;
    this.connection.sender.sendReset(this.id, code);
    this.close();
  }

  /** The next bytes to send, at most so many; the last ones of the stream's own data say so. */
  take(bytesMax: number): { readonly data: Buffer; readonly isLast: boolean } {
    const [first = Buffer.alloc(0)] = this.#queue;
    const data = first.length <= bytesMax ? first : first.subarray(0, bytesMax);
    if (data.length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(bytesMax);
    this.#queued -= data.length;
    this.connection.sender.queued -= data.length;
    this.sendWindow -= data.length;
    return { data, isLast: this.#queued === 0 && this.isEnding && this.#trailers === undefined };
  }

  /** After bytes were taken. */
  sent(isLast: boolean): void {
    if (isLast) this.#finish();
    else if (this.#queued === 0 && this.isEnding) this.#sendEnd();
    else if (this.#wantsDrain && this.#queued < SEND_BUFFER_BYTES / 2) {
      this.#wantsDrain = false;
      this.#handler?.drained();
    }
  }

  received(chunk: Buffer): void {
    if (!this.isEnding) this.#handler?.received(chunk);
  }

  remoteEnded(): void {
    this.isRemoteEnded = true;
    if (!this.isEnding) this.#handler?.ended();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#queue = [];
    this.connection.sender.queued -= this.#queued;
    this.#queued = 0;
    this.connection.forget(this);
    this.#handler?.closed();
  }

  #sendEnd(): void {
    if (this.#trailers === undefined) this.connection.sender.sendEnd(this.id);
    else this.connection.sender.sendHeaders(this.id, this.#trailers, true);
    this.#finish();
  }

  /** All is said: what the client would still send is of no interest (RFC 9113 §8.1). */
  #finish(): void {
    this.isEnding = true;
    if (!this.isRemoteEnded) this.connection.sender.sendReset(this.id, ErrorCode.none);
    this.close();
  }
}
