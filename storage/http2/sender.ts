import type { Socket } from 'node:net';
import {
  ConnectionError,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  Flag,
  FrameType,
  WINDOW_BYTES_MAX,
  frame,
  frameHeader,
  resetFrame,
  writeFrameHeader,
} from './frames.js';
import { EMPTY_TABLE } from './hpack.js';
import type { Stream } from './stream.js';

/** Answers that wait for the client's windows, on all streams; who would have more wait is cut off from its stream. */
const QUEUED_BYTES_MAX = 512 * 2 ** 20;
/** What waits in the socket before data waits in its streams. */
const SOCKET_BUFFER_BYTES = 256 * 1024;
/** Below so many bytes it is cheaper to join what is written than to write it in pieces. */
const JOINED_BYTES_MAX = 64 * 1024;

/** The sending half of a connection: frames in order, data as far as the client's windows and the socket take it. */
export class Sender {
  /** Bytes that wait in streams. */
  queued = 0;
  readonly #socket: Socket;
  readonly #onSent: () => void;
  /** Streams with bytes to send that their windows take, served in turn. */
  readonly #sending = new Set<Stream>();
  #window = DEFAULT_WINDOW_BYTES;
  #streamWindow = DEFAULT_WINDOW_BYTES;
  #frameBytesMax = FRAME_BYTES_MAX;
  #saysEmptyTable = false;
  #out: Buffer[] = [];
  #outBytes = 0;
  #willFlush = false;
  #isClosed = false;

  /** @param onSent told when there was something to tell the client */
  constructor(socket: Socket, onSent: () => void) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  /** Of a new stream, in bytes. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** The socket takes more. */
  drained(): void {
    if (this.#sending.size > 0) this.#flushSoon();
  }

  // What the client has said of what it takes.

  /** @throws ConnectionError */
  setFrameBytesMax(bytes: number): void {
    if (bytes < FRAME_BYTES_MAX || bytes >= 2 ** 24) {
      throw new ConnectionError(ErrorCode.protocol, 'a frame size that may not be');
    }
    this.#frameBytesMax = bytes;
  }

  /** Header blocks use no table; its decoder has to be told once. */
  sayEmptyTable(): void {
    this.#saysEmptyTable = true;
  }

  /** @throws ConnectionError */
  setStreamWindow(bytes: number, streams: Iterable<Stream>): void {
    checkWindow(bytes);
    const change = bytes - this.#streamWindow;
    this.#streamWindow = bytes;
    for (const stream of streams) {
      stream.sendWindow += change;
      checkWindow(stream.sendWindow);
      if (stream.isWaiting) this.wantsToSend(stream);
    }
  }

  /** @throws ConnectionError */
  widen(increment: number): void {
    this.#window += increment;
    checkWindow(this.#window);
    if (this.#sending.size > 0) this.#flushSoon();
  }

  sendHeaders(stream: number, block: Buffer, end: boolean): void {
    this.#onSent();
    const size = this.#saysEmptyTable ? [EMPTY_TABLE] : [];
    this.#saysEmptyTable = false;
    const whole = size.length === 0 ? block : Buffer.concat([...size, block]);
    let flags: number = end ? Flag.endStream : 0;
    let type: number = FrameType.headers;
    let start = 0;
    for (; whole.length - start > this.#frameBytesMax; start += this.#frameBytesMax) {
      this.send(frame(type, flags, stream, whole.subarray(start, start + this.#frameBytesMax)));
      type = FrameType.continuation;
      flags = 0;
    }
    this.send(frame(type, flags | Flag.endHeaders, stream, whole.subarray(start)));
  }

  sendEnd(stream: number): void {
    this.send(frameHeader(0, FrameType.data, Flag.endStream, stream));
  }

  sendReset(stream: number, code: ErrorCode): void {
    this.send(resetFrame(stream, code));
  }

  /** Headers, data and trailers in one piece. False: the windows do not take them now. */
  sendWhole(stream: Stream, headers: Buffer, data: Buffer, trailers: Buffer): boolean {
    const { length } = data;
    if (length > this.#frameBytesMax || length > this.#window || length > stream.sendWindow) return false;
    if (this.#sending.size > 0 || this.#isFull() || this.#saysEmptyTable) return false;
    this.#window -= length;
    stream.sendWindow -= length;
    this.#onSent();
    const { id } = stream;
    const whole = Buffer.allocUnsafe(3 * FRAME_HEADER_BYTES + headers.length + length + trailers.length);
    let at = writeFrameHeader(whole, 0, headers.length, FrameType.headers, Flag.endHeaders, id);
    whole.set(headers, at);
    at = writeFrameHeader(whole, at + headers.length, length, FrameType.data, 0, id);
    whole.set(data, at);
    const flags = Flag.endHeaders | Flag.endStream;
    at = writeFrameHeader(whole, at + length, trailers.length, FrameType.headers, flags, id);
    whole.set(trailers, at);
    this.send(whole);
    return true;
  }

  /** It has nothing to send any more. */
  forget(stream: Stream): void {
    this.#sending.delete(stream);
  }

  /** Counts what is about to wait. False: it must not. */
  mayQueue(bytes: number): boolean {
    if (this.queued + bytes > QUEUED_BYTES_MAX) return false;
    this.queued += bytes;
    return true;
  }

  wantsToSend(stream: Stream): void {
    this.#sending.add(stream);
    this.#flushSoon();
  }

  send(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    this.#flushSoon();
  }

  /** What is sent within one turn leaves in one write. */
  #flushSoon(): void {
    if (this.#willFlush || this.#isClosed) return;
    this.#willFlush = true;
    process.nextTick(flush, this);
  }

  flush(): void {
    this.#willFlush = false;
    if (this.#isClosed) return;
    this.#pump();
    const out = this.#out;
    const bytes = this.#outBytes;
    if (out.length === 0) return;
    this.#out = [];
    this.#outBytes = 0;
    const socket = this.#socket;
    if (out.length === 1 && out[0] !== undefined) {
      socket.write(out[0]);
    } else if (bytes <= JOINED_BYTES_MAX) {
      socket.write(Buffer.concat(out, bytes));
    } else {
      socket.cork();
      for (const piece of out) socket.write(piece);
      socket.uncork();
    }
  }

  #isFull(): boolean {
    return this.#outBytes + this.#socket.writableLength >= SOCKET_BUFFER_BYTES;
  }

  /** Moves data of streams into what is written, a frame of each in turn. */
  #pump(): void {
    for (;;) {
      let isMoved = false;
      for (const stream of this.#sending) {
        if (this.#window <= 0 || this.#isFull()) return;
        if (!stream.isWaiting || stream.sendWindow <= 0) {
          this.#sending.delete(stream);
        } else {
          this.#sendFrame(stream);
          isMoved = true;
        }
      }
      if (!isMoved) return;
    }
  }

  #sendFrame(stream: Stream): void {
    const { data, isLast } = stream.take(Math.min(this.#frameBytesMax, this.#window, stream.sendWindow));
    this.#window -= data.length;
    this.#onSent();
    const header = frameHeader(data.length, FrameType.data, isLast ? Flag.endStream : 0, stream.id);
    this.#out.push(header, data);
    this.#outBytes += header.length + data.length;
    if (!stream.isWaiting) this.#sending.delete(stream);
    stream.sent(isLast);
  }
}

function flush(sender: Sender): void {
  sender.flush();
}

function checkWindow(bytes: number): void {
  if (bytes > WINDOW_BYTES_MAX) throw new ConnectionError(ErrorCode.flowControl, 'a window is too large');
}
