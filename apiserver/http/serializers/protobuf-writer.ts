/**
 * Writes the protobuf wire format from its end to its beginning: a message's length is known once its content is written,
 * so nothing is measured first and nothing moved. Whoever writes a message writes its last field first, and of each field
 * the value, then the tag.
 */

/** A value that its field cannot hold. */
export class EncodeError extends Error {}

/** How many bytes a length takes. */
export function varintBytes(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

/** Puts a length into a buffer and gives the place behind it. */
export function putVarint(target: Buffer, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) target[next++] = (rest & 0x7f) | 0x80;
  target[next++] = rest;
  return next;
}

const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this is not kept for the next message. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Texts of at most so many characters are copied one by one while they are ASCII; calls out of JavaScript cost more. */
const SHORT_TEXT = 32;

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** Everything from here on is written. */
  #at = INITIAL_BYTES;

  /** Bytes written so far, which is how places are named. */
  get written(): number {
    return this.#bytes.length - this.#at;
  }

  /** What was written, in memory of its own; the writer is empty again. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.written);
    this.#bytes.copy(taken, 0, this.#at);
    this.reset();
    return taken;
  }

  reset(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    this.#at = this.#bytes.length;
  }

  /** A field's number × 8 + wire type. */
  tag(tag: number): void {
    this.varint(tag);
  }

  /** The length of a message that ended at the place `end`. */
  length(end: number): void {
    this.varint(this.written - end);
  }

  /** An integer. Negative ones take ten bytes, as in Go. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.#reserve(1);
      this.#bytes[--this.#at] = value;
    } else if (value >= 0 && value <= 0x7fff_ffff) {
      const size = varintBytes(value);
      this.#reserve(size);
      this.#at -= size;
      putVarint(this.#bytes, this.#at, value);
    } else this.#long(value);
  }

  #long(value: number): void {
    const groups: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80);
    this.raw(Buffer.from([...groups, Number(rest)]));
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** With its length in front. */
  text(text: string): void {
    const end = this.written;
    if (text.length > SHORT_TEXT || !this.#ascii(text)) {
      const size = Buffer.byteLength(text);
      this.#reserve(size);
      this.#at -= size;
      this.#bytes.write(text, this.#at, 'utf8');
    }
    this.length(end);
  }

  /** False, with nothing written, where there is more in it. */
  #ascii(text: string): boolean {
    this.#reserve(text.length);
    const start = this.#at - text.length;
    for (let i = text.length - 1; i >= 0; i--) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[start + i] = code;
    }
    this.#at = start;
    return true;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  #reserve(count: number): void {
    if (count <= this.#at) return;
    const { written } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, written + count));
    this.#bytes.copy(grown, grown.length - written, this.#at);
    this.#at = grown.length - written;
    this.#bytes = grown;
  }
}
