import { invariant } from '../raft/invariant.js';
import { asBuffer } from './bytes.js';

/** Kept between commands; a larger command gets a buffer of its own that is dropped again. */
const SCRATCH_BYTES = 64 * 1024;

/** Longest varint: 2^53 in groups of seven bits. */
const VARINT_BYTES_MAX = 8;

/**
 * Appends values to a scratch buffer; `finish` copies them out. One writer is reused for all commands, so that encoding
 * allocates nothing but the result.
 */
export class ByteWriter {
  readonly #kept = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #buffer = this.#kept;
  #length = 0;

  /** Forgets what an encoder wrote that did not reach its end. */
  reset(): void {
    this.#buffer = this.#kept;
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 − 1, seven bits a byte, lowest first. */
  varint(value: number): void {
    invariant(value >= 0 && Number.isSafeInteger(value), `not an unsigned safe integer: ${value}`);
    this.#reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** For numbers that are only compared with revisions: all below zero are written as −1, the largest saturate. */
  signedVarint(value: number): void {
    this.varint(value < 0 ? 0 : Math.min(value + 1, Number.MAX_SAFE_INTEGER));
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64LE(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** The bytes written since the last reset. */
  finish(): Buffer {
    const result = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(result, 0, 0, this.#length);
    this.reset();
    return result;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Thrown for bytes that no writer made. */
export class WireError extends Error {
  override name = 'WireError';
}

/** Reads what a ByteWriter wrote. Byte strings are views of the buffer, not copies. */
export class ByteReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = asBuffer(bytes);
  }

  get atEnd(): boolean {
    return this.#position === this.#buffer.length;
  }

  byte(): number {
    const value = this.#buffer[this.#position++];
    if (value === undefined) throw new WireError('ends too early');
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const next = this.byte();
      value += (next & 127) * scale;
      if (next < 128) return value;
      scale *= 128;
    }
    throw new WireError('number too large');
  }

  signedVarint(): number {
    return this.varint() - 1;
  }

  int64(): bigint {
    if (this.#position + 8 > this.#buffer.length) throw new WireError('ends too early');
    const value = this.#buffer.readBigInt64LE(this.#position);
    this.#position += 8;
    return value;
  }

  bytes(): Buffer {
    const length = this.varint();
    const end = this.#position + length;
    if (end > this.#buffer.length) throw new WireError('ends too early');
    const view = this.#buffer.subarray(this.#position, end);
    this.#position = end;
    return view;
  }
}

/**
 * The place of a name in its list. What has none must not reach the log: no member could apply it, then or after a restart.
 */
export function numberOf<T>(names: readonly T[], name: T): number {
  const index = names.indexOf(name);
  if (index < 0) throw new WireError(`unknown name ${String(name)}`);
  return index;
}

/** @throws WireError */
export function named<T>(names: readonly T[], index: number): T {
  const name = names[index];
  if (name === undefined) throw new WireError(`unknown number ${index}`);
  return name;
}
