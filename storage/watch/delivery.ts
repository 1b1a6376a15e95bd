import type { WatchResponse } from '../client/interface.js';
import { ResponseQueue } from './queue.js';

export interface DeliveryOptions {
  readonly stream: { resume(): void; close(): void };
  /** The receiver has said "not now". */
  readonly onRefused?: () => void;
  /** The receiver is broken: what it threw. Whoever sends goes on. */
  readonly onBroken: (error: unknown) => void;
}

/** Hands a watch stream's responses to its receiver, in order, and stops at the first that is refused. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: ResponseQueue;
  #receiver: (response: WatchResponse) => boolean;
  /** Not delivered; its first may have been refused. */
  readonly #waiting: WatchResponse[] = [];
  #isRefused = false;
  #isDelivering = false;
  #isEnded = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#queue = new ResponseQueue(options.stream);
    this.#receiver = this.#queue.receive;
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Responses that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get waitingEvents(): number {
    return this.#waiting.reduce((sum, { events }) => sum + events.length, 0);
  }

  /** For who iterates: what is received as long as there is no other receiver. */
  get iterator(): AsyncIterator<WatchResponse> {
    return this.#queue;
  }

  /** Takes the place of the receiver before; `resume` begins. */
  setReceiver(receiver: (response: WatchResponse) => boolean): void {
    this.#receiver = receiver;
    this.#waiting.unshift(...this.#queue.take());
  }

  send(response: WatchResponse): void {
    this.#waiting.push(response);
    this.#deliver();
  }

  resume(): void {
    this.#isRefused = false;
    this.#deliver();
  }

  end(error: Error | undefined): void {
    this.#isEnded = true;
    this.#queue.end(error);
  }

  /** In order, also when the receiver calls back into the stream. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.#isRefused && !this.#isEnded) {
        const response = this.#waiting[0];
        if (response === undefined) break;
        if (this.#receiver(response)) {
          this.#waiting.shift();
        } else {
          this.#isRefused = true;
          this.#options.onRefused?.();
        }
      }
    } catch (error) {
      this.#options.onBroken(error);
    } finally {
      this.#isDelivering = false;
    }
  }
}
