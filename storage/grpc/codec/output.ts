import { invariant } from '../../../raft/invariant.js';
import { NO_BYTES } from '../../bytes.js';

/** Below this many bytes a loop is faster than TypedArray.set. */
const SHORT_BYTES = 24;

const words = new Uint32Array(2);
const integers = new BigInt64Array(words.buffer);
const NONE = Buffer.from(NO_BYTES);

/**
 * Writes protobuf in two passes: the first adds up sizes and notes those of messages within messages, in order; the
 * second writes into one buffer of the exact size and takes the noted sizes in the same order. What a pass computes
 * beside (a list that was encoded before, the plain form of a message) is noted alike.
 */
export class Output {
  bytes = NONE;
  position = 0;
  readonly #sizes: number[] = [];
  #sizesTaken = 0;
  readonly #notes: unknown[] = [];
  #notesTaken = 0;

  /** Before the first pass. */
  start(): void {
    this.#sizes.length = 0;
    this.#sizesTaken = 0;
    this.#notes.length = 0;
    this.#notesTaken = 0;
  }

  /** Between the passes. */
  allocate(reserved: number, size: number): void {
    this.bytes = Buffer.allocUnsafe(reserved + size);
    this.position = reserved;
  }

  /** After the second pass. */
  finish(): Buffer {
    const { bytes } = this;
    invariant(this.position === bytes.length, 'a message was written as long as it was measured');
    this.bytes = NONE;
    this.#notes.length = 0;
    return bytes;
  }

  /** A place for the size of a message that is about to be measured. */
  reserve(): number {
    return this.#sizes.push(0) - 1;
  }

  setSize(place: number, size: number): void {
    this.#sizes[place] = size;
  }

  takeSize(): number {
    return this.#sizes[this.#sizesTaken++] ?? 0;
  }

  note(value: unknown): void {
    this.#notes.push(value);
  }

  takeNote(): unknown {
    return this.#notes[this.#notesTaken++];
  }

  /** A number below 2^32. */
  uint32(value: number): void {
    const { bytes } = this;
    let position = this.position;
    let rest = value;
    while (rest > 127) {
      bytes[position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[position++] = rest;
    this.position = position;
  }

  bool(): void {
    this.bytes[this.position++] = 1;
  }

  int32(value: number): void {
    this.number(value);
  }

  /** A whole number between −2^53 and 2^53, as 64 bits. */
  number(value: number): void {
    if (value >= 0 && value < 2 ** 32) this.uint32(value);
    else this.#halves(value >>> 0, Math.floor(value / 2 ** 32) >>> 0);
  }

  bigint(value: bigint): void {
    integers[0] = value;
    this.#halves(words[0] ?? 0, words[1] ?? 0);
  }

  data(value: Uint8Array): void {
    this.uint32(value.length);
    this.raw(value);
  }

  /** Bytes that carry their own tags and lengths. */
  raw(value: Uint8Array): void {
    const { length } = value;
    if (length >= SHORT_BYTES) {
      this.bytes.set(value, this.position);
    } else {
      for (let index = 0; index < length; index++) this.bytes[this.position + index] = value[index] ?? 0;
    }
    this.position += length;
  }

  /** Part of a buffer, with its length, without a view of it. */
  slice(source: Buffer, start: number, length: number): void {
    this.uint32(length);
    source.copy(this.bytes, this.position, start, start + length);
    this.position += length;
  }

  text(value: string, size: number): void {
    this.uint32(size);
    this.position += this.bytes.write(value, this.position, 'utf8');
  }

  #halves(low: number, high: number): void {
    const { bytes } = this;
    let position = this.position;
    let lower = low;
    let upper = high;
    while (upper !== 0 || lower > 127) {
      bytes[position++] = (lower & 127) | 128;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    bytes[position++] = lower;
    this.position = position;
  }
}

/** Bytes that the value takes as a varint. */
export function uint32Size(value: number): number {
  if (value < 2 ** 7) return 1;
  if (value < 2 ** 14) return 2;
  if (value < 2 ** 21) return 3;
  return value < 2 ** 28 ? 4 : 5;
}

export function numberSize(value: number): number {
  if (value >= 0 && value < 2 ** 32) return uint32Size(value);
  invariant(Number.isSafeInteger(value), 'revisions, counts and sizes are safe integers');
  if (value < 0) return 10;
  return highSize(Math.floor(value / 2 ** 32));
}

export function bigintSize(value: bigint): number {
  integers[0] = value;
  const high = words[1] ?? 0;
  return high === 0 ? uint32Size(words[0] ?? 0) : highSize(high);
}

/** Of 64 bits whose higher half is not 0. */
function highSize(high: number): number {
  if (high < 2 ** 3) return 5;
  if (high < 2 ** 10) return 6;
  if (high < 2 ** 17) return 7;
  if (high < 2 ** 24) return 8;
  return high < 2 ** 31 ? 9 : 10;
}

/** With the length before it. */
export function dataSize(length: number): number {
  return uint32Size(length) + length;
}

export function textSize(value: string): number {
  return Buffer.byteLength(value, 'utf8');
}
