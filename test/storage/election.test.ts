/**
 * The Election and Lock services: keys, answers and errors as etcd's own services and its Go package `concurrency` have
 * them (asked of etcd 3.4; that a lost session is an error is of 3.5).
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { CallOptions } from '../../storage/client/interface.js';
import { openStore } from '../../storage/open.js';
import type { LeaderResponse } from '../../storage/server/api.js';
import { ElectionServer } from '../../storage/server/election.js';
import { LockServer } from '../../storage/server/lock.js';
import { bytes, fails, keysOf, prefix, put, text, txn } from './tools.js';

async function services(t: Test) {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const client = store.guardedClient;
  const grant = async (ttl = 100) => (await client.leaseGrant({ ttl })).id;
  const election = new ElectionServer(client);
  const lock = new LockServer(client);
  const keys = async (name: string) => keysOf((await client.range(prefix(`${name}/`))).kvs);
  /** Waits until as many contend. */
  const contenders = async (name: string, count: number) => {
    while ((await keys(name)).length !== count) await pause(2);
  };
  const campaign = (name: string, lease: bigint, value: string, options?: CallOptions) =>
    election.campaign({ name: bytes(name), lease, value: bytes(value) }, options);
  const acquire = (name: string, lease: bigint, options?: CallOptions) =>
    lock.lock({ name: bytes(name), lease }, options);
  return { client, grant, election, lock, keys, contenders, campaign, acquire };
}

/** Whether it has come to an end by now. */
async function isSettled(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  work.then(settle, settle);
  await pause(30);
  return settled;
}

const told = ({ kv }: LeaderResponse) => text(kv?.value ?? bytes(''));

t.test('a lock is held by the oldest key, which is the name, a slash and the lease in hex', async (t) => {
  const { grant, lock, acquire, contenders } = await services(t);
  const [first, second] = [await grant(), await grant()];

  const held = await acquire('l', first);
  const waiting = acquire('l', second);
  await contenders('l', 2);

  t.equal(text(held.key), `l/${first.toString(16)}`);
  t.notOk(await isSettled(waiting), 'the second waits');
  await lock.unlock({ key: held.key });
  t.equal(text((await waiting).key), `l/${second.toString(16)}`);
});

t.test('locks are given in the order in which they were asked for', async (t) => {
  const { grant, lock, acquire, contenders } = await services(t);
  const order: number[] = [];
  const held = await acquire('l', await grant());
  const waiting: Promise<void>[] = [];
  const takeTurn = async (number: number, lease: bigint) => {
    const { key } = await acquire('l', lease);
    order.push(number);
    await lock.unlock({ key });
  };
  for (const number of [1, 2, 3]) {
    waiting.push(takeTurn(number, await grant()));
    await contenders('l', number + 1);
  }

  await lock.unlock({ key: held.key });
  await Promise.all(waiting);

  t.same(order, [1, 2, 3]);
});

t.test('names that begin alike are different locks', async (t) => {
  const { grant, acquire } = await services(t);
  await acquire('a', await grant());
  const lease = await grant();
  t.equal(text((await acquire('ab', lease)).key), `ab/${lease.toString(16)}`);
});

t.test('who holds a lock may ask for it again, and a lock without a lease gets one of 60 s', async (t) => {
  const { client, lock, acquire } = await services(t);
  const { key } = await acquire('l', 0n);
  const lease = BigInt(`0x${text(key).slice('l/'.length)}`);
  t.equal((await client.leaseTimeToLive({ id: lease })).grantedTtl, 60);
  t.same((await acquire('l', lease)).key, key);
  await client.leaseRevoke(lease);
  await lock.unlock({ key });
  t.pass('unlocking what is gone is no error');
});

t.test('a waiting call that is canceled, or late, leaves no key', async (t) => {
  const { grant, acquire, campaign, keys, contenders } = await services(t);
  const calls = {
    acquire,
    campaign: (name: string, lease: bigint, options?: CallOptions) => campaign(name, lease, '', options),
  };
  for (const [name, call] of Object.entries(calls)) {
    await call(name, await grant());
    const before = await keys(name);
    const controller = new AbortController();
    const canceled = call(name, await grant(), { signal: controller.signal });
    await contenders(name, 2);
    controller.abort();
    await fails(t, canceled, 'Canceled', `${name} canceled`);
    t.same(await keys(name), before);

    await fails(t, call(name, await grant(), { timeout: 20 }), 'DeadlineExceeded', `${name} late`);
    t.same(await keys(name), before);
  }
});

t.test('a canceled second call of who holds the lock does not take it away', async (t) => {
  const { grant, acquire, keys } = await services(t);
  const lease = await grant();
  const { key } = await acquire('l', lease);
  await fails(t, acquire('l', lease, { signal: AbortSignal.abort() }), 'Canceled');
  t.same(await keys('l'), [text(key)]);
});

t.test('a lock whose lease ended while it waited is not given', async (t) => {
  const { client, grant, lock, acquire, contenders } = await services(t);
  const { key } = await acquire('l', await grant());
  const lease = await grant();
  const waiting = acquire('l', lease);
  waiting.catch(() => undefined);
  await contenders('l', 2);
  await client.leaseRevoke(lease);
  await lock.unlock({ key });
  await fails(t, waiting, 'SessionExpired');
});

t.test('compaction while calls wait harms none of them', async (t) => {
  const { client, grant, lock, acquire, contenders } = await services(t);
  const { key } = await acquire('l', await grant());
  const waiting = acquire('l', await grant());
  await contenders('l', 2);
  const { header } = await client.put(put('x', '1'));
  await client.compact({ revision: header.revision, physical: true });
  t.notOk(await isSettled(waiting));
  await lock.unlock({ key });
  await waiting;
});

t.test("errors have etcd's texts; those of the store come as Unknown", async (t) => {
  const { election, lock, acquire, campaign, grant } = await services(t);
  const leader = { name: bytes('e'), key: bytes('e/1'), revision: 1, lease: 0n };
  const value = bytes('v');
  await fails(t, election.leader({ name: bytes('e') }), 'ElectionNoLeader');
  await fails(t, election.proclaim({ leader: undefined, value }), 'LeaderKeyMissing');
  await fails(t, election.resign({ leader: undefined }), 'LeaderKeyMissing');
  await fails(t, election.proclaim({ leader, value }), 'ElectionNotLeader');
  await election.resign({ leader });
  const unknown = { code: 2, message: 'etcdserver: requested lease not found' };
  await t.rejects(campaign('e', 99n, 'v'), unknown);
  await t.rejects(acquire('l', 99n), unknown);
  await t.rejects(lock.unlock({ key: bytes('') }), { code: 2, message: 'etcdserver: key is not provided' });
  const { leader: elected } = await campaign('e', await grant(), 'v');
  await t.rejects(election.proclaim({ leader: { ...elected, lease: 99n }, value }), unknown);
});

t.test('a campaign is won by the oldest; its leader proclaims and resigns', async (t) => {
  const { election, grant, campaign, contenders } = await services(t);
  const name = bytes('e');
  const lease = await grant();
  const { header, leader } = await campaign('e', lease, 'one');
  const second = campaign('e', await grant(), 'two');
  await contenders('e', 2);

  t.same(
    { ...leader, name: text(leader.name), key: text(leader.key) },
    {
      name: 'e',
      key: `e/${lease.toString(16)}`,
      revision: header.revision,
      lease,
    },
  );
  t.equal(told(await election.leader({ name })), 'one');
  await election.proclaim({ leader, value: bytes('uno') });
  t.equal(told(await election.leader({ name })), 'uno');
  t.notOk(await isSettled(second));

  const again = await campaign('e', lease, 'eins');
  t.same(again.leader, leader, 'the same lease again is the same leader');
  t.equal(told(await election.leader({ name })), 'eins', 'who proclaims what it came with');

  await fails(
    t,
    election.proclaim({ leader: { ...leader, revision: 1 }, value: bytes('') }),
    'ElectionNotLeader',
  );
  await election.resign({ leader: { ...leader, revision: 1 } });
  t.equal(told(await election.leader({ name })), 'eins', 'an older leadership resigns nothing');
  await election.resign({ leader });
  await second;
  t.equal(told(await election.leader({ name })), 'two');
});

t.test('an observer hears every proclamation of each leader in turn, also of the first', async (t) => {
  const { client, election, grant, campaign, contenders } = await services(t);
  const heard: string[] = [];
  const controller = new AbortController();
  const until = async (count: number) => {
    while (heard.length < count) await pause(2);
  };
  const observing = (async () => {
    for await (const response of election.observe({ name: bytes('e') }, { signal: controller.signal })) {
      heard.push(`${told(response)} ${response.header.revision - (response.kv?.modRevision ?? 0)}`);
    }
  })();
  await pause(20);

  const { leader } = await campaign('e', await grant(), 'a1');
  await election.proclaim({ leader, value: bytes('a2') });
  await client.put(put('e2/other', 'x'));
  const lease = await grant();
  const next = campaign('e', lease, 'b1');
  await contenders('e', 2);
  await election.proclaim({ leader, value: bytes('a3') });
  await until(3);
  await election.resign({ leader });
  // Its key is older than the last proclamation of the leader before it, and the header is of when it was read.
  await next;
  await until(4);
  await client.leaseRevoke(lease);
  await campaign('e', await grant(), 'c1');
  await until(5);

  t.same(heard, ['a1 0', 'a2 0', 'a3 0', 'b1 2', 'c1 0']);
  controller.abort();
  await fails(t, observing, 'Canceled');
});

t.test('an observer that is slow, or meets a compaction, goes on with the newest', async (t) => {
  const { client, election, grant, campaign } = await services(t);
  const lease = await grant();
  const { leader } = await campaign('e', lease, 'old');
  const observer = election.observe({ name: bytes('e') })[Symbol.asyncIterator]();
  const next = async () => told((await observer.next()).value as LeaderResponse);
  t.equal(await next(), 'old');

  const { header } = await election.proclaim({ leader, value: bytes('missed') });
  const { key, revision } = leader;
  const compare = [{ key, target: 'create', result: 'equal', createRevision: revision } as const];
  await client.txn(txn([put(text(key), 'newest', { lease })], [], compare));
  await client.compact({ revision: header.revision + 1, physical: true });

  t.equal(await next(), 'newest');
  await observer.return?.();
  t.same(await observer.next().catch(() => 'over'), 'over');
});

t.test('watches end with the calls that opened them', async (t) => {
  const { client, election, lock, grant, acquire, contenders } = await services(t);
  let open = 0;
  const watch = client.watch.bind(client);
  client.watch = (options) => {
    const stream = watch(options);
    open += 1;
    void stream.closed.then(() => (open -= 1));
    return stream;
  };
  const observer = election.observe({ name: bytes('e') })[Symbol.asyncIterator]();
  const { key } = await acquire('l', await grant());
  const waiting = lock.lock({ name: bytes('l'), lease: await grant() });
  await contenders('l', 2);
  observer.next().catch(() => undefined);
  await pause(20);
  t.equal(open, 2);
  await lock.unlock({ key });
  await waiting;
  await observer.return?.();
  await pause(20);
  t.equal(open, 0);
  await fails(t, election.leader({ name: bytes('e') }), 'ElectionNoLeader');
});
