/** Ranges of many keys: read in steps, answered in pieces, and the same as row by row. */
import t, { type Test } from 'tap';
import type { KeyValue, RangeRequest, RangeResponse } from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import { rangeResponse } from '../../storage/grpc/messages/kv.js';
import { EncodedMessage, type CallContext } from '../../storage/grpc/server/handlers.js';
import { wholeRange } from '../../storage/grpc/services/whole-range.js';
import { PackedRows } from '../../storage/mvcc/packed-rows.js';
import { openStore, type Store } from '../../storage/open.js';
import type { RangePage } from '../../storage/server/api.js';
import { bytes } from './tools.js';

const KEYS = 3000;
const LEASE = 2n ** 63n - 1n;
const everything: RangeRequest = { key: bytes('k'), rangeEnd: bytes('l') };

const keyAt = (index: number) =>
  Buffer.from([0x6b, index >> 8, index & 0xff, ...(index % 7 === 0 ? [0] : [])]);
/** From nothing to 20 KiB, with zeroes and bytes that are no text. */
const valueAt = (index: number) =>
  Buffer.alloc((index * 37) % (index % 100 === 0 ? 20_000 : 300), index % 256);

/** Some keys have a lease; each tenth is put again at the end. */
async function filled(t: Test): Promise<{ readonly store: Store; readonly old: number }> {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const { client } = store;
  await client.leaseGrant({ id: LEASE, ttl: 1000 });
  const putOf = (index: number) => ({
    type: 'put' as const,
    key: keyAt(index),
    value: valueAt(index),
    lease: index % 5 === 0 ? LEASE : 0n,
  });
  const all = Array.from({ length: KEYS }, (_, index) => index);
  for (let start = 0; start < KEYS; start += 100) {
    const success = all.slice(start, start + 100).map(putOf);
    await client.txn({ compare: [], success, failure: [] });
  }
  const old = await client.currentRevision();
  const again = all.filter((index) => index % 10 === 0);
  for (let start = 0; start < again.length; start += 100) {
    const success = again
      .slice(start, start + 100)
      .map((index) => ({ ...putOf(index), value: bytes('new') }));
    await client.txn({ compare: [], success, failure: [] });
  }
  return { store, old };
}

/** The same range read row by row: what is sorted is not read in steps. */
async function rowByRow({ client }: Store, request: RangeRequest): Promise<KeyValue[]> {
  const { kvs } = await client.range({ ...request, limit: 0, sortOrder: 'descend', sortTarget: 'key' });
  const ascending = kvs.toReversed();
  return request.limit === undefined ? ascending : ascending.slice(0, request.limit);
}

const kvsOf = ({ kvs }: RangePage) => (kvs instanceof PackedRows ? kvs.toKeyValues() : kvs);

async function pagesOf({ guardedClient }: Store, request: RangeRequest): Promise<RangeResponse[]> {
  const pages: RangeResponse[] = [];
  for await (const page of guardedClient.rangePages(request)) pages.push({ ...page, kvs: kvsOf(page) });
  return pages;
}

t.test('ranges in steps and in pieces equal those row by row', async (t) => {
  const { store, old } = await filled(t);
  const requests: Record<string, RangeRequest> = {
    'all of them': everything,
    'from a key on': { key: keyAt(1234), rangeEnd: Uint8Array.of(0) },
    'with a limit': { ...everything, limit: 777 },
    'with a limit of all there are': { ...everything, limit: KEYS },
    'at an old revision': { ...everything, revision: old },
    'at an old revision with a limit': { ...everything, revision: old, limit: 1500 },
    'keys only': { ...everything, keysOnly: true },
    none: { key: bytes('x'), rangeEnd: bytes('y') },
  };
  for (const [name, request] of Object.entries(requests)) {
    const expected = await rowByRow(store, request);
    const { count: total } = await store.client.range({ ...request, limit: 0, countOnly: true });
    const whole = await store.client.range(request);
    t.same(whole.kvs, expected, name);
    t.equal(whole.count, total, `${name}: count`);
    t.equal(whole.more, expected.length < total, `${name}: more`);

    const pages = await pagesOf(store, request);
    t.same(
      pages.flatMap(({ kvs }) => kvs),
      expected,
      `${name}, in pieces`,
    );
    t.ok(
      pages.every(({ count }) => count === total),
      `${name}: count in each piece`,
    );
    t.same(
      pages.map(({ more }) => more),
      [...pages.slice(1).map(() => false), whole.more],
      `${name}: more at the end`,
    );
  }
  t.ok((await pagesOf(store, everything)).length > 3, 'there is more than one piece');
});

t.test('pieces are of one revision whatever is written meanwhile', async (t) => {
  const { store } = await filled(t);
  const expected = await rowByRow(store, everything);
  const kvs: KeyValue[] = [];
  for await (const page of store.guardedClient.rangePages(everything)) {
    kvs.push(...kvsOf(page));
    await store.client.deleteRange({ key: keyAt(KEYS - 1 - kvs.length) });
    await store.client.put({ key: Buffer.from([0x6b, 0xff, kvs.length % 256]), value: bytes('later') });
  }
  t.same(kvs, expected);
});

t.test('a range that is overtaken by a compaction is answered all the same', async (t) => {
  const { store } = await filled(t);
  const overtaken = {
    range: store.guardedClient.range.bind(store.guardedClient),
    async *rangePages(request: RangeRequest) {
      for await (const page of store.guardedClient.rangePages(request)) {
        yield page;
        await store.client.put({ key: bytes('other'), value: bytes('') });
        await store.client.compact({ revision: await store.client.currentRevision() });
      }
    },
  };
  const context: CallContext = { signal: new AbortController().signal, brief: {}, isOver: false };
  const answer = await wholeRange(overtaken, everything, context);
  t.notOk(answer instanceof EncodedMessage);
  t.same((answer as RangeResponse).kvs, await rowByRow(store, everything));
  // Whoever asks for that revision is told.
  const revision = await store.client.currentRevision();
  await t.rejects(wholeRange(overtaken, { ...everything, revision }, context), EtcdError.of('Compacted'));
});

t.test('pieces make the message that is made at once', async (t) => {
  const { store } = await filled(t);
  const context: CallContext = { signal: new AbortController().signal, brief: {}, isOver: false };
  for (const request of [
    everything,
    { ...everything, limit: 2000 },
    { ...everything, limit: 3 },
    { ...everything, keysOnly: true },
    { ...everything, sortOrder: 'descend' },
    { key: bytes('x'), rangeEnd: bytes('y') },
  ] as const) {
    const answer = await wholeRange(store.guardedClient, request, context);
    const message = Buffer.concat((answer as EncodedMessage).parts);
    t.same(rangeResponse.decode(message), await store.client.range(request));
  }
});
