import type { RangeRequest, RangeResponse, ResponseHeader } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { ScanSteps, type Scan } from '../mvcc/scan.js';
import type { MvccStore } from '../mvcc/store.js';
import type { RangePage } from './api.js';

/** Of keys and values in a piece of an answer that was read at once, in bytes. */
const SLICE_BYTES = 256 * 1024;

export interface RangePagesOptions {
  readonly state: { readonly store: MvccStore };
  readonly header: () => ResponseHeader;
  /** Runs a read of the store. Throws EtcdError, also the one that it returns. */
  readonly read: <R extends object>(work: () => R | EtcdError) => R;
}

/**
 * A range's answer in pieces of about 256 KiB, between which others run. `kvs` follow on each other, header and count are
 * the whole answer's in each, `more` is said by the last. All are of one revision: where that is compacted meanwhile, the
 * rest rejects with Compacted.
 */
export async function* rangePages(
  { state, header, read }: RangePagesOptions,
  request: RangeRequest,
  { range, withValue }: Omit<Scan, 'at' | 'limit'>,
): AsyncGenerator<RangePage, void> {
  const limit = Math.max(request.limit ?? 0, 0) || Infinity;
  const { revision: asked = 0 } = request;
  const revision = asked > 0 ? asked : state.store.revision;
  const steps = new ScanSteps({ range, withValue, limit });
  const next = () => read(() => state.store.checkReadable(revision) ?? state.store.step(steps, revision));
  let kvs = next();
  const answer = { header: header() };
  const isAll = steps.done && kvs.count < limit;
  const count = isAll ? kvs.count : state.store.count(range, revision);
  for (;;) {
    yield { ...answer, kvs, count, more: steps.done && count > limit };
    if (steps.done) return;
    await new Promise((resolve) => setImmediate(resolve));
    kvs = next();
  }
}

/** The pieces of an answer that was read at once. */
export function* slices(response: RangeResponse): Generator<RangePage, void> {
  const { kvs, more } = response;
  let start = 0;
  let bytes = 0;
  for (const [index, { key, value }] of kvs.entries()) {
    bytes += key.length + value.length;
    if (bytes < SLICE_BYTES || index === kvs.length - 1) continue;
    yield { ...response, kvs: kvs.slice(start, index + 1), more: false };
    start = index + 1;
    bytes = 0;
  }
  yield { ...response, kvs: kvs.slice(start), more };
}
