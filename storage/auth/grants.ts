import type { Permission } from '../server/api.js';
import { KeyIntervals } from './key-intervals.js';

/** What the roles of a user allow together. */
export class Grants {
  readonly #reads: KeyIntervals;
  readonly #writes: KeyIntervals;

  constructor(permissions: readonly Permission[]) {
    this.#reads = new KeyIntervals(permissions.filter(({ type }) => type !== 'write'));
    this.#writes = new KeyIntervals(permissions.filter(({ type }) => type !== 'read'));
  }

  /** Role root: every key, and all that is no key. */
  get isAdmin(): boolean {
    return this === EVERYTHING;
  }

  mayRead(key: Uint8Array, rangeEnd?: Uint8Array): boolean {
    return this === EVERYTHING || this.#reads.covers(key, rangeEnd);
  }

  mayWrite(key: Uint8Array, rangeEnd?: Uint8Array): boolean {
    return this === EVERYTHING || this.#writes.covers(key, rangeEnd);
  }
}

export const EVERYTHING: Grants = new Grants([]);
