import type { Readable } from 'node:stream';

/** Takes counted bytes out of a stream, which goes on flowing only as they are taken. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  /** The stream stays whole when the reading ends early: its other direction may still be needed. */
  constructor(stream: Readable) {
    this.#chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Throws if the stream ends before. */
  async exactly(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.chunks(bytes)) parts.push(part);
    return Buffer.concat(parts, bytes);
  }

  /** As they come, until there were so many bytes. Throws if the stream ends before. */
  async *chunks(bytes: number): AsyncGenerator<Buffer> {
    let missing = bytes;
    while (missing > 0) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#next();
      const part = chunk.subarray(0, missing);
      this.#rest = chunk.subarray(part.length);
      missing -= part.length;
      yield part;
    }
  }

  /** Nothing is taken any more: the stream may be read in another way. */
  release(): void {
    this.#chunks.return?.().catch(() => undefined);
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next();
    if (done === true) throw new Error('the stream ended early');
    return value;
  }
}
