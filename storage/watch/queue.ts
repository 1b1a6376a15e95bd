import type { WatchResponse } from '../client/interface.js';
import { eventBytes } from './events.js';

/** Bytes of events that wait for a reader; past it the stream pauses. */
const QUEUE_BYTES_MAX = 2 ** 20;
/** Responses that wait, so that many small ones are bounded too. */
const QUEUE_RESPONSES_MAX = 1024;

interface Reader {
  readonly resolve: (result: IteratorResult<WatchResponse>) => void;
  readonly reject: (error: Error) => void;
}

/** What iterates over a stream: a receiver that keeps a bounded number of responses. */
export class ResponseQueue implements AsyncIterator<WatchResponse> {
  readonly #stream: { resume(): void; close(): void };
  readonly #responses: { readonly response: WatchResponse; readonly bytes: number }[] = [];
  readonly #readers: Reader[] = [];
  #bytes = 0;
  #refused = false;
  #ended: { readonly error: Error | undefined } | undefined;

  constructor(stream: { resume(): void; close(): void }) {
    this.#stream = stream;
  }

  /** A receiver as `WatchStream.deliver` takes it. */
  readonly receive = (response: WatchResponse): boolean => {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: response });
      return true;
    }
    if (this.#responses.length > 0 && this.#isFull()) {
      this.#refused = true;
      return false;
    }
    let bytes = 0;
    for (const event of response.events) bytes += eventBytes(event);
    this.#responses.push({ response, bytes });
    this.#bytes += bytes;
    return true;
  };

  /** Hands over what waits, for a receiver that takes its place. */
  take(): WatchResponse[] {
    this.#bytes = 0;
    return this.#responses.splice(0).map(({ response }) => response);
  }

  end(error: Error | undefined): void {
    this.#ended = { error };
    for (const reader of this.#readers.splice(0)) {
      if (error === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
  }

  next(): Promise<IteratorResult<WatchResponse>> {
    const first = this.#responses.shift();
    if (first !== undefined) {
      this.#bytes -= first.bytes;
      this.#goOn();
      return Promise.resolve({ done: false, value: first.response });
    }
    if (this.#ended?.error !== undefined) return Promise.reject(this.#ended.error);
    if (this.#ended !== undefined) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<WatchResponse>> {
    this.#stream.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #isFull(): boolean {
    return this.#bytes >= QUEUE_BYTES_MAX || this.#responses.length >= QUEUE_RESPONSES_MAX;
  }

  /** Half empty, so that a slow reader does not wake the stream for each response. */
  #goOn(): void {
    if (!this.#refused) return;
    if (this.#bytes > QUEUE_BYTES_MAX / 2 || this.#responses.length > QUEUE_RESPONSES_MAX / 2) return;
    this.#refused = false;
    this.#stream.resume();
  }
}
