/**
 * As much of a gRPC client as a load needs, at a tenth of what a complete one costs: HTTP/2 frames written to a socket,
 * header blocks made once, messages handed over as they are, an answer without a message taken for a failure.
 */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FrameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const FRAME_HEADER_BYTES = 9;
/** Of a frame that we send: what every server takes. */
const FRAME_BYTES_MAX = 16_384;
const GRPC_PREFIX_BYTES = 5;
/** What the server may send before it must wait; given back by half. */
const WINDOW_BYTES = 2 ** 30;
const SETTING_HEADER_TABLE_SIZE = 1;
const SETTING_INITIAL_WINDOW_SIZE = 4;
/** What we may send on a connection before the server says more. */
const FIRST_WINDOW_BYTES = 65_535;

const EMPTY: Buffer = Buffer.alloc(0);

export interface Call {
  /** One whole message. */
  onMessage(message: Buffer): void;
  onEnd(): void;
}

interface OpenCall extends Call {
  /** Of a message that is not yet complete. */
  parts: Buffer[];
  partBytes: number;
}

export class Http2Connection {
  readonly #socket: Socket;
  readonly #calls = new Map<number, OpenCall>();
  readonly #blocks = new Map<string, Buffer>();
  readonly #waiting: Buffer[] = [];
  #nextId = 1;
  #received = EMPTY;
  #sendWindow = FIRST_WINDOW_BYTES;
  #takenBytes = 0;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(SETTING_HEADER_TABLE_SIZE, 0);
    settings.writeUInt16BE(SETTING_INITIAL_WINDOW_SIZE, 6);
    settings.writeUInt32BE(WINDOW_BYTES, 8);
    socket.write(Buffer.concat([Buffer.from(PREFACE), frame(FrameType.settings, 0, 0, settings)]));
    this.#giveWindow(WINDOW_BYTES);
  }

  static async open(port: number): Promise<Http2Connection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Http2Connection(socket);
  }

  /** `end`: nothing more is sent. Returns the stream, for `send` and `cancel`. */
  call(path: string, message: Buffer, call: Call, end = true): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#calls.set(id, { ...bound(call), parts: [], partBytes: 0 });
    const headers = frame(FrameType.headers, END_HEADERS, id, this.#block(path));
    this.#socket.cork();
    this.#socket.write(headers);
    this.send(id, message, end);
    this.#socket.uncork();
    return id;
  }

  /** The answer's message; undefined when there was none. */
  unary(path: string, message: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      let answer: Buffer | undefined;
      this.call(path, message, {
        onMessage: (message) => {
          answer = message;
        },
        onEnd: () => resolve(answer),
      });
    });
  }

  send(id: number, message: Buffer, end = false): void {
    const prefix = Buffer.alloc(GRPC_PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    const bytes = Buffer.concat([prefix, message]);
    for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
      const isLast = at + FRAME_BYTES_MAX >= bytes.length;
      const flags = isLast && end ? END_STREAM : 0;
      this.#waiting.push(frame(FrameType.data, flags, id, bytes.subarray(at, at + FRAME_BYTES_MAX)));
    }
    this.#sendWaiting();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #sendWaiting(): void {
    for (;;) {
      const [next] = this.#waiting;
      const bytes = (next?.length ?? 0) - FRAME_HEADER_BYTES;
      if (next === undefined || bytes > this.#sendWindow) return;
      this.#waiting.shift();
      this.#sendWindow -= bytes;
      this.#socket.write(next);
    }
  }

  #block(path: string): Buffer {
    let block = this.#blocks.get(path);
    if (block === undefined) {
      block = headerBlock(path);
      this.#blocks.set(path, block);
    }
    return block;
  }

  #take(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const id = bytes.readUInt32BE(5) & 0x7fffffff;
      this.#takeFrame(bytes[3] ?? 0, bytes[4] ?? 0, id, bytes.subarray(FRAME_HEADER_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#received = bytes;
  }

  #takeFrame(type: number, flags: number, id: number, body: Buffer): void {
    switch (type) {
      case FrameType.data:
        this.#takeData(id, body);
        break;
      case FrameType.settings:
        if ((flags & ACK) === 0) this.#socket.write(frame(FrameType.settings, ACK, 0, EMPTY));
        return;
      case FrameType.ping:
        if ((flags & ACK) === 0) this.#socket.write(frame(FrameType.ping, ACK, 0, body));
        return;
      case FrameType.windowUpdate:
        if (id === 0) {
          this.#sendWindow += body.readUInt32BE(0);
          this.#sendWaiting();
        }
        return;
      case FrameType.goAway:
        return this.#end();
      default:
    }
    const isLast = type === FrameType.data || type === FrameType.headers ? (flags & END_STREAM) !== 0 : false;
    if (isLast || type === FrameType.reset) this.#finish(id);
  }

  #takeData(id: number, body: Buffer): void {
    this.#takenBytes += body.length;
    if (this.#takenBytes > WINDOW_BYTES / 2) {
      this.#giveWindow(this.#takenBytes);
      this.#takenBytes = 0;
    }
    const call = this.#calls.get(id);
    if (call === undefined) return;
    call.parts.push(body);
    call.partBytes += body.length;
    let bytes = call.parts[0] as Buffer;
    if (call.partBytes < GRPC_PREFIX_BYTES) return;
    if (bytes.length < GRPC_PREFIX_BYTES) bytes = merge(call);
    while (call.partBytes >= GRPC_PREFIX_BYTES) {
      const end = GRPC_PREFIX_BYTES + bytes.readUInt32BE(1);
      if (call.partBytes < end) return;
      if (bytes.length < end) bytes = merge(call);
      call.onMessage(bytes.subarray(GRPC_PREFIX_BYTES, end));
      bytes = bytes.subarray(end);
      call.parts = bytes.length === 0 ? [] : [bytes];
      call.partBytes = bytes.length;
    }
  }

  #giveWindow(bytes: number): void {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(bytes, 0);
    this.#socket.write(frame(FrameType.windowUpdate, 0, 0, increment));
  }

  #finish(id: number): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    call?.onEnd();
  }

  #end(): void {
    if (!this.#closed) for (const id of this.#calls.keys()) this.#finish(id);
  }
}

const bound = (call: Call): Call => ({
  onMessage: (message) => call.onMessage(message),
  onEnd: () => call.onEnd(),
});

function merge(call: OpenCall): Buffer {
  const bytes = Buffer.concat(call.parts);
  call.parts = [bytes];
  return bytes;
}

function frame(type: number, flags: number, id: number, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(id, 5);
  body.copy(bytes, FRAME_HEADER_BYTES);
  return bytes;
}

const literal = (text: string) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
/** Without indexing (RFC 7541 §6.2.2), so that the block is the same each time. */
const field = (name: string, value: string) => Buffer.concat([Buffer.of(0), literal(name), literal(value)]);

function headerBlock(path: string): Buffer {
  return Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':path', path),
    field(':authority', '127.0.0.1'),
    field('te', 'trailers'),
    field('content-type', 'application/grpc'),
  ]);
}
