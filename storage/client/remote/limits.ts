/** Bounds on waiting: a deadline by performance.now(), and a signal. */
import { setMaxListeners } from 'node:events';
import { EtcdError } from '../../errors.js';

/** The same outcome, unless the time is over (DeadlineExceeded) or the signal aborts (Canceled) before. */
export function limited<T>(
  promise: Promise<T>,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  // Many calls may wait with one signal: each takes its listener off again.
  if (signal !== undefined) setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const stop = (name: 'DeadlineExceeded' | 'Canceled') => {
      end();
      reject(EtcdError.of(name));
    };
    const abort = () => stop('Canceled');
    const timer = setTimeout(() => stop('DeadlineExceeded'), Math.max(0, deadline - performance.now()));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    promise.then(resolve, reject).finally(end);
  });
}

/** Longer with each attempt, from 50 ms to 2 s, and half of it by chance, so that many clients do not come at once. */
export class Backoff {
  #attempts = 0;

  next(): number {
    const ms = Math.min(BACKOFF_MS_MIN * 2 ** this.#attempts, BACKOFF_MS_MAX);
    this.#attempts += 1;
    return ms / 2 + (Math.random() * ms) / 2;
  }

  reset(): void {
    this.#attempts = 0;
  }
}

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 2000;
