/**
 * How messages are told apart in a stream of bytes. Little-endian.
 *
 * ```
 * frame: checksum u32 | length of tail u32 | length of head u16 | head | tail
 * ```
 *
 * The head is a message's own fields; the tail is what messages to several members share: their entries. The checksum
 * (CRC-32) runs over the tail first, then the lengths and the head, so that the tail's part is computed once.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../invariant.js';
import { FrameError } from '../log/codec.js';
import { MESSAGE_BYTES_MAX } from './limits.js';

export const FRAME_PREFIX_BYTES = 10;
/** Bytes of a head; all are much smaller. */
const HEAD_BYTES_MAX = 1024;
const NO_BYTES = Buffer.alloc(0);

/** Bytes that several frames end with, and their checksum. */
export interface Tail {
  readonly bytes: Buffer;
  readonly checksum: number;
}

export const NO_TAIL: Tail = { bytes: NO_BYTES, checksum: 0 };

export interface Frame {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export function tailOf(bytes: Buffer): Tail {
  invariant(bytes.length <= MESSAGE_BYTES_MAX, `a message of ${bytes.length} bytes is too large to be sent`);
  return { bytes, checksum: crc32(bytes) };
}

/** Fills in the prefix of `start`, which is the prefix and the head; the frame is `start` and the tail's bytes. */
export function sealFrame(start: Buffer, tail: Tail): void {
  start.writeUInt32LE(tail.bytes.length, 4);
  start.writeUInt16LE(start.length - FRAME_PREFIX_BYTES, 8);
  start.writeUInt32LE(crc32(start.subarray(4), tail.checksum), 0);
}

/** Bytes of the whole frame whose prefix stands at `offset`. Throws FrameError if none is so long. */
export function frameBytes(bytes: Buffer, offset: number): number {
  const tailBytes = bytes.readUInt32LE(offset + 4);
  const headBytes = bytes.readUInt16LE(offset + 8);
  if (tailBytes > MESSAGE_BYTES_MAX || headBytes > HEAD_BYTES_MAX)
    throw new FrameError('a frame is too large');
  return FRAME_PREFIX_BYTES + headBytes + tailBytes;
}

/** The parts of exactly one frame, as views of `bytes`, its checksum verified. */
export function openFrame(bytes: Buffer): Frame {
  if (bytes.length < FRAME_PREFIX_BYTES || frameBytes(bytes, 0) !== bytes.length)
    throw new FrameError('a frame is not of the length that it gives');
  const headEnd = FRAME_PREFIX_BYTES + bytes.readUInt16LE(8);
  const tail = bytes.subarray(headEnd);
  const checksum = crc32(bytes.subarray(4, headEnd), tail.length === 0 ? 0 : crc32(tail));
  if (checksum !== bytes.readUInt32LE(0)) throw new FrameError('the checksum of a frame does not match');
  return { head: bytes.subarray(FRAME_PREFIX_BYTES, headEnd), tail };
}

/**
 * Cuts chunks into frames as they come. Holds no more than has arrived, whatever length a frame gives. Unusable after
 * it has thrown.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes without which nothing can be done. */
  #needed = FRAME_PREFIX_BYTES;

  /** The frames that `chunk` completes. Throws FrameError. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    if (this.#bytes < this.#needed) return frames;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    let offset = 0;
    for (;;) {
      const rest = bytes.length - offset;
      if (rest < FRAME_PREFIX_BYTES) {
        this.#needed = FRAME_PREFIX_BYTES;
        break;
      }
      this.#needed = frameBytes(bytes, offset);
      if (rest < this.#needed) break;
      frames.push(openFrame(bytes.subarray(offset, offset + this.#needed)));
      offset += this.#needed;
    }
    this.#chunks = offset === bytes.length ? [] : [bytes.subarray(offset)];
    this.#bytes = bytes.length - offset;
    return frames;
  }
}
