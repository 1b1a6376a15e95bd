/** The cluster as etcd's Cluster service has it: who is in it from the start, and what may change. */
import t, { type Test } from 'tap';
import { applyChanges, type Configuration, initialConfiguration } from '../../raft/core/configuration.js';
import {
  BootstrapError,
  type InitialMember,
  InitialClusterError,
  loneMember,
  newCluster,
} from '../../storage/cluster/bootstrap.js';
import { checkNotBootstrapped, joinCluster } from '../../storage/cluster/join.js';
import { Members } from '../../storage/cluster/members.js';
import { publish } from '../../storage/cluster/publish.js';
import { mayAddVoter, mayPromote, mayRemoveVoter } from '../../storage/cluster/strict.js';
import { UrlError, addressOf, checkedUrls, isLoopback } from '../../storage/cluster/urls.js';
import { EtcdError, type EtcdErrorName } from '../../storage/errors.js';
import { FakeCluster, memberAt } from './fake-cluster.js';

const TOKEN = 'etcd-cluster';

const initial = (...names: string[]): InitialMember[] =>
  names.map((name, position) => ({ name, peerUrls: [`http://10.0.0.${position + 1}:2380`] }));

/** The names of etcd's errors, so that a test reads as the rule does. */
async function rejectsWith(t: Test, promise: Promise<unknown>, name: EtcdErrorName): Promise<void> {
  const { code, message } = EtcdError.of(name);
  await t.rejects(promise, { name: 'EtcdError', code, message }, name);
}

function membersOf(cluster: FakeCluster): Members<unknown> {
  const { consensus, isReachable, questions } = cluster;
  return new Members({ consensus, isReachable, questions });
}

t.test(
  'urls: http or https, a host and a port, nothing behind; in order (etcd: types.NewURLs)',
  async (t) => {
    t.same(checkedUrls([' http://b:2 ', 'http://a:1']), ['http://a:1', 'http://b:2']);
    t.same(addressOf('https://[::1]:2380'), { host: '::1', port: 2380, secure: true });
    t.same(addressOf('http://localhost:0'), { host: 'localhost', port: 0, secure: false });
    const wrong: readonly (readonly [string, string])[] = [
      ['10.0.0.1:2380', 'URL scheme must be http or https: 10.0.0.1:2380'],
      ['unix://x:1', 'URL scheme must be http or https: unix://x:1'],
      ['http://10.0.0.1', 'URL address does not have the form "host:port": http://10.0.0.1'],
      ['http://user@10.0.0.1:1', 'URL address does not have the form "host:port": http://user@10.0.0.1:1'],
      ['http://10.0.0.1:65536', 'URL address does not have the form "host:port": http://10.0.0.1:65536'],
      ['http://10.0.0.1:2380/', 'URL must not contain a path: http://10.0.0.1:2380/'],
      ['http://10.0.0.1:2380?a=b', 'URL must not contain a path: http://10.0.0.1:2380?a=b'],
    ];
    for (const [url, message] of wrong) t.throws(() => checkedUrls([url]), new UrlError(message), url);
    t.throws(() => checkedUrls([]), new UrlError('no valid URLs given'));
    for (const url of ['http://127.8.9.1:1', 'http://localhost:1', 'http://[::1]:1']) {
      t.ok(isLoopback(addressOf(url)), url);
    }
    for (const url of ['http://0.0.0.0:1', 'http://10.0.0.1:1', 'http://127.0.0.1.example.com:1']) {
      t.notOk(isLoopback(addressOf(url)), url);
    }
  },
);

t.test('a new cluster: every member comes to the same ids by itself', async (t) => {
  const all = initial('m1', 'm2', 'm3');
  const views = all.map((own) => newCluster(all.toReversed(), own, TOKEN));
  const [first] = views;
  t.ok(first !== undefined);
  for (const { clusterId, configuration } of views) {
    t.equal(clusterId, first?.clusterId);
    t.same(configuration, first?.configuration);
  }
  const ids = views.map(({ memberId }) => memberId);
  t.equal(new Set(ids).size, 3, 'each another one');
  t.same(
    first?.configuration.voters,
    ids.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  t.same(
    first?.configuration.members.map(({ name }) => name),
    ['', '', ''],
    'none has started yet',
  );
  t.ok(
    [...ids, first?.clusterId ?? 0n].every((id) => id > 0n && id < 2n ** 64n),
    '64 bits, never 0',
  );
  const other = newCluster(all, all[0] as InitialMember, 'another token');
  t.not(other.clusterId, first?.clusterId, 'the token tells clusters with the same urls apart');
  t.not(other.memberId, first?.memberId);
});

t.test('a lone member is nobody else', async (t) => {
  const [own] = initial('default');
  const [one, two] = [loneMember(own as InitialMember), loneMember(own as InitialMember)];
  t.not(one.clusterId, two.clusterId);
  t.same(one.configuration.voters, [one.memberId]);
});

t.test('flags that do not fit together are refused in etcd’s words', async (t) => {
  const [m1, m2] = initial('m1', 'm2') as [InitialMember, InitialMember];
  const cases: readonly (readonly [readonly InitialMember[], InitialMember, RegExp])[] = [
    [[m2], m1, /^couldn't find local name "m1" in the initial cluster configuration$/],
    [[m1, { ...m2, peerUrls: m1.peerUrls }], m1, /^initial cluster m1=.*,m2=.* has duplicate url$/],
    [
      [m1, m2],
      { ...m1, peerUrls: ['http://10.0.0.9:2380'] },
      /^--initial-cluster has m1=http:\/\/10.0.0.1:2380 but --initial-advertise-peer-urls is http:\/\/10.0.0.9:2380$/,
    ],
  ];
  for (const [members, own, message] of cases) {
    t.throws(() => newCluster(members, own, TOKEN), { name: 'InitialClusterError', message });
    await t.rejects(joinCluster({ initial: members, own, fetch: never }), {
      name: 'InitialClusterError',
      message,
    });
  }
  await t.rejects(
    joinCluster({ initial: [m1], own: m1, fetch: never }),
    InitialClusterError,
    'nobody to join',
  );
});

async function never(): Promise<never> {
  throw new Error('nobody is asked');
}

t.test(
  'who joins is told by the first peer that knows it, and votes for nobody before it hears from the leader',
  async (t) => {
    const all = initial('m1', 'm2', 'm3');
    const own = all[2] as InitialMember;
    const known = initialConfiguration([
      memberAt(1n, 'm1'),
      { ...memberAt(3n, ''), peerUrls: ['http://10.0.0.3:2380'] },
    ]);
    const asked: string[] = [];
    const failed: string[] = [];
    const joined = await joinCluster({
      initial: all,
      own,
      pauseMs: 0,
      onFailure: (url) => failed.push(url),
      fetch: async (url) => {
        asked.push(url);
        if (asked.length < 3) throw new Error('connection refused');
        // One that is behind does not know the new member yet.
        const configuration = asked.length === 3 ? initialConfiguration([memberAt(1n, 'm1')]) : known;
        return { clusterId: 7n, configuration };
      },
    });
    t.same(
      asked,
      [1, 2, 1, 2].map((host) => `http://10.0.0.${host}:2380`),
    );
    t.equal(failed.length, 2);
    t.match(joined, { clusterId: 7n, memberId: 3n });
    t.same(joined.configuration.voters, [], 'nobody votes as far as it knows');
    t.same(joined.configuration.members, known.members, 'but it knows where to answer');
  },
);

t.test('who was not added, or finds nobody, is told so and gives up', async (t) => {
  const all = initial('m1', 'm2');
  const own = all[1] as InitialMember;
  let rounds = 0;
  await t.rejects(
    joinCluster({
      initial: all,
      own,
      pauseMs: 0,
      fetch: async () => {
        rounds += 1;
        return { clusterId: 0xabcn, configuration: initialConfiguration([memberAt(1n, 'm1')]) };
      },
    }),
    {
      name: 'BootstrapError',
      message:
        /^error validating peerURLs http:\/\/10.0.0.2:2380: the cluster abc has no such member .*add it there first$/,
    },
  );
  t.equal(rounds, 5);
  await t.rejects(joinCluster({ initial: all, own, pauseMs: 0, fetch: never }), {
    name: 'BootstrapError',
    message: 'cannot fetch cluster info from peer urls: none of http://10.0.0.1:2380 answers',
  });
  t.ok(new InitialClusterError('') instanceof BootstrapError);
});

t.test(
  'a member whose data is lost does not come back as itself (Raft: a vote is kept for ever)',
  async (t) => {
    const all = initial('m1', 'm2');
    const own = all[1] as InitialMember;
    const found = newCluster(all, own, TOKEN);
    const { clusterId, memberId, configuration } = found;
    const seen = (name: string, more: Partial<Configuration> = {}) => ({
      initial: all,
      own,
      fetch: async () => ({
        clusterId,
        configuration: {
          ...configuration,
          members: configuration.members.map((member) =>
            member.id === memberId ? { ...member, name } : member,
          ),
          ...more,
        },
      }),
    });
    const lost = {
      name: 'BootstrapError',
      message: /^member [0-9a-f]+ has already been bootstrapped.*add it anew$/,
    };
    await checkNotBootstrapped({ initial: all, own, fetch: never }, found);
    await checkNotBootstrapped(seen(''), found);
    await checkNotBootstrapped(seen('m2'), { memberId, clusterId: clusterId + 1n });
    await t.rejects(checkNotBootstrapped(seen('m2'), found), lost);
    await t.rejects(checkNotBootstrapped(seen('', { members: [], removed: [memberId] }), found), lost);
    await t.rejects(joinCluster(seen('m2')), lost);
    t.equal((await joinCluster(seen(''))).memberId, memberId);
  },
);

t.test('strict reconfiguration: those who have started must stay a majority', async (t) => {
  const of = (started: number, all: number): Configuration =>
    initialConfiguration(
      Array.from({ length: all }, (_, position) =>
        memberAt(BigInt(position + 1), position < started ? 'm' : ''),
      ),
    );
  // etcd's own table: started, all, and whether one more voter may come.
  const adding: readonly (readonly [number, number, boolean])[] = [
    [1, 1, true],
    [3, 3, true],
    [2, 3, false],
    [1, 2, false],
    [2, 2, true],
    [3, 4, true],
    [2, 4, false],
    [4, 5, true],
    [3, 5, false],
  ];
  for (const [started, all, may] of adding) {
    t.equal(mayAddVoter(of(started, all)), may, `${started} of ${all} have started, one more`);
  }
  t.notOk(mayRemoveVoter(of(1, 1), 1n), 'the last one stays');
  t.notOk(mayRemoveVoter(of(1, 2), 1n), 'the only one that has started stays');
  t.ok(mayRemoveVoter(of(1, 2), 2n));
  t.notOk(mayRemoveVoter(of(2, 3), 1n), '1 of 2 is no majority');
  t.ok(mayRemoveVoter(of(2, 3), 3n));
  t.ok(mayPromote(of(1, 1)), 'the learner counts as started');
  t.ok(mayPromote(of(1, 2)));
  t.notOk(mayPromote(of(1, 4)));
});

t.test('members are listed with the leader’s consent, or as this member knows them', async (t) => {
  const cluster = new FakeCluster([memberAt(2n, 'b'), memberAt(1n, 'a')]);
  const members = membersOf(cluster);
  t.same(
    (await members.list()).map(({ id, isLearner }) => [id, isLearner]),
    [
      [1n, false],
      [2n, false],
    ],
  );
  cluster.lead(0n);
  await rejectsWith(t, members.list(), 'NoLeader');
  t.equal((await members.list({ linearizable: false })).length, 2);
});

t.test('a voter or a learner is added under an id that nobody has had', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a')]);
  const members = membersOf(cluster);
  const learner = await members.add({ peerUrls: ['http://10.0.0.2:2380'], isLearner: true });
  t.match(learner.member, { name: '', isLearner: true, peerUrls: ['http://10.0.0.2:2380'], clientUrls: [] });
  t.same(cluster.present.learners, [learner.member.id]);
  await rejectsWith(
    t,
    members.add({ peerUrls: ['http://10.0.0.3:2380'], isLearner: true }),
    'TooManyLearners',
  );
  await rejectsWith(t, members.add({ peerUrls: ['http://10.0.0.2:2380'] }), 'PeerURLExist');
  await rejectsWith(t, members.add({ peerUrls: ['10.0.0.3'] }), 'MemberBadURLs');
  await rejectsWith(t, members.add({ peerUrls: [] }), 'MemberBadURLs');
  await members.remove(learner.member.id);
  const again = await members.add({ peerUrls: ['http://10.0.0.2:2380'] });
  t.not(again.member.id, learner.member.id, 'the same urls, another id');
  t.same(
    again.members.map(({ peerUrls }) => peerUrls.join()).toSorted(),
    ['http://10.0.0.2:2380', 'http://127.0.0.1:2001'],
    'the answer has all members',
  );
  await rejectsWith(t, members.add({ peerUrls: ['http://10.0.0.4:2380'] }), 'MemberNotEnoughStarted');
});

t.test('nobody is added while a voter does not answer', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b'), memberAt(3n, 'c')]);
  cluster.unreachable.add(3n);
  const members = membersOf(cluster);
  await rejectsWith(t, members.add({ peerUrls: ['http://10.0.0.9:1'] }), 'Unhealthy');
  await rejectsWith(t, members.add({ peerUrls: ['http://10.0.0.9:1'], isLearner: true }), 'Unhealthy');
  t.same(cluster.changes, []);
});

t.test(
  'a voter is removed only where the others stay a majority; one that is down may always go',
  async (t) => {
    const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b'), memberAt(3n, 'c')]);
    const members = membersOf(cluster);
    await rejectsWith(t, members.remove(9n), 'MemberNotFound');
    cluster.unreachable.add(3n);
    await rejectsWith(t, members.remove(2n), 'Unhealthy');
    await rejectsWith(t, members.remove(1n), 'Unhealthy');
    t.same(
      (await members.remove(3n)).map(({ id }) => id),
      [1n, 2n],
    );
    await rejectsWith(t, members.remove(3n), 'MemberNotFound');
    await members.remove(2n);
    await rejectsWith(t, members.remove(1n), 'MemberNotEnoughStarted');
  },
);

t.test('a learner is promoted once it has nine tenths of the leader’s log', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b')]);
  const added = applyChanges(cluster.present, [{ type: 'add', member: memberAt(3n, ''), learner: true }]);
  cluster.present = added as Configuration;
  const members = membersOf(cluster);
  await rejectsWith(t, members.promote(9n), 'MemberNotFound');
  await rejectsWith(t, members.promote(2n), 'MemberNotLearner');
  await rejectsWith(t, members.promote(3n), 'LearnerNotReady');
  cluster.matches.set(1n, 1000);
  cluster.matches.set(3n, 899);
  await rejectsWith(t, members.promote(3n), 'LearnerNotReady');
  cluster.matches.set(3n, 900);
  const promoted = await members.promote(3n);
  t.equal(promoted.find(({ id }) => id === 3n)?.isLearner, false);
});

t.test('only the leader knows how far a learner is', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b')]);
  cluster.present = applyChanges(cluster.present, [
    { type: 'add', member: memberAt(3n, ''), learner: true },
  ]) as Configuration;
  cluster.matches.set(3n, 100);
  const members = membersOf(cluster);
  // The other member leads: the fake asks this one's answer in its name, which knows of nobody.
  cluster.lead(2n);
  await rejectsWith(t, members.promote(3n), 'LearnerNotReady');
  cluster.unreachable.add(2n);
  await rejectsWith(t, members.promote(3n), 'NoLeader');
});

t.test('peer urls are updated unless another member has them', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b')]);
  const members = membersOf(cluster);
  await rejectsWith(t, members.update(9n, ['http://10.0.0.1:1']), 'MemberNotFound');
  await rejectsWith(t, members.update(1n, ['x']), 'MemberBadURLs');
  await rejectsWith(t, members.update(1n, memberAt(2n, 'b').peerUrls), 'PeerURLExist');
  const updated = await members.update(1n, ['http://10.0.0.2:1', 'http://10.0.0.1:1']);
  t.match(updated, [{ id: 1n, name: 'a', peerUrls: ['http://10.0.0.1:1', 'http://10.0.0.2:1'] }, { id: 2n }]);
});

t.test('a change waits while another is under way, as long as the caller does', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b'), memberAt(3n, 'c')]);
  const members = membersOf(cluster);
  cluster.refusals.push('change-pending', 'change-pending');
  await members.remove(3n);
  t.equal(cluster.changes.length, 1);
  cluster.refusals.push('change-pending');
  await rejectsWith(t, members.update(1n, ['http://10.0.0.1:1'], { timeout: 1 }), 'DeadlineExceeded');
});

t.test('the leader hands over to a voter, and nobody else does', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'a'), memberAt(2n, 'b')]);
  const members = membersOf(cluster);
  await rejectsWith(t, members.moveLeader(9n), 'BadLeaderTransferee');
  await members.moveLeader(1n);
  t.same(cluster.transfers, [], 'it leads already');
  await members.moveLeader(2n);
  t.same(cluster.transfers, [2n]);
  cluster.lead(2n);
  await rejectsWith(t, members.moveLeader(1n), 'NotLeader');
});

t.test(
  'a member tells its name and client urls until the cluster knows them, and then no more',
  async (t) => {
    const cluster = new FakeCluster([memberAt(1n, ''), memberAt(2n, 'b')]);
    const { consensus } = cluster;
    const controller = new AbortController();
    const clientUrls = ['http://10.0.0.1:2379'];
    const options = { consensus, name: 'a', clientUrls, signal: controller.signal, pauseMs: 0 };
    cluster.refusals.push('no-leader', 'change-pending');
    await publish(options);
    t.same(cluster.changes, [{ type: 'update', id: 1n, name: 'a', clientUrls }]);
    await publish(options);
    t.equal(cluster.changes.length, 1, 'a restart that changes nothing writes nothing');
    cluster.present = { ...cluster.present, members: [] };
    const waiting = publish(options);
    controller.abort();
    await waiting;
    t.equal(cluster.changes.length, 1, 'one that the cluster does not know yet waits');
  },
);
