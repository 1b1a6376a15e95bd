/**
 * etcd's Go clients before 3.5 dial an endpoint as they are given it, and so say that the authority they speak to is
 * `http://127.0.0.1:2379`: no authority, by HTTP/2's grammar. Go's servers do not look; nghttp2, which Node has, resets
 * the stream. So the first request of a connection is looked at before Node's, and slashes in its authority are made
 * dashes. That changes the length of nothing, nor what either side keeps for later requests (RFC 7541 §2.3.2).
 */
import type { Duplex } from 'node:stream';

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const FrameType = { headers: 1, settings: 4, ping: 6 } as const;
const FLAG_ACK = 1;
const FLAG_PADDED = 8;
const FLAG_PRIORITY = 32;
const PRIORITY_BYTES = 5;
/** A SETTINGS frame without settings: a client may wait for the server's before its first request. */
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, FrameType.settings, 0, 0, 0, 0, 0]);
/** Of what comes before the first request; what is more is no client's. */
const HELD_BYTES_MAX = 64 * 1024;
/** In HPACK's static table. */
const AUTHORITY_INDEX = 1;
const SLASH = 0x2f;
const DASH = 0x2d;
/** In HPACK's Huffman code. */
const SLASH_BITS = 6;
const SLASH_CODE = 0b011000;
const DASH_CODE = 0b010110;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Holds a connection that speaks HTTP/2 until its first request is there; then what was read is put back, and `ready`
 * called. Nothing happens when the connection ends before.
 *
 * @param seen what was read of it, from its first byte
 */
export function holdForAuthority(socket: Duplex, seen: Buffer, ready: () => void): void {
  const held = new HeldConnection(socket);
  const finish = (bytes: Buffer) => {
    socket.off('readable', read);
    socket.unshift(bytes);
    ready();
  };
  const read = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const bytes = held.take(chunk);
    if (bytes !== undefined) finish(bytes);
  };
  const bytes = held.take(seen);
  if (bytes !== undefined) {
    socket.unshift(bytes);
    ready();
    return;
  }
  socket.on('readable', read);
}

class HeldConnection {
  readonly #socket: Duplex;
  #bytes: Buffer = Buffer.alloc(0);
  /** Of the frame that is read next. */
  #position = PREFACE_BYTES;
  #hasRequest = false;
  #greeted = false;
  /** The acknowledgement of what greeted it, which is not for Node, has yet to come. */
  #awaitsAck = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** All that was read, once there is no more to wait for. */
  take(chunk: Buffer): Buffer | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#takeFrame(frame);
    if (this.#bytes.length > HELD_BYTES_MAX) return this.#bytes;
    if (!this.#hasRequest && !this.#greeted) this.#greet();
    return this.#hasRequest && !this.#awaitsAck ? this.#bytes : undefined;
  }

  #greet(): void {
    this.#greeted = true;
    this.#awaitsAck = true;
    this.#socket.write(EMPTY_SETTINGS);
  }

  #next(): Frame | undefined {
    const start = this.#position;
    if (this.#bytes.length < start + FRAME_HEADER_BYTES) return undefined;
    const end = start + FRAME_HEADER_BYTES + this.#bytes.readUIntBE(start, 3);
    if (this.#bytes.length < end) return undefined;
    return { type: this.#bytes[start + 3] ?? 0, flags: this.#bytes[start + 4] ?? 0, start, end };
  }

  #takeFrame({ type, flags, start, end }: Frame): void {
    this.#position = end;
    const isAck = (flags & FLAG_ACK) !== 0;
    if (type === FrameType.headers && !this.#hasRequest) {
      this.#hasRequest = true;
      correctAuthority(this.#bytes.subarray(start + FRAME_HEADER_BYTES, end), flags);
    } else if (type === FrameType.settings && isAck && this.#awaitsAck) {
      this.#awaitsAck = false;
      this.#drop(start, end);
    } else if (type === FrameType.ping && !isAck) {
      const answer = Buffer.from(this.#bytes.subarray(start, end));
      answer[4] = FLAG_ACK;
      this.#socket.write(answer);
      this.#drop(start, end);
    }
  }

  #drop(start: number, end: number): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(0, start), this.#bytes.subarray(end)]);
    this.#position = start;
  }
}

/** In place, in the payload of a HEADERS frame. What cannot be read is left to Node. */
export function correctAuthority(payload: Buffer, flags: number): void {
  const padding = (flags & FLAG_PADDED) !== 0 ? 1 : 0;
  const start = padding + ((flags & FLAG_PRIORITY) !== 0 ? PRIORITY_BYTES : 0);
  const end = payload.length - (padding === 1 ? (payload[0] ?? 0) : 0);
  const reader = new BlockReader(payload, start, end);
  while (reader.position < end) {
    const value = reader.field();
    if (value === undefined) return;
    if (value === 'other') continue;
    const text = payload.subarray(value.start, value.end);
    if (value.isHuffman) dashHuffman(text);
    else dashPlain(text);
    return;
  }
}

interface StringPlace {
  readonly isHuffman: boolean;
  readonly start: number;
  readonly end: number;
}

/** Reads a header block field by field (RFC 7541 §6) without decoding what it passes over. */
class BlockReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  position: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = end;
    this.position = start;
  }

  /** Where the authority's value is, when the field is it; undefined when this is no header block. */
  field(): StringPlace | 'other' | undefined {
    const first = this.#bytes[this.position] ?? 0;
    if (first >= 0x80) {
      this.#integer(7);
      return 'other';
    }
    if (first >= 0x20 && first < 0x40) {
      this.#integer(5);
      return 'other';
    }
    const name = this.#integer(first >= 0x40 ? 6 : 4);
    if (name === 0 && this.#string() === undefined) return undefined;
    const value = this.#string();
    return name === AUTHORITY_INDEX || value === undefined ? value : 'other';
  }

  #string(): StringPlace | undefined {
    const isHuffman = (this.#bytes[this.position] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.position;
    this.position += length;
    return this.position <= this.#end ? { isHuffman, start, end: this.position } : undefined;
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const max = 2 ** prefixBits - 1;
    let value = (this.#bytes[this.position++] ?? 0) & max;
    if (value < max) return value;
    for (let factor = 1; this.position < this.#end; factor *= 128) {
      const byte = this.#bytes[this.position++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  }
}

function dashPlain(text: Buffer): void {
  for (const [index, byte] of text.entries()) if (byte === SLASH) text[index] = DASH;
}

/** Lengths in bits of the codes that begin with so many: all that a url has of (RFC 7541, Appendix B). */
const CODES = [
  { bits: 5, first: 0, last: 9 },
  { bits: 6, first: 20, last: 45 },
  { bits: 7, first: 92, last: 123 },
  { bits: 8, first: 248, last: 253 },
];

/** The slash's code and the dash's are of the same length. */
function dashHuffman(text: Buffer): void {
  const bits = text.length * 8;
  for (let at = 0; at < bits; ) {
    const found = CODES.find(({ bits, first, last }) => {
      const code = readBits(text, at, bits);
      return code >= first && code <= last;
    });
    if (found === undefined || at + found.bits > bits) return;
    if (found.bits === SLASH_BITS && readBits(text, at, SLASH_BITS) === SLASH_CODE) {
      writeBits(text, at, SLASH_BITS, DASH_CODE);
    }
    at += found.bits;
  }
}

/** Where a bit is; past the end all are 0. */
const byteAt = (bytes: Buffer, at: number) => bytes[at >> 3] ?? 0;
const maskAt = (at: number) => 0x80 >> (at & 7);

function readBits(bytes: Buffer, at: number, count: number): number {
  let code = 0;
  for (let i = at; i < at + count; i += 1) code = code * 2 + ((byteAt(bytes, i) & maskAt(i)) === 0 ? 0 : 1);
  return code;
}

function writeBits(bytes: Buffer, at: number, count: number, code: number): void {
  for (let i = 0; i < count; i += 1) {
    const place = at + i;
    const isSet = ((code >> (count - 1 - i)) & 1) === 1;
    bytes[place >> 3] = isSet ? byteAt(bytes, place) | maskAt(place) : byteAt(bytes, place) & ~maskAt(place);
  }
}
