/** Three stores in one process that are one: writes, reads and leases through each, catching up, changes of leaders. */
import fs from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { encodeConfiguration, type Member } from '../../raft/core/configuration.js';
import { EtcdError } from '../../storage/errors.js';
import { openStore } from '../../storage/open.js';
import { Cluster, IDS, TIMES } from './store-cluster.js';
import { brief, briefEvent, bytes, fails, prefix, temporaryFolder } from './tools.js';

function copiesOf(dataDir: string): number {
  return fs.readdirSync(path.join(dataDir, 'member')).filter((name) => name.startsWith('copy')).length;
}

/** Calls one after another until it is stopped. */
class Repeated {
  #stopped = false;
  readonly #calls: Promise<void>;

  constructor(call: (number: number) => Promise<unknown>) {
    this.#calls = (async () => {
      for (let number = 0; !this.#stopped; number++) await call(number);
    })();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#calls;
  }
}

/** Tries again as a client would that does not mind writing twice. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof EtcdError) || tries === 100) throw error;
      await delay(10);
    }
  }
}

t.test('each member takes writes and reads, and sees those of the others at once', async (t) => {
  const cluster = await Cluster.start(t);
  const leader = await cluster.leader();
  for (const writer of IDS) {
    await cluster.client(writer).put({ key: bytes('a'), value: bytes(`${writer}`) });
    for (const reader of IDS) {
      const { kvs, header } = await cluster.client(reader).range({ key: bytes('a') });
      t.same(
        kvs.map(brief),
        [`a=${writer} c2 m${Number(writer) + 1} v${writer}`],
        `${writer} read by ${reader}`,
      );
      t.same([header.memberId, header.clusterId], [reader, 9n]);
    }
  }
  for (const id of IDS) {
    const status = await cluster.client(id).status();
    t.match(status, { leader, isLearner: false, errors: [], header: { memberId: id } });
  }
  const { client } = cluster.store(await cluster.follower());
  await fails(
    t,
    client.compact({ revision: 99 }),
    'FutureRev',
    'errors of the store come from the leader too',
  );
  await cluster.sameStates('three members, one state');
});

t.test('a member without the others answers nothing that needs them, in time', async (t) => {
  const cluster = await Cluster.start(t);
  const alone = await cluster.leader();
  await cluster.client(alone).put({ key: bytes('a'), value: bytes('1') });
  await cluster.client(alone).leaseGrant({ id: 5n, ttl: 100 });
  cluster.network.cut(alone);
  const other = IDS.find((id) => id !== alone) as bigint;
  await insist(() => cluster.client(other).put({ key: bytes('a'), value: bytes('2') }, { timeout: 1000 }));

  const { client } = cluster.store(alone);
  const key = bytes('a');
  const timeout = 300;
  const calls = {
    range: () => client.range({ key }, { timeout }),
    put: () => client.put({ key, value: key }, { timeout }),
    keepAlive: () => client.leaseKeepAlive(5n, { timeout }),
    timeToLive: () => client.leaseTimeToLive({ id: 5n }, { timeout }),
  };
  for (const [what, call] of Object.entries(calls)) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    const isClear = error instanceof EtcdError && (error.is('NoLeader') || error.is('DeadlineExceeded'));
    t.ok(isClear, `${what}: ${String(error)}`);
  }
  t.same(
    (await client.range({ key, serializable: true })).kvs.map(brief),
    ['a=1 c2 m2 v1'],
    'but for what is here',
  );
  t.match(await client.status(), { leader: 0n, errors: ['etcdserver: no leader'] });

  cluster.network.mend(alone);
  await insist(() => client.range({ key }, { timeout: 1000 }));
  const { kvs } = await client.range({ key });
  t.same(kvs[0]?.value, bytes('2'), 'and is one of them again');
  await cluster.sameStates('after the partition');
});

t.test('a follower that was away for long catches up by snapshot while writes go on', async (t) => {
  const checkpointLimits = { startBytes: 2 ** 18, holdBytes: 2 ** 20, walBytesMax: 2 ** 24 };
  const cluster = await Cluster.start(t, () => ({ snapshotCount: 200, checkpointLimits }));
  const away = await cluster.follower();
  const [writer = 0n, witness = 0n] = IDS.filter((id) => id !== away);
  const told = new Map<bigint, string[]>();
  const watch = (id: bigint, startRevision: number) => {
    const lines: string[] = [];
    const stream = cluster.client(id).watch();
    stream.deliver(({ events, canceled }) => {
      lines.push(...events.map(briefEvent), ...(canceled === true ? ['canceled'] : []));
      return true;
    });
    stream.create({ ...prefix('k'), startRevision });
    told.set(id, lines);
  };
  const write = (number: number) =>
    cluster
      .client(writer)
      .put({ key: bytes(`k${number % 50}`), value: bytes(`${number} ${'v'.repeat(300)}`) });
  for (let number = 0; number < 20; number++) await write(number);
  await cluster.settled();
  watch(away, 2);
  watch(witness, 2);
  cluster.network.cut(away);
  for (let number = 0; number < 3500; number += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, place) => write(number + place)));
  }
  cluster.network.mend(away);
  const writing = new Repeated(write);
  const caughtUp = async () => {
    const one = cluster.store(away).consensus.status();
    const other = cluster.store(writer).consensus.status();
    return one.applied > other.applied - 100;
  };
  while (!(await caughtUp())) await delay(10);
  await writing.stop();
  const revision = await cluster.settled();
  const everything = revision - 1;
  for (const id of [away, witness]) {
    while ((told.get(id)?.length ?? 0) < everything) await delay(5);
  }

  t.ok(
    cluster.network.snapshots.some(({ to }) => to === away),
    'it came by snapshot',
  );
  t.equal(told.get(away)?.length, everything);
  t.same(told.get(away), told.get(witness), 'its watch has heard the same as one that was never away');
  // Each copy is removed once it is sent.
  for (const id of IDS) while (copiesOf(cluster.dataDir(id)) > 0) await delay(5);

  await cluster.stop(away);
  for (let number = 0; number < 1000; number += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, place) => write(number + place)));
  }
  await cluster.open(away);
  await cluster.settled();
  const fresh = await cluster.client(away).range({ ...prefix('k'), serializable: true });
  t.equal(fresh.count, 50);
  await cluster.sameStates('after two ways of being away');
});

t.test('leases are kept alive through any member, and live through a change of leaders', async (t) => {
  const cluster = await Cluster.start(t);
  const first = await cluster.leader();
  const rest = IDS.filter((id) => id !== first);
  const lease = async (id: bigint, through: bigint) => {
    await cluster.client(through).leaseGrant({ id, ttl: 4 });
    await cluster.client(through).put({ key: bytes(`l${id}`), value: bytes('1'), lease: id });
  };
  await lease(10n, first);
  await lease(11n, rest[0] as bigint);
  await lease(12n, rest[1] as bigint);
  for (const id of IDS) {
    t.equal((await cluster.client(id).leaseKeepAlive(10n)).ttl, 4, `kept alive through ${id}`);
    const left = await cluster.client(id).leaseTimeToLive({ id: 10n, keys: true });
    t.match(left, { grantedTtl: 4, keys: [bytes('l10')], header: { memberId: id } });
    t.equal((await cluster.client(id).leaseKeepAlive(99n)).ttl, 0, 'one that is not there');
    t.equal((await cluster.client(id).leaseTimeToLive({ id: 99n })).ttl, -1);
  }

  const granted: number[] = [];
  const keeper = cluster.client(rest[0] as bigint);
  const keeping = new Repeated(async () => {
    granted.push((await insist(() => keeper.leaseKeepAlive(10n, { timeout: 1000 }))).ttl);
    await delay(100);
  });
  // Less than half of their time is left then.
  await delay(2100);
  await cluster.stop(first);
  const second = await cluster.leader(first);
  t.ok(second !== first);
  const rested = await cluster.client(second).leaseTimeToLive({ id: 11n });
  t.ok(rested.ttl >= 2, `a new leader gives each its full TTL again: ${rested.ttl} s`);
  const gone = async (id: bigint) =>
    (await cluster.client(second).range({ key: bytes(`l${id}`) })).count === 0;
  while (!((await gone(11n)) && (await gone(12n)))) await delay(20);
  t.equal(await gone(10n), false, 'who is kept alive lives on');
  await keeping.stop();
  t.ok(granted.length > 10 && granted.every((ttl) => ttl === 4), 'and nobody was told otherwise');
  while (!(await gone(10n))) await delay(20);
  await cluster.open(first);
  await cluster.sameStates('with the leases gone everywhere');
});

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

t.test('users and roles are one thing on all members', async (t) => {
  const checkpointLimits = { startBytes: 2 ** 18, holdBytes: 2 ** 20, walBytesMax: 2 ** 24 };
  const cluster = await Cluster.start(t, () => ({ snapshotCount: 200, checkpointLimits }));
  const away = await cluster.follower();
  const [one = 0n, two = 0n] = IDS.filter((id) => id !== away);
  const { auth, guardedClient } = cluster.store(one);
  const key = bytes('k');
  const root = { name: 'root', password: 'secret', hashedPassword: '', noPassword: false };
  await auth.userAdd(root);
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await cluster.settled();
  cluster.network.cut(away);
  const late = cluster.store(away).guardedClient.put({ key, value: bytes('late') }, { timeout: 20_000 });
  const trusted = cluster.client(away).put({ key: bytes('own'), value: key }, { timeout: 20_000 });
  await auth.enable();
  const { token } = await cluster.store(two).auth.authenticate(root);
  for (const id of [two, one, two]) {
    await cluster.store(id).guardedClient.put({ key, value: bytes('1') }, { token });
  }
  await fails(t, guardedClient.put({ key, value: key }), 'UserEmpty', 'at the other member at once');
  t.equal((await guardedClient.range({ key }, { token })).count, 1, 'the token, too');
  cluster.network.mend(away);
  await fails(t, late, 'UserEmpty', 'what a member that did not know yet has let in is refused in the log');
  await trusted;
  t.equal((await cluster.client(away).range({ key: bytes('own') })).count, 1, 'but not what it runs itself');
  const guarded = cluster.store(away).guardedClient;
  await fails(t, guarded.range({ key }), 'UserEmpty');
  t.equal((await guarded.range({ key }, { token })).count, 1, 'it has the token from the log');

  cluster.network.cut(away);
  const { auth: other } = cluster.store(two);
  const value = bytes('v'.repeat(300));
  for (let round = 0; round < 35; round++) {
    await other.roleAdd({ name: `r${round}` }, { token });
    await Promise.all(Array.from({ length: 100 }, () => cluster.client(one).put({ key, value })));
  }
  cluster.network.mend(away);
  const again = cluster.store(away);
  await cluster.settled();
  // One that was away for long has it all by snapshot.
  while (!cluster.network.snapshots.some(({ to }) => to === away)) await delay(5);
  await fails(t, again.guardedClient.put({ key, value: key }), 'UserEmpty');
  await fails(t, again.auth.roleList({ token }), 'InvalidAuthToken', 'but no tokens');
  const fresh = await again.auth.authenticate(root);
  t.equal((await again.auth.roleList(fresh)).roles.length, 35);
  t.equal((await guardedClient.range({ key }, fresh)).count, 1, 'one from here is good everywhere');
  await cluster.sameStates('users and roles are part of the state');
});

t.test('over HTTP: a member joins as a learner with nothing, catches up and is promoted', async (t) => {
  const urls = (await freePorts(4)).map((port) => `http://127.0.0.1:${port}`);
  const peers = (place: number) => ({ listenUrls: [urls[place] as string] });
  const cluster = await Cluster.start(t, (id) => ({ peers: peers(Number(id) - 1), snapshotCount: 10 }), urls);
  const leader = await cluster.leader();
  const { client, consensus } = cluster.store(leader);
  for (let number = 0; number < 50; number++) {
    await client.put({ key: bytes(`k${number}`), value: bytes('v'.repeat(1000)) });
  }
  const joining: Member = { id: 4n, name: 'm4', peerUrls: [urls[3] as string], clientUrls: [] };
  const deadline = () => ({ deadline: performance.now() + 5000 });
  await consensus.changeConfiguration([{ type: 'add', member: joining, learner: true }], deadline());
  const { members } = consensus.configuration();
  const learner = await openStore({
    dataDir: path.join(temporaryFolder(t), 'm4'),
    bootstrap: async () => {
      const configuration = encodeConfiguration({
        voters: [],
        outgoing: [],
        learners: [],
        removed: [],
        members,
      });
      return { clusterId: 9n, memberId: 4n, configuration };
    },
    peers: peers(3),
    ...TIMES,
    onFatal: (error) => t.fail(error.stack ?? error.message),
  });
  t.teardown(() => learner.close());
  const key = bytes('k49');
  while ((await learner.client.range({ key, serializable: true })).count === 0) await delay(10);

  t.equal((await learner.client.status()).isLearner, true);
  t.equal((await learner.client.range({ key })).count, 1, 'what runs in its process has all of it');
  await learner.client.put({ key: bytes('from the learner'), value: bytes('1') });
  const { guardedClient } = learner;
  const refused = {
    range: () => guardedClient.range({ key }),
    put: () => guardedClient.put({ key, value: key }),
    txn: () => guardedClient.txn({ compare: [], success: [], failure: [] }),
    keepAlive: () => guardedClient.leaseKeepAlive(1n),
    revision: () => guardedClient.currentRevision(),
  };
  for (const [what, call] of Object.entries(refused)) await fails(t, call(), 'NotSupportedForLearner', what);
  t.match(await guardedClient.watch().closed, { message: 'etcdserver: rpc not supported for learner' });
  t.equal((await guardedClient.range({ key, serializable: true })).count, 1);
  t.equal((await guardedClient.status()).isLearner, true);

  await consensus.changeConfiguration([{ type: 'promote', id: 4n }], deadline());
  while (learner.consensus.status().isLearner) await delay(5);
  t.equal((await guardedClient.range({ key })).count, 1, 'a voter serves everyone');
  await learner.close();
});
