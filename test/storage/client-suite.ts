/**
 * What every EtcdClient does, whatever store is behind it: etcd's semantics rule by rule. Runs on the embedded store and
 * on a real etcd alike; each test keeps to keys of its own and to revisions relative to where it began.
 */
import type { Test } from 'tap';
import type { Compare, EtcdClient, RangeRequest } from '../../storage/client/interface.js';
import {
  brief,
  bytes,
  del,
  fails,
  get,
  keysOf,
  nested,
  prefix,
  put,
  revisionOf,
  text,
  txn,
  WatchReader,
} from './tools.js';

export interface SuiteTarget {
  readonly client: EtcdClient;
  /** False where the store's word on progress cannot be trusted: an old etcd. */
  readonly tellsProgress: boolean;
}

export function clientSuite(t: Test, open: (t: Test) => Promise<SuiteTarget>): void {
  t.test('KV', async (t) => {
    const { client } = await open(t);
    revisionTests(t, client);
    rangeTests(t, client);
    putTests(t, client);
    deleteTests(t, client);
    txnTests(t, client);
    compareTests(t, client);
    validationTests(t, client);
    compactionTests(t, client);
  });
  t.test('Lease', async (t) => {
    const { client } = await open(t);
    leaseTests(t, client);
  });
  t.test('Watch', async (t) => {
    const { client, tellsProgress } = await open(t);
    watchTests(t, client);
    if (tellsProgress) progressTests(t, client);
    else noProgressTests(t, client);
    watchFailureTests(t, client);
  });
}

function revisionTests(t: Test, client: EtcdClient): void {
  t.test('one revision a write transaction, none for what changes nothing', async (t) => {
    const start = await revisionOf(client);

    const first = await client.put({ key: bytes('r/a'), value: bytes('1') });
    const both = await client.txn(txn([put('r/b', '1'), put('r/c', '1'), del('r/a')]));
    const nothing = await client.deleteRange({ key: bytes('r/none') });
    const read = await client.txn(txn([put('r/d', '1')], [get('r/b')], [versionIs('r/b', 7)]));

    t.equal(first.header.revision, start + 1);
    t.equal(both.header.revision, start + 2);
    t.equal(nothing.header.revision, start + 2, 'a delete of nothing');
    t.equal(read.header.revision, start + 2, 'a failed compare whose branch only reads');
    t.equal(await revisionOf(client), start + 2);
  });

  t.test('a header carries ids and the current revision, also for a range at an older one', async (t) => {
    const { header } = await client.put({ key: bytes('h/a'), value: bytes('1') });
    await client.put({ key: bytes('h/a'), value: bytes('2') });

    const old = await client.range({ key: bytes('h/a'), revision: header.revision });

    t.same(old.kvs.map(brief), [`h/a=1 c${header.revision} m${header.revision} v1`]);
    t.equal(old.header.revision, header.revision + 1);
    t.equal(old.header.clusterId, header.clusterId);
    t.equal(old.header.memberId, header.memberId);
    t.ok(old.header.raftTerm > 0 && header.memberId !== 0n && header.clusterId !== 0n);
  });

  t.test('versions count changes since creation; a deleted key begins anew', async (t) => {
    const start = await revisionOf(client);
    for (const value of ['1', '2']) await client.put({ key: bytes('v'), value: bytes(value) });
    const before = await client.range({ key: bytes('v') });
    await client.deleteRange({ key: bytes('v') });
    const gone = await client.range({ key: bytes('v') });
    await client.put({ key: bytes('v'), value: bytes('') });
    const again = await client.range({ key: bytes('v') });

    t.same(before.kvs.map(brief), [`v=2 c${start + 1} m${start + 2} v2`]);
    t.same([gone.kvs, gone.count], [[], 0]);
    t.same(again.kvs.map(brief), [`v= c${start + 4} m${start + 4} v1`], 'an empty value is a value');
  });
}

function rangeTests(t: Test, client: EtcdClient): void {
  /** Keys a–e with distinct orders by version, creation, modification and value. */
  async function fill(name: string): Promise<number> {
    const start = await revisionOf(client);
    // Created c d a b e, at +1 … +5; then modified a (+6), c (+7), a (+8).
    for (const key of 'cdabe') await client.put({ key: bytes(`${name}/${key}`), value: bytes(`${key}1`) });
    await client.put({ key: bytes(`${name}/a`), value: bytes('x') });
    await client.put({ key: bytes(`${name}/c`), value: bytes('y') });
    await client.put({ key: bytes(`${name}/a`), value: bytes('b0') });
    return start;
  }
  const order = async (name: string, request: Partial<RangeRequest>) => {
    const { kvs } = await client.range({ ...prefix(`${name}/`), ...request });
    return keysOf(kvs)
      .map((key) => key.at(-1))
      .join('');
  };

  t.test('a range is [key, end); the end [0] is every key from there', async (t) => {
    await fill('\xfe\xfd');
    const all = await order('\xfe\xfd', {});
    const part = await client.range({ key: bytes('\xfe\xfd/b'), rangeEnd: bytes('\xfe\xfd/d') });
    const from = await client.range({ key: bytes('\xfe\xfd/c'), rangeEnd: bytes('\0') });
    const every = await client.range({ key: bytes('\0'), rangeEnd: bytes('\0'), keysOnly: true });
    const inverted = await client.range({ key: bytes('\xfe\xfd/d'), rangeEnd: bytes('\xfe\xfd/a') });
    const emptyEnd = await client.range({ key: bytes('\xfe\xfd/a'), rangeEnd: bytes('') });

    t.equal(all, 'abcde');
    t.same(keysOf(part.kvs), ['\xfe\xfd/b', '\xfe\xfd/c']);
    t.same(keysOf(from.kvs), ['\xfe\xfd/c', '\xfe\xfd/d', '\xfe\xfd/e']);
    t.ok(every.count > 5);
    t.same(keysOf(every.kvs), [...keysOf(every.kvs)].sort(), 'in byte order');
    t.same([inverted.kvs, inverted.count], [[], 0]);
    t.same(keysOf(emptyEnd.kvs), ['\xfe\xfd/a'], 'an empty end is the one key');
  });

  t.test('sort orders and targets', async (t) => {
    const start = await fill('s');
    t.equal(await order('s', { sortOrder: 'descend' }), 'edcba');
    t.equal(await order('s', { sortTarget: 'create', sortOrder: 'ascend' }), 'cdabe');
    t.equal(await order('s', { sortTarget: 'create', sortOrder: 'descend' }), 'ebadc');
    t.equal(await order('s', { sortTarget: 'mod', sortOrder: 'ascend' }), 'dbeca');
    t.equal(await order('s', { sortTarget: 'mod' }), 'dbeca', 'no order with a target is ascending');
    t.equal(await order('s', { sortTarget: 'version', sortOrder: 'ascend' }), 'bdeca');
    t.equal(await order('s', { sortTarget: 'version', sortOrder: 'descend' }), 'acbde', 'ties by key');
    t.equal(await order('s', { sortTarget: 'value', sortOrder: 'ascend' }), 'abdec');
    t.equal(
      await order('s', { sortTarget: 'value', sortOrder: 'descend', keysOnly: true }),
      'cedba',
      'also where values are not asked for',
    );
    t.equal(await order('s', { sortTarget: 'mod', sortOrder: 'descend', revision: start + 5 }), 'ebadc');
    t.equal(await order('s', { sortOrder: 'descend', revision: start + 3 }), 'dca');
  });

  t.test('limit applies after sort; more and count', async (t) => {
    const start = await fill('l');
    const limited = await client.range({ ...prefix('l/'), limit: 2 });
    const exact = await client.range({ ...prefix('l/'), limit: 5 });
    const old = await client.range({ ...prefix('l/'), limit: 2, revision: start + 4 });
    const negative = await client.range({ ...prefix('l/'), limit: -1 });

    t.same([keysOf(limited.kvs), limited.more, limited.count], [['l/a', 'l/b'], true, 5]);
    t.same([exact.kvs.length, exact.more, exact.count], [5, false, 5]);
    t.same([keysOf(old.kvs), old.more, old.count], [['l/a', 'l/b'], true, 4]);
    t.same([negative.kvs.length, negative.more], [5, false]);
    t.equal(await order('l', { limit: 2, sortTarget: 'mod', sortOrder: 'descend' }), 'ac');
    t.equal(await order('l', { limit: 2, sortOrder: 'descend' }), 'ed');
    t.equal(
      await order('l', { limit: 1, sortTarget: 'create' }),
      'a',
      'a target without an order sorts the first limit + 1 keys only',
    );
  });

  t.test('revision filters; count ignores them', async (t) => {
    const start = await fill('f');
    t.equal(await order('f', { minModRevision: start + 5 }), 'ace');
    t.equal(await order('f', { maxModRevision: start + 4 }), 'bd');
    t.equal(await order('f', { minCreateRevision: start + 2, maxCreateRevision: start + 3 }), 'ad');
    const { kvs, count, more } = await client.range({ ...prefix('f/'), minModRevision: start + 5, limit: 2 });
    t.same([keysOf(kvs), count, more], [['f/a', 'f/c'], 5, true]);
    const one = await client.range({ key: bytes('f/a'), minModRevision: start + 9 });
    t.same([one.kvs, one.count], [[], 1]);
    const old = await client.range({ ...prefix('f/'), maxModRevision: start + 2, revision: start + 4 });
    t.same([keysOf(old.kvs), old.count], [['f/c', 'f/d'], 4]);
  });

  t.test('keysOnly and countOnly', async (t) => {
    const start = await fill('k');
    const keys = await client.range({ ...prefix('k/'), keysOnly: true, limit: 1 });
    const count = await client.range({
      ...prefix('k/'),
      countOnly: true,
      limit: 1,
      minModRevision: start + 8,
    });
    const old = await client.range({ ...prefix('k/'), countOnly: true, revision: start + 2 });
    const oneKey = await client.range({ key: bytes('k/a'), keysOnly: true });

    t.same(keys.kvs.map(brief), [`k/a= c${start + 3} m${start + 8} v3`]);
    t.same([count.kvs, count.count, count.more], [[], 5, false]);
    t.same([old.kvs, old.count], [[], 2]);
    t.same(oneKey.kvs.map(brief), [`k/a= c${start + 3} m${start + 8} v3`]);
  });

  t.test('ranges at older revisions see deleted and overwritten keys as they were', async (t) => {
    const start = await fill('o');
    await client.deleteRange(prefix('o/'));
    const at = async (offset: number) =>
      (await client.range({ ...prefix('o/'), revision: start + offset })).kvs.map(
        (kv) => `${text(kv.key).at(-1)}${text(kv.value)}`,
      );

    t.same(await at(3), ['aa1', 'cc1', 'dd1']);
    t.same(await at(6), ['ax', 'bb1', 'cc1', 'dd1', 'ee1']);
    t.same(await at(8), ['ab0', 'bb1', 'cy', 'dd1', 'ee1']);
    t.same(await at(9), []);
    t.same((await client.range({ ...prefix('o/'), revision: -3 })).count, 0, 'negative is the current one');
    await fails(t, client.range({ key: bytes('o/a'), revision: start + 1000 }), 'FutureRev');
  });

  t.test('serializable and linearizable ranges agree after a write', async (t) => {
    await client.put({ key: bytes('ser'), value: bytes('1') });
    const { kvs } = await client.range({ key: bytes('ser'), serializable: true });
    t.equal(kvs.length, 1);
  });
}

function putTests(t: Test, client: EtcdClient): void {
  t.test('prevKv is the version before', async (t) => {
    const first = await client.put({ key: bytes('p'), value: bytes('1'), prevKv: true });
    const second = await client.put({ key: bytes('p'), value: bytes('2'), prevKv: true });
    const { revision } = first.header;

    t.equal(first.prevKv, undefined);
    t.equal(second.prevKv && brief(second.prevKv), `p=1 c${revision} m${revision} v1`);
  });

  t.test('ignoreValue and ignoreLease keep what the key has', async (t) => {
    const { id } = await client.leaseGrant({ ttl: 1000 });
    await client.put({ key: bytes('i'), value: bytes('1'), lease: id });
    await client.put({ key: bytes('i'), value: bytes(''), ignoreValue: true });
    const valueKept = (await client.range({ key: bytes('i') })).kvs[0];
    await client.put({ key: bytes('i'), value: bytes('2'), lease: id });
    await client.put({ key: bytes('i'), value: bytes('3'), ignoreLease: true });
    const leaseKept = (await client.range({ key: bytes('i') })).kvs[0];

    t.same([valueKept && text(valueKept.value), valueKept?.lease], ['1', 0n]);
    t.same([leaseKept && text(leaseKept.value), leaseKept?.lease, leaseKept?.version], ['3', id, 4]);
    const absent = { key: bytes('i/none'), value: bytes('') };
    await fails(t, client.put({ ...absent, ignoreValue: true }), 'KeyNotFound');
    await fails(t, client.put({ ...absent, ignoreLease: true }), 'KeyNotFound');
    await fails(t, client.put({ ...absent, value: bytes('x'), ignoreValue: true }), 'ValueProvided');
    await fails(t, client.put({ ...absent, lease: id, ignoreLease: true }), 'LeaseProvided');
    await fails(t, client.put({ ...absent, lease: 999n, ignoreValue: true }), 'LeaseNotFound');
    await client.leaseRevoke(id);
  });

  t.test('any bytes are a key and a value', async (t) => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await client.put({ key: every, value: Buffer.concat([every, every]) });
    const { kvs } = await client.range({ key: every });

    t.same(kvs[0] && Buffer.from(kvs[0].key), every);
    t.same(kvs[0] && Buffer.from(kvs[0].value), Buffer.concat([every, every]));
  });
}

function deleteTests(t: Test, client: EtcdClient): void {
  t.test('deletes a key, a range, and everything from a key on', async (t) => {
    for (const key of ['\xff/a', '\xff/b', '\xff/c', '\xff/d']) {
      await client.put({ key: bytes(key), value: bytes(key) });
    }
    const { revision } = (await client.range({ key: bytes('\xff/a') })).header;
    const one = await client.deleteRange({ key: bytes('\xff/a'), prevKv: true });
    const two = await client.deleteRange({ key: bytes('\xff/a'), rangeEnd: bytes('\xff/c'), prevKv: true });
    const rest = await client.deleteRange({ key: bytes('\xff/'), rangeEnd: bytes('\0') });

    t.same(
      [one.deleted, one.prevKvs.map(brief)],
      [1, [`\xff/a=\xff/a c${revision - 3} m${revision - 3} v1`]],
    );
    t.same([two.deleted, keysOf(two.prevKvs)], [1, ['\xff/b']]);
    t.same([rest.deleted, rest.prevKvs], [2, []]);
    t.equal(rest.header.revision, revision + 3);
    t.equal((await client.range(prefix('\xff/'))).count, 0);
  });
}

const versionIs = (key: string, version: number): Compare => ({
  key: bytes(key),
  target: 'version',
  result: 'equal',
  version,
});

function txnTests(t: Test, client: EtcdClient): void {
  t.test('a range after a put of the same transaction sees it, at the new revision', async (t) => {
    const start = await revisionOf(client);
    const { responses, header, succeeded } = await client.txn(
      txn([get('t/a'), put('t/a', '1'), get('t/a'), get('t/a', { revision: start }), del('t/none')]),
    );

    t.ok(succeeded, 'no compares hold');
    t.equal(header.revision, start + 1);
    const found = responses.map((r) => (r.type === 'range' ? r.kvs.map(brief) : r.type));
    t.same(found, [[], 'put', [`t/a=1 c${start + 1} m${start + 1} v1`], [], 'delete']);
    t.same(
      responses.map((r) => r.header.revision),
      [start, start + 1, start + 1, start + 1, start + 1],
    );
  });

  t.test('a range after a delete of the same transaction does not see the key', async (t) => {
    await client.put({ key: bytes('t/b'), value: bytes('1') });
    const { responses } = await client.txn(txn([get('t/b'), del('t/b'), get('t/b'), del('t/b')]));

    t.same(
      responses.map((r) => (r.type === 'range' ? r.count : r.type === 'delete' ? r.deleted : r.type)),
      [1, 1, 0, 0],
    );
  });

  t.test('the branch of the compares runs, also nested ones', async (t) => {
    const start = await revisionOf(client);
    const inner = nested([put('t/then', '1')], [put('t/else', '1')], [versionIs('t/none', 0)]);
    const { responses, succeeded } = await client.txn(
      txn([], [inner, put('t/c', '1')], [versionIs('t/none', 1)]),
    );

    t.notOk(succeeded);
    const first = responses[0];
    t.ok(first?.type === 'txn' && first.succeeded && first.responses[0]?.type === 'put');
    const { kvs } = await client.range({ key: bytes('t/then') });
    t.same(kvs.map(brief), [`t/then=1 c${start + 1} m${start + 1} v1`]);
    t.equal((await client.range({ key: bytes('t/else') })).count, 0);
  });

  t.test('all compares, nested ones too, are evaluated before any write', async (t) => {
    const sees = nested([put('t/saw', 'new')], [put('t/saw', 'old')], [versionIs('t/d', 1)]);
    await client.txn(txn([put('t/d', '1'), sees]));
    const { kvs } = await client.range({ key: bytes('t/saw') });
    t.equal(kvs[0] && text(kvs[0].value), 'old');
  });

  t.test('what fails changes nothing', async (t) => {
    const start = await revisionOf(client);
    await fails(t, client.txn(txn([put('t/e', '1'), put('t/f', '1', { lease: 999n })])), 'LeaseNotFound');
    await fails(t, client.txn(txn([put('t/e', '1'), put('t/f', '', { ignoreValue: true })])), 'KeyNotFound');
    // A put by itself is the other way round.
    const both = put('t/f', '', { ignoreValue: true, lease: 999n });
    await fails(t, client.txn(txn([both])), 'KeyNotFound', 'the key is looked at before the lease');
    await fails(t, client.txn(txn([put('t/e', '1'), get('t/e', { revision: start + 1 })])), 'FutureRev');
    await fails(
      t,
      client.txn(txn([get('t/e', { revision: start + 9 }), nested([put('t/f', '1', { lease: 999n })])])),
      'LeaseNotFound',
      'puts are checked before ranges',
    );
    t.equal(await revisionOf(client), start);
    t.equal((await client.range({ key: bytes('t/e') })).count, 0);
    const skipped = await client.txn(txn([], [put('t/f', '1', { lease: 999n })]));
    t.ok(skipped.succeeded, 'a branch that does not run is not checked');
  });

  t.test('duplicate keys', async (t) => {
    const dup = (success: Parameters<typeof txn>[0], what: string) =>
      fails(t, client.txn(txn(success)), 'DuplicateKey', what);
    const fine = async (success: Parameters<typeof txn>[0], what: string) => {
      const { succeeded } = await client.txn(txn(success));
      t.ok(succeeded, what);
    };
    await dup([put('d/a', '1'), put('d/a', '1')], 'put twice');
    await fails(
      t,
      client.txn(txn([], [put('d/a', '1'), put('d/a', '2')])),
      'DuplicateKey',
      'in the other branch',
    );
    await dup([put('d/a', '1'), del('d/a')], 'put and delete');
    await dup([del('d/a', 'd/b'), put('d/aa', '1')], 'put and delete of a range');
    await dup([nested([put('d/a', '1')]), put('d/a', '1')], 'nested and outer');
    await dup([put('d/a', '1'), nested([], [del('d/', 'd0')])], 'outer and nested delete');
    await dup([nested([put('d/a', '1')]), nested([], [put('d/a', '1')])], 'two nested ones');
    await dup([nested([del('d/a')]), nested([put('d/a', '1')])], 'nested delete, then nested put');
    await fine([nested([put('d/a', '1')], [put('d/a', '2')])], 'the same put in exclusive branches');
    await fine([nested([put('d/a', '1')], [del('d/a')])], 'put and delete in exclusive branches');
    await fine([nested([del('d/x')], [put('d/x', '1')])], 'delete and put in exclusive branches');
    await fine([del('d/a'), del('d/a')], 'delete twice');
    await fine([del('d/a', 'd/b'), put('d/b', '1')], 'the end of a range is outside');
  });

  t.test('what the check for duplicates lets through runs in order', async (t) => {
    const start = await revisionOf(client);
    await client.txn(txn([nested([put('u/a', '1')]), nested([del('u/a')])]));
    await client.put({ key: bytes('\xff\xff/a'), value: bytes('0') });
    const { responses } = await client.txn(
      txn([del('\xff\xff', '\0'), put('\xff\xff/a', '1'), put('\xff\xff/b', '1'), del('\xff\xff/b', '\0')]),
    );

    t.equal((await client.range({ key: bytes('u/a') })).count, 0, 'put, then deleted');
    t.equal((await client.range({ key: bytes('u/a'), revision: start + 1 })).count, 0);
    t.same(
      responses.map((r) => (r.type === 'delete' ? r.deleted : r.type)),
      [1, 'put', 'put', 1],
    );
    const { kvs } = await client.range({ key: bytes('\xff\xff'), rangeEnd: bytes('\0') });
    t.same(kvs.map(brief), [`\xff\xff/a=1 c${start + 3} m${start + 3} v1`], 'deleted and created anew');
  });

  t.test('create, update and delete as kube-apiserver writes them', async (t) => {
    const modIs = (modRevision: number): Compare => ({
      key: bytes('kube'),
      target: 'mod',
      result: 'equal',
      modRevision,
    });
    const created = await client.txn(txn([put('kube', '1')], [get('kube')], [modIs(0)]));
    const { revision } = created.header;
    const again = await client.txn(txn([put('kube', '2')], [get('kube')], [modIs(0)]));
    const updated = await client.txn(txn([put('kube', '3')], [get('kube')], [modIs(revision)]));
    const stale = await client.txn(txn([del('kube')], [get('kube')], [modIs(revision)]));
    const deleted = await client.txn(txn([del('kube')], [get('kube')], [modIs(revision + 1)]));

    t.same(
      [created, again, updated, stale, deleted].map(({ succeeded }) => succeeded),
      [true, false, true, false, true],
    );
    const conflict = stale.responses[0];
    t.same(conflict?.type === 'range' && conflict.kvs.map(brief), [
      `kube=3 c${revision} m${revision + 1} v2`,
    ]);
    t.equal(again.header.revision, revision);
  });
}

function compareTests(t: Test, client: EtcdClient): void {
  const holds = async (compare: Compare) => (await client.txn(txn([], [], [compare]))).succeeded;
  /** Which of equal, greater, less, not-equal hold. */
  const results = async (compare: Omit<Extract<Compare, { target: 'version' }>, 'result'>) => {
    const letters: string[] = [];
    for (const result of ['equal', 'greater', 'less', 'not-equal'] as const) {
      if (await holds({ ...compare, result })) letters.push(result);
    }
    return letters.join(' ');
  };
  type Bare = Parameters<typeof results>[0];
  const on = (key: string, what: object, rangeEnd?: string) =>
    results({
      key: bytes(key),
      ...(rangeEnd !== undefined && { rangeEnd: bytes(rangeEnd) }),
      ...what,
    } as Bare);

  t.test('targets and results', async (t) => {
    const { id } = await client.leaseGrant({ ttl: 1000 });
    const { header } = await client.put({ key: bytes('c/a'), value: bytes('m'), lease: id });
    const { revision } = header;
    await client.put({ key: bytes('c/a'), value: bytes('m'), lease: id });

    t.equal(await on('c/a', { target: 'version', version: 2 }), 'equal');
    t.equal(await on('c/a', { target: 'version', version: 1 }), 'greater not-equal');
    t.equal(await on('c/a', { target: 'create', createRevision: revision }), 'equal');
    t.equal(await on('c/a', { target: 'mod', modRevision: revision + 2 }), 'less not-equal');
    t.equal(await on('c/a', { target: 'value', value: bytes('m') }), 'equal');
    t.equal(await on('c/a', { target: 'value', value: bytes('mm') }), 'less not-equal');
    t.equal(await on('c/a', { target: 'value', value: bytes('') }), 'greater not-equal');
    t.equal(await on('c/a', { target: 'lease', lease: id }), 'equal');
    t.equal(await on('c/a', { target: 'lease', lease: 0n }), 'greater not-equal');
    await client.leaseRevoke(id);
  });

  t.test('a missing key has zeroes but no value', async (t) => {
    t.equal(await on('c/none', { target: 'version', version: 0 }), 'equal');
    t.equal(await on('c/none', { target: 'create', createRevision: 0 }), 'equal');
    t.equal(await on('c/none', { target: 'mod', modRevision: 1 }), 'less not-equal');
    t.equal(await on('c/none', { target: 'lease', lease: 0n }), 'equal');
    t.equal(await on('c/none', { target: 'value', value: bytes('') }), '');
  });

  t.test('with range_end every key must match; no key counts as a missing one', async (t) => {
    await client.put({ key: bytes('cr/a'), value: bytes('1') });
    await client.put({ key: bytes('cr/b'), value: bytes('1') });
    await client.put({ key: bytes('cr/b'), value: bytes('2') });

    t.equal(await on('cr/', { target: 'version', version: 0 }, 'cr0'), 'greater not-equal');
    t.equal(await on('cr/', { target: 'version', version: 1 }, 'cr0'), '');
    t.equal(await on('cr/', { target: 'value', value: bytes('3') }, 'cr0'), 'less not-equal');
    t.equal(await on('cx/', { target: 'version', version: 0 }, 'cx0'), 'equal');
    t.equal(await on('cx/', { target: 'value', value: bytes('') }, 'cx0'), '');
  });
}

function validationTests(t: Test, client: EtcdClient): void {
  t.test('empty keys and empty operations', async (t) => {
    const key = bytes('');
    await fails(t, client.range({ key }), 'EmptyKey');
    await fails(t, client.put({ key, value: key }), 'EmptyKey');
    await fails(t, client.deleteRange({ key }), 'EmptyKey');
    await fails(t, client.txn(txn([nested([], [put('', '')])])), 'EmptyKey');
    await fails(t, client.txn(txn([], [], [versionIs('', 0)])), 'EmptyKey');
    await fails(t, client.txn(txn([{ type: 'empty' }])), 'KeyNotFound');
    await fails(t, client.txn(txn([put('', '1'), put('', '1')])), 'EmptyKey', 'keys before duplicates');
  });

  t.test('128 operations a transaction, counted along the nesting', async (t) => {
    const gets = (count: number) => Array.from({ length: count }, () => get('ops'));
    const most = await client.txn(txn(gets(128)));
    t.equal(most.responses.length, 128);
    await fails(t, client.txn(txn(gets(129))), 'TooManyOps');
    await fails(t, client.txn(txn([], gets(129))), 'TooManyOps');
    const compares = Array.from({ length: 129 }, () => versionIs('ops', 0));
    await fails(t, client.txn(txn([], [], compares)), 'TooManyOps');
    await fails(t, client.txn(txn([get('ops'), nested(gets(127))])), 'TooManyOps');
    t.ok((await client.txn(txn([get('ops'), nested(gets(126))]))).succeeded);
  });

  t.test('requests up to 1.5 MiB', async (t) => {
    const limit = 1.5 * 2 ** 20;
    const key = bytes('big');
    await fails(t, client.put({ key, value: new Uint8Array(limit) }), 'RequestTooLarge');
    await client.put({ key, value: new Uint8Array(limit - 512).fill(7) });
    const { kvs } = await client.range({ key });
    t.equal(kvs[0]?.value.length, limit - 512);
    await client.deleteRange({ key });
  });
}

function compactionTests(t: Test, client: EtcdClient): void {
  t.test('compaction', async (t) => {
    const start = await revisionOf(client);
    for (const value of ['1', '2', '3']) await client.put({ key: bytes('x/a'), value: bytes(value) });
    await client.put({ key: bytes('x/b'), value: bytes('1') });
    await client.deleteRange({ key: bytes('x/b') });
    const key = bytes('x/a');

    const { header } = await client.compact({ revision: start + 2, physical: true });

    t.equal(header.revision, start + 5);
    const { kvs } = await client.range({ key, revision: start + 2 });
    t.same(
      kvs.map(brief),
      [`x/a=2 c${start + 1} m${start + 2} v2`],
      'the compacted revision itself is readable',
    );
    await fails(t, client.range({ key, revision: start + 1 }), 'Compacted');
    await fails(t, client.txn(txn([put('x/c', '1'), get('x/a', { revision: start + 1 })])), 'Compacted');
    await fails(t, client.txn(txn([get('x/a', { revision: start + 1 })])), 'Compacted');
    await fails(
      t,
      client.txn(txn([get('x/a', { revision: -1 })])),
      'Compacted',
      'which by itself is the newest',
    );
    t.equal((await client.range({ key, revision: -1 })).header.revision, start + 5);
    await fails(t, client.compact({ revision: start + 2 }), 'Compacted', 'at the compacted revision');
    await fails(t, client.compact({ revision: start + 1 }), 'Compacted', 'below it');
    await fails(t, client.compact({ revision: start + 6 }), 'FutureRev');
    await client.compact({ revision: start + 5, physical: true });
    const current = await client.range(prefix('x/'));
    t.same(current.kvs.map(brief), [`x/a=3 c${start + 1} m${start + 3} v3`]);
    t.equal(await revisionOf(client), start + 5, 'compaction makes no revision');
  });
}

function leaseTests(t: Test, client: EtcdClient): void {
  t.test('grant, keep alive, time to live, list, revoke', async (t) => {
    const start = await revisionOf(client);
    const granted = await client.leaseGrant({ ttl: 300, id: 7001n });
    t.same([granted.id, granted.ttl, granted.header.revision], [7001n, 300, start]);
    await fails(t, client.leaseGrant({ ttl: 300, id: 7001n }), 'LeaseExist');
    await fails(t, client.leaseGrant({ ttl: 9_000_000_001 }), 'LeaseTTLTooLarge');
    const chosen = await client.leaseGrant({ ttl: 1 });
    t.ok(chosen.id > 0n, 'the store chooses an id');
    t.equal(chosen.ttl, 2, 'the smallest TTL');
    const negative = await client.leaseGrant({ ttl: 300, id: -7002n });
    t.equal(negative.id, -7002n, 'ids are signed');

    for (const key of ['le/b', 'le/a']) {
      await client.put({ key: bytes(key), value: bytes('1'), lease: 7001n });
    }
    await client.put({ key: bytes('le/gone'), value: bytes('1'), lease: 7001n });
    await client.put({ key: bytes('le/gone'), value: bytes('1') });
    const alive = await client.leaseKeepAlive(7001n);
    t.same([alive.id, alive.ttl], [7001n, 300]);
    const left = await client.leaseTimeToLive({ id: 7001n, keys: true });
    t.ok(left.ttl >= 298 && left.ttl <= 300, String(left.ttl));
    t.same([left.grantedTtl, left.keys.map(text).sort()], [300, ['le/a', 'le/b']]);
    t.same((await client.leaseTimeToLive({ id: 7001n })).keys, []);
    const { leases } = await client.leaseLeases();
    t.ok(leases.includes(7001n) && leases.includes(-7002n));
    await client.leaseRevoke(-7002n);
  });

  t.test('revoke deletes the keys in one revision', async (t) => {
    const start = await revisionOf(client);
    const { header } = await client.leaseRevoke(7001n);
    t.equal(header.revision, start + 1);
    const { kvs } = await client.range(prefix('le/'));
    t.same(keysOf(kvs), ['le/gone'], 'a key put again without the lease stays');
    t.notOk((await client.leaseLeases()).leases.includes(7001n));
    const { id } = await client.leaseGrant({ ttl: 300 });
    const empty = await client.leaseRevoke(id);
    t.equal(empty.header.revision, start + 1, 'no keys, no revision');
  });

  t.test('unknown leases', async (t) => {
    const alive = await client.leaseKeepAlive(4242n);
    t.same([alive.id, alive.ttl], [4242n, 0]);
    const left = await client.leaseTimeToLive({ id: 4242n, keys: true });
    t.same([left.id, left.ttl, left.grantedTtl, left.keys], [4242n, -1, 0, []]);
    await fails(t, client.leaseRevoke(4242n), 'LeaseNotFound');
    await fails(t, client.put({ key: bytes('le/x'), value: bytes('1'), lease: 4242n }), 'LeaseNotFound');
  });

  t.test('a lease that nobody keeps alive ends, with its keys', async (t) => {
    const { id } = await client.leaseGrant({ ttl: 2 });
    await client.put({ key: bytes('le/short'), value: bytes('1'), lease: id });
    const expired = async () => (await client.range({ key: bytes('le/short') })).count === 0;
    while (!(await expired())) await new Promise((resolve) => setTimeout(resolve, 100));
    t.equal((await client.leaseTimeToLive({ id })).ttl, -1);
    t.equal((await client.leaseKeepAlive(id)).ttl, 0);
  });
}

function watchTests(t: Test, client: EtcdClient): void {
  const open = (t: Test) => openReader(t, client);

  t.test('created first, then what happens from now on', async (t) => {
    const start = (await client.put({ key: bytes('w/a'), value: bytes('0') })).header.revision;
    const reader = open(t);
    reader.stream.create({ key: bytes('w/a') });
    const created = await reader.next();
    await client.put({ key: bytes('w/a'), value: bytes('1') });
    await client.put({ key: bytes('w/b'), value: bytes('1') });
    await client.deleteRange({ key: bytes('w/a') });

    t.match(created, { watchId: 0, created: true, events: [], header: { revision: start } });
    t.same(await reader.events(2), [`put w/a=1 m${start + 1}`, `delete w/a= m${start + 3}`]);
  });

  t.test('from a revision in the past, with prev_kv', async (t) => {
    const start = await revisionOf(client);
    await client.txn(txn([put('wp/a', '1'), put('wp/b', '1'), put('other', '1')]));
    await client.put({ key: bytes('wp/a'), value: bytes('2') });
    await client.deleteRange(prefix('wp/'));
    const reader = open(t);
    reader.stream.create({ ...prefix('wp/'), startRevision: start + 1, prevKv: true });
    await reader.next();

    const events = await reader.events(5);
    await client.put({ key: bytes('wp/c'), value: bytes('1') });

    t.same(events, [
      `put wp/a=1 m${start + 1}`,
      `put wp/b=1 m${start + 1}`,
      `put wp/a=2 m${start + 2} was 1 m${start + 1}`,
      `delete wp/a= m${start + 3} was 2 m${start + 2}`,
      `delete wp/b= m${start + 3} was 1 m${start + 1}`,
    ]);
    t.same(await reader.events(1), [`put wp/c=1 m${start + 4}`]);
  });

  t.test('of a deletion: key and revision, nothing else', async (t) => {
    await client.put({ key: bytes('wd'), value: bytes('1') });
    const reader = open(t);
    reader.stream.create({ key: bytes('wd') });
    await reader.next();
    const { header } = await client.deleteRange({ key: bytes('wd') });

    const [event] = (await reader.next()).events;
    t.match(event?.kv, { createRevision: 0, modRevision: header.revision, version: 0, lease: 0n });
    t.equal(event?.kv.value.length, 0);
  });

  t.test('a start in the future waits for it', async (t) => {
    const start = await revisionOf(client);
    const reader = open(t);
    reader.stream.create({ key: bytes('wf'), startRevision: start + 3 });
    await reader.next();
    for (const value of ['1', '2', '3']) await client.put({ key: bytes('wf'), value: bytes(value) });
    t.same(await reader.events(1), [`put wf=3 m${start + 3}`]);
  });

  t.test('many watches on a stream: ids from 0, chosen ids, cancel', async (t) => {
    const reader = open(t);
    const { stream } = reader;
    stream.create({ key: bytes('wm/a') });
    stream.create({ key: bytes('wm/b'), watchId: 2 });
    stream.create({ key: bytes('wm/c') });
    stream.create({ key: bytes('wm/d') });
    const ids = [await reader.next(), await reader.next(), await reader.next(), await reader.next()];
    t.same(
      ids.map(({ watchId, created }) => [watchId, created]),
      [
        [0, true],
        [2, true],
        [1, true],
        [3, true],
      ],
    );
    stream.create({ key: bytes('wm/e'), watchId: 2 });
    t.match(await reader.next(), {
      watchId: -1,
      created: true,
      canceled: true,
      cancelReason: 'mvcc: duplicate watch ID provided on the WatchStream',
    });
    stream.cancel(2);
    const canceled = await reader.next();
    t.match(canceled, { watchId: 2, canceled: true, events: [] });
    t.equal(canceled.compactRevision ?? 0, 0);
    stream.cancel(77);
    await client.put({ key: bytes('wm/b'), value: bytes('1') });
    await client.put({ key: bytes('wm/d'), value: bytes('1') });
    t.equal((await reader.next()).watchId, 3, 'nothing for the cancelled watch, nor for an unknown id');
  });

  t.test('an empty key is the first; both ends [0] is everything; filters', async (t) => {
    const start = await revisionOf(client);
    const all = open(t);
    all.stream.create({ key: bytes(''), rangeEnd: bytes('\0') });
    await all.next();
    const puts = open(t);
    puts.stream.create({ ...prefix('wx/'), filters: ['nodelete'] });
    await puts.next();
    const deletes = open(t);
    deletes.stream.create({ ...prefix('wx/'), filters: ['noput'], startRevision: start + 1 });
    await deletes.next();
    await client.put({ key: bytes('wx/a'), value: bytes('1') });
    await client.deleteRange({ key: bytes('wx/a') });
    await client.put({ key: bytes('wx/b'), value: bytes('1') });
    await client.deleteRange({ key: bytes('wx/b') });

    t.equal((await all.events(4)).length, 4);
    t.same(await puts.events(2), [`put wx/a=1 m${start + 1}`, `put wx/b=1 m${start + 3}`]);
    t.same(await deletes.events(2), [`delete wx/a= m${start + 2}`, `delete wx/b= m${start + 4}`]);
  });

  t.test('a revision is never split', async (t) => {
    const start = await revisionOf(client);
    const reader = open(t);
    reader.stream.create(prefix('ws/'));
    await reader.next();
    const ops = Array.from({ length: 50 }, (_, number) => put(`ws/${number + 10}`, 'x'));
    await client.txn(txn(ops));
    await client.deleteRange(prefix('ws/'));

    const responses = await reader.until(({ header }) => header.revision >= start + 2);
    const revisions = responses.map(({ events }) => new Set(events.map(({ kv }) => kv.modRevision)));
    t.equal(
      responses.reduce((sum, { events }) => sum + events.length, 0),
      100,
    );
    for (const [index, seen] of revisions.entries()) {
      for (const later of revisions.slice(index + 1))
        t.notOk([...seen].some((revision) => later.has(revision)));
    }
    t.notOk(responses.some(({ fragment }) => fragment));
  });

  t.test('the events of a lease that is revoked come in key order', async (t) => {
    const { id } = await client.leaseGrant({ ttl: 300 });
    const start = await revisionOf(client);
    for (const key of ['wl/b', 'wl/c', 'wl/a']) {
      await client.put({ key: bytes(key), value: bytes('1'), lease: id });
    }
    const reader = open(t);
    reader.stream.create(prefix('wl/'));
    await reader.next();
    await client.leaseRevoke(id);
    t.same(
      await reader.events(3),
      ['a', 'b', 'c'].map((key) => `delete wl/${key}= m${start + 4}`),
    );
  });
}

function openReader(t: Test, client: EtcdClient): WatchReader {
  const stream = client.watch();
  t.teardown(() => stream.close());
  return new WatchReader(stream);
}

function progressTests(t: Test, client: EtcdClient): void {
  const open = (t: Test) => openReader(t, client);

  t.test('progress is reported for all watches of the stream, with id −1, after their events', async (t) => {
    const reader = open(t);
    reader.stream.create(prefix('wq/'));
    reader.stream.create({ key: bytes('quiet') });
    await reader.next();
    await reader.next();
    const { header } = await client.put({ key: bytes('wq/a'), value: bytes('1') });
    const later = await client.put({ key: bytes('elsewhere'), value: bytes('1') });
    reader.stream.requestProgress();

    const responses = await reader.until(({ watchId }) => watchId === -1);
    t.same(
      responses.map(({ watchId, events }) => [watchId, events.length]),
      [
        [0, 1],
        [-1, 0],
      ],
    );
    t.equal(responses[0]?.events[0]?.kv.modRevision, header.revision);
    t.ok((responses[1]?.header.revision ?? 0) >= later.header.revision);
  });

  t.test('progress waits for a watch that still reads history', async (t) => {
    const start = await revisionOf(client);
    for (let count = 0; count < 20; count++) await client.put({ key: bytes('wh'), value: bytes(`${count}`) });
    const reader = open(t);
    reader.stream.create({ key: bytes('wh'), startRevision: start + 1 });
    reader.stream.requestProgress();
    const responses = await reader.until(({ watchId }) => watchId === -1);
    t.equal(
      responses.reduce((sum, { events }) => sum + events.length, 0),
      20,
      'all events came first',
    );
  });
}

function noProgressTests(t: Test, client: EtcdClient): void {
  t.test('a store whose word on progress cannot be trusted gives none, and says so', async (t) => {
    const reader = openReader(t, client);
    reader.stream.create(prefix('wq/'));
    await reader.next();
    while (reader.stream.requestProgress()) await new Promise((resolve) => setTimeout(resolve, 10));
    await client.put({ key: bytes('wq/a'), value: bytes('1') });

    const { watchId, events } = await reader.next();
    t.same([watchId, events.length], [0, 1], 'the event, and nothing before it');
  });
}

function watchFailureTests(t: Test, client: EtcdClient): void {
  t.test('key ≥ end is refused', async (t) => {
    const reader = new WatchReader(client.watch());
    for (const end of ['b', 'a']) {
      reader.stream.create({ key: bytes('b'), rangeEnd: bytes(end) });
      t.match(await reader.next(), {
        watchId: -1,
        created: true,
        canceled: true,
        cancelReason: 'mvcc: watcher range is empty',
      });
    }
    reader.stream.close();
  });

  t.test('below the compacted revision: created, then cancelled with that revision', async (t) => {
    const start = await revisionOf(client);
    for (const value of ['1', '2', '3']) await client.put({ key: bytes('wc'), value: bytes(value) });
    await client.compact({ revision: start + 2 });
    const reader = new WatchReader(client.watch());
    reader.stream.create({ key: bytes('wc'), startRevision: start + 1 });
    const created = await reader.next();
    const canceled = await reader.next();
    reader.stream.create({ key: bytes('wc'), startRevision: start + 2 });
    await reader.next();

    t.match(created, { watchId: 0, created: true });
    t.notOk(created.canceled);
    t.match(canceled, { watchId: 0, canceled: true, compactRevision: start + 2, events: [] });
    t.same(
      await reader.events(2),
      [`put wc=2 m${start + 2}`, `put wc=3 m${start + 3}`],
      'the compacted revision itself can be watched',
    );
    reader.stream.close();
  });

  t.test('a closed stream ends its iteration and says so', async (t) => {
    const stream = client.watch();
    const reader = new WatchReader(stream);
    stream.create({ key: bytes('close') });
    await reader.next();
    stream.close();
    t.equal(await stream.closed, undefined);
    await t.rejects(reader.next(), /ended/);

    const aborted = new AbortController();
    const second = client.watch({ signal: aborted.signal });
    aborted.abort();
    t.equal(await second.closed, undefined, 'an aborted signal closes');
  });
}
