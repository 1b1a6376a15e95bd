import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { CallOptions } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { Compactor } from '../mvcc/compactor.js';
import type { HashRows } from '../mvcc/hash-rows.js';
import type { SqliteHistory } from '../mvcc/history.js';
import type { MvccStore } from '../mvcc/store.js';
import { crc32c } from './crc32c.js';
import { RevisionHash } from './revision-hash.js';

/** Requests wait so long at most, in milliseconds. */
const TURN_MS = 2;

/** `inBackground`: nobody waits for it, so that it takes no more than half of the thread. */
export interface HashOptions extends CallOptions {
  readonly inBackground?: boolean;
}

/** Rows read at once; one after so many bytes, because a value may have more than a megabyte. */
const READ_ROWS_MAX = 16;
const READ_BYTES_MAX = 128 * 1024;
const READ_LEASES = 256;

/** Lease ids are 64-bit signed integers. */
const BEFORE_ALL_IDS = -(2n ** 63n);

export interface HashState {
  readonly isOpen: boolean;
  readonly store: MvccStore;
  readonly history: SqliteHistory;
  readonly compactor: Compactor;
  /** Another object when a snapshot has taken the state's place. */
  readonly hashRows: HashRows;
}

export interface HashKv {
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
  /** The store's, when the hash began. */
  readonly currentRevision: number;
}

/**
 * Hashes of what this member holds, made in short turns between requests, one hash at a time. Nothing is removed
 * meanwhile; what is written meanwhile lies above the revision that is hashed.
 */
export class Hasher {
  readonly #state: HashState;
  readonly #onDamage: (error: Error) => void;
  #last: Promise<unknown> = Promise.resolve();

  /** `onDamage`: the database cannot be read. */
  constructor(state: HashState, onDamage: (error: Error) => void) {
    this.#state = state;
    this.#onDamage = onDamage;
  }

  /** @throws EtcdError: Compacted, FutureRev, Stopped, Canceled, Corrupt */
  hashKv(revision: number, options?: HashOptions): Promise<HashKv> {
    return this.#inOrder(() => this.#whole(options, (turns) => this.#hashKv(revision, turns)));
  }

  /** Of all rows, also those that are yet to be removed, of leases, alarms, users and roles. */
  hash(options?: CallOptions): Promise<{ readonly hash: number; readonly revision: number }> {
    return this.#inOrder(() => this.#whole(options, (turns) => this.#hashAll(turns)));
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** From the start again where a snapshot has taken the place of what was being hashed. */
  async #whole<T>(
    options: HashOptions | undefined,
    work: (turns: Turns) => Promise<T | undefined>,
  ): Promise<T> {
    for (;;) {
      if (!this.#state.isOpen) throw EtcdError.of('Stopped');
      const { compactor } = this.#state;
      const resume = compactor.pause();
      try {
        const result = await work(new Turns(this.#state, options));
        if (result !== undefined) return result;
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error;
        this.#onDamage(error);
        throw EtcdError.of('Corrupt');
      } finally {
        resume();
      }
    }
  }

  async #hashKv(asked: number, turns: Turns): Promise<HashKv | undefined> {
    const { store, history } = this.#state;
    const { revision: currentRevision, compacted } = store;
    if (asked > 0 && asked < compacted) throw EtcdError.of('Compacted');
    if (asked > currentRevision) throw EtcdError.of('FutureRev');
    const revision = asked === 0 ? currentRevision : asked;
    const hash = new RevisionHash({ revision, compacted });
    const firstKept = history.sequenceOf(compacted + 1);
    const end = history.sequenceOf(revision + 1);
    const walk = { end, firstKept: Math.min(firstKept, end) };
    if (!(await this.#walk(walk, turns, hash))) return undefined;
    return { hash: hash.value, compactRevision: compacted, hashRevision: revision, currentRevision };
  }

  /** False when there is another state now. */
  async #walk(
    { end, firstKept }: { readonly end: number; readonly firstKept: number },
    turns: Turns,
    hash: RevisionHash,
  ): Promise<boolean> {
    let limit = READ_ROWS_MAX;
    for (let next = 1; next < end; ) {
      if (!(await turns.next())) return false;
      const isOld = next < firstKept;
      const superseded = hash.needsSuperseded(isOld);
      const rows = this.#state.hashRows.read(next, isOld ? firstKept : end, limit, { superseded });
      let bytes = 0;
      for (const row of rows) {
        hash.add(row);
        bytes += row.value.length;
      }
      limit = bytes > READ_BYTES_MAX ? 1 : READ_ROWS_MAX;
      const last = rows.at(-1);
      if (last !== undefined) next = last.sequence + 1;
      else if (isOld) next = firstKept;
      else break;
    }
    return true;
  }

  async #hashAll(turns: Turns): Promise<{ hash: number; revision: number } | undefined> {
    const { store, hashRows } = this.#state;
    const { revision, compacted, lastSequence } = store;
    const everything = new RevisionHash({ revision, compacted: -1 });
    const walk = { end: lastSequence + 1, firstKept: 1 };
    if (!(await this.#walk(walk, turns, everything))) return undefined;
    let hash = crc32c(everything.value, Buffer.from(`compacted ${compacted}\n`));
    for (let after = BEFORE_ALL_IDS; ; ) {
      if (!(await turns.next())) return undefined;
      const leases = hashRows.leases(after, READ_LEASES);
      for (const [id, ttl] of leases) hash = crc32c(hash, Buffer.from(`lease ${id} ${ttl}\n`));
      const last = leases.at(-1);
      if (last === undefined) break;
      after = BigInt(last[0]);
    }
    for (const line of hashRows.small()) hash = crc32c(hash, Buffer.from(line));
    return { hash, revision };
  }
}

/** Lets others run when a turn is over. */
class Turns {
  readonly #state: HashState;
  readonly #signal: AbortSignal | undefined;
  readonly #inBackground: boolean;
  readonly #rows: HashRows;
  #end = performance.now() + TURN_MS;

  constructor(state: HashState, { signal, inBackground = false }: HashOptions = {}) {
    this.#state = state;
    this.#signal = signal;
    this.#inBackground = inBackground;
    this.#rows = state.hashRows;
  }

  /** False when there is another state now. @throws EtcdError: Stopped, Canceled */
  async next(): Promise<boolean> {
    if (performance.now() >= this.#end) {
      if (this.#inBackground) await pause(TURN_MS);
      else await new Promise((resolve) => setImmediate(resolve));
      this.#end = performance.now() + TURN_MS;
    }
    if (this.#signal?.aborted === true) throw EtcdError.of('Canceled');
    if (!this.#state.isOpen) throw EtcdError.of('Stopped');
    return this.#state.hashRows === this.#rows;
  }
}
