/** What the simulation has found in the code, each as the shortest story that shows it. */
import t from 'tap';
import { encodeChanges, isJoint, type ConfigurationChange } from '../../raft/core/configuration.js';
import { systemClock } from '../../raft/clock.js';
import { PROPOSAL_LIMITS, Proposals } from '../../raft/node/proposals.js';
import { Reads } from '../../raft/node/reads.js';
import { CoreCluster, proposal, TIMES } from '../raft/core-cluster.js';

t.test(
  'whoever alone has the entry that takes its vote stands for election (dissertation §4.2.2)',
  async (t) => {
    const cluster = new CoreCluster({ voters: [1n, 2n], learners: [3n] });
    const leader = cluster.elect(1n);
    const changes: ConfigurationChange[] = [
      { type: 'promote', id: 3n },
      { type: 'remove', id: 1n },
    ];
    leader.step({
      type: 'propose',
      proposals: [{ ...proposal(99n, 1), type: 'configuration', payload: encodeChanges(changes) }],
    });
    // The joint configuration is committed, and its end gets no further than the leader's own disk.
    while (isJoint(leader.raft.configuration)) cluster.bring(cluster.queue.splice(0, 1));
    cluster.queue = [];
    t.same(leader.raft.configuration.voters, [2n, 3n]);
    for (const member of cluster.members.values()) member.restart();

    cluster.advance(5 * TIMES.electionTimeoutMs);

    t.equal(cluster.leaders.length, 1, 'the others need its vote, which it does not give to those with less');
    t.not(cluster.leaders[0], 1n, 'and it hands over once that is committed');
    for (const id of [2n, 3n]) {
      t.same(cluster.get(id).raft.configuration, { ...leader.raft.configuration }, `member ${id}`);
    }
    t.equal(leader.raft.deadline, Infinity, 'it stands no more');
  },
);

t.test(
  'an answer to a question of an earlier process answers none of this one (dissertation §6.4)',
  async (t) => {
    const asked: number[] = [];
    const start = (startId: number) =>
      new Reads(
        systemClock,
        startId,
        (id) => asked.push(id),
        () => 10,
        () => 'deadline',
      );
    const deadline = systemClock.now() + 60_000;
    const earlier = start(1_000_000);
    earlier.read({ deadline }).catch(() => undefined);
    earlier.stop();
    const reads = start(7_000_000);
    let isDone = false;
    const read = reads.read({ deadline }).then(() => (isDone = true));

    reads.answered(asked[0] ?? 0, 5);
    await new Promise(setImmediate);
    t.notOk(isDone, 'the question of the earlier process was answered');

    reads.answered(asked[1] ?? 0, 10);
    await read;
    t.ok(isDone);
    reads.stop();
    t.ok(asked.every((id) => Number.isSafeInteger(id)));
  },
);

t.test('a refusal for an earlier process refuses nothing of this one (architecture, point 14)', async (t) => {
  const deadline = systemClock.now() + 60_000;
  const proposals = new Proposals<string>(8n, PROPOSAL_LIMITS, systemClock, () => 'deadline');
  const wanted = proposals.add('normal', new Uint8Array(), { deadline });
  const [proposed] = proposals.take(1, false, 1);

  proposals.refused({ session: 7n, counter: proposed?.requestId.counter ?? 0 }, 'change-pending');
  t.equal(proposals.queuedCount, 0, 'it is in the log, or may be, and is not sent as another one');

  proposals.refused({ session: 8n, counter: proposed?.requestId.counter ?? 0 }, 'change-pending');
  t.equal(proposals.queuedCount, 1);
  proposals.rejectQueued('stopped');
  t.match(await wanted, { type: 'rejected' });
  proposals.abandon('stopped');
});
