/** A range in pieces, so that neither side holds all of it. */
import type {
  CallOptions,
  EtcdClient,
  KeyValue,
  RangeRequest,
  RangeResponse,
} from '../../client/interface.js';

/** Of a piece, in bytes of keys and values. */
const PAGE_BYTES = 512 * 1024;
/** Before it is known how large keys and values are. */
const FIRST_PAGE_KEYS = 100;
const PAGE_KEYS_MAX = 10_000;

type Ranges = Pick<EtcdClient, 'range'>;

/**
 * Pieces that together are the range's answer: `kvs` follow on each other, header and count are the whole answer's in
 * each, `more` is said by the last. All are of one revision. What is sorted otherwise than by key is read at once.
 */
export async function* rangePages(
  client: Ranges,
  request: RangeRequest,
  options: CallOptions,
): AsyncGenerator<RangeResponse, void> {
  if (!mayPage(request)) return yield* slices(await client.range(request, options));
  const { limit = 0, revision = 0 } = request;
  let page = await client.range(limited(request, FIRST_PAGE_KEYS), options);
  const { header, count } = page;
  let sent = 0;
  for (;;) {
    const { kvs, more } = page;
    sent += kvs.length;
    const last = kvs.at(-1);
    if (!more || sent === limit || last === undefined) return yield { header, kvs, count, more };
    yield { header, kvs, count, more: false };
    const next: RangeRequest = {
      ...request,
      key: Buffer.concat([last.key, Buffer.of(0)]),
      revision: revision === 0 ? header.revision : revision,
      // This member has answered of that revision, so it has all of it.
      serializable: true,
      limit: limit === 0 ? 0 : limit - sent,
    };
    page = await client.range(limited(next, pageKeys(kvs)), options);
  }
}

/** Only in the order of keys does the next piece begin after the last key. */
function mayPage({ rangeEnd, sortOrder, sortTarget, countOnly }: RangeRequest): boolean {
  const isByKey = (sortOrder ?? 'none') === 'none' && (sortTarget ?? 'key') === 'key';
  const isAscending = sortOrder === 'ascend' && (sortTarget ?? 'key') === 'key';
  return rangeEnd !== undefined && rangeEnd.length > 0 && countOnly !== true && (isByKey || isAscending);
}

const limited = (request: RangeRequest, keys: number): RangeRequest => {
  const limit = request.limit ?? 0;
  return { ...request, limit: limit > 0 ? Math.min(limit, keys) : keys };
};

const bytesOf = (kvs: readonly KeyValue[]): number => {
  let bytes = 0;
  for (const { key, value } of kvs) bytes += key.length + value.length;
  return bytes;
};

/** As many as fit, if the next are as large as these. */
function pageKeys(kvs: readonly KeyValue[]): number {
  const each = Math.max(1, bytesOf(kvs) / kvs.length);
  return Math.min(PAGE_KEYS_MAX, Math.max(1, Math.floor(PAGE_BYTES / each)));
}

function* slices(response: RangeResponse): Generator<RangeResponse, void> {
  const { kvs, more } = response;
  const step = kvs.length === 0 ? 1 : pageKeys(kvs);
  let start = 0;
  for (; start + step < kvs.length; start += step) {
    yield { ...response, kvs: kvs.slice(start, start + step), more: false };
  }
  yield { ...response, kvs: kvs.slice(start), more };
}
