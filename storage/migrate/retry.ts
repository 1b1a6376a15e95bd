import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdError, GrpcCode } from '../errors.js';

/** How long a page, or a transaction, may take on a slow line. */
export const CALL_MS_MAX = 60_000;

const ATTEMPTS_MAX = 5;
/** After the first failure; one more with each. */
const PAUSE_MS = 500;

/**
 * Repeats a call that may be repeated, although nobody knows whether it had its effect, while the store is unavailable: a
 * leader changes, a connection is lost.
 */
export async function retrying<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const isPassing = error instanceof EtcdError && error.code === GrpcCode.Unavailable;
      if (!isPassing || attempt === ATTEMPTS_MAX || signal?.aborted === true) throw error;
      await sleep(PAUSE_MS * attempt, undefined, { signal });
    }
  }
}
