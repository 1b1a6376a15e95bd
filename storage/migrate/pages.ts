import type { EtcdClient, KeyValue, RangeResponse } from '../client/interface.js';
import { CALL_MS_MAX, retrying } from './retry.js';

/** Every key ≥ the first that can be. */
const NO_END = Buffer.from([0]);

export interface Keys {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** All keys that begin with the prefix; all there are for the empty one. */
export function keysWithPrefix(prefix: Uint8Array): Keys {
  if (prefix.length === 0) return { key: NO_END, rangeEnd: NO_END };
  let last = prefix.length - 1;
  while (last >= 0 && prefix[last] === 0xff) last -= 1;
  if (last < 0) return { key: prefix, rangeEnd: NO_END };
  const rangeEnd = Buffer.from(prefix.subarray(0, last + 1));
  rangeEnd[last] = (rangeEnd[last] ?? 0) + 1;
  return { key: prefix, rangeEnd };
}

/** What a page should hold, if the next pairs are like the last. */
const PAGE_BYTES = 2 ** 20;
/** The store looks at every key of the rest for each page, to count them: so pages of small pairs must not be small. */
const PAGE_KEYS_MAX = 1000;
const FIRST_PAGE_KEYS = 64;
/** Bytes of a pair in an answer beside its key and value, about. */
const PAIR_BYTES = 32;

export interface PagesOptions extends Keys {
  readonly client: EtcdClient;
  readonly revision: number;
  readonly signal?: AbortSignal | undefined;
}

/** The pairs at a revision in key order. The next page is asked for while the last is used: two are held at a time. */
export async function* pages(options: PagesOptions): AsyncGenerator<readonly KeyValue[]> {
  let limit = FIRST_PAGE_KEYS;
  let next: Promise<RangeResponse> | undefined = page(options, options.key, limit);
  while (next !== undefined) {
    const { kvs, more }: RangeResponse = await next;
    const last = kvs.at(-1);
    if (last === undefined) return;
    limit = limitAfter(kvs);
    next = more ? page(options, Buffer.concat([last.key, NO_END]), limit) : undefined;
    // It may fail while nobody waits for it yet.
    next?.catch(() => undefined);
    yield kvs;
  }
}

function page({ client, rangeEnd, revision, signal }: PagesOptions, key: Uint8Array, limit: number) {
  const call = { timeout: CALL_MS_MAX, ...(signal && { signal }) };
  return retrying(() => client.range({ key, rangeEnd, revision, limit }, call), signal);
}

function limitAfter(kvs: readonly KeyValue[]): number {
  const bytes = kvs.reduce((sum, kv) => sum + pairBytes(kv), 0);
  return Math.max(1, Math.min(PAGE_KEYS_MAX, Math.floor((PAGE_BYTES * kvs.length) / bytes)));
}

/** What a pair takes in a message, about. */
export function pairBytes({ key, value }: Pick<KeyValue, 'key' | 'value'>): number {
  return key.length + value.length + PAIR_BYTES;
}
