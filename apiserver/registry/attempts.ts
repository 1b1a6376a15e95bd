/**
 * Writes that depend on what is there now. The first attempt works on the cache's object, which may be old: whatever it
 * finds without writing only stands if the store has the same (decision 16). After a conflict the next attempt works on
 * what the store has. An attempt that may have written is the last: another would find what it wrote itself.
 */
import { conflict, StatusError, StoreStatusError, timeout } from '../errors.js';
import type { RequestContext } from '../request.js';
import { orderOf } from './keys.js';
import { reach, readStore, type Resource } from './resource.js';
import type { StoredItem } from './stored-item.js';

/** Another writer was faster. */
export class Conflict {
  constructor(readonly current: StoredItem | undefined) {}
}

export interface Attempts<R> {
  readonly resource: Resource;
  readonly context: RequestContext;
  readonly key: string;
  readonly name: string;
  /** After so many conflicts the client is told of one. */
  readonly max: number;
  readonly attempt: (current: StoredItem | undefined) => Promise<R | Conflict>;
  /** A result that wrote nothing. */
  readonly isUnwritten?: (result: R) => boolean;
}

/** Throws what the last attempt threw, and StatusError 409 when there were too many. */
export async function untilWritten<R>({ resource, context, key, name, ...how }: Attempts<R>): Promise<R> {
  await reach(resource, 0);
  let current = resource.cache.get(orderOf(key));
  let cached = true;
  for (let count = 1; count <= how.max; count++) {
    if (context.signal.aborted) throw timeout('the client has gone');
    let now: StoredItem | undefined;
    try {
      const result = await how.attempt(current);
      if (result instanceof Conflict) now = result.current;
      else {
        if (!cached || how.isUnwritten?.(result) !== true) return result;
        now = await readStore(resource, key);
        if (now?.revision === current?.revision) return result;
      }
    } catch (error) {
      const isFound = error instanceof StatusError && !(error instanceof StoreStatusError);
      if (!cached || !isFound) throw error;
      now = await readStore(resource, key);
      if (now?.revision === current?.revision) throw error;
    }
    current = now;
    cached = false;
  }
  throw conflict(resource.name, name);
}
