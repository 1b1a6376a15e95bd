/** The driver among several members: real members, a network, disks and a clock in the test's hands. */
import t from 'tap';
import type { ConfigurationChange } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import { ConsensusError, type ConsensusStatus } from '../../raft/node/consensus.js';
import { Member } from '../../raft/node/member.js';
import { PROPOSAL_OVERHEAD_BYTES } from '../../raft/node/proposals.js';
import { ControlledLog } from './controlled-log.js';
import { configurationOf } from './core-cluster.js';
import { ManualClock, settle } from './manual-clock.js';
import { Cluster, TIMES } from './member-harness.js';
import { MemoryNetwork } from './memory-network.js';
import { ReplicatedMachine } from './replicated-machine.js';

const THREE = [1n, 2n, 3n];

/** How a promise was rejected; undefined if it was not. */
async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof ConsensusError) return error.reason;
    throw error;
  }
}

/** What has become of a promise, without time passing. */
async function now<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await settle();
  return await Promise.race([promise, Promise.resolve('pending' as const)]);
}

t.test('every member takes proposals; all apply the same, in the same order', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const proposals = Array.from({ length: 60 }, (_, i) => cluster.propose(THREE[i % 3] ?? 1n, `p${i}`));
  const outcomes = await cluster.finish(Promise.all(proposals));
  for (const [i, outcome] of outcomes.entries()) t.match(outcome, { type: 'applied', result: `did p${i}` });
  await cluster.untilAlike();
  t.equal(cluster.get(1n).machine.payloads.length, 60);
  t.equal(new Set(cluster.get(1n).machine.payloads).size, 60);
  for (const id of THREE) {
    const own = cluster
      .get(id)
      .machine.payloads.filter((name) => Number(name.slice(1)) % 3 === Number(id) - 1);
    t.same(
      own,
      own.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      `in the order of member ${id}`,
    );
  }
});

t.test('a lone proposal costs a follower one trip to the leader and one to the others', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  cluster.network.delayMs = 10;
  const start = cluster.clock.now();
  const { follower } = cluster;
  t.match(await cluster.finish(cluster.propose(follower.id, 'x')), { type: 'applied' });
  t.ok(
    cluster.clock.now() - start <= 45,
    `forward, append, acknowledge, tell: ${cluster.clock.now() - start} ms`,
  );
});

t.test(
  'stop: a leader hands over, so that there is one again at once, and its proposals are finished',
  async (t) => {
    const cluster = await Cluster.start(t, THREE);
    const old = await cluster.untilLed();
    cluster.network.delayMs = 5;
    const atOld = cluster.propose(old.id, 'at the old leader');
    const atFollower = cluster.propose(cluster.follower.id, 'at a follower');
    await settle();
    const stopped = old.member.stop();
    const start = cluster.clock.now();
    await cluster.untilLed(old.id);
    const gap = cluster.clock.now() - start;
    t.ok(gap < TIMES.heartbeatMs, `${gap} ms without a leader`);
    t.match(await cluster.finish(atOld), { type: 'applied' });
    t.match(await cluster.finish(atFollower), { type: 'applied' });
    await cluster.finish(stopped);
    t.match(await cluster.propose(old.id, 'late'), { type: 'rejected', reason: 'stopped' });
  },
);

t.test('stop: a leader that nobody answers does not wait for ever', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  cluster.network.isolate(old.id);
  const outcome = cluster.propose(old.id, 'x');
  await settle();
  const start = cluster.clock.now();
  await cluster.finish(old.member.stop(), TIMES.electionTimeoutMs);
  t.ok(cluster.clock.now() - start < TIMES.electionTimeoutMs);
  t.same(await outcome, { type: 'unknown', reason: 'stopped' });
});

t.test('a leader that is cut off says neither yes nor no', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  cluster.network.isolate(old.id);
  const inFlight = cluster.propose(old.id, 'in flight', 500);
  await cluster.clock.advance(501);
  t.same(await inFlight, { type: 'unknown', reason: 'deadline' }, 'it is in its log');

  const leader = await cluster.untilLed(old.id);
  await cluster.clock.until(() => old.member.status().leaderId === 0n, 3 * TIMES.electionTimeoutMs);
  const queued = cluster.propose(old.id, 'queued', 500);
  await cluster.clock.advance(501);
  t.same(await queued, { type: 'rejected', reason: 'no-leader' }, 'nobody has got it');
  t.match(await cluster.finish(cluster.propose(leader.id, 'meanwhile')), { type: 'applied' });

  cluster.network.heal();
  await cluster.untilAlike();
  t.same(old.machine.payloads, ['meanwhile']);
});

t.test('what a leader lost with its office is given to the next one, once', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  cluster.network.isolate(old.id);
  const lost = [1, 2, 3].map((i) => cluster.propose(old.id, `lost ${i}`));
  await settle();
  t.equal(old.log.lastIndex, 4);
  await cluster.untilLed(old.id);
  cluster.network.heal();
  for (const outcome of await cluster.finish(Promise.all(lost))) {
    t.match(outcome, { type: 'applied', term: cluster.leader?.member.status().term });
  }
  await cluster.untilAlike();
  for (const id of THREE) t.same(cluster.get(id).machine.payloads, ['lost 1', 'lost 2', 'lost 3']);
});

t.test('what a leader had committed is not given to the next one', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  // Others get it, the leader does not hear of that.
  for (const id of THREE) cluster.network.cut(id, old.id);
  const outcome = cluster.propose(old.id, 'kept');
  await settle();
  for (const id of THREE) cluster.network.cut(old.id, id);
  await cluster.untilLed(old.id);
  cluster.network.heal();
  t.match(await cluster.finish(outcome), { type: 'applied', index: 2, term: 1 });
  await cluster.untilAlike();
  t.same(old.machine.payloads, ['kept']);
});

t.test('what a follower gave to a leader that is gone goes to the next one, once', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  const { follower } = cluster;
  cluster.network.isolate(old.id);
  const outcome = cluster.propose(follower.id, 'x');
  await cluster.untilLed(old.id);
  t.match(await cluster.finish(outcome), { type: 'applied', term: 2 });
  cluster.network.heal();
  await cluster.untilAlike();
  t.same(old.machine.payloads, ['x']);
});

t.test('a proposal that is lost on its way is sent again, in messages of bounded size', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const { follower } = cluster;
  cluster.network.loses = ({ type }) => type === 'propose';
  const big = Buffer.alloc(400 * 1024);
  const outcomes = Array.from({ length: 8 }, () => follower.member.propose(big, cluster.within(60_000)));
  await cluster.clock.advance(200);
  const before = cluster.network.sent.length;
  cluster.network.loses = () => false;
  for (const outcome of await cluster.finish(Promise.all(outcomes))) t.match(outcome, { type: 'applied' });
  const sizes = cluster.network.sent
    .slice(before)
    .map((message) => (message.type === 'propose' ? message.proposals : []))
    .map((proposals) => proposals.reduce((sum, { payload }) => sum + payload.length, 0));
  t.ok(Math.max(...sizes) <= 2 ** 20, `${Math.max(...sizes)} bytes`);
  t.ok(sizes.filter((size) => size > 0).length >= 4);
});

t.test('without a leader: proposals and reads end at their deadline, and say why', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  cluster.network.isolate(1n);
  cluster.network.isolate(2n);
  await cluster.clock.advance(5 * TIMES.electionTimeoutMs);
  for (const id of THREE) {
    const { member } = cluster.get(id);
    t.equal(member.status().leaderId, 0n);
    const outcome = cluster.propose(id, 'x', 300);
    const read = reasonOf(member.readIndex(cluster.within(300)));
    const aborted = new AbortController();
    const cancelled = member.propose(Buffer.from('y'), { ...cluster.within(300), signal: aborted.signal });
    aborted.abort();
    t.same(await now(cancelled), { type: 'rejected', reason: 'aborted' });
    t.equal(await now(outcome), 'pending');
    await cluster.clock.advance(301);
    t.same(await outcome, { type: 'rejected', reason: 'no-leader' });
    t.equal(await read, 'no-leader');
    t.equal(await reasonOf(member.askLeader(Buffer.alloc(0), { timeoutMs: 1 })), 'no-leader');
    t.equal(await reasonOf(member.transferLeadership(2n, cluster.within(1))), 'no-leader');
  }

  const waiting = THREE.map((id) => cluster.propose(id, `after ${id}`));
  cluster.network.heal();
  for (const outcome of await cluster.finish(Promise.all(waiting))) t.match(outcome, { type: 'applied' });
});

t.test('readIndex: on every member sees all that was acknowledged anywhere', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  cluster.network.delayMs = 20;
  for (let i = 0; i < 6; i += 1) {
    const writer = THREE[i % 3] ?? 1n;
    const reader = cluster.get(THREE[(i + 1) % 3] ?? 1n);
    await cluster.finish(cluster.propose(writer, `w${i}`));
    await cluster.finish(reader.member.readIndex(cluster.within(5000)));
    t.ok(reader.machine.payloads.includes(`w${i}`), `w${i} of ${writer} on ${reader.id}`);
  }
});

t.test('readIndex: calls in flight share a round', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const { follower } = cluster;
  cluster.network.delayMs = 10;
  const before = cluster.network.sent.length;
  const reads = Array.from({ length: 50 }, () => follower.member.readIndex(cluster.within(5000)));
  await cluster.finish(Promise.all(reads));
  const asked = cluster.network.sent.slice(before).filter(({ type }) => type === 'read');
  t.ok(asked.length <= 2, `${asked.length} questions for 50 reads`);
});

t.test('readIndex: a leader that was deposed answers none with what it has', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const old = await cluster.untilLed();
  cluster.network.isolate(old.id);
  const leader = await cluster.untilLed(old.id);
  await cluster.finish(cluster.propose(leader.id, 'new'));

  const short = old.member.readIndex(cluster.within(400)).then(() => 'answered', String);
  const long = old.member.readIndex(cluster.within(60_000));
  await cluster.clock.advance(3 * TIMES.electionTimeoutMs);
  t.not(await short, 'answered');
  t.equal(await now(long), 'pending');
  cluster.network.heal();
  await cluster.clock.until(() => old.member.status().leaderId === leader.id, 2 * TIMES.heartbeatMs);
  await cluster.finish(long, 20);
  t.same(old.machine.payloads, ['new'], 'it waited for what had been committed without it');
});

t.test(
  'readIndex: is answered where messages take longer than the time after which it asks again',
  async (t) => {
    const cluster = await Cluster.start(t, THREE);
    cluster.network.delayMs = 130;
    const { follower } = cluster;
    const read = follower.member.readIndex(cluster.within(5000));
    t.equal(await reasonOf(cluster.finish(read)), undefined);
  },
);

t.test('readIndex: an answer to a process that is gone is not taken for one’s own', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const follower = cluster.follower;
  const late: Message[] = [];
  cluster.network.loses = (message) => message.type === 'read-response' && late.push(message) > 0;
  const forgotten = follower.member.readIndex(cluster.within(150)).catch(() => undefined);
  await cluster.clock.advance(20);
  t.equal(late.length, 1);
  await cluster.finish(cluster.propose(leader.id, 'later'));
  const restarted = await cluster.restart(follower.id);
  await forgotten;
  await cluster.clock.until(() => restarted.member.status().leaderId === leader.id, 1000);

  // Its first question is on its way; the answer to the first of the process before comes first.
  restarted.machine.hold();
  await cluster.finish(cluster.propose(leader.id, 'last'));
  cluster.network.loses = ({ type }) => type === 'read';
  const read = restarted.member.readIndex(cluster.within(5000)).then(() => 'answered');
  for (const message of late) restarted.transport.handler?.receive(message);
  t.equal(await now(read), 'pending');
  cluster.network.loses = () => false;
  restarted.machine.letGo();
  await cluster.finish(read);
  t.ok(restarted.machine.payloads.includes('last'));
});

t.test('readIndex: the only voter left has applied what others acknowledged before it reads', async (t) => {
  const cluster = await Cluster.start(t, [1n, 2n]);
  const leader = await cluster.untilLed();
  const other = cluster.follower;
  await cluster.finish(cluster.propose(leader.id, 'x'));
  // The heir is told nothing of what is committed.
  const isCommit = ({ type }: Message) => type === 'commit' || type === 'heartbeat';
  cluster.network.loses = isCommit;
  const written = cluster.propose(leader.id, 'acknowledged');
  const removal: ConfigurationChange = { type: 'remove', id: leader.id };
  const removed = leader.member.changeConfiguration([removal], cluster.within(60_000));
  const reads: Promise<boolean>[] = [];
  other.member.onLeadershipChange(({ leaderId }) => {
    if (leaderId !== other.id) return;
    const read = other.member.readIndex(cluster.within(5000));
    reads.push(read.then(() => other.machine.payloads.includes('acknowledged')));
  });
  t.match(await cluster.finish(written), { type: 'applied' });
  await cluster.finish(removed);
  await cluster.clock.until(() => reads.length > 0, 5 * TIMES.electionTimeoutMs);
  t.same(await cluster.finish(Promise.all(reads)), [true]);
});

t.test('not forwarded: only in the present term of a member that leads', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const propose = (id: bigint) =>
    cluster.get(id).member.propose(Buffer.from('own'), { ...cluster.within(60_000), forward: false });
  const follower = cluster.follower;
  t.same(await now(propose(follower.id)), { type: 'rejected', reason: 'not-leader' });
  t.match(await cluster.finish(propose(leader.id)), { type: 'applied' });

  cluster.network.isolate(leader.id);
  const lost = propose(leader.id);
  await cluster.untilLed(leader.id);
  t.same(await now(propose(leader.id)), 'pending', 'it takes itself for the leader still');
  cluster.network.heal();
  t.same(await cluster.finish(lost), { type: 'rejected', reason: 'not-leader' }, 'certainly not in the log');
  await cluster.untilAlike();
  t.same(leader.machine.payloads, ['own']);
});

t.test('not forwarded: nor in a later term of the same leader', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const propose = () =>
    leader.member.propose(Buffer.from('own'), { ...cluster.within(60_000), forward: false });
  cluster.network.isolate(leader.id);
  const lost = propose();
  const other = await cluster.untilLed(leader.id);
  await cluster.clock.until(() => leader.member.status().leaderId === 0n, 3 * TIMES.electionTimeoutMs);
  t.same(await now(propose()), { type: 'rejected', reason: 'not-leader' }, 'at once, although nobody leads');

  leader.machine.hold();
  cluster.network.heal();
  await cluster.clock.until(() => leader.member.status().leaderId === other.id, 1000);
  await cluster.clock.advance(2 * TIMES.heartbeatMs);
  await cluster.finish(other.member.transferLeadership(leader.id, cluster.within(1000)));
  t.equal(await now(lost), 'pending');
  leader.machine.letGo();
  t.same(await cluster.finish(lost), { type: 'rejected', reason: 'not-leader' });
  await cluster.untilAlike();
  t.same(leader.machine.payloads, []);
});

t.test('a member whose machine is held falls behind alone, and catches up', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const slow = cluster.follower;
  slow.machine.hold();
  const own = cluster.propose(slow.id, 'own');
  for (let i = 0; i < 20; i += 1) {
    t.match(await cluster.finish(cluster.propose(cluster.leader?.id ?? 0n, `w${i}`)), { type: 'applied' });
  }
  const read = slow.member.readIndex(cluster.within(60_000));
  await cluster.clock.advance(2 * TIMES.electionTimeoutMs);
  t.same([await now(own), await now(read)], ['pending', 'pending'], 'what it answers it has applied');
  t.equal(cluster.leader?.member.status().term, 1, 'and disturbs nobody');
  slow.machine.letGo();
  t.match(await cluster.finish(own), { type: 'applied' });
  await cluster.finish(read);
  t.equal(slow.machine.payloads.length, 21);
});

t.test('a member that applies slowly takes no more than so many bytes ahead', async (t) => {
  const cluster = await Cluster.start(t, THREE, {
    proposalLimits: { payloadBytesMax: 2 ** 24, pendingBytesMax: 2 ** 30 },
  });
  const slow = cluster.follower;
  slow.machine.hold();
  const payload = Buffer.alloc(4 * 2 ** 20);
  const { member } = await cluster.untilLed();
  for (let i = 0; i < 30; i += 1) {
    await cluster.finish(member.propose(payload, cluster.within(60_000)));
  }
  const taken = slow.log.lastIndex;
  t.ok(taken < 25, `${taken} of 31 entries`);
  t.ok(taken > 15, `${taken} of 31 entries`);
  await cluster.clock.advance(3 * TIMES.electionTimeoutMs);
  t.equal(slow.log.lastIndex, taken);
  slow.machine.letGo();
  await cluster.untilAlike();
});

t.test('a log full of what will never be committed does not keep a member from its new leader', async (t) => {
  const cluster = await Cluster.start(t, THREE, {
    proposalLimits: { payloadBytesMax: 2 ** 24, pendingBytesMax: 2 ** 30 },
  });
  const old = await cluster.untilLed();
  cluster.network.isolate(old.id);
  const payload = Buffer.alloc(8 * 2 ** 20);
  const lost = Array.from({ length: 9 }, () => old.member.propose(payload, cluster.within(100)));
  await cluster.clock.advance(101);
  for (const outcome of await Promise.all(lost)) t.match(outcome, { type: 'unknown' });
  t.equal(old.log.lastIndex, 10);
  const leader = await cluster.untilLed(old.id);
  await cluster.finish(cluster.propose(leader.id, 'new'));
  cluster.network.heal();
  await cluster.untilAlike();
  t.same(old.machine.payloads, ['new']);
});

t.test('pending bytes are bounded, also of what waits for a leader', async (t) => {
  const limits = { payloadBytesMax: 100, pendingBytesMax: 3 * (PROPOSAL_OVERHEAD_BYTES + 1) };
  const cluster = await Cluster.start(t, THREE, { proposalLimits: limits });
  cluster.network.isolate(1n);
  cluster.network.isolate(2n);
  await cluster.clock.advance(5 * TIMES.electionTimeoutMs);
  const outcomes = ['a', 'b', 'c'].map((text) => cluster.propose(1n, text));
  t.same(await now(cluster.propose(1n, 'd')), { type: 'rejected', reason: 'overloaded' });
  cluster.network.heal();
  for (const outcome of outcomes) t.match(await cluster.finish(outcome), { type: 'applied' });
  t.match(await cluster.finish(cluster.propose(1n, 'e')), { type: 'applied' }, 'they count no longer');
});

t.test('pending bytes: what was lost on its way to the leader and given up counts no longer', async (t) => {
  const limits = { payloadBytesMax: 100, pendingBytesMax: 3 * (PROPOSAL_OVERHEAD_BYTES + 1) };
  const cluster = await Cluster.start(t, THREE, { proposalLimits: limits });
  const { follower } = cluster;
  // It hears of its leader and is not heard itself, so that the term stays.
  for (const id of THREE) cluster.network.cut(follower.id, id);
  const lost = ['a', 'b', 'c'].map((text) => cluster.propose(follower.id, text, 300));
  await cluster.clock.advance(301);
  for (const outcome of lost) t.same(await outcome, { type: 'unknown', reason: 'deadline' });
  cluster.network.heal();
  await cluster.clock.advance(2 * TIMES.electionTimeoutMs);
  t.match(await cluster.finish(cluster.propose(follower.id, 'd')), { type: 'applied', term: 1 });
  await cluster.untilAlike();
  t.same(follower.machine.payloads, ['d'], 'nor does anyone send them again');
});

t.test('a disk that fails ends its member; the others go on', async (t) => {
  for (const role of ['leader', 'follower'] as const) {
    const cluster = await Cluster.start(t, [2n, 3n]);
    const failing = new ControlledLog();
    await cluster.startNode(1n, { log: failing });
    await cluster.finish(cluster.add(1n, false));
    await cluster.untilAlike();
    if (role === 'leader') {
      const { member } = await cluster.untilLed();
      await cluster.finish(member.transferLeadership(1n, cluster.within(5000)));
    }
    const node = cluster.get(1n);
    const outcome = cluster.propose(1n, 'x');
    failing.fail(new Error('broken disk'));
    t.match(await cluster.finish(outcome), { type: /unknown|rejected/, reason: 'stopped' }, role);
    t.match(node.fatal, [{ message: 'broken disk' }]);
    t.equal(node.member.status().leaderId, 0n);
    t.equal(await reasonOf(node.member.readIndex(cluster.within(100))), 'stopped');

    const other = await cluster.untilLed(1n);
    t.match(await cluster.finish(cluster.propose(other.id, 'y')), { type: 'applied' });
    await cluster.finish(node.member.stop());
    t.equal(node.fatal.length, 1, 'told once');
  }
});

t.test('a machine that throws ends its member; the others go on', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const failing = cluster.follower;
  failing.machine.failWith = new Error('broken machine');
  t.match(await cluster.finish(cluster.propose(cluster.leader?.id ?? 0n, 'x')), { type: 'applied' });
  await settle();
  t.match(failing.fatal, [{ message: 'broken machine' }]);
  t.match(await cluster.finish(cluster.propose(cluster.leader?.id ?? 0n, 'y')), { type: 'applied' });
});

t.test('members are added as learners, promoted, and removed; who is removed is told once', async (t) => {
  const cluster = await Cluster.start(t, [1n]);
  await cluster.finish(cluster.propose(1n, 'before'));
  for (const id of [2n, 3n]) {
    const added = await cluster.finish(cluster.add(id, true));
    t.match(added, { type: 'applied', result: { learners: [id] } });
    const node = await cluster.startNode(id);
    await cluster.untilAlike();
    t.ok(node.member.status().isLearner);
    t.same(node.machine.payloads, ['before']);
    const { member } = cluster.get(1n);
    await cluster.finish(member.changeConfiguration([{ type: 'promote', id }], cluster.within(5000)));
    await cluster.untilAlike();
    t.notOk(node.member.status().isLearner);
  }
  t.same(cluster.get(3n).member.configuration().voters, THREE);

  const asked = cluster
    .get(2n)
    .member.changeConfiguration([{ type: 'remove', id: 3n }], cluster.within(5000));
  t.match(await cluster.finish(asked), { type: 'applied', result: { removed: [3n] } }, 'asked of a follower');
  await cluster.clock.advance(3 * TIMES.electionTimeoutMs);
  t.equal(cluster.get(3n).removals, 1);
  t.equal(cluster.get(2n).removals, 0);
  t.match(await cluster.finish(cluster.propose(2n, 'after')), { type: 'applied' });
  await cluster.finish(cluster.get(3n).member.stop());
});

t.test(
  'changes that cannot be are refused by their reason, on any member; those that wait are made',
  async (t) => {
    const cluster = await Cluster.start(t, THREE);
    for (const id of THREE) {
      const change = (wish: ConfigurationChange) =>
        cluster.finish(cluster.get(id).member.changeConfiguration([wish], cluster.within(5000)));
      t.same(await change({ type: 'remove', id: 9n }), { type: 'rejected', reason: 'member-not-found' });
      t.same(await change({ type: 'promote', id }), { type: 'rejected', reason: 'not-a-learner' });
    }
    const both = [4n, 5n].map((id) => cluster.add(id, true));
    for (const outcome of await cluster.finish(Promise.all(both))) t.match(outcome, { type: 'applied' });
    t.same(cluster.leader?.member.configuration().learners, [4n, 5n]);
  },
);

t.test(
  'several votes change through a joint configuration, with the leader among those who leave',
  async (t) => {
    const cluster = await Cluster.start(t, THREE);
    const leader = await cluster.untilLed();
    for (const id of [4n, 5n]) {
      await cluster.finish(cluster.add(id, true));
      await cluster.startNode(id);
    }
    await cluster.untilAlike();
    const [second] = cluster.followers.filter(({ id }) => id <= 3n);
    const leaving = [leader.id, second?.id ?? 0n];
    const changes: ConfigurationChange[] = [
      ...leaving.map((id) => ({ type: 'remove', id }) as const),
      { type: 'promote', id: 4n },
      { type: 'promote', id: 5n },
    ];
    const changed = leader.member.changeConfiguration(changes, cluster.within(30_000));
    t.match(await cluster.finish(changed), { type: 'applied' });
    const next = await cluster.untilLed(leader.id);
    const staying = [...cluster.nodes.values()].filter(({ id }) => !leaving.includes(id));
    t.match(await cluster.finish(cluster.propose(next.id, 'x')), { type: 'applied' });
    await cluster.untilAlike(staying);
    t.same(
      next.member.configuration().voters,
      staying.map(({ id }) => id),
    );
    for (const id of leaving) await cluster.finish(cluster.get(id).member.stop());
  },
);

t.test('transferLeadership: resolves when another leads; ends as its options say', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const target = cluster.follower;
  const { member } = leader;
  t.equal(await reasonOf(target.member.transferLeadership(leader.id, cluster.within(1000))), 'no-leader');
  t.equal(
    await now(member.transferLeadership(leader.id, cluster.within(1000))),
    undefined,
    'it leads already',
  );
  const signal = AbortSignal.abort();
  t.equal(
    await reasonOf(member.transferLeadership(target.id, { ...cluster.within(1000), signal })),
    'aborted',
  );

  cluster.network.isolate(target.id);
  const late = reasonOf(member.transferLeadership(target.id, cluster.within(200)));
  await cluster.clock.advance(201);
  t.equal(await late, 'deadline');
  const abort = new AbortController();
  const options = { ...cluster.within(5000), signal: abort.signal };
  const aborted = reasonOf(member.transferLeadership(target.id, options));
  abort.abort();
  t.equal(await aborted, 'aborted');
  const stillProposed = cluster.propose(leader.id, 'x');
  t.match(await cluster.finish(stillProposed), { type: 'applied' }, 'taken once the transfer is given up');

  cluster.network.heal();
  await cluster.clock.advance(2 * TIMES.heartbeatMs);
  await cluster.finish(member.transferLeadership(target.id, cluster.within(1000)));
  t.equal(cluster.leader?.id, target.id);
});

t.test('a leader that removes itself is told, at its next start too', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const removal: ConfigurationChange = { type: 'remove', id: leader.id };
  const outcome = leader.member.changeConfiguration([removal], cluster.within(5000));
  t.match(await cluster.finish(outcome), { type: 'applied', result: { removed: [leader.id] } });
  await settle();
  t.equal(leader.removals, 1);
  const start = cluster.clock.now();
  const next = await cluster.untilLed(leader.id);
  t.ok(cluster.clock.now() - start < TIMES.heartbeatMs, 'its heir leads at once');
  t.match(await cluster.finish(cluster.propose(next.id, 'x')), { type: 'applied' });
  cluster.network.isolate(leader.id);
  const restarted = await cluster.restart(leader.id);
  await settle();
  t.equal(restarted.removals, 1, 'although nobody says so');
});

t.test('questions past the log go to the leader', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  for (const { id, member } of cluster.nodes.values()) {
    member.answerQuestions((question) =>
      Promise.resolve(Buffer.from(`${id} heard ${Buffer.from(question).toString()}`)),
    );
  }
  for (const { member } of cluster.nodes.values()) {
    const answer = await member.askLeader(Buffer.from('hello'), { timeoutMs: 100 });
    t.equal(Buffer.from(answer).toString(), `${cluster.leader?.id} heard hello`);
  }
});

t.test('listeners: told of each change of leader or term, until they leave', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const node = cluster.follower;
  const seen: ConsensusStatus[] = [];
  const left: ConsensusStatus[] = [];
  const leave = node.member.onLeadershipChange((status) => left.push(status));
  node.member.onLeadershipChange((status) => seen.push(status));
  leave();
  cluster.network.isolate(leader.id);
  const next = await cluster.untilLed(leader.id);
  await cluster.clock.advance(TIMES.heartbeatMs);
  t.match(seen.at(-1), { leaderId: next.id, term: next.member.status().term, memberId: node.id });
  for (const [i, { leaderId, term }] of seen.entries()) {
    t.notOk(seen[i - 1]?.leaderId === leaderId && seen[i - 1]?.term === term, 'no two alike in a row');
  }
  await cluster.finish(node.member.stop());
  t.equal(seen.at(-1)?.leaderId, 0n);
  t.same(left, []);
});

// ---- Snapshots

/** Three members of which one was away while the others wrote and cut their logs. */
async function withOneBehind(t: Parameters<typeof Cluster.start>[0]) {
  const tailLimits = { entriesMax: 5, bytesMax: 2 ** 30, cutStep: 1, heldEntriesMax: 5 };
  const cluster = await Cluster.start(t, THREE, { tailLimits });
  const leader = await cluster.untilLed();
  const behind = cluster.follower;
  const other = cluster.followers[1] ?? leader;
  await cluster.finish(cluster.propose(leader.id, 'known to all'));
  await cluster.untilAlike();
  cluster.network.isolate(behind.id);
  for (let i = 0; i < 30; i += 1) await cluster.finish(cluster.propose(leader.id, `w${i}`));
  for (const { machine } of [leader, other]) machine.moveDurable(machine.applied.index, machine.applied.term);
  await settle();
  t.ok(leader.log.firstIndex > behind.log.lastIndex + 1, 'the log does not reach back to where it stopped');
  return { cluster, leader, behind, other };
}

t.test('snapshot: a member too far behind gets one, and goes on from the log', async (t) => {
  const { cluster, leader, behind } = await withOneBehind(t);
  cluster.network.heal();
  await cluster.untilAlike();
  t.same(behind.machine.payloads, leader.machine.payloads);
  t.equal(behind.machine.installs, 1);
  t.equal(leader.machine.snapshotsMade, leader.machine.snapshotsReleased);
  t.match(await cluster.finish(cluster.propose(behind.id, 'again')), { type: 'applied' });
  const restarted = await cluster.restart(behind.id);
  t.match(await cluster.finish(cluster.propose(restarted.id, 'and again')), { type: 'applied' });
  await cluster.untilAlike();
});

t.test('who has joined keeps its log until its durable state says who is in the cluster', async (t) => {
  const tailLimits = { entriesMax: 0, bytesMax: Infinity, cutStep: 1, heldEntriesMax: 0 };
  const cluster = await Cluster.start(t, [1n]);
  await cluster.finish(cluster.propose(1n, 'before'));
  await cluster.finish(cluster.add(2n, true));
  const { log, machine } = await cluster.startNode(2n, { tailLimits });
  await cluster.untilAlike();
  const added = machine.applied.index;

  machine.moveDurable(added - 1, 1);
  await settle();
  t.equal(log.firstIndex, 1, 'as the leader of others it would send them a state that knows nobody');
  machine.moveDurable(added, machine.applied.term);
  await settle();
  t.equal(log.firstIndex, added + 1);
});

t.test('snapshot: writes go on while it is on its way, and are there afterwards', async (t) => {
  const { cluster, leader, behind } = await withOneBehind(t);
  let open = () => {};
  behind.machine.installGate = new Promise((resolve) => (open = resolve));
  cluster.network.heal();
  await cluster.clock.until(() => behind.machine.installs === 1, 2000);
  for (let i = 0; i < 10; i += 1) {
    t.match(await cluster.finish(cluster.propose(leader.id, `during ${i}`)), { type: 'applied' });
  }
  await cluster.clock.advance(3 * TIMES.electionTimeoutMs);
  t.equal(leader.member.status().term, 1, 'and the member keeps quiet for so long');
  open();
  await cluster.untilAlike();
  t.same(behind.machine.payloads, leader.machine.payloads);
});

t.test('snapshot: nothing is applied during the installation, though it could be', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  const { follower } = cluster;
  const tellsCommit = ({ type, to }: Message) => to === follower.id && /commit|heartbeat/.test(type);
  cluster.network.loses = tellsCommit;
  await cluster.finish(Promise.all(['a', 'b', 'c'].map((text) => cluster.propose(leader.id, text))));
  t.equal(follower.log.lastIndex, 4);
  t.equal(follower.machine.applied.index, 1);

  let open = () => {};
  follower.machine.installGate = new Promise((resolve) => (open = resolve));
  const snapshot = await leader.machine.snapshot();
  const content = snapshot.read();
  const { handler } = follower.transport;
  const installed = handler?.receiveSnapshot({ ...snapshot, content, from: leader.id, senderTerm: 1 });
  cluster.network.loses = () => false;
  await cluster.clock.until(() => follower.member.status().committed === 4, 1000);
  open();
  await cluster.finish(installed ?? Promise.reject(new Error('it has stopped')));
  t.same(follower.machine.payloads, ['a', 'b', 'c']);
  t.equal(follower.log.firstIndex, 1, 'the log had it all, and stays');
});

t.test('snapshot: what was in flight on the member may be part of it', async (t) => {
  const { cluster, behind } = await withOneBehind(t);
  cluster.network.isolate(behind.id);
  const outcome = cluster.propose(behind.id, 'in flight');
  await settle();
  cluster.network.heal();
  t.same(await cluster.finish(outcome), { type: 'unknown', reason: 'snapshot' });
  await cluster.untilAlike();
});

t.test('snapshot: stop waits for an installation, and the next start goes on from it', async (t) => {
  const { cluster, leader, behind } = await withOneBehind(t);
  let open = () => {};
  behind.machine.installGate = new Promise((resolve) => (open = resolve));
  cluster.network.heal();
  await cluster.clock.until(() => behind.machine.installs === 1, 2000);
  const stopped = behind.member.stop();
  await cluster.clock.advance(2000);
  t.equal(await now(stopped.then(() => 'stopped')), 'pending', 'the machine is still being changed');
  open();
  await cluster.finish(stopped);
  t.equal(behind.machine.installedSnapshot, true);
  const restarted = await cluster.restart(behind.id);
  await cluster.untilAlike();
  t.same(restarted.machine.payloads, leader.machine.payloads);
});

t.test('snapshot: one that fails is sent again; a leader that stops lets go of its copies', async (t) => {
  const { cluster, leader, behind } = await withOneBehind(t);
  const stage = behind.machine.stage.bind(behind.machine);
  let failures = 3;
  behind.machine.stage = (snapshot) => {
    failures -= 1;
    return failures < 0 ? stage(snapshot) : Promise.reject(new Error('no room'));
  };
  cluster.network.heal();
  await cluster.untilAlike();
  t.equal(failures, -1);
  t.equal(leader.machine.snapshotsMade, 4);
  t.equal(leader.machine.snapshotsReleased, 4);
});

t.test('snapshot: to a member that is gone by then, over and over, costs nothing that stays', async (t) => {
  const { cluster, leader, behind } = await withOneBehind(t);
  let open = () => {};
  leader.transport.snapshotGate = new Promise((resolve) => (open = resolve));
  cluster.network.heal();
  await cluster.clock.until(() => leader.machine.snapshotsMade === 1, 2000);
  const stopped = leader.member.stop();
  await cluster.clock.advance(1000);
  t.equal(await now(stopped.then(() => 'stopped')), 'pending', 'its copy is still in use');
  open();
  await cluster.finish(stopped);
  t.equal(leader.machine.snapshotsReleased, 1);
  await cluster.untilAlike([...cluster.nodes.values()].filter(({ id }) => id !== leader.id));
  t.equal(behind.machine.payloads.length, 31);
});

// ---- Starts

t.test(
  'start: the only voter leads, although one that was removed gets in between with a higher term',
  async (t) => {
    const clock = new ManualClock();
    const network = new MemoryNetwork(clock);
    const log = new ControlledLog();
    log.autoSync = false;
    const transport = network.transport(1n);
    const starting = Member.start<string>({
      clusterId: 1n,
      memberId: 1n,
      session: 9n,
      log,
      stateMachine: new ReplicatedMachine(log, configurationOf([1n])),
      transport,
      clock,
      random: () => 0,
      onFatal: (error) => t.fail(String(error)),
    });
    await settle();
    const request = { type: 'vote', from: 9n, to: 1n, term: 7, preVote: false, transfer: false } as const;
    transport.handler?.receive({ ...request, lastIndex: 0, lastTerm: 0 });
    log.autoSync = true;
    log.sync();
    let member: Member<string> | undefined;
    const started = starting.then((value) => (member = value));
    await clock.until(() => member !== undefined, 5 * TIMES.electionTimeoutMs);
    t.match((await started).status(), { leaderId: 1n, term: 8, applied: 1 });
    const stopped = (await started).stop();
    await clock.advance(1000);
    await stopped;
  },
);

t.test('start: one who restarts among others follows their leader', async (t) => {
  const cluster = await Cluster.start(t, THREE);
  const leader = await cluster.untilLed();
  for (const id of THREE) {
    await cluster.restart(id);
    await cluster.untilLed();
    t.match(await cluster.finish(cluster.propose(id, `after ${id}`)), { type: 'applied' });
  }
  await cluster.untilAlike();
  t.same(leader.machine.payloads, ['after 1', 'after 2', 'after 3']);
});
