import { isJoint, leaveJoint, type Configuration } from '../../../raft/core/configuration.js';
import { Configurations } from '../../../raft/core/configurations.js';
import { agreedValue, tally } from '../../../raft/core/quorum.js';
import { all, decisions, replace, type PlantedBug } from './patch.js';
import { trustWhile } from './reads.js';
import {
  lostLeaders,
  manyChanges,
  manyReplacements,
  shortLogs,
  shortReigns,
  slowLinks,
} from './surroundings.js';

interface TakingBack {
  truncate(this: Configurations, from: number): boolean;
}

export const membershipBugs: readonly PlantedBug[] = [
  {
    name: 'changes a voter before it has committed anything in its term',
    rule: 'two leaders must not each change the same configuration (Ongaro, raft-dev, 2015)',
    plant: () => trustWhile('mayChangeConfiguration'),
    surroundings: (profile) => manyChanges(lostLeaders(profile)),
  },
  {
    name: 'a joint configuration is decided by the new voters alone',
    rule: 'a joint configuration needs both majorities (Raft §6)',
    plant: () => decideBy((configuration) => ({ ...configuration, outgoing: [] })),
    surroundings: (profile) => slowLinks(manyReplacements(lostLeaders(profile))),
  },
  {
    name: 'learners count in the quorum',
    rule: 'a learner has no vote (dissertation §4.2.1)',
    plant: () => decideBy((each) => ({ ...each, voters: [...each.voters, ...each.learners] })),
    surroundings: (profile) => manyChanges(lostLeaders(profile)),
  },
  {
    name: 'several voters change in one step',
    rule: 'more than one vote changes through a joint configuration only (Raft §6)',
    plant: () =>
      replace(
        decisions,
        'changedConfiguration',
        (changed) =>
          function (payload) {
            const next = changed.call(this, payload);
            return typeof next !== 'string' && isJoint(next) ? leaveJoint(next) : next;
          },
      ),
    surroundings: (profile) => manyReplacements(lostLeaders(profile)),
  },
  {
    name: 'a snapshot forgets the configuration',
    rule: 'a snapshot carries the configuration as of its index (Raft §7)',
    plant: () =>
      replace(
        decisions,
        'installed',
        (installed) =>
          function (input) {
            installed.call(this, { ...input, configuration: this.configuration });
          },
      ),
    surroundings: (profile) => manyChanges(shortLogs(lostLeaders(profile))),
  },
  {
    name: 'a configuration that was cut off stays in force',
    rule: 'the newest configuration in the log is in force, and no other (Raft §6)',
    plant: () => replace(Configurations.prototype as TakingBack, 'truncate', () => () => false),
    surroundings: (profile) => manyChanges(shortReigns(profile)),
  },
];

/** Votes, commitment and reads are decided by another configuration. */
function decideBy(other: (configuration: Configuration) => Configuration): () => void {
  return all(
    replace(
      decisions,
      'verdict',
      () =>
        function (votes) {
          return tally(other(this.configuration), votes);
        },
    ),
    replace(
      decisions,
      'agreedIndex',
      () =>
        function () {
          return agreedValue(other(this.configuration), (id) => this.matches.get(id) ?? 0);
        },
    ),
  );
}
