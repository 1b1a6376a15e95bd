/**
 * The server's side of an HTTP/2 connection (RFC 9113), on a socket. Own code, because Node's costs 50 µs a call, five
 * times what is here, and refuses the `:authority` that etcd's clients send (a whole url).
 */
import type { Socket } from 'node:net';
import {
  ConnectionError,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  Flag,
  FrameType,
  PREFACE,
  Setting,
  WINDOW_BYTES_MAX,
  frame,
  goAwayFrame,
  settingsFrame,
  windowUpdateFrame,
} from './frames.js';
import { HEADER_LIST_BYTES_MAX, HeaderDecoder } from './hpack.js';
import { KeepAlive, type KeepAliveOptions } from './keep-alive.js';
import { requestHeaders } from './request-headers.js';
import { Sender } from './sender.js';
import { Stream, type RequestHeaders } from './stream.js';

/** What a client may send on one stream, and on the connection, before it is told that it was read. */
const STREAM_WINDOW_BYTES = 2 ** 20;
const CONNECTION_WINDOW_BYTES = 8 * 2 ** 20;
/** Of requests that are not complete, on all streams; more ends the connection. */
const HELD_BYTES_MAX = 64 * 2 ** 20;
/** Streams at once, where none were asked for fewer; more are refused. */
const STREAMS_MAX = 2 ** 16;
/** Of one request's header block, and frames of it: nobody needs more. */
const HEADER_BLOCK_BYTES_MAX = HEADER_LIST_BYTES_MAX;
const CONTINUATIONS_MAX = 8;
/** Answers to pings and settings that wait for a client that does not read; more ends the connection. */
const WAITING_ANSWERS_MAX = 1000;
/** Streams that a client may cancel at once, and a second: work that nobody waits for (CVE-2023-44487). */
const RESETS_BURST = 1000;
const RESETS_PER_SECOND = 100;
const HEADER_TABLE_BYTES = 4096;

export interface ConnectionOptions {
  readonly onStream: (stream: Stream, headers: RequestHeaders) => void;
  /** Told once. */
  readonly onClose: () => void;
  /** Told of what must not happen, which ends the connection. */
  readonly onError: (error: unknown) => void;
  readonly concurrentStreamsMax?: number | undefined;
  readonly keepAlive?: KeepAliveOptions | undefined;
}

export class Connection {
  readonly socket: Socket;
  readonly sender: Sender;
  readonly #options: ConnectionOptions;
  readonly #streamsMax: number;
  readonly #decoder = new HeaderDecoder();
  readonly #streams = new Map<number, Stream>();
  readonly #keepAlive: KeepAlive | undefined;
  #partial: Buffer = Buffer.alloc(0);
  #hasPreface = false;
  #hasSettings = false;
  #lastStream = 0;
  /** A header block whose end has not come. */
  #block:
    | { readonly stream: number; readonly flags: number; readonly parts: Buffer[]; bytes: number }
    | undefined;
  #unacknowledged = 0;
  #held = 0;
  #waitingAnswers = 0;
  #resets = RESETS_BURST;
  #resetsAt = performance.now();
  #isGoingAway = false;
  #isClosed = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket;
    this.sender = new Sender(socket, () => this.#keepAlive?.sent());
    this.#options = options;
    this.#streamsMax = Math.min(options.concurrentStreamsMax ?? STREAMS_MAX, STREAMS_MAX);
    this.sender.send(
      settingsFrame([
        [Setting.maxConcurrentStreams, options.concurrentStreamsMax ?? 2 ** 32 - 1],
        [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
        [Setting.maxHeaderListSize, HEADER_LIST_BYTES_MAX],
      ]),
    );
    this.sender.send(windowUpdateFrame(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
    if (options.keepAlive !== undefined) {
      this.#keepAlive = new KeepAlive(options.keepAlive, {
        ping: (payload) => this.sender.send(frame(FrameType.ping, 0, 0, payload)),
        fail: (reason) => this.#fail(new ConnectionError(ErrorCode.enhanceYourCalm, reason)),
        cut: () => socket.destroy(),
      });
    }
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => {
      this.#waitingAnswers = 0;
      this.sender.drained();
    });
    socket.once('close', () => this.#closed());
  }

  get isIdle(): boolean {
    return this.#streams.size === 0;
  }

  /** Takes no new streams, and ends with the last of those that are there. */
  close(): void {
    if (this.#isGoingAway || this.#isClosed) return;
    this.#isGoingAway = true;
    this.sender.send(goAwayFrame(this.#lastStream, ErrorCode.none));
    this.#endIfIdle();
  }

  forget(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.sender.forget(stream);
    this.#held -= stream.held;
    stream.held = 0;
    this.#endIfIdle();
  }

  /** A stream's request is read as far as it has come. */
  release(stream: Stream): void {
    this.#held -= stream.held;
    stream.held = 0;
  }

  /** Gives a stream's bytes back to the client's window, once they are worth a frame. */
  acknowledge(stream: Stream): void {
    if (stream.isPaused || stream.isRemoteEnded || stream.isClosed) return;
    if (stream.unacknowledged < STREAM_WINDOW_BYTES / 2) return;
    this.sender.send(windowUpdateFrame(stream.id, stream.unacknowledged));
    stream.unacknowledged = 0;
  }

  // What the client sends.

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#keepAlive?.received();
    try {
      const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
      this.#partial = bytes.subarray(this.#receiveFrames(bytes));
    } catch (error) {
      if (error instanceof ConnectionError) return this.#fail(error);
      this.#options.onError(error);
      this.#fail(new ConnectionError(ErrorCode.internal, 'unexpected failure'));
    }
  }

  /** The bytes of the frames that are complete. */
  #receiveFrames(bytes: Buffer): number {
    let at = 0;
    if (!this.#hasPreface) {
      if (bytes.length < PREFACE.length) return 0;
      if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) throw broken('not HTTP/2');
      this.#hasPreface = true;
      at = PREFACE.length;
    }
    while (bytes.length - at >= FRAME_HEADER_BYTES && !this.#isClosed) {
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES_MAX) throw new ConnectionError(ErrorCode.frameSize, 'a frame is too large');
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
      this.#receiveFrame(type, flags, stream, bytes.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    return at;
  }

  #receiveFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#block !== undefined && type !== FrameType.continuation) throw broken('headers were not ended');
    if (!this.#hasSettings && type !== FrameType.settings) throw broken('settings come first');
    switch (type) {
      case FrameType.data:
        return this.#receiveData(flags, stream, payload);
      case FrameType.headers:
        return this.#receiveHeaders(flags, stream, payload);
      case FrameType.continuation:
        return this.#receiveContinuation(flags, stream, payload);
      case FrameType.resetStream:
        return this.#receiveReset(stream, payload);
      case FrameType.settings:
        return this.#receiveSettings(flags, stream, payload);
      case FrameType.ping:
        return this.#receivePing(flags, stream, payload);
      case FrameType.windowUpdate:
        return this.#receiveWindowUpdate(stream, payload);
      case FrameType.pushPromise:
        throw broken('clients promise nothing');
      case FrameType.priority:
        if (payload.length !== 5)
          throw new ConnectionError(ErrorCode.frameSize, 'a priority of another size');
        return;
      default:
        // GOAWAY says nothing that a server needs; what is not known is passed over (RFC 9113 §5.5).
        return;
    }
  }

  #receiveData(flags: number, id: number, payload: Buffer): void {
    if (id === 0 || id > this.#lastStream) throw broken('data of no stream');
    this.#acknowledge(payload.length);
    const stream = this.#streams.get(id);
    const data = unpadded(flags, payload);
    if (stream === undefined) return;
    if (stream.isRemoteEnded) return stream.reset(ErrorCode.streamClosed);
    stream.unacknowledged += payload.length;
    if (stream.unacknowledged > STREAM_WINDOW_BYTES) return stream.reset(ErrorCode.flowControl);
    if (data.length > 0) {
      stream.held += data.length;
      this.#held += data.length;
      if (this.#held > HELD_BYTES_MAX)
        throw new ConnectionError(ErrorCode.enhanceYourCalm, 'too many requests');
      stream.received(data);
    }
    if ((flags & Flag.endStream) !== 0 && !stream.isClosed) stream.remoteEnded();
    else this.acknowledge(stream);
  }

  /** Whatever comes is read at once, as far as the connection's window is concerned: what streams hold is bounded. */
  #acknowledge(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged > CONNECTION_WINDOW_BYTES) {
      throw new ConnectionError(ErrorCode.flowControl, 'more than the window');
    }
    if (this.#unacknowledged < CONNECTION_WINDOW_BYTES / 2) return;
    this.sender.send(windowUpdateFrame(0, this.#unacknowledged));
    this.#unacknowledged = 0;
  }

  #receiveHeaders(flags: number, stream: number, payload: Buffer): void {
    if (stream % 2 !== 1) throw broken('a stream of that number is not the client’s');
    let fragment = unpadded(flags, payload);
    if ((flags & Flag.priority) !== 0) {
      if (fragment.length < 5) throw new ConnectionError(ErrorCode.frameSize, 'headers end too early');
      fragment = fragment.subarray(5);
    }
    if ((flags & Flag.endHeaders) !== 0) return this.#openStream(stream, flags, fragment);
    this.#block = { stream, flags, parts: [Buffer.from(fragment)], bytes: fragment.length };
  }

  #receiveContinuation(flags: number, stream: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined || block.stream !== stream) throw broken('a continuation of nothing');
    block.parts.push(Buffer.from(payload));
    block.bytes += payload.length;
    if (block.bytes > HEADER_BLOCK_BYTES_MAX || block.parts.length > CONTINUATIONS_MAX) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'too many headers');
    }
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#openStream(stream, block.flags, Buffer.concat(block.parts));
  }

  #openStream(id: number, flags: number, block: Buffer): void {
    // Also of streams that are refused: the tables of both sides go together.
    const fields = this.#decoder.decode(block);
    const isEnd = (flags & Flag.endStream) !== 0;
    const known = this.#streams.get(id);
    if (known !== undefined) {
      // Trailers, which say nothing that is used.
      if (!isEnd || known.isRemoteEnded) known.reset(ErrorCode.protocol);
      else known.remoteEnded();
      return;
    }
    if (id <= this.#lastStream) return;
    this.#lastStream = id;
    const headers = requestHeaders(fields);
    if (headers === undefined) return this.sender.sendReset(id, ErrorCode.protocol);
    if (this.#isGoingAway || this.#streams.size >= this.#streamsMax) {
      return this.sender.sendReset(id, ErrorCode.refusedStream);
    }
    const stream = new Stream(this, id, this.sender.streamWindow);
    this.#streams.set(id, stream);
    this.#options.onStream(stream, headers);
    if (isEnd && !stream.isClosed) stream.remoteEnded();
  }

  #receiveReset(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(ErrorCode.frameSize, 'a reset of another size');
    if (id === 0 || id > this.#lastStream) throw broken('a reset of no stream');
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#countReset();
    stream.close();
  }

  #countReset(): void {
    const now = performance.now();
    const regained = ((now - this.#resetsAt) / 1000) * RESETS_PER_SECOND;
    this.#resets = Math.min(RESETS_BURST, this.#resets + regained) - 1;
    this.#resetsAt = now;
    if (this.#resets < 0) throw new ConnectionError(ErrorCode.enhanceYourCalm, 'too many resets');
  }

  #receiveSettings(flags: number, stream: number, payload: Buffer): void {
    if (stream !== 0) throw broken('settings of a stream');
    this.#hasSettings = true;
    const isAck = (flags & Flag.ack) !== 0;
    if (payload.length % 6 !== 0 || (isAck && payload.length > 0)) {
      throw new ConnectionError(ErrorCode.frameSize, 'settings of another size');
    }
    if (isAck) return;
    for (let at = 0; at < payload.length; at += 6) {
      this.#applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#answer(frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0)));
  }

  #applySetting(id: number, value: number): void {
    if (id === Setting.headerTableSize) {
      if (value < HEADER_TABLE_BYTES) this.sender.sayEmptyTable();
    } else if (id === Setting.initialWindowSize) {
      this.sender.setStreamWindow(value, this.#streams.values());
    } else if (id === Setting.maxFrameSize) {
      this.sender.setFrameBytesMax(value);
    } else if (id === Setting.enablePush && value > 1) {
      throw broken('neither on nor off');
    }
  }

  #receivePing(flags: number, stream: number, payload: Buffer): void {
    if (stream !== 0) throw broken('a ping of a stream');
    if (payload.length !== 8) throw new ConnectionError(ErrorCode.frameSize, 'a ping of another size');
    if ((flags & Flag.ack) !== 0) return;
    this.#answer(frame(FrameType.ping, Flag.ack, 0, payload));
    this.#keepAlive?.pinged();
  }

  /** Whoever asks and does not read the answers is not listened to for ever. */
  #answer(bytes: Buffer): void {
    if (this.socket.writableNeedDrain && ++this.#waitingAnswers > WAITING_ANSWERS_MAX) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'answers are not read');
    }
    this.sender.send(bytes);
  }

  #receiveWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(ErrorCode.frameSize, 'an update of another size');
    if (id > this.#lastStream) throw broken('a window of no stream');
    const increment = payload.readUInt32BE() & 0x7fffffff;
    const stream = this.#streams.get(id);
    if (id === 0) {
      if (increment === 0) throw broken('an update by nothing');
      return this.sender.widen(increment);
    }
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) return stream.reset(ErrorCode.protocol);
    if (stream.sendWindow > WINDOW_BYTES_MAX) return stream.reset(ErrorCode.flowControl);
    if (stream.isWaiting) this.sender.wantsToSend(stream);
  }

  // The end.

  #fail({ code, message }: ConnectionError): void {
    if (this.#isClosed) return;
    const isDeaf = this.socket.writableNeedDrain;
    this.sender.send(goAwayFrame(this.#lastStream, code, message));
    this.sender.flush();
    this.#closed();
    // Whoever does not read will not read the reason either.
    if (isDeaf) this.socket.destroy();
    else this.socket.destroySoon();
  }

  #endIfIdle(): void {
    if (!this.#isGoingAway || this.#isClosed || this.#streams.size > 0) return;
    this.sender.flush();
    this.socket.end();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.sender.close();
    this.#keepAlive?.close();
    for (const stream of this.#streams.values()) stream.close();
    this.#options.onClose();
  }
}

const broken = (message: string) => new ConnectionError(ErrorCode.protocol, message);

function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) throw broken('more padding than payload');
  return payload.subarray(1, payload.length - padding);
}
