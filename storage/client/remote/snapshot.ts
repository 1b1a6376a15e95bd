/** A snapshot as a server streams it, taken from the connection as fast as the caller does. */
import { EtcdError } from '../../errors.js';
import { Maintenance } from '../../grpc/services.js';
import type { SnapshotChunk } from '../../server/api.js';
import type { CallSettings, Connection } from './connection.js';
import { limited } from './limits.js';

/** Chunks that have come and are not taken; then the server waits. */
const WAITING_MAX = 8;

export class SnapshotCall {
  readonly #stream;
  readonly #waiting: SnapshotChunk[] = [];
  readonly #first: Promise<void>;
  #ended: { readonly error: EtcdError | undefined } | undefined;
  #wake: () => void = () => undefined;

  constructor(connection: Connection, { token, requireLeader }: CallSettings) {
    this.#first = this.#something();
    this.#stream = connection.open(
      Maintenance.Snapshot,
      { token, requireLeader },
      {
        message: (chunk) => {
          this.#waiting.push(chunk);
          if (this.#waiting.length >= WAITING_MAX) this.#stream.pause();
          this.#wake();
        },
        ended: (error) => {
          this.#ended = { error };
          this.#wake();
        },
      },
    );
    this.#stream.send({});
    this.#stream.end();
  }

  /** Resolves when the server has begun: before, another one may be asked. Rejects with EtcdError. */
  async begun({ deadline, signal }: CallSettings): Promise<void> {
    try {
      await limited(this.#first, deadline, signal);
      if (this.#waiting.length === 0 && this.#ended?.error !== undefined) throw this.#ended.error;
    } catch (error) {
      this.#stream.cancel();
      throw error;
    }
  }

  /** Read once. @throws EtcdError */
  async *chunks(signal: AbortSignal | undefined): AsyncGenerator<SnapshotChunk> {
    const abort = () => {
      this.#ended ??= { error: EtcdError.of('Canceled') };
      this.#wake();
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        const chunk = this.#waiting.shift();
        if (signal?.aborted === true) throw EtcdError.of('Canceled');
        if (chunk !== undefined) yield chunk;
        else if (this.#ended?.error !== undefined) throw this.#ended.error;
        else if (this.#ended !== undefined) return;
        else {
          const something = this.#something();
          this.#stream.resume();
          await something;
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#stream.cancel();
    }
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
