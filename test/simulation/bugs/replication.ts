import { agreedValue } from '../../../raft/core/quorum.js';
import { StepLog } from '../../../raft/core/log-reader.js';
import { all, decisions, replace, type LogMatching, type PlantedBug, type RaftDecisions } from './patch.js';
import { abandonedEntries, lostLeaders, repeatedMessages, shortReigns, slowDisks } from './surroundings.js';

const logs = StepLog.prototype as LogMatching;

export const replicationBugs: readonly PlantedBug[] = [
  {
    name: 'commits an entry of an older term by counting',
    rule: 'only entries of the own term are committed by counting (Raft §5.4.2, figure 8)',
    plant: () => replace(decisions, 'mayCommit', () => () => true),
    surroundings: abandonedEntries,
  },
  {
    name: 'answers an append before it is on disk',
    rule: 'a follower answers once the entries are durable (Raft §5.3)',
    plant: () =>
      replace(
        decisions,
        'sendAfterSync',
        (sendAfterSync) =>
          function (message) {
            if (message.to === this.id || message.type !== 'append-response')
              sendAfterSync.call(this, message);
            else this.send(message);
          },
      ),
    surroundings: slowDisks,
  },
  {
    name: 'a leader counts its own entry before it is on disk',
    rule: "the leader's log counts like any other: when it is durable (dissertation §10.2.1)",
    plant: plantOwnCount,
    surroundings: slowDisks,
  },
  {
    name: 'cuts off its log at every append',
    rule: 'a follower cuts off only what conflicts (Raft §5.3)',
    plant: () => replace(decisions, 'firstNew', () => () => 0),
    surroundings: repeatedMessages,
  },
  {
    name: 'does not compare the term before new entries',
    rule: 'an append fits only where index and term agree (Raft §5.3)',
    plant: plantIndexOnly,
    surroundings: shortReigns,
  },
  {
    name: "takes the leader's commit index past what matches",
    rule: 'a follower commits only what it knows to be the leader’s (Raft §5.3, figure 2)',
    plant: () =>
      replace(
        decisions,
        'send',
        (send) =>
          function (message) {
            send.call(this, message.type === 'heartbeat' ? { ...message, commit: this.commit } : message);
          },
      ),
    surroundings: lostLeaders,
  },
  {
    name: 'takes a forwarded proposal twice',
    rule: 'a proposal is in the log once (architecture, point 14)',
    plant: () => replace(decisions, 'isNewProposal', () => () => true),
    surroundings: repeatedMessages,
  },
];

function plantOwnCount(): () => void {
  const ends = new WeakMap<RaftDecisions, number>();
  return all(
    replace(
      decisions,
      'sendAfterSync',
      (sendAfterSync) =>
        function (message) {
          if (message.to === this.id && message.index !== undefined) ends.set(this, message.index);
          sendAfterSync.call(this, message);
        },
    ),
    replace(
      decisions,
      'agreedIndex',
      () =>
        function () {
          const matchOf = (id: bigint) => this.matches.get(id) ?? 0;
          return agreedValue(this.configuration, (id) =>
            id === this.id ? (ends.get(this) ?? 0) : matchOf(id),
          );
        },
    ),
  );
}

function plantIndexOnly(): () => void {
  let comparing = false;
  return all(
    replace(
      decisions,
      'agreesAt',
      (agreesAt) =>
        function (index, term) {
          comparing = true;
          const agrees = agreesAt.call(this, index, term);
          comparing = false;
          return agrees;
        },
    ),
    replace(
      logs,
      'matches',
      (matches) =>
        function (index, term) {
          return comparing ? this.term(index) !== undefined : matches.call(this, index, term);
        },
    ),
  );
}
