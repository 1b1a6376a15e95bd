/** One resource as the parts of the registry share it: its definition, its cache, and how it is written. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import type {
  Compare,
  EtcdClient,
  RequestOp,
  TxnRequest,
  TxnResponse,
} from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import type { AdmissionPlugin } from '../admission/plugin.js';
import { type GroupName, tooLargeResourceVersion, toStatusError } from '../errors.js';
import type { FieldManager } from '../managed-fields/index.js';
import type { Allocator, Companion } from './allocator.js';
import type { FreshRevision } from './fresh-revision.js';
import { type KeySpace, orderOf } from './keys.js';
import type { LeasePool } from './lease-pool.js';
import type { ItemFormat, StoredItem } from './stored-item.js';
import type { WantedRevision } from './types.js';
import type { WatchCache } from './watch-cache.js';

export interface Resource {
  readonly definition: ResourceDefinition;
  /** Group and plural, as messages name the resource. */
  readonly name: GroupName;
  /** Group and kind, as 422 messages name it. */
  readonly kind: GroupName;
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly format: ItemFormat;
  readonly cache: WatchCache;
  readonly fresh: FreshRevision;
  readonly leases: LeasePool;
  /** Plugins may be added after construction. */
  readonly admission: readonly AdmissionPlugin[];
  readonly allocator: Allocator | undefined;
  readonly fields: FieldManager;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Five random characters for generated names. */
  readonly nameSuffix: () => string;
}

export const noCompanion: Companion = { compare: [], success: [] };

/** The store's errors leave as StatusError; everything else is a mistake of ours and leaves as it is. */
export async function storeCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof EtcdError ? toStatusError(error) : error;
  }
}

/**
 * Waits until the cache may answer. `atLeast` undefined: a consistent read, which asks the store for its revision first;
 * 0: whatever is there. Resolves with undefined, or with the revision at which the store is to be read in the cache's
 * place: an old etcd cannot say whether the cache is complete. Throws StatusError 504 when the revision is not reached in
 * time.
 */
export async function reach(
  { cache, fresh }: Resource,
  atLeast: WantedRevision | undefined,
): Promise<number | undefined> {
  if (!cache.isRunning) await storeCall(cache.start());
  if (atLeast === 0) return undefined;
  const wanted = atLeast ?? (await storeCall(fresh.get()));
  const complete = cache.complete(wanted);
  if (complete === true || (await complete)) return undefined;
  const now = atLeast === undefined ? Number(wanted) : await storeCall(fresh.get());
  if (now < wanted) throw tooLargeResourceVersion(wanted, now);
  return now;
}

/** The object as the store has it now. */
export async function readStore(resource: Resource, key: string): Promise<StoredItem | undefined> {
  const { kvs } = await storeCall(resource.client.range({ key: resource.keys.etcdKey(key) }));
  const [kv] = kvs;
  return kv === undefined ? undefined : resource.format.fromValue(key, kv.value, kv.modRevision);
}

/** What a transaction on one key came to. */
export type Outcome =
  | { readonly done: true; readonly revision: number }
  /** Refused by a compare. `current`: the object as it is now; the same as expected when a companion's compare failed. */
  | { readonly done: false; readonly current: StoredItem | undefined };

export interface Write {
  readonly key: string;
  /** Revision of the object that is replaced or removed; 0: it must be absent. */
  readonly expected: number;
  /** undefined removes the object. */
  readonly value: Buffer | undefined;
  readonly companion: Companion;
}

/** Writes or removes one object if it is still at the expected revision, together with what allocators keep. */
export async function commit(resource: Resource, write: Write): Promise<Outcome> {
  const { keys, client, definition, leases, format } = resource;
  const key = keys.etcdKey(write.key);
  const ttl = write.value === undefined ? undefined : definition.timeToLiveSeconds;
  for (;;) {
    const request = await txnOf(resource, key, write, ttl);
    let response: TxnResponse;
    try {
      response = await client.txn(request);
    } catch (error) {
      if (ttl !== undefined && error instanceof EtcdError && error.is('LeaseNotFound')) {
        leases.drop(ttl);
        continue;
      }
      throw error instanceof EtcdError ? toStatusError(error) : error;
    }
    if (response.succeeded) return { done: true, revision: response.header.revision };
    const [read] = response.responses;
    const kv = read?.type === 'range' ? read.kvs[0] : undefined;
    const current = kv === undefined ? undefined : format.fromValue(write.key, kv.value, kv.modRevision);
    return { done: false, current };
  }
}

async function txnOf(
  { leases }: Resource,
  key: Buffer,
  { expected, value, companion }: Write,
  ttl: number | undefined,
): Promise<TxnRequest> {
  const lease = ttl === undefined ? {} : { lease: await storeCall(leases.take(ttl)) };
  const own: RequestOp =
    value === undefined ? { type: 'delete', key } : { type: 'put', key, value, ...lease };
  const unchanged: Compare = { key, target: 'mod', result: 'equal', modRevision: expected };
  return {
    compare: [unchanged, ...companion.compare],
    success: [own, ...companion.success],
    failure: [{ type: 'range', key }],
  };
}

/**
 * The item to answer a write with. Its event has usually come by now (decision 16), else it is waited for, so that whoever
 * gets the answer also finds the object in the cache.
 */
export async function written(
  resource: Resource,
  key: string,
  value: Buffer,
  revision: number,
): Promise<StoredItem> {
  await settled(resource, revision);
  const item = resource.cache.isRunning ? resource.cache.get(orderOf(key)) : undefined;
  return item?.revision === revision ? item : resource.format.fromValue(key, value, revision);
}

/** Waits until the cache, if it is in use, knows of a write. A store that is slow to tell does not fail the write. */
export async function settled({ cache }: Resource, revision: number): Promise<void> {
  if (cache.isRunning) await cache.settled(revision);
}
