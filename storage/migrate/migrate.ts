/**
 * Moves a store, or a prefix of it, from one etcd to another: every pair at one revision of the source, then what was
 * written to it since, until both are equal, which is verified by reading both. Works between Wherry and etcd in every
 * direction, as it uses nothing but the API. Users and roles are not moved.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ContentHash } from '../backup/content-hash.js';
import { BackupError } from '../backup/errors.js';
import type { EtcdClient } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { compactedMeanwhile, Follower } from './follow.js';
import { LeaseMover } from './leases.js';
import { type Keys, keysWithPrefix, pages, pairBytes } from './pages.js';
import { retrying } from './retry.js';
import { Writer } from './writer.js';

export interface MigrateOptions {
  readonly source: EtcdClient;
  readonly target: EtcdClient;
  /** Only keys that begin so; all when empty. */
  readonly prefix: Uint8Array;
  /** Operations of one transaction on the target. */
  readonly opsMax: number;
  /** Deletes what the target has (with the prefix) first, instead of refusing it. */
  readonly overwrite: boolean;
  /** Goes on following until this aborts; absent: until what was there at the end of the copy is moved. */
  readonly until?: AbortSignal | undefined;
  readonly onProgress?: (progress: MigrateProgress) => void;
}

export type MigrateProgress =
  | { readonly phase: 'deleting' | 'verifying' }
  | { readonly phase: 'copying'; readonly keys: number; readonly total: number; readonly bytes: number }
  | { readonly phase: 'following'; readonly events: number; readonly revision: number };

export interface MigrateOutcome {
  /** Of the source: the target equals it as of there. */
  readonly revision: number;
  /** Of the source when all was verified: more than `revision` if it is still being written to. */
  readonly sourceRevision: number;
  readonly targetRevision: number;
  readonly keys: number;
  readonly leases: number;
  /** Changes that came by the watch. */
  readonly events: number;
  /** Of the pairs on both sides (content-hash.ts). */
  readonly hash: string;
}

/** How often both sides are compared: an old etcd may report progress a moment before the changes. */
const VERIFY_ATTEMPTS_MAX = 3;
const VERIFY_PAUSE_MS = 500;
const FOLLOW_LOOK_MS = 500;
/** A whole store goes in one transaction. */
const DELETE_MS_MAX = 10 * 60_000;

/** @throws BackupError, EtcdError */
export async function migrate(options: MigrateOptions): Promise<MigrateOutcome> {
  await refuseItself(options);
  const work = new AbortController();
  try {
    return await new Migration(options, work.signal).run();
  } catch (error) {
    if (error instanceof EtcdError && error.is('Compacted')) throw compactedMeanwhile();
    throw error;
  } finally {
    work.abort();
  }
}

async function refuseItself({ source, target }: MigrateOptions): Promise<void> {
  const [from, to] = await Promise.all([source.status(), target.status()]);
  if (from.header.clusterId !== to.header.clusterId) return;
  throw new BackupError(`source and target are the same cluster (${from.header.clusterId.toString(16)})`);
}

class Migration {
  readonly #options: MigrateOptions;
  readonly #keys: Keys;
  readonly #signal: AbortSignal;
  readonly #leases: LeaseMover;
  readonly #writer: Writer;
  #events = 0;

  constructor(options: MigrateOptions, signal: AbortSignal) {
    const { source, target, opsMax, prefix } = options;
    this.#options = options;
    this.#signal = signal;
    this.#keys = keysWithPrefix(prefix);
    this.#leases = new LeaseMover({ source, target, signal });
    this.#writer = new Writer({ target, leases: this.#leases, opsMax, signal });
  }

  async run(): Promise<MigrateOutcome> {
    const { source, prefix } = this.#options;
    await this.#clearTarget();
    const revision = await retrying(() => source.currentRevision());
    const isWhole = prefix.length === 0;
    void this.#leases.keepAlive(this.#signal);
    if (isWhole) await this.#leases.moveAll();
    await this.#copy(revision);
    const follower = this.#follower(revision);
    try {
      await this.#followAsAsked(follower);
      return await this.#verify(follower);
    } finally {
      follower.close();
    }
  }

  async #clearTarget(): Promise<void> {
    const { target, overwrite, prefix } = this.#options;
    const { count } = await retrying(() => target.range({ ...this.#keys, countOnly: true }));
    if (count === 0) return;
    if (!overwrite) {
      const which = prefix.length === 0 ? '' : ' with that prefix';
      throw new BackupError(
        `the target is not empty (${count} keys${which}); --overwrite deletes them before it copies`,
      );
    }
    this.#options.onProgress?.({ phase: 'deleting' });
    await retrying(() => target.deleteRange(this.#keys, { timeout: DELETE_MS_MAX }));
    if (prefix.length === 0) await this.#leases.clearTarget();
  }

  async #copy(revision: number): Promise<void> {
    const { source, onProgress } = this.#options;
    const counted = await retrying(() => source.range({ ...this.#keys, revision, countOnly: true }));
    const total = counted.count;
    let [keys, bytes] = [0, 0];
    onProgress?.({ phase: 'copying', keys, total, bytes });
    for await (const kvs of pages({ ...this.#keys, client: source, revision, signal: this.#signal })) {
      await this.#writer.spread(kvs.map((kv) => ({ type: 'put', kv })));
      keys += kvs.length;
      bytes += kvs.reduce((sum, kv) => sum + pairBytes(kv), 0);
      onProgress?.({ phase: 'copying', keys, total, bytes });
    }
    await this.#writer.settle();
  }

  #follower(revision: number): Follower {
    return new Follower({
      ...this.#keys,
      source: this.#options.source,
      writer: this.#writer,
      revision,
      signal: this.#signal,
      onEvents: (count) => {
        this.#events += count;
      },
    });
  }

  async #followAsAsked(follower: Follower): Promise<void> {
    const { until } = this.#options;
    do {
      await this.#catchUp(follower);
      if (until === undefined) return;
      await sleep(FOLLOW_LOOK_MS, undefined, { signal: until }).catch(() => undefined);
    } while (!until.aborted);
    await this.#catchUp(follower);
  }

  /** To where the source is now, and further where a key was left out whose deletion is told only later. */
  async #catchUp(follower: Follower): Promise<void> {
    let gone: number;
    do {
      ({ gone } = this.#leases);
      const goal = await retrying(() => this.#options.source.currentRevision());
      await follower.until(goal);
      const { revision } = follower;
      this.#options.onProgress?.({ phase: 'following', events: this.#events, revision });
    } while (gone !== this.#leases.gone);
  }

  async #verify(follower: Follower): Promise<MigrateOutcome> {
    const { source, target, prefix } = this.#options;
    for (let attempt = 1; ; attempt++) {
      this.#options.onProgress?.({ phase: 'verifying' });
      if (prefix.length === 0) await this.#leases.revokeGone();
      const { revision } = follower;
      const targetRevision = await retrying(() => target.currentRevision());
      const [from, to] = await Promise.all([
        this.#hash(source, revision),
        this.#hash(target, targetRevision),
      ]);
      const hash = to.finish();
      if (from.finish() === hash) {
        const sourceRevision = await retrying(() => source.currentRevision());
        const { count: keys } = to;
        const { count: leases } = this.#leases;
        return { revision, sourceRevision, targetRevision, keys, leases, events: this.#events, hash };
      }
      if (attempt === VERIFY_ATTEMPTS_MAX) throw differ(from.count, to.count, revision);
      await sleep(VERIFY_PAUSE_MS);
      await follower.untilAgain(await retrying(() => source.currentRevision()));
    }
  }

  async #hash(client: EtcdClient, revision: number): Promise<ContentHash> {
    const hash = new ContentHash();
    for await (const kvs of pages({ ...this.#keys, client, revision })) {
      for (const kv of kvs) hash.add(kv);
    }
    return hash;
  }
}

function differ(from: number, to: number, revision: number): BackupError {
  return new BackupError(
    `the target differs from the source at revision ${revision} (${to} keys and ${from}): is somebody else writing to it?`,
  );
}
