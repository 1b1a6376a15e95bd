/** The protobuf wire format, as far as Kubernetes uses it. */

/** A message that ends in the middle, or a field of a wire type that its type cannot have. */
export class WireError extends Error {}

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Messages nested deeper than this are refused: they are read by recursion, and nothing that is meant comes near. */
export const MESSAGE_DEPTH_MAX = 500;

/** Tags are 32 bits wide: 29 of them the field's number, 3 the wire type. */
const TAG_MAX = 2 ** 32 - 1;

/**
 * Reads a message and those inside it in place: `enter` narrows the reader to a message inside, `leave` goes on behind
 * it. Invariant: position <= end <= bytes.length.
 */
export class WireReader {
  #position = 0;
  #end: number;
  #depth = 0;

  constructor(private readonly bytes: Buffer) {
    this.#end = bytes.length;
  }

  /** At the end of the message that was entered last. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** Field number × 8 + wire type: `fieldOf` and `wireTypeOf` take it apart. */
  tag(): number {
    const tag = this.integer();
    if (tag < 8 || tag > TAG_MAX) throw new WireError(`proto: illegal tag ${tag}`);
    return tag;
  }

  /** A signed 64-bit integer; beyond 2^53 the nearest double, as JSON.parse reads such numbers. */
  integer(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#position >= this.#end) throw new WireError('unexpected EOF');
      const byte = this.bytes[this.#position++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
    }
    throw new WireError('proto: integer overflow');
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#advance(8));
  }

  text(encoding: 'utf8' | 'base64' = 'utf8'): string {
    const length = this.integer();
    if (length === 0) return '';
    const start = this.#advance(length);
    return this.bytes.toString(encoding, start, this.#position);
  }

  /** Shares memory with the message. */
  raw(): Buffer {
    const start = this.#advance(this.integer());
    return this.bytes.subarray(start, this.#position);
  }

  /** Begins a message inside; what it gives back is for `leave`. */
  enter(): number {
    const outer = this.#end;
    const length = this.integer();
    this.#require(length);
    if (++this.#depth > MESSAGE_DEPTH_MAX) throw new WireError('proto: exceeded max depth');
    this.#end = this.#position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#depth--;
    this.#end = outer;
  }

  skip(tag: number): void {
    const wireType = wireTypeOf(tag);
    if (wireType === VARINT) this.integer();
    else if (wireType === FIXED64) this.#advance(8);
    else if (wireType === BYTES) this.#advance(this.integer());
    else if (wireType === FIXED32) this.#advance(4);
    else throw new WireError(`proto: illegal wireType ${wireType}`);
  }

  #advance(length: number): number {
    this.#require(length);
    const start = this.#position;
    this.#position += length;
    return start;
  }

  #require(length: number): void {
    if (length < 0 || this.#position + length > this.#end) throw new WireError('unexpected EOF');
  }
}

export const fieldOf = (tag: number): number => Math.floor(tag / 8);
export const wireTypeOf = (tag: number): number => tag % 8;
