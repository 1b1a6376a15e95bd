import { asBuffer } from '../../bytes.js';
import { WireError } from '../../wire.js';

/** Bytes of the longest varint: 64 bits in groups of seven. */
const VARINT_BYTES_MAX = 10;

/**
 * Messages within messages, so that a few bytes for each level cannot exhaust the stack. Protobuf's usual limit; a
 * transaction takes two levels (itself, and the operation that holds it).
 */
export const DEPTH_MAX = 100;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
const WIRE_GROUP = 3;
const WIRE_GROUP_END = 4;
const WIRE_FIXED32 = 5;

const words = new Uint32Array(2);
const signed = new BigInt64Array(words.buffer);
const unsigned = new BigUint64Array(words.buffer);

/**
 * Reads protobuf. Byte strings are views, not copies. Every read is bounded by `end`, the end of the message that is
 * read; all methods throw WireError. Numbers of 64 bits that are read as `number` saturate at ±(2^53 − 1).
 */
export class Input {
  readonly bytes: Buffer;
  position = 0;
  depth = 0;
  /** Halves of the varint read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = asBuffer(bytes);
  }

  /** Field number and wire type of the next field. */
  tag(end: number): number {
    const byte = this.bytes[this.position] ?? 0;
    if (byte > 7 && byte < 128 && this.position < end) {
      this.position += 1;
      return byte;
    }
    this.#varint(end);
    const tag = this.#low;
    if (this.#high !== 0 || tag < 8) throw new WireError('not a field number');
    return tag;
  }

  /** Enters a message, or a packed list: its end. */
  open(end: number): number {
    this.#varint(end);
    const inner = this.position + this.#low;
    if (this.#high !== 0 || inner > end) throw new WireError('ends too early');
    return inner;
  }

  enter(end: number): number {
    if (++this.depth > DEPTH_MAX) throw new WireError('messages are nested too deeply');
    return this.open(end);
  }

  data(end: number): Buffer {
    const inner = this.open(end);
    const view = this.bytes.subarray(this.position, inner);
    this.position = inner;
    return view;
  }

  text(end: number): string {
    const inner = this.open(end);
    const value = this.bytes.toString('utf8', this.position, inner);
    this.position = inner;
    return value;
  }

  bool(end: number): boolean {
    this.#varint(end);
    return (this.#low | this.#high) !== 0;
  }

  int32(end: number): number {
    this.#varint(end);
    return this.#low | 0;
  }

  uint32(end: number): number {
    this.#varint(end);
    return this.#low;
  }

  int64(end: number): number {
    this.#varint(end);
    const value = (this.#high | 0) * 2 ** 32 + this.#low;
    return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
  }

  uint64(end: number): number {
    this.#varint(end);
    return Math.min(this.#high * 2 ** 32 + this.#low, Number.MAX_SAFE_INTEGER);
  }

  bigInt64(end: number): bigint {
    this.#varint(end);
    words[0] = this.#low;
    words[1] = this.#high;
    return signed[0] ?? 0n;
  }

  bigUint64(end: number): bigint {
    this.#varint(end);
    words[0] = this.#low;
    words[1] = this.#high;
    return unsigned[0] ?? 0n;
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number, end: number): void {
    let groups = 0;
    let next = tag;
    for (;;) {
      const type = next & 7;
      if (type === WIRE_GROUP) groups += 1;
      else if (type === WIRE_GROUP_END) groups -= 1;
      else this.#skipValue(type, end);
      if (groups < 0) throw new WireError('a group ends that did not begin');
      if (groups === 0) return;
      next = this.tag(end);
    }
  }

  #skipValue(type: number, end: number): void {
    if (type === WIRE_VARINT) this.#varint(end);
    else if (type === WIRE_BYTES) this.position = this.open(end);
    else if (type === WIRE_FIXED64) this.position += 8;
    else if (type === WIRE_FIXED32) this.position += 4;
    else throw new WireError('not a wire type');
    if (this.position > end) throw new WireError('ends too early');
  }

  /** Into two halves, as numbers from 0 to 2^32 − 1. Bits beyond the 64th are dropped. */
  #varint(end: number): void {
    const { bytes } = this;
    let position = this.position;
    let low = 0;
    let high = 0;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (position >= end) throw new WireError('ends too early');
      const byte = bytes[position++] ?? 0;
      const bits = byte & 127;
      if (count < 4) low |= bits << (7 * count);
      else if (count > 4) high |= bits << (7 * count - 32);
      else {
        low |= bits << 28;
        high = bits >>> 4;
      }
      if (byte < 128) {
        this.position = position;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new WireError('number too large');
  }
}
