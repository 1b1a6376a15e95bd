/** Random histories: the store answers as a model does that keeps a copy of everything at each revision. */
import * as fc from 'fast-check';
import path from 'node:path';
import t from 'tap';
import type {
  Compare,
  EtcdClient,
  RangeRequest,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import { openStore } from '../../storage/open.js';
import { Model, rangeText } from './model.js';
import { bytes, temporaryFolder, text } from './tools.js';

const KEYS = ['a', 'a\0', 'ab', 'b', 'ba', 'c', '\x7f', '\x80', 'c\xff', 'd'];
const key = fc.constantFrom(...KEYS).map(bytes);
const value = fc.constantFrom('', '1', '2', 'value').map(bytes);
const rangeEnd = fc.constantFrom(undefined, undefined, 'b', 'c', 'd', '\xff', '\0');
const keyRange = fc.record({ key, rangeEnd }).map(({ key, rangeEnd }) => ({
  key,
  ...(rangeEnd !== undefined && { rangeEnd: bytes(rangeEnd) }),
}));
/** Revisions are drawn as shares of those there are. */
const share = fc.double({ min: 0, max: 1, noNaN: true });

const range = fc
  .record({
    where: keyRange,
    limit: fc.constantFrom(0, 0, 1, 3),
    share: fc.option(share, { nil: undefined }),
    sortOrder: fc.constantFrom('none', 'ascend', 'descend'),
    minModRevision: fc.constantFrom(0, 0, 3, 9),
    maxModRevision: fc.constantFrom(0, 0, 9),
    keysOnly: fc.boolean(),
    countOnly: fc.constantFrom(false, false, true),
  })
  .map(({ where, share, ...options }) => ({ type: 'range', share, ...where, ...options }) as const);
type RangeStep = typeof range extends fc.Arbitrary<infer T> ? T : never;

const putOp = fc.record({ type: fc.constant('put' as const), key, value });
const deleteOp = keyRange.map((where) => ({ type: 'delete' as const, ...where }));
const compare: fc.Arbitrary<Compare> = fc
  .record({
    where: keyRange,
    result: fc.constantFrom('equal', 'greater', 'less', 'not-equal'),
    number: fc.nat(6),
    value,
    target: fc.constantFrom('version', 'create', 'mod', 'value'),
  })
  .map(({ where, result, number, value, target }) => {
    const base = { ...where, result } as const;
    if (target === 'version') return { ...base, target, version: number };
    if (target === 'create') return { ...base, target, createRevision: number };
    if (target === 'mod') return { ...base, target, modRevision: number };
    return { ...base, target: 'value', value };
  });
const { txn } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  op: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    putOp,
    deleteOp,
    range,
    tie('txn').map((request) => ({ type: 'txn' as const, ...request })),
  ),
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
}));

const step = fc.oneof(
  { weight: 4, arbitrary: putOp },
  { weight: 2, arbitrary: deleteOp },
  { weight: 4, arbitrary: txn.map((request) => ({ type: 'txn' as const, ...request })) },
  { weight: 3, arbitrary: range },
  { weight: 1, arbitrary: share.map((share) => ({ type: 'compact' as const, share })) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
);

function txnText(response: TxnResponse): string {
  const one = (r: ResponseOp): string => {
    if (r.type === 'range') return rangeText(r);
    if (r.type === 'delete') return `deleted ${r.deleted}`;
    return r.type === 'txn' ? txnText(r) : 'put';
  };
  return `${response.succeeded}(${response.responses.map(one).join(' ')})`;
}

async function orError(call: Promise<string>): Promise<string> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    if (error.is('Compacted')) return 'compacted';
    if (error.is('FutureRev')) return 'future';
    if (error.is('DuplicateKey')) return 'duplicate';
    throw error;
  }
}

const at = (model: Model, share: number) => Math.round(share * (model.revision + 1));

async function storeRange(client: EtcdClient, request: RangeRequest): Promise<string> {
  return orError(client.range(request).then(rangeText));
}

async function checkRange(client: EtcdClient, model: Model, step: RangeStep) {
  const { share } = step;
  const request = share === undefined ? step : { ...step, revision: at(model, share) };
  t.equal(await storeRange(client, request), model.range(request));
}

async function checkTxn(client: EtcdClient, model: Model, request: TxnRequest) {
  const result = await orError(
    client.txn(request).then((response) => `${response.header.revision} ${txnText(response)}`),
  );
  // What overlaps is refused: the client suite says what does, the model does not.
  if (result !== 'duplicate') t.equal(result, model.txn(request));
}

/** Every key at every readable revision, and every event since the compacted one. */
async function checkAll(client: EtcdClient, model: Model) {
  const everything = { key: bytes('\0'), rangeEnd: bytes('\0') };
  const first = Math.max(model.compacted, 1);
  for (let revision = first; revision <= model.revision; revision++) {
    const request = { ...everything, revision };
    t.equal(await storeRange(client, request), model.range(request), `at revision ${revision}`);
  }
  const stream = client.watch();
  stream.create({ ...everything, startRevision: first, prevKv: true });
  stream.requestProgress();
  const events: string[] = [];
  for await (const response of stream) {
    for (const { type, kv, prevKv } of response.events) {
      const previous = prevKv === undefined ? '' : ` was ${text(prevKv.value)}`;
      events.push(`${type} ${text(kv.key)}=${text(kv.value)} ${kv.modRevision}${previous}`);
    }
    if (response.watchId === -1) break;
  }
  const expected = model.events
    .filter(({ revision }) => revision >= first)
    .map(({ type, key, value, revision, previous }) => {
      const isKnown = previous !== undefined && revision - 1 >= model.compacted;
      return `${type} ${key}=${value} ${revision}${isKnown ? ` was ${previous}` : ''}`;
    });
  t.same(events, expected);
}

t.test('random puts, deletes, transactions, ranges, compactions and restarts', async (t) => {
  const folder = temporaryFolder(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const dataDir = path.join(folder, String(runs++));
      let store = await openStore({ dataDir });
      const model = new Model();
      try {
        for (const each of steps) {
          const { client } = store;
          if (each.type === 'range') await checkRange(client, model, each);
          else if (each.type === 'txn') await checkTxn(client, model, each);
          else if (each.type === 'put') await client.put(each).then(() => model.put(each));
          else if (each.type === 'delete') await client.deleteRange(each).then(() => model.deleteRange(each));
          else if (each.type === 'compact') {
            const revision = at(model, each.share);
            const physical = revision % 2 === 0;
            const result = await orError(client.compact({ revision, physical }).then(() => 'ok'));
            t.equal(result, model.compact(revision));
          } else {
            await store.close();
            store = await openStore({ dataDir });
          }
        }
        t.equal(await store.client.currentRevision(), model.revision);
        await checkAll(store.client, model);
        if (model.compacted < model.revision) {
          model.compact(model.revision);
          await store.client.compact({ revision: model.revision, physical: true });
          await checkAll(store.client, model);
        }
      } finally {
        await store.close();
      }
      if (!t.passing()) throw new Error('differs from the model');
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
