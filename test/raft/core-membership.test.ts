/** Who is in the cluster, and how that changes: scripted, without a driver (Raft §6, dissertation §4). */
import t from 'tap';
import {
  decodeConfiguration,
  encodeChanges,
  isJoint,
  type ConfigurationChange,
} from '../../raft/core/configuration.js';
import type { ProposedEntry } from '../../raft/core/messages.js';
import { CoreCluster, memberOf, proposal, TIMES, type CoreMember } from './core-cluster.js';

const THREE = [1n, 2n, 3n];

let counter = 0;
function changeOf(...changes: readonly ConfigurationChange[]): ProposedEntry {
  counter += 1;
  return { ...proposal(99n, counter), type: 'configuration', payload: encodeChanges(changes) };
}

function change(member: CoreMember, ...changes: readonly ConfigurationChange[]) {
  return member.step({ type: 'propose', proposals: [changeOf(...changes)] });
}

const add = (id: bigint, learner = false): ConfigurationChange => ({
  type: 'add',
  member: memberOf(id),
  learner,
});
const remove = (id: bigint): ConfigurationChange => ({ type: 'remove', id });

t.test(
  'a learner gets the log, never stands, is not asked and not counted (dissertation §4.2.1)',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
    const learner = cluster.get(4n);
    cluster.isolate(4n);
    cluster.advance(5 * TIMES.electionTimeoutMs);
    t.match(learner.raft, { role: 'follower', term: 0 });
    t.same(learner.step({ type: 'campaign' }).messages, []);
    cluster.heal();
    const leader = cluster.get(cluster.leaders[0] ?? 0n);
    cluster.advance(TIMES.heartbeatMs);
    t.equal(learner.raft.leader, leader.id);
    t.same(learner.log.terms, leader.log.terms);

    cluster.isolate(...THREE.filter((id) => id !== leader.id));
    leader.propose(1);
    cluster.deliver();
    t.equal(learner.log.lastIndex, leader.log.lastIndex);
    t.equal(
      leader.raft.commit,
      leader.log.lastIndex - 1,
      'leader and learner are two of four, and no majority',
    );
    cluster.advance(2 * TIMES.electionTimeoutMs);
    t.not(leader.raft.role, 'leader', 'nor does the learner keep a leader in office');
  },
);

t.test('a learner votes if it is asked: its own log may be behind (dissertation §4.2.1)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  const { term } = cluster.get(4n).raft;
  const effects = cluster.get(4n).receive({
    type: 'vote',
    from: 1n,
    to: 4n,
    term: term + 1,
    preVote: false,
    lastIndex: 0,
    lastTerm: 0,
    transfer: false,
  });
  t.match(effects.messagesAfterSync, [{ type: 'vote-response', granted: true }]);
});

t.test('a learner is added, catches up, is promoted, and may lead', async (t) => {
  const cluster = new CoreCluster({ voters: [1n] });
  const leader = cluster.elect(1n);
  for (let i = 1; i <= 5; i += 1) leader.propose(i);
  const joined = cluster.add(2n);
  change(leader, add(2n, true));
  t.equal(leader.raft.commit, 7, 'the only voter needs nobody');
  cluster.advance(TIMES.heartbeatMs);
  t.equal(joined.log.lastIndex, 7);
  t.equal(joined.raft.deadline, Infinity);

  cluster.isolate(2n);
  change(leader, { type: 'promote', id: 2n });
  t.equal(leader.raft.commit, 7, 'a voter counts from the moment on that the entry is in the log');
  cluster.heal();
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.commit, 8);
  t.ok(joined.raft.deadline < Infinity, 'and may stand from then on');
  leader.step({ type: 'transfer', to: 2n });
  cluster.deliver();
  t.same(cluster.leaders, [2n]);
});

t.test(
  'one change at a time: the next one when the one before is committed (dissertation §4.1)',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    t.same(change(leader, add(4n)).refused, []);
    t.match(change(leader, add(5n)).refused, [{ reason: 'change-pending' }]);
    cluster.get(2n).step({ type: 'propose', proposals: [changeOf(remove(3n))] });
    cluster.bring(cluster.take('propose'));
    t.match(cluster.take('proposal-refused'), [{ to: 2n, reason: 'change-pending' }]);
    cluster.deliver();
    t.same(change(leader, add(5n)).refused, []);
  },
);

t.test('refusals name what is wrong, and nothing is appended', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  for (const [wish, reason] of [
    [add(2n), 'member-exists'],
    [{ type: 'promote', id: 2n }, 'not-a-learner'],
    [remove(9n), 'member-not-found'],
    [{ type: 'update', id: 1n, peerUrls: memberOf(2n).peerUrls }, 'peer-url-exists'],
  ] as const) {
    const { refused, entries } = change(leader, wish);
    t.match(refused, [{ reason }]);
    t.same(entries, []);
  }
  t.match(change(leader, ...THREE.map(remove)).refused, [{ reason: 'no-voter-left' }]);
});

t.test(
  'no change before the term’s first commit (the mistake of the dissertation, found in 2015)',
  async (t) => {
    // Four members; S1 adds a fifth on its own, S2 would then remove S1: their majorities need not meet.
    const cluster = new CoreCluster({ voters: [1n, 2n, 3n, 4n] });
    const first = cluster.elect(1n);
    cluster.add(5n);
    cluster.isolate(1n, 5n);
    change(first, add(5n));
    cluster.deliver();

    const second = cluster.get(2n);
    cluster.now += TIMES.electionTimeoutMs;
    second.step({ type: 'campaign' });
    while (second.raft.role !== 'leader') {
      const message = cluster.queue.shift();
      if (message !== undefined && message.to !== 1n) cluster.bring([message]);
    }
    t.match(change(second, remove(1n)).refused, [{ reason: 'change-pending' }]);

    cluster.deliver();
    t.equal(second.raft.commit, 2, 'its noop is on S2, S3 and S4');
    t.same(change(second, remove(1n)).refused, []);
    cluster.deliver();
    t.equal(second.raft.commit, 3);

    // With the noop on a majority, S1 cannot win with S5 and one more.
    cluster.heal();
    cluster.isolate(2n);
    cluster.advance(10 * TIMES.electionTimeoutMs);
    t.not(first.raft.role, 'leader');
    t.same(
      cluster.leaders.filter((id) => id !== 2n),
      [3n],
    );
  },
);

t.test('joint consensus: every decision needs both majorities; left by itself (Raft §6)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.add(4n);
  cluster.add(5n);
  change(leader, remove(2n), remove(3n), add(4n), add(5n));
  t.same(leader.raft.configuration.voters, [1n, 4n, 5n]);
  t.same(leader.raft.configuration.outgoing, THREE);
  t.same(
    leader.raft.configuration.members.map(({ id }) => id),
    [1n, 2n, 3n, 4n, 5n],
  );

  cluster.isolate(2n, 3n);
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.matches.get(4n), 2, 'the new ones have it');
  t.equal(leader.raft.commit, 1);
  cluster.heal();
  cluster.isolate(4n, 5n);
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.commit, 2, 'the old ones have it, and the new ones had');

  const { configuration } = leader.raft;
  t.notOk(isJoint(configuration), 'the leader has appended the one that follows');
  t.same(configuration.voters, [1n, 4n, 5n]);
  t.same(configuration.removed, [2n, 3n]);
  cluster.heal();
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.commit, 3);
  t.same(cluster.get(4n).raft.configuration, configuration);
});

t.test('joint consensus: elections and the check of the quorum need both majorities', async (t) => {
  const start = () => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    cluster.add(4n);
    cluster.add(5n);
    change(leader, remove(2n), remove(3n), add(4n), add(5n));
    return { cluster, leader };
  };

  const { cluster, leader } = start();
  for (let i = 0; i < 4; i += 1) {
    cluster.take('append-response');
    cluster.bring(cluster.queue.splice(0));
  }
  cluster.take('append-response');
  t.equal(leader.raft.commit, 1);
  cluster.isolate(4n, 5n);
  cluster.advance(3 * TIMES.electionTimeoutMs);
  t.same(cluster.leaders, [], 'the old majority alone neither keeps nor makes a leader');
  cluster.heal();
  cluster.isolate(2n, 3n);
  cluster.advance(3 * TIMES.electionTimeoutMs);
  t.same(cluster.leaders, [], 'nor does the new one');
  cluster.heal();
  cluster.advance(5 * TIMES.electionTimeoutMs);
  t.equal(cluster.leaders.length, 1);
  const winner = cluster.get(cluster.leaders[0] ?? 0n);
  t.notOk(isJoint(winner.raft.configuration), 'whoever leads next leaves the joint configuration');
  t.same(winner.raft.configuration.voters, [1n, 4n, 5n]);
});

t.test('joint consensus: while it lasts nobody is removed yet, and all are needed still', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  change(leader, remove(2n), remove(3n));
  const joint = leader.raft.configuration;
  t.same(joint.outgoing, THREE);
  t.same(joint.removed, [], 'who leaves must not go before the joint configuration is left');
  cluster.deliver();
  t.match(leader.raft, { role: 'leader', commit: 3, configuration: { removed: [2n, 3n], voters: [1n] } });
  t.match(change(leader, add(2n)).refused, [{ reason: 'member-exists' }], 'and never come back');
});

t.test(
  'a leader that removes itself goes on until that is committed, then hands over (dissertation §4.2.2)',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    cluster.isolate(3n);
    change(leader, remove(1n));
    cluster.deliver();
    t.match(leader.raft, { role: 'leader', commit: 1 }, 'it is not counted: one of two is no majority');
    cluster.heal();
    cluster.now += TIMES.heartbeatMs;
    leader.step({ type: 'tick' });
    const delivered = cluster.deliver();
    t.match(leader.raft, { role: 'follower', leader: 0n });
    t.equal(leader.raft.deadline, Infinity, 'and never stands again');
    t.equal(delivered.filter(({ type }) => type === 'timeout-now').length, 1, 'one heir is told');
    t.equal(cluster.leaders.length, 1, 'who leads at once');
    t.equal(leader.raft.commit, 2, 'the one that is gone knows that it is');
  },
);

t.test('who leaves may have to lead until that is committed (dissertation §4.2.2, figure 4.6)', async (t) => {
  for (const leaving of [remove(1n), { type: 'demote', id: 1n }] as const) {
    const cluster = new CoreCluster({ voters: [1n, 2n] });
    const leader = cluster.elect(1n);
    cluster.isolate(1n);
    change(leader, leaving);
    cluster.deliver();
    leader.restart();
    t.ok(leader.raft.deadline < Infinity, 'the other cannot win against its longer log');

    cluster.heal();
    cluster.now += TIMES.electionTimeoutMs;
    leader.step({ type: 'campaign' });
    for (let i = 0; i < 4; i += 1) cluster.bring(cluster.queue.splice(0, 1));
    t.equal(leader.raft.role, 'leader');
    t.equal(cluster.take('append').length + cluster.take('heartbeat').length, 2, 'which are lost');
    cluster.advance(2 * TIMES.heartbeatMs);
    t.same(cluster.leaders, [2n], leaving.type);
    t.same(cluster.get(2n).raft.configuration.voters, [2n]);
    t.ok(cluster.get(2n).raft.commit >= 4);
    t.match(leader.raft, { role: 'follower', deadline: Infinity }, 'and not a moment longer');
    cluster.get(2n).propose(1);
    t.same(cluster.get(2n).committed, ['entry 1']);
  }
});

t.test(
  'who leaves and whose vote is needed stands as long as it does not know that it has left',
  async (t) => {
    const cluster = new CoreCluster({ voters: [1n, 2n, 3n] });
    const leader = cluster.elect(1n);
    change(leader, { type: 'demote', id: 3n });
    cluster.bring(cluster.take('append'));
    const follower = cluster.get(3n);
    t.ok(follower.raft.deadline < Infinity);
    cluster.deliver();
    t.equal(follower.raft.commit, 2);
    t.equal(follower.raft.deadline, Infinity);
  },
);

t.test('a leader that is made a learner steps down and goes on as one', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  change(leader, { type: 'demote', id: 1n });
  cluster.deliver();
  t.equal(cluster.leaders.length, 1);
  t.not(cluster.leaders[0], 1n);
  cluster.advance(TIMES.heartbeatMs);
  t.match(leader.raft, { role: 'follower', leader: cluster.leaders[0], deadline: Infinity });
  t.equal(leader.log.lastIndex, cluster.get(2n).log.lastIndex);
});

t.test('a member that was removed and does not know it disturbs nobody (dissertation §4.2.3)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  change(leader, remove(3n));
  cluster.deliver();
  cluster.heal();
  cluster.advance(10 * TIMES.electionTimeoutMs);
  t.equal(cluster.get(3n).raft.role, 'pre-candidate');
  cluster.get(3n).receive({ type: 'timeout-now', from: 1n, to: 3n, term: 1 });
  const votes = cluster.take('vote').map((message) => ({ ...message, transfer: false }));
  t.match(votes, [{ preVote: false, term: 2 }, {}]);
  cluster.bring(votes);
  cluster.advance(TIMES.electionTimeoutMs);
  t.match(leader.raft, { role: 'leader', term: 1 });
  t.notOk(leader.raft.matches.has(3n));
});

t.test('an uncommitted configuration that is cut off gives way to the one before (Raft §6)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  const old = cluster.elect(1n);
  const before = old.raft.configuration;
  cluster.isolate(1n, 4n);
  change(old, { type: 'promote', id: 4n });
  cluster.deliver();
  const learner = cluster.get(4n);
  t.same(learner.raft.configuration.voters, [1n, 2n, 3n, 4n], 'in force as soon as it is in the log');
  t.ok(learner.raft.deadline < Infinity);
  learner.restart();
  t.same(learner.raft.configuration.voters, [1n, 2n, 3n, 4n], 'after a restart too');

  cluster.elect(2n);
  cluster.heal();
  cluster.advance(2 * TIMES.heartbeatMs);
  for (const id of [1n, 4n]) t.same(cluster.get(id).raft.configuration, before, `on member ${id}`);
  t.equal(learner.raft.deadline, Infinity, 'a learner again');
});

t.test('addresses and names change without a vote changing', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  change(leader, { type: 'update', id: 2n, name: 'new', clientUrls: ['http://127.0.0.1:1'] });
  cluster.deliver();
  const entry = leader.log.content.entries.at(-1);
  const written = decodeConfiguration(entry?.payload ?? Buffer.alloc(0));
  t.same(written, leader.raft.configuration);
  t.match(
    written.members.find(({ id }) => id === 2n),
    { name: 'new', peerUrls: memberOf(2n).peerUrls },
  );
  t.equal(leader.raft.commit, 2);
});
