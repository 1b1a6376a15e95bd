/**
 * What etcd's strict reconfiguration check refuses: changes after which those who have started make no majority. A
 * member has started once it has a name.
 */
import { memberOf, type Configuration } from '../../raft/core/configuration.js';

interface Votes {
  readonly all: number;
  readonly started: number;
}

function votesOf(configuration: Configuration, ids: readonly bigint[]): Votes {
  const started = ids.filter((id) => memberOf(configuration, id)?.name !== '');
  return { all: ids.length, started: started.length };
}

function hasQuorum({ all, started }: Votes): boolean {
  return started >= Math.floor(all / 2) + 1;
}

/** The new voter counts as one who has not started. A single member must be allowed to grow. */
export function mayAddVoter(configuration: Configuration): boolean {
  const { all, started } = votesOf(configuration, configuration.voters);
  if (all === 1 && started === 1) return true;
  return hasQuorum({ all: all + 1, started });
}

export function mayRemoveVoter(configuration: Configuration, id: bigint): boolean {
  return hasQuorum(
    votesOf(
      configuration,
      configuration.voters.filter((other) => other !== id),
    ),
  );
}

/** Who has caught up has started, whether its name is known yet or not. */
export function mayPromote(configuration: Configuration): boolean {
  const { all, started } = votesOf(configuration, configuration.voters);
  return hasQuorum({ all: all + 1, started: started + 1 });
}

/** Whether those who are reachable, less one of them, still make a majority of the present voters. */
export function mayLoseReachable(voters: number, reachable: number): boolean {
  return reachable - 1 >= 1 + Math.floor((voters - 1) / 2);
}
