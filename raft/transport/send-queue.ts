/** Messages that wait for room on the way to one member. */
import type { EncodedMessage } from './codec.js';

export interface Batch {
  readonly buffers: Buffer[];
  readonly bytes: number;
}

/**
 * Two queues: heartbeats, votes and answers go ahead of entries and proposals, which keep their order. Raft takes
 * messages in any order; an append that arrives before the one it follows only costs a round trip.
 */
export class SendQueue {
  #urgent: EncodedMessage[] = [];
  #bulk: EncodedMessage[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(message: EncodedMessage): void {
    (message.urgent ? this.#urgent : this.#bulk).push(message);
    this.#bytes += message.bytes;
  }

  /** Takes messages out until there are `bytesMin` or none is left. */
  take(bytesMin: number): Batch {
    const buffers: Buffer[] = [];
    const before = this.#bytes;
    this.#urgent = this.#takeFrom(this.#urgent, buffers, before - bytesMin);
    this.#bulk = this.#takeFrom(this.#bulk, buffers, before - bytesMin);
    return { buffers, bytes: before - this.#bytes };
  }

  /** What is left once no more than `bytesLeft` wait in both queues. */
  #takeFrom(messages: EncodedMessage[], into: Buffer[], bytesLeft: number): EncodedMessage[] {
    let taken = 0;
    for (const message of messages) {
      if (this.#bytes <= bytesLeft) break;
      into.push(...message.buffers);
      this.#bytes -= message.bytes;
      taken++;
    }
    return taken === messages.length ? [] : messages.slice(taken);
  }

  clear(): void {
    this.#urgent = [];
    this.#bulk = [];
    this.#bytes = 0;
  }
}
