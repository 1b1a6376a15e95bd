/** Logs that become alike, and what counts as committed: scripted, without a driver. */
import t, { type Test } from 'tap';
import type { AppendMessage } from '../../raft/core/messages.js';
import { configurationOf, CoreCluster, proposal, TIMES, type CoreMember } from './core-cluster.js';

const THREE = [1n, 2n, 3n];
const FIVE = [1n, 2n, 3n, 4n, 5n];

function sameLogs(t: Test, cluster: CoreCluster, ids: readonly bigint[], expected: readonly number[]): void {
  for (const id of ids) t.same(cluster.get(id).log.terms, expected, `the log of ${id}`);
}

/** Delivers all; counts the appends that one member got. */
function appendsTo(cluster: CoreCluster, to: bigint): number {
  return cluster.deliver().filter((message) => message.type === 'append' && message.to === to).length;
}

t.test('figure 7: whatever followers lack or have too much, they end with the leader’s log', async (t) => {
  const voters = [1n, 2n, 3n, 4n, 5n, 6n, 7n];
  const logs = {
    1: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    2: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    3: [1, 1, 1, 4],
    4: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    5: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    6: [1, 1, 1, 4, 4, 4, 4],
    7: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  const cluster = new CoreCluster({ voters, logs, term: 7 });
  const leader = cluster.elect(1n);
  t.equal(leader.raft.term, 8);
  sameLogs(t, cluster, voters, [...logs[1], 8]);
  for (const id of voters) t.equal(cluster.get(id).raft.commit, 11, `member ${id} knows what is committed`);
});

t.test('figure 8: an entry of an earlier term is never committed by counting (Raft §5.4.2)', async (t) => {
  const logs = { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] };
  const start = () => {
    const cluster = new CoreCluster({ voters: FIVE, logs, term: 3 });
    cluster.isolate(4n, 5n);
    const leader = cluster.get(1n);
    leader.step({ type: 'campaign' });
    while (leader.raft.role !== 'leader') cluster.bring(cluster.queue.splice(0, 1));
    return { cluster, leader };
  };

  const { cluster, leader } = start();
  // The followers get everything but what is of the leader's own term.
  for (let round = 0; round < 6; round += 1) {
    for (const message of cluster.queue.splice(0)) {
      if (message.to > 3n) continue;
      const entries = message.type === 'append' ? message.entries.filter(({ term }) => term < 4) : [];
      cluster.bring([message.type === 'append' ? { ...message, entries } : message]);
    }
  }
  sameLogs(t, cluster, [1n], [1, 2, 4]);
  sameLogs(t, cluster, [2n, 3n], [1, 2]);
  t.ok((leader.raft.matches.get(3n) ?? 0) >= 2, 'a majority has it, and the leader knows');
  t.equal(leader.raft.commit, 0);

  // (d): S5 may still cut it off.
  cluster.heal();
  cluster.isolate(1n);
  cluster.elect(5n);
  sameLogs(t, cluster, [2n, 3n, 4n, 5n], [1, 3, 5]);

  // (e): once an entry of its own term is committed, everything before it is.
  const other = start();
  other.cluster.deliver();
  t.equal(other.leader.raft.commit, 3);
  other.cluster.heal();
  other.cluster.now += TIMES.electionTimeoutMs;
  t.throws(() => other.cluster.elect(5n), 'and S5 cannot win');
});

t.test('repair: a refusal skips whole terms, whichever side has them (Raft §5.3)', async (t) => {
  const run = (terms: number, each: number) => Array.from({ length: terms * each }, (_, i) => i);
  const many = (from: number, step: number) => run(5, 20).map((i) => from + step * Math.floor(i / 20));
  for (const [name, leaderLog, followerLog, most] of [
    ['the follower has many entries of one term too much', [1, 5], [1, ...Array<number>(500).fill(2)], 2],
    ['the follower lacks many', [1, ...Array<number>(500).fill(5)], [1], 2],
    ['terms alternate', [1, ...many(3, 2)], [1, ...many(2, 2)], 6],
    ['nothing is alike', many(12, 1), many(2, 1), 3],
  ] as const) {
    const logs = { 1: leaderLog, 2: leaderLog, 3: followerLog };
    const cluster = new CoreCluster({ voters: THREE, logs, term: 20 });
    cluster.isolate(3n);
    cluster.elect(1n);
    cluster.heal();
    cluster.advance(TIMES.heartbeatMs - 1);
    cluster.now += 1;
    cluster.get(1n).step({ type: 'tick' });
    const count = appendsTo(cluster, 3n);
    sameLogs(t, cluster, [3n], [...leaderLog, 21]);
    t.ok(count <= most + 1, `${name}: ${count} appends`);
  }
});

t.test('pipelining: appends follow each other without waiting, up to so many messages', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, limits: { messagesMax: 4 } });
  const leader = cluster.elect(1n);
  for (let counter = 1; counter <= 4; counter += 1) leader.propose(counter);
  const appends = cluster.take('append', { to: 2n });
  t.same(
    appends.map(({ previousIndex }) => previousIndex),
    [1, 2, 3, 4],
    'none of them is acknowledged',
  );
  for (let counter = 5; counter <= 7; counter += 1) leader.propose(counter);
  t.same(cluster.take('append', { to: 2n }), [], 'not a fifth');

  cluster.bring(appends.slice(0, 1));
  cluster.bring(cluster.take('append-response', { from: 2n }));
  t.match(cluster.take('append', { to: 2n }), [{ previousIndex: 5, entries: { length: 3 } }], 'what waited');
});

t.test('pipelining: up to so many bytes on their way, and in one append', async (t) => {
  const limits = { bytesMax: 100, appendBytesMax: 40 };
  const cluster = new CoreCluster({ voters: THREE, limits });
  const leader = cluster.elect(1n);
  const sizes = () =>
    cluster.take('append', { to: 2n }).map(({ entries }) => entries.map(({ payload }) => payload.length));
  const give = (...bytes: number[]) =>
    leader.step({
      type: 'propose',
      proposals: bytes.map((size) => proposal(1n, (counter += 1), 'x'.repeat(size))),
    });
  let counter = 0;

  give(20, 20, 1, 50);
  t.same(sizes(), [[20, 20], [1], [50]], 'an entry past the limit goes alone');
  give(8);
  t.same(sizes(), [[8]], 'up to 99 of 100 bytes');
  give(200);
  t.same(sizes(), [[200]], 'one append may pass the limit');
  give(1);
  t.same(sizes(), [], 'then nothing');
});

t.test('entries are sent while the leader’s own disk is slow, and count when they are durable', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  leader.autoSync = false;
  leader.propose(1);
  t.equal(cluster.queue.filter(({ type }) => type === 'append').length, 2, 'sent at once (§10.2.1)');
  cluster.deliver();
  t.equal(leader.raft.commit, 1, 'one of three has it on disk');
  leader.sync();
  t.equal(leader.raft.commit, 2);

  const follower = cluster.get(2n);
  follower.autoSync = false;
  leader.propose(2);
  leader.sync();
  cluster.deliver();
  t.equal(leader.raft.commit, 2, 'a follower does not acknowledge what it has not synced');
  t.match(follower.waiting, [{ type: 'append-response', index: 3 }]);
  follower.restart();
  t.equal(follower.log.lastIndex, 2, 'as a power cut shows');
});

t.test('commit: followers are told at once, never of more than they have', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.propose(1);
  cluster.deliver();
  for (const id of THREE) t.equal(cluster.get(id).raft.commit, 2, `member ${id}, without a heartbeat`);

  leader.propose(2);
  const [held] = cluster.take('append', { to: 3n });
  cluster.deliver();
  t.equal(leader.raft.commit, 3);
  cluster.now += TIMES.heartbeatMs;
  leader.step({ type: 'tick' });
  t.match(cluster.take('heartbeat', { to: 3n }), [{ commit: 2 }], 'a heartbeat says what is known to match');

  const follower = cluster.get(3n);
  follower.receive({ ...(held as AppendMessage), entries: [], commit: 3 });
  t.equal(follower.raft.commit, 2, 'an append says nothing of what lies behind it');
});

t.test('lost appends: a heartbeat’s answer brings them again', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, limits: { messagesMax: 3 } });
  const leader = cluster.elect(1n);
  for (let counter = 1; counter <= 8; counter += 1) {
    leader.propose(counter);
    cluster.take('append', { to: 3n });
    cluster.deliver();
  }
  t.equal(leader.raft.commit, 9);
  t.equal(cluster.get(3n).log.lastIndex, 1, 'all that was let through is lost');

  cluster.advance(TIMES.heartbeatMs);
  t.equal(cluster.get(3n).log.lastIndex, 9);
  t.equal(cluster.get(3n).raft.commit, 9);
});

t.test('lost acknowledgements: the next ones stand for them', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, limits: { messagesMax: 3 } });
  const leader = cluster.elect(1n);
  cluster.isolate(2n);
  for (let counter = 1; counter <= 3; counter += 1) {
    leader.propose(counter);
    cluster.bring(cluster.take('append', { to: 3n }));
    cluster.take('append-response');
  }
  leader.propose(4);
  t.same(cluster.take('append', { to: 3n }), [], 'the limit is reached');
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.commit, 5);
});

t.test('the last append is lost and nothing follows: found by an empty one', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.propose(1);
  cluster.take('append');
  cluster.advance(TIMES.heartbeatMs);
  sameLogs(t, cluster, THREE, [1, 1]);
  t.equal(leader.raft.commit, 2);
});

t.test('repeated, late and reordered appends cut nothing off (Raft §5.3)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(2n);
  for (let counter = 1; counter <= 3; counter += 1) leader.propose(counter);
  const appends = cluster.take('append', { to: 3n });
  const follower = cluster.get(3n);

  cluster.bring(appends.slice(1).toReversed());
  t.equal(follower.log.lastIndex, 1, 'nothing fits behind a gap');
  t.match(cluster.take('append-response'), [
    { index: 3, hint: { index: 1, term: 1 } },
    { index: 2, hint: { index: 1, term: 1 } },
  ]);
  cluster.bring(appends);
  sameLogs(t, cluster, [3n], [1, 1, 1, 1]);

  for (const old of appends) {
    const effects = follower.receive(old);
    t.equal(effects.truncateFrom, undefined);
    t.same(effects.entries, []);
    t.match(effects.messagesAfterSync, [{ index: old.previousIndex + 1 }], 'acknowledged as far as it goes');
  }
  sameLogs(t, cluster, [3n], [1, 1, 1, 1]);

  cluster.deliver();
  t.equal(follower.raft.commit, 4);
  const longAgo = follower.receive(appends[0] as AppendMessage);
  t.match(longAgo.messagesAfterSync, [{ index: 4 }], 'before what is committed all agrees');
});

t.test('acknowledgements that come late or twice move nothing back', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.propose(1);
  cluster.deliver();
  leader.propose(2);
  cluster.deliver();
  for (const index of [1, 2, 3, 0]) {
    leader.receive({ type: 'append-response', from: 2n, to: 1n, term: 1, index });
    t.equal(leader.raft.matches.get(2n), 3);
  }
  const hint = { index: 0, term: 0 };
  leader.receive({ type: 'append-response', from: 2n, to: 1n, term: 1, index: 2, hint });
  t.same(cluster.queue, [], 'nor does an old refusal');
  leader.receive({ type: 'append-response', from: 9n, to: 1n, term: 1, index: 3 });
  t.notOk(leader.raft.matches.has(9n), 'and strangers are passed over');
});

t.test('a follower behind a broken connection is probed before more is sent', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.propose(1);
  cluster.take('append', { to: 3n });
  leader.step({ type: 'unreachable', member: 3n });
  leader.step({ type: 'unreachable', member: 1n });
  leader.step({ type: 'unreachable', member: 9n });
  leader.propose(2);
  t.match(cluster.take('append', { to: 3n }), [{ previousIndex: 1, entries: [{ index: 2 }] }]);
  leader.propose(3);
  t.same(cluster.take('append', { to: 3n }), [], 'one at a time');
  cluster.advance(TIMES.heartbeatMs);
  sameLogs(t, cluster, THREE, [1, 1, 1, 1]);
});

// ---- Entries on disk, and snapshots (Raft §7)

/** Three members; the leader's log begins behind `through`, and member 3 has nothing of what was proposed. */
function withCutLog(through: number) {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  for (let counter = 1; counter <= 9; counter += 1) leader.propose(counter);
  cluster.deliver();
  leader.log.cut(through, leader.raft.configuration);
  cluster.heal();
  return { cluster, leader, follower: cluster.get(3n) };
}

function install(member: CoreMember, leader: CoreMember, index: number): void {
  const term = leader.log.term(index) ?? 0;
  member.step({ type: 'installed', index, term, configuration: leader.raft.configuration });
}

t.test('snapshot: for a follower whose next entry is cut away; then the log goes on behind it', async (t) => {
  const { cluster, leader, follower } = withCutLog(6);
  cluster.advance(TIMES.heartbeatMs);
  t.same(leader.snapshots, [{ member: 3n }], 'asked for once');
  leader.propose(10);
  t.same(cluster.take('append', { to: 3n }), [], 'nothing is sent meanwhile');
  cluster.advance(3 * TIMES.heartbeatMs);
  t.equal(leader.snapshots.length, 1);

  install(follower, leader, 6);
  t.match(follower.effects, {
    reset: { index: 6, term: 1 },
    hardState: { commit: 6 },
    messagesAfterSync: [{ type: 'append-response', to: 1n, index: 6 }],
  });
  leader.step({ type: 'snapshot-sent', member: 3n, index: 6 });
  cluster.deliver();
  t.equal(follower.log.firstIndex, 7);
  t.equal(follower.log.lastIndex, 11);
  t.equal(follower.raft.commit, 11);

  follower.restart();
  t.equal(follower.raft.commit, 6, 'a restart stands on it');
  cluster.advance(2 * TIMES.heartbeatMs);
  t.equal(follower.raft.commit, 11);
});

t.test('snapshot: one that fails is asked for again at the next sign of life', async (t) => {
  const { cluster, leader } = withCutLog(6);
  cluster.advance(TIMES.heartbeatMs);
  leader.step({ type: 'snapshot-sent', member: 3n, index: undefined });
  t.equal(leader.snapshots.length, 1, 'not at once');
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.snapshots.length, 2);
});

t.test('snapshot: none for a member that has not answered lately', async (t) => {
  const { cluster, leader } = withCutLog(6);
  cluster.isolate(3n);
  cluster.advance(3 * TIMES.electionTimeoutMs);
  leader.step({ type: 'unreachable', member: 3n });
  leader.propose(10);
  t.same(leader.snapshots, []);
  t.equal(leader.raft.neededFrom, 11, 'nor is the log kept for it');
  cluster.heal();
  cluster.deliver();
  cluster.advance(TIMES.heartbeatMs);
  t.same(leader.snapshots, [{ member: 3n }]);
});

t.test(
  'snapshot: where the log has what it holds the log stays; where it has other entries it goes',
  async (t) => {
    const { leader, follower } = withCutLog(3);
    install(follower, leader, 6);
    t.ok(follower.effects.reset, 'entries that lack the ones before them are of no use');

    const kept = withCutLog(3);
    const other = kept.cluster.get(2n);
    install(other, kept.leader, 10);
    t.match(other.effects, { reset: undefined, truncateFrom: undefined });
    t.equal(other.log.lastIndex, 10);

    const logs = { 1: [1, 3, 3, 3], 2: [1, 3, 3, 3], 3: [1, 2, 2, 2, 2] };
    const cluster = new CoreCluster({ voters: THREE, logs, term: 3 });
    const conflicting = cluster.get(3n);
    install(conflicting, cluster.get(1n), 3);
    t.match(conflicting.effects, { reset: { index: 3, term: 3 } });
    t.equal(conflicting.log.lastIndex, 3);
  },
);

t.test('snapshot: one that arrives as the member wins its election changes nothing', async (t) => {
  const { cluster, leader } = withCutLog(0);
  const winner = cluster.elect(2n);
  install(winner, leader, 10);
  t.match(winner.effects, { reset: undefined, messagesAfterSync: [] });
  t.match(winner.raft, { role: 'leader', commit: 11 });
});

t.test('snapshot: its configuration is in force, also after a restart', async (t) => {
  const { cluster, leader, follower } = withCutLog(6);
  const configuration = configurationOf([1n, 2n, 3n, 5n]);
  follower.step({ type: 'installed', index: 6, term: 1, configuration });
  t.same(follower.raft.configuration, configuration);
  follower.restart();
  t.same(follower.raft.configuration, configuration);
  t.equal(leader.raft.role, 'leader');
  t.ok(cluster.get(3n).raft.deadline < Infinity);
});

t.test('snapshot: a member that joins learns from it who is in the cluster', async (t) => {
  const cluster = new CoreCluster({ voters: [1n], learners: [9n] });
  const leader = cluster.elect(1n);
  const joined = cluster.add(9n);
  t.equal(joined.raft.deadline, Infinity);
  leader.propose(1);
  cluster.deliver();
  leader.log.cut(2, leader.raft.configuration);
  cluster.advance(TIMES.heartbeatMs);
  install(joined, leader, 2);
  t.same(joined.raft.configuration, leader.raft.configuration);
});

t.test('snapshot: acknowledgements may overtake it', async (t) => {
  const { cluster, leader, follower } = withCutLog(6);
  cluster.advance(TIMES.heartbeatMs);
  install(follower, leader, 6);
  cluster.deliver();
  t.equal(follower.raft.commit, 10, 'the leader goes on although it was not told that the snapshot is there');
  leader.step({ type: 'snapshot-sent', member: 3n, index: 6 });
  t.same(cluster.queue, []);
});

t.test('snapshot: the entry behind it may be cut away by the time it has arrived', async (t) => {
  const { cluster, leader, follower } = withCutLog(6);
  cluster.advance(TIMES.heartbeatMs);
  install(follower, leader, 6);
  cluster.take('append-response');
  leader.log.cut(8, leader.raft.configuration);
  leader.step({ type: 'snapshot-sent', member: 3n, index: 6 });
  cluster.deliver();
  t.equal(leader.snapshots.length, 2);
});

t.test('fetch: entries that only the disk has are asked for, then sent', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, limits: { appendBytesMax: 20 } });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  for (let counter = 1; counter <= 9; counter += 1) leader.propose(counter);
  cluster.deliver();
  leader.log.evict(8);
  cluster.heal();
  cluster.advance(TIMES.heartbeatMs);
  t.same(leader.fetches, [{ member: 3n, from: 2, through: 7, maxBytes: 20 }]);
  leader.propose(10);
  cluster.advance(3 * TIMES.heartbeatMs);
  t.equal(leader.fetches.length, 1, 'asked for once, and nothing is sent meanwhile');

  for (let fetch = leader.fetches.shift(); fetch !== undefined; fetch = leader.fetches.shift()) {
    const { member, from, through, maxBytes } = fetch;
    leader.step({ type: 'fetched', member, entries: leader.log.readDisk(from, through, maxBytes) });
    cluster.deliver();
  }
  t.equal(cluster.get(3n).log.lastIndex, 11);
  t.equal(cluster.get(3n).raft.commit, 11);
});

t.test('fetch: what is cut away meanwhile, or wanted no longer, is not sent', async (t) => {
  const { cluster, leader } = withCutLog(0);
  leader.log.evict(8);
  cluster.advance(TIMES.heartbeatMs);
  const [fetch] = leader.fetches;
  t.match(fetch, { member: 3n, from: 2, through: 7 });
  const entries = leader.log.readDisk(2, 7);
  leader.log.cut(7, leader.raft.configuration);
  leader.step({ type: 'fetched', member: 3n, entries });
  t.same(cluster.take('append', { to: 3n }), []);
  t.same(leader.snapshots, [{ member: 3n }]);
  leader.step({ type: 'fetched', member: 3n, entries });
  t.same(cluster.queue, [], 'nobody has asked');

  const other = withCutLog(0);
  other.leader.log.evict(8);
  other.cluster.advance(TIMES.heartbeatMs);
  other.leader.step({ type: 'fetched', member: 3n, entries: [] });
  t.equal(other.leader.fetches.length, 2, 'nothing came: asked again');
});

t.test('fetch: entries of another term than the log’s are not sent', async (t) => {
  const { cluster, leader } = withCutLog(0);
  leader.log.evict(8);
  cluster.advance(TIMES.heartbeatMs);
  const entries = leader.log.readDisk(2, 7).map((entry) => ({ ...entry, term: 0 }));
  leader.step({ type: 'fetched', member: 3n, entries });
  t.same(cluster.take('append', { to: 3n }), []);
});

t.test('matches and neededFrom: what a leader knows, nothing on others', async (t) => {
  const { cluster, leader } = withCutLog(6);
  t.same(
    [...leader.raft.matches],
    [
      [1n, 10],
      [2n, 10],
      [3n, 1],
    ],
  );
  t.equal(leader.raft.neededFrom, 2);
  t.same([...cluster.get(2n).raft.matches], []);
  t.equal(cluster.get(2n).raft.neededFrom, Infinity);
  cluster.advance(TIMES.heartbeatMs);
  t.equal(leader.raft.neededFrom, 11, 'a snapshot needs no log before it');
});
