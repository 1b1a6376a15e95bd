/** Reads by ReadIndex and forwarded proposals: scripted, without a driver. */
import t from 'tap';
import { encodeChanges } from '../../raft/core/configuration.js';
import type { ProposeMessage } from '../../raft/core/messages.js';
import { CoreCluster, memberOf, proposal, TIMES } from './core-cluster.js';

const THREE = [1n, 2n, 3n];

t.test(
  'read: a majority confirms the leader, in a round that began after the question (dissertation §6.4)',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    leader.propose(1);
    cluster.deliver();

    leader.step({ type: 'read', id: 7 });
    t.same(leader.reads, [], 'not on its own word');
    const asked = cluster.take('heartbeat');
    t.match(
      asked,
      [
        { to: 2n, round: 1 },
        { to: 3n, round: 1 },
      ],
      'asked at once',
    );
    const answer = { type: 'heartbeat-response', from: 2n, to: 1n, term: 1 } as const;
    leader.receive({ ...answer, round: 0 });
    t.same(
      leader.reads,
      [],
      'an answer to an earlier round may be of a time before another leader was there',
    );
    leader.propose(2);
    leader.receive({ ...answer, round: 1 });
    t.same(leader.reads, [{ id: 7, index: 2 }], 'what was committed when the question came');

    leader.receive({ ...answer, from: 3n, round: 1 });
    t.equal(leader.reads.length, 1, 'answered once');
  },
);

t.test('read: a later round answers the earlier ones, in order', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  for (const id of [1, 2, 3]) leader.step({ type: 'read', id });
  const response = { type: 'heartbeat-response', from: 3n, to: 1n, term: 1 } as const;
  leader.receive({ ...response, round: 2 });
  t.same(leader.reads, [
    { id: 1, index: 1 },
    { id: 2, index: 1 },
  ]);
  leader.receive({ ...response, round: 3 });
  t.equal(leader.reads.length, 3);
});

t.test('read: not before something of the leader’s term is committed (dissertation §6.4)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, logs: { 1: [1, 1], 2: [1, 1], 3: [1, 1] } });
  const leader = cluster.get(1n);
  leader.step({ type: 'campaign' });
  while (leader.raft.role !== 'leader') cluster.bring(cluster.queue.splice(0, 1));
  leader.step({ type: 'read', id: 1 });
  cluster.bring(cluster.take('heartbeat'));
  cluster.bring(cluster.take('heartbeat-response'));
  t.same(leader.reads, [], 'it does not know yet how much is committed');
  cluster.deliver();
  t.same(leader.reads, [{ id: 1, index: 3 }]);
});

t.test('read: a follower asks the leader, and waits until it has as much', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  const leader = cluster.elect(1n);
  leader.propose(1);
  cluster.take('append', { to: 3n });
  cluster.take('append', { to: 4n });
  cluster.deliver();
  for (const id of [3n, 4n]) {
    cluster.get(id).step({ type: 'read', id: 5 });
    cluster.deliver();
    t.same(cluster.get(id).reads, [{ id: 5, index: 2 }], `member ${id}, which has less itself`);
  }
  t.same(leader.reads, []);
});

t.test('read: a leader that another has followed answers nothing, and forgets', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const old = cluster.elect(1n);
  cluster.isolate(1n);
  old.step({ type: 'read', id: 1 });
  old.receive({ type: 'read', from: 3n, to: 1n, term: 1, id: 9 });
  cluster.elect(2n).propose(1);
  cluster.deliver();
  cluster.heal();
  old.step({ type: 'read', id: 2 });
  cluster.deliver();
  cluster.advance(5 * TIMES.electionTimeoutMs);
  t.same(old.reads, [], 'the others are of a later term');
  t.same(cluster.get(3n).reads, []);

  old.step({ type: 'read', id: 3 });
  cluster.deliver();
  t.match(old.reads, [{ id: 3 }], 'as a follower it learns it from the new one');
});

t.test('read: with no leader there is no answer; a leader of another term is not asked', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  t.same(cluster.get(1n).step({ type: 'read', id: 1 }).messages, []);
  const leader = cluster.elect(1n);
  for (const term of [0, 1]) {
    leader.receive({ type: 'read', from: 2n, to: 1n, term, id: 4 });
    t.equal(cluster.take('heartbeat').length, term === 0 ? 0 : 2);
  }
  cluster.get(3n).receive({ type: 'read', from: 2n, to: 3n, term: 1, id: 4 });
  t.same(cluster.queue, []);
  cluster.get(3n).receive({ type: 'read-response', from: 1n, to: 3n, term: 0, id: 4, index: 1 });
  t.same(cluster.get(3n).reads, [], 'nor does the answer of an earlier one count');
});

t.test('read: the only voter confirms itself, learners or not', async (t) => {
  const cluster = new CoreCluster({ voters: [1n], learners: [2n] });
  const leader = cluster.elect(1n);
  t.same(leader.step({ type: 'read', id: 1 }).reads, [{ id: 1, index: 1 }]);
});

t.test(
  'read: a joint configuration confirms with both majorities; a leader that leaves is none',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    cluster.add(4n);
    cluster.add(5n);
    const changes = [2n, 3n].flatMap((id) => [
      { type: 'remove', id } as const,
      { type: 'add', member: memberOf(id + 2n), learner: false } as const,
    ]);
    const payload = encodeChanges(changes);
    leader.step({
      type: 'propose',
      proposals: [{ ...proposal(1n, 1), type: 'configuration', payload }],
    });
    leader.step({ type: 'read', id: 1 });
    const confirm = (from: bigint) =>
      leader.receive({ type: 'heartbeat-response', from, to: 1n, term: 1, round: 1 });
    confirm(2n);
    confirm(3n);
    t.same(leader.reads, []);
    confirm(4n);
    t.same(leader.reads, [{ id: 1, index: 1 }]);

    const leaving = new CoreCluster({ voters: THREE });
    const gone = leaving.elect(1n);
    const removal = encodeChanges([{ type: 'remove', id: 1n }]);
    gone.step({
      type: 'propose',
      proposals: [{ ...proposal(1n, 1), type: 'configuration', payload: removal }],
    });
    gone.step({ type: 'read', id: 1 });
    const response = { type: 'heartbeat-response', to: 1n, term: 1, round: 1 } as const;
    gone.receive({ ...response, from: 2n });
    t.same(gone.reads, [], 'one of the two that stay');
    gone.receive({ ...response, from: 3n });
    t.equal(gone.reads.length, 1);
  },
);

// ---- Proposals from any member (dissertation §6.3)

const propose = (message: Partial<ProposeMessage>): ProposeMessage => ({
  type: 'propose',
  from: 2n,
  to: 1n,
  term: 1,
  proposals: [proposal(2n, 1)],
  ...message,
});

t.test('propose: forwarded to the leader, who takes each once, however often it comes', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  const leader = cluster.elect(1n);
  cluster.get(2n).propose(1);
  const [sent] = cluster.take('propose');
  for (let i = 0; i < 3; i += 1) cluster.bring(sent === undefined ? [] : [sent]);
  cluster.get(2n).propose(1);
  cluster.get(4n).propose(1);
  cluster.deliver();
  t.same(leader.committed, ['entry 1', 'entry 1'], 'one of each member');
  t.same(cluster.get(3n).committed, leader.committed);
  t.match(leader.log.content.entries.at(1), { requestId: { session: 2n, counter: 1 } });
});

t.test('propose: reordered ones are all taken', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  for (const counter of [3, 1, 2, 1, 3]) leader.receive(propose({ proposals: [proposal(2n, counter)] }));
  cluster.deliver();
  t.same(leader.committed, ['entry 3', 'entry 1', 'entry 2']);
});

t.test('propose: only the leader of the very term takes it', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.receive(propose({ term: 0 }));
  t.equal(leader.log.lastIndex, 1, 'given to an earlier one: that proposal may be in the log already');
  cluster.get(3n).receive(propose({ to: 3n }));
  t.same(cluster.get(3n).effects.messages, [], 'who never led does not know, and is silent');

  cluster.isolate(1n);
  cluster.elect(2n);
  t.match(leader.raft, { role: 'leader', term: 1 });
  leader.receive(propose({ term: 2 }));
  t.match(leader.raft, { role: 'follower', term: 2 });
  t.equal(leader.log.lastIndex, 1);
});

t.test(
  'propose: whoever led the term and leads no longer refuses, and takes no copy that comes later',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    leader.receive(propose({ proposals: [proposal(2n, 1)] }));
    cluster.queue = [];
    cluster.isolate(1n);
    cluster.advance(2 * TIMES.electionTimeoutMs);
    t.not(leader.raft.role, 'leader');
    t.equal(leader.raft.term, 1);

    const both = propose({ proposals: [proposal(2n, 1), proposal(2n, 2)] });
    t.match(
      leader.receive(both).messages,
      [{ type: 'proposal-refused', to: 2n, reason: 'not-leader', requestIds: [{ counter: 2 }] }],
      'but not the one that is in its log',
    );
    const restarted = leader.log.lastIndex;
    leader.restart();
    t.same(leader.receive(both).messages, [], 'after a restart it does not know any more');
    t.equal(leader.log.lastIndex, restarted);
  },
);

t.test('propose: a refusal that is lost is given again', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  leader.step({ type: 'transfer', to: 3n });
  leader.receive(propose({}));
  t.match(cluster.take('proposal-refused'), [{ requestIds: [{ counter: 1 }], reason: 'not-leader' }]);
  cluster.advance(TIMES.electionTimeoutMs);
  leader.receive(propose({}));
  t.match(
    cluster.take('proposal-refused'),
    [{ requestIds: [{ counter: 1 }], reason: 'not-leader' }],
    'else its member would wait for ever',
  );
  t.equal(leader.log.lastIndex, 1, 'never taken, as its member may have asked anew');

  const payload = encodeChanges([{ type: 'remove', id: 9n }]);
  const change = propose({ proposals: [{ ...proposal(2n, 2), type: 'configuration', payload }] });
  for (let i = 0; i < 2; i += 1) {
    leader.receive(change);
    t.match(cluster.take('proposal-refused'), [{ reason: 'member-not-found' }]);
  }
});

t.test('propose: without a leader it is refused at once', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const { refused } = cluster.get(1n).propose(1);
  t.same(refused, [{ requestId: { session: 1n, counter: 1 }, reason: 'not-leader' }]);
});

t.test('propose: what others refuse is told', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  cluster.elect(1n);
  const requestIds = [{ session: 2n, counter: 1 }];
  const refusal = { type: 'proposal-refused', from: 1n, to: 2n, requestIds, reason: 'not-leader' } as const;
  cluster.get(2n).receive({ ...refusal, term: 0 });
  t.same(cluster.get(2n).refused, [], 'of an earlier leader: this term’s may have taken it');
  cluster.get(2n).receive({ ...refusal, term: 1 });
  t.same(cluster.get(2n).refused, [{ requestId: requestIds[0], reason: 'not-leader' }]);
});
