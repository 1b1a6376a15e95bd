import { majority } from '../../../raft/core/quorum.js';
import { LogDisk, type LogOperation } from '../log-disk.js';
import { all, decisions, replace, type PlantedBug, type RaftDecisions } from './patch.js';
import { crashAfter, fiveMembers, slowLinks, manyElections, repeatedMessages } from './surroundings.js';

interface DiskWrites {
  write(this: LogDisk, operation: LogOperation): void;
}
const disks = LogDisk.prototype as DiskWrites;

export const electionBugs: readonly PlantedBug[] = [
  {
    name: 'vote not persisted',
    rule: 'a vote is durable before it is given (Raft §5.2)',
    plant: () =>
      replace(
        disks,
        'write',
        (write) =>
          function (operation) {
            const isVote = operation.type === 'hard-state';
            write.call(
              this,
              isVote ? { ...operation, hardState: { ...operation.hardState, vote: 0n } } : operation,
            );
          },
      ),
    surroundings: (profile) => crashAfter({ 'vote-response': 0.3 })(slowLinks(manyElections(profile))),
  },
  {
    name: 'term not persisted',
    rule: 'a term is durable before anything is said in it (Raft §5.1)',
    plant: () =>
      replace(
        disks,
        'write',
        (write) =>
          function (operation) {
            const isTerm = operation.type === 'hard-state';
            const { commit } = isTerm ? operation.hardState : this.hardState;
            write.call(this, isTerm ? { ...operation, hardState: { term: 0, vote: 0n, commit } } : operation);
          },
      ),
    surroundings: (profile) => crashAfter({ 'vote-response': 0.3 })(slowLinks(manyElections(profile))),
  },
  {
    name: 'votes for whoever has an older log',
    rule: 'a candidate is at least as up to date as whoever votes for it (Raft §5.4.1)',
    plant: () => replace(decisions, 'isUpToDate', () => () => true),
  },
  {
    name: 'votes twice in a term',
    rule: 'a member votes once in a term (Raft §5.2)',
    plant: () => replace(decisions, 'mayVoteFor', () => () => true),
    surroundings: manyElections,
  },
  {
    name: 'votes counted by message, not by member',
    rule: 'a majority of members elects a leader (Raft §5.2)',
    plant: plantCountOfMessages,
    surroundings: (profile) => fiveMembers(repeatedMessages(manyElections(profile))),
  },
  {
    name: 'messages of an old term are taken for new',
    rule: 'a message of an earlier term is refused (Raft §5.1)',
    plant: () =>
      replace(
        decisions,
        'receive',
        (receive) =>
          function (message) {
            const isOld = message.term < this.term;
            receive.call(this, isOld ? { ...message, term: this.term } : message);
          },
      ),
    surroundings: (profile) => repeatedMessages(manyElections(profile)),
  },
  {
    name: 'no step down on a higher term',
    rule: 'whoever sees a higher term is a follower in it (Raft §5.1)',
    plant: () =>
      replace(
        decisions,
        'acceptTerm',
        (acceptTerm) =>
          function (message) {
            if (this.role !== 'leader') return acceptTerm.call(this, message);
            this.setTerm(message.term, 0n);
            return true;
          },
      ),
  },
];

function plantCountOfMessages(): () => void {
  const granted = new WeakMap<RaftDecisions, number>();
  const forget = (raft: RaftDecisions) => granted.set(raft, 1);
  return all(
    replace(
      decisions,
      'becomePreCandidate',
      (become) =>
        function () {
          forget(this);
          become.call(this);
        },
    ),
    replace(
      decisions,
      'becomeCandidate',
      (become) =>
        function (transfer) {
          forget(this);
          become.call(this, transfer);
        },
    ),
    replace(
      decisions,
      'countVote',
      (count) =>
        function (from, isGranted) {
          if (isGranted && from !== this.id) granted.set(this, (granted.get(this) ?? 0) + 1);
          count.call(this, from, isGranted);
        },
    ),
    replace(
      decisions,
      'verdict',
      (verdict) =>
        function (votes) {
          const needed = majority(this.configuration.voters.length);
          return this.role !== 'leader' && (granted.get(this) ?? 0) >= needed
            ? 'won'
            : verdict.call(this, votes);
        },
    ),
  );
}
