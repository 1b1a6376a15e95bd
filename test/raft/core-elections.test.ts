/** Elections, check-quorum and the handing over of leadership: scripted, without a driver. */
import t from 'tap';
import { encodeChanges } from '../../raft/core/configuration.js';
import type { Message, VoteMessage, VoteResponseMessage } from '../../raft/core/messages.js';
import { CoreCluster, memberOf, proposal, TIMES } from './core-cluster.js';

const THREE = [1n, 2n, 3n];
const FIVE = [1n, 2n, 3n, 4n, 5n];

function vote(message: Partial<VoteMessage>): VoteMessage {
  return {
    type: 'vote',
    from: 2n,
    to: 1n,
    term: 1,
    preVote: false,
    lastIndex: 0,
    lastTerm: 0,
    transfer: false,
    ...message,
  };
}

/** Answers to votes among what a member sends. */
function answers(messages: readonly Message[]): VoteResponseMessage[] {
  return messages.filter((message) => message.type === 'vote-response');
}

t.test('a follower that hears of no leader stands, and a majority makes it leader (Raft §5.2)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const candidate = cluster.get(1n);
  candidate.autoSync = false;
  t.equal(candidate.raft.deadline, 250, 'soon after its start, with a part that chance has chosen');

  cluster.now = 250;
  const asked = candidate.step({ type: 'tick' });
  t.equal(candidate.raft.role, 'pre-candidate');
  t.match(asked.messages, [
    { type: 'vote', to: 2n, preVote: true, term: 1 },
    { type: 'vote', to: 3n, preVote: true, term: 1 },
  ]);
  t.equal(asked.hardState, undefined, 'asking changes nothing');

  cluster.deliver();
  t.equal(candidate.raft.role, 'candidate');
  t.same(candidate.log.content.hardState, { term: 1, vote: 1n, commit: 0 });
  t.same(cluster.queue, [], 'it asks for no vote before its own is durable (Raft §5.2, figure 2)');
  candidate.sync();
  t.match(cluster.queue, [{ type: 'vote', to: 2n, preVote: false, term: 1 }, { to: 3n }]);

  cluster.deliver();
  t.equal(candidate.raft.role, 'leader');
  t.match(candidate.log.content.entries, [{ index: 1, term: 1, type: 'noop' }]);
  for (const id of THREE) {
    t.match(cluster.get(id).raft, { term: 1, leader: 1n }, `member ${id}`);
    t.same(cluster.get(id).log.terms, [1]);
  }
  t.equal(
    cluster.get(2n).raft.deadline,
    250 + 1200,
    'of a leader’s silence: one time-out, and part of another',
  );
  t.equal(candidate.raft.commit, 1, 'by the two others, while its own disk is slow (dissertation §10.2.1)');
});

t.test('its own vote counts only once it is durable (Raft §5.2)', async (t) => {
  const cluster = new CoreCluster({ voters: [1n] });
  const member = cluster.get(1n);
  member.autoSync = false;
  member.step({ type: 'campaign' });
  t.match(member.raft, { role: 'candidate', term: 1 });
  member.sync();
  t.equal(member.raft.role, 'leader');
});

t.test('a split vote elects nobody; the candidates go on at different times (Raft §5.2)', async (t) => {
  const voters = [1n, 2n, 3n, 4n];
  const cluster = new CoreCluster({ voters });
  for (const id of [1n, 2n]) {
    cluster.get(id).step({ type: 'campaign' });
    const grants = voters.filter((other) => other !== id);
    for (const from of grants)
      cluster.get(id).receive({ type: 'vote-response', from, to: id, term: 1, preVote: true, granted: true });
    t.equal(cluster.get(id).raft.role, 'candidate');
  }
  cluster.take('vote');
  for (const [from, to] of [
    [1n, 3n],
    [2n, 4n],
    [1n, 4n],
    [2n, 3n],
    [1n, 2n],
    [2n, 1n],
  ] as const)
    cluster.get(to).receive(vote({ from, to, term: 1 }));
  cluster.deliver();

  t.same(cluster.leaders, [], 'two votes each');
  t.match(cluster.get(1n).raft, { role: 'follower', term: 1 }, 'and gives up at once when it cannot win');
  cluster.advance(2 * TIMES.electionTimeoutMs);
  t.same(cluster.leaders, [1n]);
  t.equal(cluster.get(1n).raft.term, 2);
});

t.test('one vote a term, which outlives a power cut once it was told (Raft §5.2)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const voter = cluster.get(3n);
  voter.autoSync = false;

  const effects = voter.receive(vote({ from: 1n, to: 3n, term: 5 }));
  t.same(effects.hardState, { term: 5, vote: 1n, commit: 0 });
  t.same(answers(effects.messages), [], 'not told before it is durable');
  t.match(answers(effects.messagesAfterSync), [{ to: 1n, granted: true }]);
  t.match(answers(voter.receive(vote({ from: 2n, to: 3n, term: 5 })).messages), [{ to: 2n, granted: false }]);

  voter.restart();
  t.equal(voter.raft.term, 0, 'the power cut took the vote, which nobody has heard of');
  voter.receive(vote({ from: 2n, to: 3n, term: 5 }));
  voter.sync();
  t.match(answers(cluster.queue).at(-1), { to: 2n, granted: true });

  voter.restart();
  t.match(voter.raft, { term: 5, vote: 2n });
  t.match(answers(voter.receive(vote({ from: 1n, to: 3n, term: 5 })).messages), [{ to: 1n, granted: false }]);
  const again = voter.receive(vote({ from: 2n, to: 3n, term: 5 }));
  t.match(
    answers(again.messagesAfterSync),
    [{ to: 2n, granted: true }],
    'the same answer to the same question',
  );
});

t.test('votes and pre-votes only for those whose log is at least as new (Raft §5.4.1)', async (t) => {
  for (const preVote of [false, true]) {
    for (const [lastTerm, lastIndex, expected] of [
      [2, 9, false],
      [3, 4, false],
      [3, 5, true],
      [3, 6, true],
      [4, 1, true],
      [0, 0, false],
    ] as const) {
      const cluster = new CoreCluster({ voters: THREE, logs: { 1: [1, 1, 2, 3, 3] } });
      const effects = cluster.get(1n).receive(vote({ term: 9, preVote, lastTerm, lastIndex }));
      const given = answers([...effects.messages, ...effects.messagesAfterSync]);
      t.match(given, [{ granted: expected }], `(${lastTerm}, ${lastIndex}) preVote ${preVote}`);
      t.equal(cluster.get(1n).raft.vote, expected && !preVote ? 2n : 0n);
    }
  }
});

t.test('a vote counts once, for the candidacy it was given to (Raft §5.2)', async (t) => {
  const cluster = new CoreCluster({ voters: FIVE });
  const candidate = cluster.get(1n);
  const grant = (from: bigint, term: number): VoteResponseMessage => ({
    type: 'vote-response',
    from,
    to: 1n,
    term,
    preVote: false,
    granted: true,
  });
  candidate.step({ type: 'campaign' });
  for (const from of [2n, 3n]) candidate.receive({ ...grant(from, 5), preVote: true });
  t.match(candidate.raft, { role: 'pre-candidate', term: 0 }, 'an answer to another question');
  for (const from of [2n, 3n]) candidate.receive({ ...grant(from, 1), preVote: true });
  t.match(candidate.raft, { role: 'candidate', term: 1 });

  for (let i = 0; i < 3; i += 1) candidate.receive(grant(2n, 1));
  t.equal(candidate.raft.role, 'candidate', 'the same vote thrice is one');
  candidate.receive(grant(3n, 0));
  t.equal(candidate.raft.role, 'candidate', 'a vote of an earlier term is none');
  candidate.receive({ ...grant(4n, 1), preVote: true });
  t.equal(candidate.raft.role, 'candidate', 'nor is a pre-vote');
  candidate.receive(grant(9n, 1));
  t.equal(candidate.raft.role, 'candidate', 'nor one of somebody who has none');
  candidate.receive({ ...grant(2n, 1), granted: false });
  candidate.receive(grant(4n, 1));
  t.equal(candidate.raft.role, 'leader', 'the first answer of each counts');
});

t.test('a candidate that hears of the leader of its term follows it (Raft §5.2)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const candidate = cluster.get(1n);
  candidate.step({ type: 'campaign' });
  candidate.receive({ type: 'vote-response', from: 2n, to: 1n, term: 1, preVote: true, granted: true });
  t.equal(candidate.raft.role, 'candidate');
  candidate.receive({ type: 'heartbeat', from: 3n, to: 1n, term: 1, commit: 0, round: 0 });
  t.match(candidate.raft, { role: 'follower', leader: 3n, vote: 1n, term: 1 });
});

t.test('whoever speaks in a term of the past is told, and steps down (Raft §5.1)', async (t) => {
  const cluster = new CoreCluster({ voters: FIVE });
  const old = cluster.elect(1n);
  cluster.isolate(1n);
  cluster.elect(2n);
  t.same(cluster.leaders, [1n, 2n], 'two leaders, of different terms');
  cluster.heal();
  old.propose(1);
  cluster.deliver();
  t.match(old.raft, { role: 'follower', term: 2 });
  cluster.advance(TIMES.heartbeatMs);
  t.equal(old.raft.leader, 2n);
  t.same(old.log.terms, [1, 2], 'what it took alone is cut off');

  const response = old.receive(vote({ from: 5n, to: 1n, term: 1 }));
  t.match(answers(response.messages), [{ to: 5n, term: 2, granted: false }]);
});

t.test('pre-vote: a member that was cut off raises no term on its return (dissertation §9.6)', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  cluster.elect(1n);
  cluster.isolate(3n);
  const before = cluster.get(3n).log.content.hardState;
  cluster.advance(20 * TIMES.electionTimeoutMs);
  t.match(cluster.get(3n).raft, { role: 'pre-candidate', term: 1 }, 'it has stood all the time');
  t.equal(cluster.get(3n).log.content.hardState, before, 'and written nothing');

  cluster.heal();
  cluster.get(3n).step({ type: 'campaign' });
  cluster.deliver();
  t.same(cluster.leaders, [1n], 'those who hear of a leader do not answer');
  cluster.advance(TIMES.heartbeatMs);
  t.match(cluster.get(3n).raft, { role: 'follower', term: 1, leader: 1n });
});

t.test('pre-vote: refusals of a majority end the attempt, and tell a higher term', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, logs: { 1: [1], 2: [1, 1], 3: [1, 1] } });
  const behind = cluster.get(1n);
  behind.step({ type: 'campaign' });
  cluster.deliver();
  t.match(behind.raft, { role: 'follower', term: 1, leader: 0n });

  const lone = new CoreCluster({ voters: THREE });
  lone.isolate(1n);
  lone.elect(2n);
  lone.heal();
  lone.get(1n).step({ type: 'campaign' });
  for (const request of lone.take('vote', { to: 2n })) lone.get(2n).receive(request);
  lone.deliver();
  t.match(lone.get(1n).raft, { role: 'follower', term: 1 }, 'its question was of a term that is over');
});

t.test(
  'nobody votes while hearing of a leader, until the time-out is over (dissertation §4.2.3)',
  async (t) => {
    const cluster = new CoreCluster({ voters: FIVE });
    cluster.elect(1n);
    const follower = cluster.get(2n);
    const heardAt = cluster.now;
    const request = vote({ from: 3n, to: 2n, term: 2, lastTerm: 1, lastIndex: 1 });

    cluster.now = heardAt + TIMES.electionTimeoutMs - 1;
    for (const preVote of [true, false]) {
      const effects = follower.receive({ ...request, preVote });
      t.same([effects.messages, effects.messagesAfterSync, effects.hardState], [[], [], undefined]);
    }
    t.equal(follower.raft.term, 1);
    cluster.now = heardAt + TIMES.electionTimeoutMs;
    follower.receive(request);
    t.match(follower.raft, { term: 2, vote: 3n });

    const leader = cluster.get(1n);
    leader.receive({ ...request, to: 1n });
    t.match(leader.raft, { role: 'leader', term: 1 }, 'a leader hears of itself');
  },
);

t.test('check-quorum: a leader that a majority does not answer steps down (dissertation §6.2)', async (t) => {
  const cluster = new CoreCluster({ voters: FIVE });
  const leader = cluster.elect(1n);
  cluster.isolate(4n, 5n);
  cluster.advance(10 * TIMES.electionTimeoutMs);
  t.same(cluster.leaders, [1n], 'three of five are enough');
  t.equal(leader.raft.term, 1);

  cluster.isolate(1n, 2n);
  cluster.isolate(3n, 4n, 5n);
  cluster.cut(4n, 3n);
  cluster.advance(2 * TIMES.electionTimeoutMs);
  t.not(leader.raft.role, 'leader', 'two are not, within two time-outs');

  cluster.heal();
  cluster.advance(3 * TIMES.electionTimeoutMs);
  t.equal(cluster.leaders.length, 1);
});

t.test('check-quorum: a leader that sends and hears nothing gives way to another', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  cluster.elect(1n);
  cluster.cut(2n, 1n);
  cluster.cut(3n, 1n);
  cluster.advance(5 * TIMES.electionTimeoutMs);
  t.equal(cluster.leaders.length, 1);
  t.not(cluster.leaders[0], 1n, 'its heartbeats hold the others back only as long as it leads');
});

t.test(
  'transfer: to one that has the whole log at once, in far less than a time-out (dissertation §3.10)',
  async (t) => {
    const cluster = new CoreCluster({ voters: THREE });
    const leader = cluster.elect(1n);
    leader.step({ type: 'transfer', to: 3n });
    cluster.deliver();
    t.same(cluster.leaders, [3n], 'although everyone hears of a leader');
    t.equal(cluster.get(3n).raft.term, 2);
    t.match(leader.raft, { role: 'follower', leader: 3n });
  },
);

t.test('transfer: the heir is brought up to date first, and no proposal is taken meanwhile', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  leader.propose(1);
  const [lost] = cluster.take('append', { to: 3n });
  t.ok(lost);
  cluster.deliver();

  leader.step({ type: 'transfer', to: 3n });
  t.same(cluster.take('timeout-now'), [], 'it lacks an entry');
  t.match(leader.propose(2).refused, [{ requestId: { session: 1n, counter: 2 }, reason: 'not-leader' }]);
  cluster.get(2n).propose(1);
  cluster.deliver();
  t.match(cluster.get(2n).refused, [{ requestId: { session: 2n, counter: 1 }, reason: 'not-leader' }]);
  t.same(cluster.leaders, [3n]);
  t.same(cluster.get(3n).committed, ['entry 1']);
});

t.test('transfer: given up after a time-out, and proposals are taken again', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  leader.step({ type: 'transfer', to: 3n });
  cluster.deliver();
  t.ok(leader.raft.deadline <= cluster.now + TIMES.electionTimeoutMs, 'a tick is due by then');
  cluster.advance(TIMES.electionTimeoutMs - 1);
  t.equal(leader.propose(1).refused.length, 1);
  cluster.advance(1);
  t.equal(leader.raft.role, 'leader');
  t.equal(leader.propose(2).refused.length, 0);
  cluster.deliver();
  t.same(leader.committed, ['entry 2']);
});

t.test('transfer: only to another voter, and only by the leader', async (t) => {
  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  const leader = cluster.elect(1n);
  for (const to of [1n, 4n, 9n]) {
    leader.step({ type: 'transfer', to });
    t.same(cluster.queue, [], `to ${to}`);
    t.equal(leader.propose(Number(to) + 10).refused.length, 0);
    cluster.deliver();
  }
  cluster.get(2n).step({ type: 'transfer', to: 3n });
  t.same(cluster.queue, []);
});

t.test('transfer: ends when the heir loses its vote', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  const payload = encodeChanges([
    { type: 'remove', id: 3n },
    { type: 'add', member: memberOf(4n), learner: false },
  ]);
  const change = { ...proposal(1n, 1), type: 'configuration' as const, payload };
  leader.step({ type: 'propose', proposals: [change] });
  leader.step({ type: 'transfer', to: 3n });
  t.equal(leader.propose(2).refused.length, 1);
  cluster.deliver();
  t.same(leader.raft.configuration.voters, [1n, 2n, 4n], 'the joint configuration is left');
  t.equal(leader.propose(3).refused.length, 0);
});

t.test('heir: who has the most of the log, of several one that has answered lately', async (t) => {
  const cluster = new CoreCluster({ voters: FIVE, learners: [6n] });
  const leader = cluster.elect(1n);
  cluster.isolate(2n);
  cluster.advance(3 * TIMES.electionTimeoutMs);
  t.equal(leader.raft.matches.get(2n), leader.raft.matches.get(3n));
  t.equal(leader.raft.heir, 3n, 'the first one is silent');
  cluster.isolate(3n, 5n);
  leader.propose(1);
  cluster.deliver();
  t.equal(leader.raft.heir, 4n, 'the only voter that has all');
  t.equal(cluster.get(4n).raft.heir, undefined);
  t.equal(new CoreCluster({ voters: [1n] }).elect(1n).raft.heir, undefined);
});

t.test('transfer: forgotten with the leadership', async (t) => {
  const cluster = new CoreCluster({ voters: THREE });
  const leader = cluster.elect(1n);
  cluster.isolate(3n);
  leader.step({ type: 'transfer', to: 3n });
  leader.receive({ type: 'append-response', from: 2n, to: 1n, term: 4, index: 0 });
  t.match(leader.raft, { role: 'follower', term: 4 });
  leader.receive({ type: 'timeout-now', from: 2n, to: 1n, term: 4 });
  cluster.deliver();
  t.match(leader.raft, { role: 'leader', term: 5 });
  t.equal(leader.propose(1).refused.length, 0);
});

t.test('time: none is due for the only voter; a tick too early changes nothing', async (t) => {
  const lone = new CoreCluster({ voters: [1n] });
  lone.elect(1n);
  t.equal(lone.get(1n).raft.deadline, Infinity);

  const cluster = new CoreCluster({ voters: THREE, learners: [4n] });
  t.equal(cluster.get(4n).raft.deadline, Infinity, 'a learner never stands');
  cluster.elect(1n);
  for (const [id, { raft }] of cluster.members) {
    const { deadline } = raft;
    cluster.now = Math.max(cluster.now, Math.min(deadline, cluster.now + 50) - 1);
    const effects = cluster.get(id).step({ type: 'tick' });
    t.same(effects.messages, []);
    t.equal(effects.hardState, undefined);
    t.equal(raft.deadline, deadline, `member ${id}`);
  }
});
