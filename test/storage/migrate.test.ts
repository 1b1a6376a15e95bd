/** `storage/migrate`: a store is moved by nothing but etcd's API, and what arrives is what was there. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { EtcdClient } from '../../storage/client/interface.js';
import { migrate, type MigrateOptions } from '../../storage/migrate/migrate.js';
import { openStore, type StoreOptions } from '../../storage/open.js';
import { random } from '../raft/random.js';
import { fillStore, sameContent } from './migrate-content.js';
import { bytes, keysOf, prefix, put, text, txn } from './tools.js';

const ALL = { key: Buffer.from([0]), rangeEnd: Buffer.from([0]) };

async function store(t: Test, limits: Partial<StoreOptions> = {}): Promise<EtcdClient> {
  const store = await openStore({ ...limits, dataDir: ':memory:' });
  t.teardown(() => store.close());
  return store.client;
}

async function pair(t: Test) {
  return { source: await store(t), target: await store(t) };
}

/** The same client, but for some calls. */
function altered(client: EtcdClient, calls: Partial<EtcdClient>): EtcdClient {
  return new Proxy(client, {
    get(_target, name: keyof EtcdClient) {
      const call = (calls[name] ?? client[name]) as () => unknown;
      return call.bind(client);
    },
  });
}

function move(
  clients: { readonly source: EtcdClient; readonly target: EtcdClient },
  more: Partial<MigrateOptions> = {},
) {
  return migrate({ prefix: bytes(''), opsMax: 128, overwrite: false, ...clients, ...more });
}

t.test('everything arrives: any bytes, no bytes, the largest values, leases with their ids', async (t) => {
  const clients = await pair(t);
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const filled = await fillStore(clients.source, between, 2500);
  const progress: string[] = [];
  const outcome = await move(clients, { onProgress: ({ phase }) => progress.push(phase) });
  t.equal(outcome.keys, filled.keys);
  t.equal(outcome.leases, filled.leases.length);
  t.equal(outcome.sourceRevision, outcome.revision, 'nothing was written meanwhile');
  await sameContent(t, clients.source, clients.target);
  t.same([...new Set(progress)], ['copying', 'following', 'verifying']);
});

t.test('an empty store is moved, too', async (t) => {
  t.match(await move(await pair(t)), { keys: 0, leases: 0, events: 0 });
});

t.test('a target that is not empty is refused, or cleared when that is asked for', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  await source.put({ key: bytes('a'), value: bytes('1') });
  await target.leaseGrant({ id: 9n, ttl: 100 });
  await target.put({ key: bytes('z'), value: bytes('1'), lease: 9n });
  await t.rejects(move(clients), { message: /target is not empty \(1 keys\); --overwrite/ });
  t.equal((await target.range({ key: bytes('z') })).count, 1);
  t.equal((await move(clients, { overwrite: true })).keys, 1);
  t.same(keysOf((await target.range(ALL)).kvs), ['a']);
  t.same((await target.leaseLeases()).leases, []);
});

t.test('source and target must be two clusters', async (t) => {
  const source = await store(t);
  await source.put({ key: bytes('a'), value: bytes('1') });
  await t.rejects(move({ source, target: source }, { overwrite: true }), { message: /are the same cluster/ });
  t.equal((await source.range({ key: bytes('a') })).count, 1);
});

t.test('a prefix moves alone, with the leases of its keys', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  for (const id of [1n, 2n, 3n]) await source.leaseGrant({ id, ttl: 100 });
  for (const [key, lease] of [
    ['a/1', 1n],
    ['b/1', 2n],
    ['b/2', 0n],
    ['c', 3n],
  ] as const) {
    await source.put({ key: bytes(key), value: bytes(key), lease });
  }
  await target.put({ key: bytes('a/0'), value: bytes('stays') });
  t.equal((await move(clients, { prefix: bytes('b/') })).keys, 2);
  t.same(keysOf((await target.range(ALL)).kvs), ['a/0', 'b/1', 'b/2']);
  t.same((await target.leaseLeases()).leases, [2n]);
  // A prefix that ends in the last byte has no key after it with that beginning.
  await source.put({ key: Buffer.from([0xff, 0xff, 1]), value: bytes('1') });
  t.equal((await move(clients, { prefix: Buffer.from([0xff, 0xff]) })).keys, 1);
});

t.test('what is written to the source meanwhile arrives by a watch', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  for (let n = 0; n < 200; n++) await source.put({ key: bytes(`k${n}`), value: bytes('0') });
  await source.leaseGrant({ id: 5n, ttl: 100 });
  await source.put({ key: bytes('leased'), value: bytes('1'), lease: 5n });
  const until = new AbortController();
  const moving = move(clients, { until: until.signal });
  while ((await target.range({ key: bytes('leased') })).count === 0) await sleep(5);

  // Of one revision, of one key again and again, a key put and deleted in one transaction, a new lease, one that ends.
  await source.txn(txn([put('k1', 'one'), put('k2', 'one')]));
  for (let n = 0; n < 300; n++) await source.put({ key: bytes(`k${n % 7}`), value: bytes(`${n}`) });
  await source.deleteRange(prefix('k19'));
  await source.leaseGrant({ id: 6n, ttl: 100 });
  await source.put({ key: bytes('new'), value: bytes('1'), lease: 6n });
  await source.leaseRevoke(5n);
  until.abort();

  const outcome = await moving;
  t.equal(outcome.revision, outcome.sourceRevision);
  t.ok(outcome.events >= 300, `${outcome.events} events`);
  await sameContent(t, source, target);
  t.same((await target.leaseLeases()).leases, [6n]);
  t.equal(text((await target.range({ key: bytes('k5') })).kvs[0]?.value ?? bytes('')), '299');
});

t.test('a lease that ends while its keys are copied takes them along', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  await source.leaseGrant({ id: 5n, ttl: 100 });
  for (const key of ['a', 'b']) await source.put({ key: bytes(key), value: bytes('1'), lease: 5n });
  await source.put({ key: bytes('c'), value: bytes('1') });
  let asked = 0;
  const revoking = altered(source, {
    leaseTimeToLive: async (...parameters: Parameters<EtcdClient['leaseTimeToLive']>) => {
      asked += 1;
      await source.leaseRevoke(5n);
      return source.leaseTimeToLive(...parameters);
    },
  });
  const outcome = await move({ source: revoking, target });
  t.equal(asked, 1);
  t.equal(outcome.keys, 1);
  await sameContent(t, source, target);
  t.same((await target.leaseLeases()).leases, []);
});

t.test('a transaction that finds no lease any more brings it again', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  await source.leaseGrant({ id: 5n, ttl: 100 });
  await source.put({ key: bytes('a'), value: bytes('1'), lease: 5n });
  let transactions = 0;
  const forgetful = altered(target, {
    txn: async (...parameters: Parameters<EtcdClient['txn']>) => {
      transactions += 1;
      if (transactions === 1) await target.leaseRevoke(5n);
      return target.txn(...parameters);
    },
  });
  t.equal((await move({ source, target: forgetful })).keys, 1);
  t.equal(transactions, 2);
  await sameContent(t, source, target);
});

t.test('a target that takes less at a time gets less at a time', async (t) => {
  const source = await store(t);
  for (let n = 0; n < 100; n++) await source.put({ key: bytes(`k${n}`), value: Buffer.alloc(500, n) });
  const target = await store(t, { txnOpsMax: 10, requestBytesMax: 3000 });
  t.equal((await move({ source, target })).keys, 100);
  await sameContent(t, source, target);
  await source.put({ key: bytes('large'), value: Buffer.alloc(5000) });
  await t.rejects(move({ source, target }, { overwrite: true }), {
    name: 'BackupError',
    message: /refuses the key "large" and its value: etcdserver: request is too large/,
  });
});

t.test('a difference is noticed', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  for (const key of ['a', 'b']) await source.put({ key: bytes(key), value: bytes('1') });
  const careless = altered(target, {
    txn: async (...parameters: Parameters<EtcdClient['txn']>) => {
      const response = await target.txn(...parameters);
      await target.put({ key: bytes('b'), value: bytes('2') });
      return response;
    },
  });
  await t.rejects(move({ source, target: careless }), {
    message: /differs from the source at revision 3 \(2 keys and 2\)/,
  });
});

t.test('a source that was compacted meanwhile says so', async (t) => {
  const clients = await pair(t);
  const { source, target } = clients;
  for (let n = 0; n < 10; n++) await source.put({ key: bytes('a'), value: bytes(`${n}`) });
  const compacting = altered(source, {
    range: async (...parameters: Parameters<EtcdClient['range']>) => {
      if (parameters[0].limit !== undefined) {
        const { header } = await source.put({ key: bytes('a'), value: bytes('more') });
        await source.compact({ revision: header.revision });
      }
      return source.range(...parameters);
    },
  });
  await t.rejects(move({ source: compacting, target }), { message: /the source has compacted/ });
});
