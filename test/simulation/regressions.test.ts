/** What the simulation has found in the code, each as the shortest story that shows it. */
import t from 'tap';
import { encodeChanges, isJoint, type ConfigurationChange } from '../../raft/core/configuration.js';
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
