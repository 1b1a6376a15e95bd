/** Alarms and the quota, compaction by itself, defragmentation, and the services of maintenance and the cluster. */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { toStatusError } from '../../apiserver/errors.js';
import { ConsensusError } from '../../raft/node/consensus.js';
import { ClusterServer } from '../../storage/cluster/cluster-server.js';
import { Members } from '../../storage/cluster/members.js';
import { EtcdError } from '../../storage/errors.js';
import { compactByItself, type AutoCompaction } from '../../storage/maintenance/auto-compaction.js';
import { MaintenanceServer } from '../../storage/maintenance/maintenance-server.js';
import { QUOTA_BYTES_DEFAULT, quotaOf } from '../../storage/maintenance/quota.js';
import { differing } from '../../storage/maintenance/verdict.js';
import { openStore } from '../../storage/open.js';
import type { AlarmRequest, AlarmType } from '../../storage/server/api.js';
import { FakeCluster, memberAt } from './fake-cluster.js';
import { fakeStore, ManualClock, settle } from './fake-store.js';
import { bytes, del, fails, get, nested, put, silent, temporaryFolder, txn } from './tools.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

// The compactor's own timers keep no process alive.
const awake = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(awake));

type Store = ReturnType<typeof fakeStore>;

const alarm = (action: AlarmRequest['action'], memberId = 0n, alarm: AlarmType = 'none'): AlarmRequest => ({
  action,
  memberId,
  alarm,
});

async function alarmsOf(store: Pick<Store, 'upkeep'>, type: AlarmType = 'none') {
  return (await store.upkeep.alarm(alarm('get', 0n, type))).alarms;
}

/** Puts values of 16 KiB until one has no room. */
async function fill({ client }: Pick<Store, 'client'>): Promise<number> {
  for (let key = 0; ; key++) {
    try {
      await client.put({ key: bytes(`fill/${key}`), value: Buffer.alloc(16 * 1024) });
    } catch (error) {
      if (error instanceof EtcdError && error.is('NoSpace')) return key;
      throw error;
    }
  }
}

t.test('alarms are turned on, listed and turned off as by etcd 3.6', async (t) => {
  const store = fakeStore();
  const { upkeep } = store;
  t.same(await alarmsOf(store), []);
  t.same((await upkeep.alarm(alarm('activate', 5n))).alarms, [], 'one of no type is none');
  const first = await upkeep.alarm(alarm('activate', 5n, 'nospace'));
  t.same(first.alarms, [{ memberId: 5n, alarm: 'nospace' }], 'it answers the member');
  t.equal(first.header.clusterId, 1n);
  t.same((await upkeep.alarm(alarm('activate', 5n, 'nospace'))).alarms, first.alarms, 'and the same again');
  const big = 2n ** 64n - 1n;
  await upkeep.alarm(alarm('activate', big, 'corrupt'));
  await upkeep.alarm(alarm('activate', 0n, 'nospace'));
  t.same(
    await alarmsOf(store),
    [
      { memberId: 5n, alarm: 'nospace' },
      { memberId: big, alarm: 'corrupt' },
      { memberId: 0n, alarm: 'nospace' },
    ],
    'whose they are does not matter to who asks',
  );
  t.same(await alarmsOf(store, 'corrupt'), [{ memberId: big, alarm: 'corrupt' }]);
  t.same(
    store.status().errors,
    ['memberID:5 alarm:NOSPACE ', `memberID:${big} alarm:CORRUPT `, 'alarm:NOSPACE '],
    'the texts of etcd’s own messages, where zero is left out',
  );
  t.same((await upkeep.alarm(alarm('deactivate', 7n, 'nospace'))).alarms, [], 'one that is not on');
  const off = await upkeep.alarm(alarm('deactivate', big, 'corrupt'));
  t.same(off.alarms, [{ memberId: big, alarm: 'corrupt' }]);
  t.same(await alarmsOf(store, 'corrupt'), []);
  await store.close();
});

t.test('NOSPACE: nothing grows, what makes room passes; whichever member raised it', async (t) => {
  const store = fakeStore();
  const { client, upkeep } = store;
  await client.put({ key: bytes('a'), value: bytes('1') });
  const lease = await client.leaseGrant({ ttl: 100 });
  await upkeep.alarm(alarm('activate', 9n, 'nospace'));
  await fails(t, client.put({ key: bytes('b'), value: bytes('1') }), 'NoSpace');
  await fails(t, client.leaseGrant({ ttl: 100 }), 'NoSpace');
  await fails(t, client.txn(txn([put('b', '1')])), 'NoSpace');
  await fails(
    t,
    client.txn(txn([get('a')], [put('b', '1')])),
    'NoSpace',
    'the branch that is not taken, too',
  );
  await fails(t, client.txn(txn([nested([put('b', '1')])])), 'NoSpace', 'and what is nested');
  t.equal((await client.range({ key: bytes('a') })).count, 1);
  t.equal((await client.txn(txn([del('a')]))).succeeded, true);
  await client.deleteRange({ key: bytes('a') });
  await client.leaseRevoke(lease.id);
  await client.compact({ revision: store.machine.store.revision });
  await upkeep.alarm(alarm('deactivate', 9n, 'nospace'));
  await client.put({ key: bytes('b'), value: bytes('1') });
  await store.close();
});

t.test('CORRUPT: nothing is written; etcd answers reads, and so does this', async (t) => {
  const store = fakeStore();
  const { client, upkeep, consensus, clock } = store;
  await client.put({ key: bytes('a'), value: bytes('1') });
  const lease = await client.leaseGrant({ ttl: 2 });
  await upkeep.alarm(alarm('activate', 9n, 'corrupt'));
  await fails(t, client.put({ key: bytes('b'), value: bytes('1') }), 'Corrupt');
  await fails(t, client.deleteRange({ key: bytes('a') }), 'Corrupt');
  await fails(t, client.txn(txn([del('a')])), 'Corrupt');
  await fails(t, client.compact({ revision: 2 }), 'Corrupt');
  await fails(t, client.leaseGrant({ ttl: 100 }), 'Corrupt');
  await fails(t, client.leaseRevoke(lease.id), 'Corrupt');
  t.equal((await client.range({ key: bytes('a') })).count, 1);
  t.equal((await client.txn(txn([get('a')]))).succeeded, true);
  const entries = consensus.entries.length;
  clock.advance(10 * SECOND_MS);
  await settle();
  t.equal(consensus.entries.length, entries, 'expiries that would be refused are not even proposed');
  await upkeep.alarm(alarm('activate', 9n, 'nospace'));
  await upkeep.alarm(alarm('deactivate', 9n, 'corrupt'));
  await fails(
    t,
    client.put({ key: bytes('b'), value: bytes('1') }),
    'NoSpace',
    'the other alarm counts again',
  );
  clock.advance(SECOND_MS);
  await settle();
  t.same(store.machine.store.leases.all(), [], 'and the lease expires');
  await store.close();
});

t.test('the quota: 0 is 2 GiB, a negative one none, and more than 8 GiB is worth a warning', async (t) => {
  t.equal(quotaOf(), QUOTA_BYTES_DEFAULT);
  t.equal(quotaOf(0), 2 * 2 ** 30);
  t.equal(quotaOf(-1), Infinity);
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_fields: object, message: string) => void warnings.push(message) };
  const large = fakeStore({ quotaBackendBytes: 8 * 2 ** 30 + 1, logger });
  const largest = fakeStore({ quotaBackendBytes: 8 * 2 ** 30, logger });
  t.same(warnings, ['quota exceeds the maximum value']);
  t.match(large.status(), { dbSizeQuota: 8 * 2 ** 30 + 1, storageVersion: '3.6.0' });
  await Promise.all([large.close(), largest.close()]);
  const none = fakeStore({ quotaBackendBytes: -1 });
  t.equal(none.status().dbSizeQuota, 0);
  await none.client.put({ key: bytes('a'), value: bytes('1') });
  await none.close();
});

t.test('beyond the quota the alarm is raised once, in the log, and all that grows is refused', async (t) => {
  const store = fakeStore({ quotaBackendBytes: 2 ** 20 });
  const { client, consensus } = store;
  const fit = await fill(store);
  t.ok(fit > 40 && fit < 64, `${fit} values of 16 KiB fit a MiB`);
  t.ok(store.status().dbSizeInUse <= 2 ** 20, 'and it was not passed');
  t.same(await alarmsOf(store), [{ memberId: 1n, alarm: 'nospace' }]);

  const entries = consensus.entries.length;
  const value = Buffer.alloc(16 * 1024);
  const refusals = ['x', 'y', 'z'].map((key) => fails(t, client.put({ key: bytes(key), value }), 'NoSpace'));
  await Promise.all(refusals);
  t.equal(consensus.entries.length, entries, 'nothing more is proposed');
  await client.deleteRange({ key: bytes('fill/'), rangeEnd: bytes('fill0') });
  const { revision } = store.machine.store;
  await client.compact({ revision, physical: true });
  await fails(t, client.put({ key: bytes('x'), value }), 'NoSpace', 'room alone does not end the alarm');
  await store.upkeep.alarm(alarm('deactivate', 1n, 'nospace'));
  await client.put({ key: bytes('x'), value });
  await store.close();
});

t.test(
  'of several requests without room at once, one raises the alarm; a grant and a txn need room too',
  async (t) => {
    const store = fakeStore({ quotaBackendBytes: 1 });
    const { client, consensus } = store;
    await Promise.all([
      fails(t, client.put({ key: bytes('x'), value: bytes('') }), 'NoSpace'),
      fails(t, client.txn(txn([], [nested([put('x', '')])])), 'NoSpace'),
      fails(t, client.leaseGrant({ ttl: 10 }), 'NoSpace'),
    ]);
    t.equal(consensus.entries.length, 1);
    t.equal((await client.txn(txn([del('x')]))).succeeded, true, 'what costs nothing passes');
    await fails(
      t,
      client.put({ key: bytes(''), value: bytes('') }),
      'EmptyKey',
      'what is wrong by itself is told first',
    );
    await store.close();
  },
);

t.test('without a leader there is no room either, whether the alarm can be raised or not', async (t) => {
  const store = fakeStore({ quotaBackendBytes: 1 });
  store.consensus.nextOutcome = { type: 'rejected', reason: 'no-leader' };
  await fails(t, store.client.put({ key: bytes('x'), value: bytes('') }), 'NoSpace');
  store.consensus.nextOutcome = undefined;
  store.consensus.readFailure = 'no-leader' satisfies ConsensusError['reason'];
  await fails(t, store.upkeep.alarm(alarm('get')), 'NoLeader', 'what is on is read as everything is');
  await store.close();
});

t.test(
  'the API server tells a full and a corrupt store as kube-apiserver does: 500, in etcd’s words',
  (t) => {
    for (const [name, message] of [
      ['NoSpace', 'etcdserver: mvcc: database space exceeded'],
      ['Corrupt', 'etcdserver: corrupt cluster'],
    ] as const) {
      t.match(toStatusError(EtcdError.of(name)).toStatus(), { code: 500, status: 'Failure', message });
    }
    t.end();
  },
);

t.test('alarms outlive the process', async (t) => {
  const dataDir = temporaryFolder(t);
  const store = await openStore({ dataDir });
  await store.upkeep.alarm(alarm('activate', 2n ** 63n + 1n, 'nospace'));
  await store.close();
  const again = await openStore({ dataDir });
  t.same(again.upkeep.alarms(), [{ memberId: 2n ** 63n + 1n, alarm: 'nospace' }]);
  await fails(t, again.client.put({ key: bytes('x'), value: bytes('') }), 'NoSpace');
  await again.close();
});

t.test('a defragmentation gives back all that is free, and the sizes say so', async (t) => {
  const dataDir = temporaryFolder(t);
  const store = await openStore({ dataDir });
  const { client } = store;
  const value = Buffer.alloc(64 * 1024);
  const keys = Array.from({ length: 16 }, (_, key) => bytes(`k${key}`));
  await Promise.all(keys.map((key) => client.put({ key, value })));
  await client.deleteRange({ key: bytes('k'), rangeEnd: bytes('l') });
  await client.compact({ revision: store.status().header.revision, physical: true });
  const before = store.status();
  t.ok(before.dbSize > before.dbSizeInUse, 'some pages are kept free for what comes next');
  t.equal((await store.upkeep.defragment()).header.memberId, store.memberId);
  const after = store.status();
  t.equal(after.dbSize, after.dbSizeInUse, 'all are given back');
  t.equal(after.dbSizeInUse, before.dbSizeInUse);
  await store.close();
  t.equal(
    fs.statSync(path.join(dataDir, 'member', 'mvcc-1.db')).size,
    after.dbSize,
    'the file has that size',
  );
});

class Compactions {
  readonly clock = new ManualClock();
  readonly done: number[] = [];
  revision = 1;
  leads = true;
  works = true;
  readonly end: () => void;

  constructor(keep: AutoCompaction | undefined) {
    this.end = compactByItself({
      keep,
      clock: this.clock,
      isLeader: () => this.leads,
      revision: () => this.revision,
      compact: async (revision) => {
        if (this.works) this.done.push(revision);
        return this.works;
      },
    });
  }

  /** A revision comes every `stepMs`. */
  async pass(ms: number, stepMs: number): Promise<readonly number[]> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      await settle();
      this.revision += 1;
    }
    return this.done.splice(0);
  }
}

t.test(
  'periodic: what is older than the retention, each time it is over, each hour at most (etcd)',
  async (t) => {
    const short = new Compactions({ mode: 'periodic', retention: 10 * MINUTE_MS });
    t.same(await short.pass(10 * MINUTE_MS - MINUTE_MS, MINUTE_MS), [], 'nothing is that old yet');
    t.same(await short.pass(MINUTE_MS, MINUTE_MS), [1], 'what was the revision ten minutes ago');
    t.same(await short.pass(20 * MINUTE_MS, MINUTE_MS), [10, 20]);
    short.works = false;
    t.same(await short.pass(15 * MINUTE_MS, MINUTE_MS), []);
    short.works = true;
    t.same(await short.pass(MINUTE_MS, MINUTE_MS), [36], 'one that failed is made up for at the next tenth');
    short.leads = false;
    t.same(await short.pass(30 * MINUTE_MS, MINUTE_MS), [], 'only the leader compacts');
    short.leads = true;
    t.same(await short.pass(MINUTE_MS, MINUTE_MS), [67]);
    short.end();
    t.same(await short.pass(30 * MINUTE_MS, MINUTE_MS), []);

    const long = new Compactions({ mode: 'periodic', retention: 3 * HOUR_MS });
    t.same(await long.pass(3 * HOUR_MS, 6 * MINUTE_MS), [1]);
    t.same(await long.pass(2 * HOUR_MS, 6 * MINUTE_MS), [10, 20], 'each hour, what is three hours old');
  },
);

t.test('revision: all but the newest revisions, every five minutes (etcd)', async (t) => {
  const compactions = new Compactions({ mode: 'revision', retention: 10 });
  compactions.revision = 8;
  t.same(await compactions.pass(5 * MINUTE_MS, 5 * MINUTE_MS), [], 'there are not that many');
  compactions.revision = 30;
  t.same(await compactions.pass(5 * MINUTE_MS, 5 * MINUTE_MS), [20]);
  compactions.revision = 30;
  t.same(await compactions.pass(5 * MINUTE_MS, 5 * MINUTE_MS), [], 'which is done already');
  const off = new Compactions({ mode: 'periodic', retention: 0 });
  t.same(await off.pass(5 * HOUR_MS, HOUR_MS), []);
  t.same(await new Compactions(undefined).pass(5 * HOUR_MS, HOUR_MS), []);
});

t.test('a store compacts itself by a command in its log', async (t) => {
  const store = fakeStore({ autoCompaction: { mode: 'revision', retention: 2 } });
  for (let number = 0; number < 5; number++) await store.client.put({ key: bytes('a'), value: bytes('1') });
  store.clock.advance(5 * MINUTE_MS);
  await settle();
  t.equal(store.machine.store.compacted, 4);
  await fails(t, store.client.range({ key: bytes('a'), revision: 3 }), 'Compacted');
  await store.close();
});

t.test('who differs: those outside the majority, nobody in particular without one', (t) => {
  const finding = (memberId: bigint, hash: number, compactRevision = 5) => ({
    memberId,
    hash,
    compactRevision,
  });
  t.same(differing([finding(1n, 7), finding(2n, 7), finding(3n, 7)], 3), []);
  t.same(differing([finding(1n, 7), finding(2n, 8), finding(3n, 7)], 3), [2n]);
  t.same(differing([finding(1n, 8), finding(2n, 7), finding(3n, 7)], 3), [1n], 'the leader, too');
  t.same(differing([finding(1n, 7), finding(2n, 8)], 3), [0n], 'two of three do not know who of them it is');
  t.same(differing([finding(1n, 7), finding(2n, 8), finding(3n, 9)], 3), [0n]);
  t.same(
    differing([finding(1n, 7), finding(2n, 8, 6), finding(3n, 7)], 3),
    [],
    'hashes of other compactions say nothing',
  );
  t.end();
});

function services(t: Test, refusal?: EtcdError) {
  const store = fakeStore();
  t.teardown(() => store.close());
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b')]);
  const { consensus, isReachable, questions } = cluster;
  const asked: string[] = [];
  const refuse = (who: string) => async () => {
    asked.push(who);
    if (refusal !== undefined) throw refusal;
  };
  const checks = { requireAdmin: refuse('admin'), requireUser: refuse('user') };
  const members = new Members({ consensus, isReachable, questions });
  const header = () => store.status().header;
  const maintenance = new MaintenanceServer({
    upkeep: store.upkeep,
    status: () => store.status(),
    members,
    checks,
    snapshot: (options) => store.snapshot(options),
  });
  return { store, cluster, asked, maintenance, service: new ClusterServer({ members, header, checks }) };
}

t.test('maintenance and cluster answer with headers', async (t) => {
  const { maintenance, service, cluster, store } = services(t);
  const { header } = store.status();
  t.match(await maintenance.alarm(alarm('get')), { header, alarms: [] });
  t.match(await maintenance.defragment(), { header });
  t.match(await maintenance.status(), { header, version: '3.6.0' });
  t.type((await maintenance.hash()).hash, 'number');
  t.match(await maintenance.hashKv({ revision: 0 }), { header, compactRevision: -1, hashRevision: 1 });
  t.match(await maintenance.moveLeader({ targetId: 2n }), { header });
  t.same(cluster.transfers, [2n]);
  const listed = await service.list({ linearizable: true });
  t.match(listed, { header, members: [{ id: 1n, isLearner: false }, { id: 2n }] });
  const added = await service.add({ peerUrls: ['http://127.0.0.1:9'], isLearner: true });
  t.match(added, { header, member: { isLearner: true, name: '' } });
  t.equal(added.members.length, 3);
  cluster.matches.set(1n, 100).set(added.member.id, 100);
  t.equal((await service.promote({ id: added.member.id })).members.filter((m) => m.isLearner).length, 0);
  const updated = await service.update({ id: 2n, peerUrls: ['http://127.0.0.1:8'] });
  t.same(updated.members.find(({ id }) => id === 2n)?.peerUrls, ['http://127.0.0.1:8']);
  t.equal((await service.remove({ id: added.member.id })).members.length, 2);
});

t.test(
  'downgrades: etcd’s errors for what is no version one minor below, and none is possible here',
  async (t) => {
    const { maintenance } = services(t);
    const downgrade = (action: 'validate' | 'enable' | 'cancel', version: string) =>
      maintenance.downgrade({ action, version });
    t.equal((await downgrade('validate', '3.5')).version, '3.6');
    t.equal((await downgrade('validate', '3.5.1')).version, '3.6');
    for (const version of ['3.6', '3.4.0', '3.7', '2.5']) {
      await fails(t, downgrade('validate', version), 'InvalidDowngradeTargetVersion', version);
    }
    for (const version of ['', '3', 'v3.5', '3.5.0.1']) {
      await fails(t, downgrade('validate', version), 'WrongDowngradeVersionFormat', version);
    }
    await fails(t, downgrade('enable', '3.5'), 'InvalidDowngradeTargetVersion');
    await fails(t, downgrade('enable', 'x'), 'WrongDowngradeVersionFormat');
    await fails(t, downgrade('cancel', ''), 'NoInflightDowngrade');
  },
);

t.test(
  'who asks is checked first: administrators for what changes or tells much, users for the rest',
  async (t) => {
    const { maintenance, service, asked } = services(t, EtcdError.of('PermissionDenied'));
    const urls = { peerUrls: ['http://127.0.0.1:9'] };
    const forAdmins = [
      () => maintenance.alarm(alarm('activate', 1n, 'nospace')),
      () => maintenance.alarm(alarm('deactivate', 1n, 'nospace')),
      () => maintenance.defragment(),
      () => maintenance.hash(),
      () => maintenance.hashKv({ revision: 0 }),
      () => maintenance.moveLeader({ targetId: 2n }),
      () => maintenance.downgrade({ action: 'cancel', version: '' }),
      async () => {
        for await (const chunk of maintenance.snapshot()) t.fail(`${chunk.blob.length} bytes were sent`);
      },
      () => service.add({ ...urls, isLearner: false }),
      () => service.remove({ id: 2n }),
      () => service.promote({ id: 2n }),
      () => service.update({ ...urls, id: 2n }),
    ];
    for (const call of forAdmins) await fails(t, call(), 'PermissionDenied');
    t.same(
      asked,
      forAdmins.map(() => 'admin'),
    );
    asked.length = 0;
    await fails(t, maintenance.alarm(alarm('get')), 'PermissionDenied');
    await fails(t, service.list({ linearizable: false }), 'PermissionDenied');
    t.same(asked, ['user', 'user']);
    t.equal((await maintenance.status()).version, '3.6.0', 'how the member is, anybody may ask');
  },
);
