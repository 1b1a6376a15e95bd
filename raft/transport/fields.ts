/** Writes and reads the fields of a frame's head. Little-endian; numbers and ids take eight bytes. */
import { invariant } from '../invariant.js';
import { FrameError } from '../log/codec.js';
import { FRAME_PREFIX_BYTES, sealFrame, type Tail } from './frames.js';

const TWO_32 = 2 ** 32;
/** Room for the prefix and any head there is. */
const START_BYTES = 128;

export class FieldWriter {
  readonly #bytes = Buffer.allocUnsafe(START_BYTES);
  #offset = FRAME_PREFIX_BYTES;

  byte(value: number): this {
    this.#offset = this.#bytes.writeUInt8(value, this.#offset);
    return this;
  }

  boolean(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  number(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, `${value} is no unsigned integer below 2^53`);
    this.#bytes.writeUInt32LE(value % TWO_32, this.#offset);
    this.#offset = this.#bytes.writeUInt32LE(Math.floor(value / TWO_32), this.#offset + 4);
    return this;
  }

  id(value: bigint): this {
    this.#offset = this.#bytes.writeBigUInt64LE(value, this.#offset);
    return this;
  }

  /** The frame's prefix and head, to be followed by the tail's bytes. */
  seal(tail: Tail): Buffer {
    const start = this.#bytes.subarray(0, this.#offset);
    sealFrame(start, tail);
    return start;
  }
}

/** Every method throws FrameError where the bytes are not what a FieldWriter makes. */
export class FieldReader {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.#offset === this.bytes.length;
  }

  byte(): number {
    return this.bytes.readUInt8(this.#take(1));
  }

  boolean(): boolean {
    const value = this.byte();
    if (value > 1) throw new FrameError(`${value} is no boolean`);
    return value === 1;
  }

  number(): number {
    const offset = this.#take(8);
    const value = this.bytes.readUInt32LE(offset + 4) * TWO_32 + this.bytes.readUInt32LE(offset);
    if (!Number.isSafeInteger(value)) throw new FrameError('a number exceeds 2^53');
    return value;
  }

  id(): bigint {
    return this.bytes.readBigUInt64LE(this.#take(8));
  }

  end(): void {
    if (!this.atEnd) throw new FrameError('bytes follow the last field');
  }

  #take(bytes: number): number {
    const offset = this.#offset;
    if (offset + bytes > this.bytes.length) throw new FrameError('a field is cut short');
    this.#offset += bytes;
    return offset;
  }
}
