/** Takes messages out of a stream's bytes: each has a byte that says whether it is compressed, and its length. */
import { gunzipSync } from 'node:zlib';
import { EtcdError, GrpcCode } from '../../errors.js';

/** Before each message: compressed or not, then four bytes of length. */
export const PREFIX_BYTES = 5;

const COMPRESSED = 1;

export type Compression = 'identity' | 'gzip';

export class Inbox {
  readonly #bytesMax: number;
  readonly #compression: Compression;
  /** Received and not yet taken, in order. */
  #chunks: Buffer[] = [];
  #length = 0;

  /** @param bytesMax of one message, before and after it is inflated */
  constructor(bytesMax: number, compression: Compression) {
    this.#bytesMax = bytesMax;
    this.#compression = compression;
  }

  /** Less than a whole message is left. */
  get isPartial(): boolean {
    return this.#length > 0;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next message once all of it is there. @throws EtcdError */
  take(): Buffer | undefined {
    if (this.#length < PREFIX_BYTES) return undefined;
    let first = this.#first(PREFIX_BYTES);
    const length = first.readUInt32BE(1);
    if (length > this.#bytesMax) throw tooLarge(length, this.#bytesMax);
    const end = PREFIX_BYTES + length;
    if (this.#length < end) return undefined;
    first = this.#first(end);
    const flag = first[0];
    if (first.length === end) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(end);
    this.#length -= end;
    return this.#inflated(first.subarray(PREFIX_BYTES, end), flag === COMPRESSED);
  }

  /** The first chunk, joined with others until it has so many bytes. */
  #first(bytes: number): Buffer {
    let [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length < bytes) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    return first;
  }

  #inflated(message: Buffer, isCompressed: boolean): Buffer {
    if (!isCompressed) return message;
    if (this.#compression === 'identity') {
      throw new EtcdError(GrpcCode.Internal, 'grpc: compressed flag set with identity or empty encoding');
    }
    try {
      return gunzipSync(message, { maxOutputLength: this.#bytesMax });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        throw new EtcdError(
          GrpcCode.ResourceExhausted,
          `grpc: received message after decompression larger than max ${this.#bytesMax}`,
        );
      }
      throw new EtcdError(GrpcCode.Internal, 'grpc: failed to decompress the received message');
    }
  }
}

function tooLarge(length: number, bytesMax: number): EtcdError {
  return new EtcdError(
    GrpcCode.ResourceExhausted,
    `grpc: received message larger than max (${length} vs. ${bytesMax})`,
  );
}
