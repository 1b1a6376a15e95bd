import { isVoter, type Configuration, type Member } from '../../raft/core/configuration.js';

/** Whether that other member answers now. Never rejects. */
export type IsReachable = (member: Member) => Promise<boolean>;

export interface Reachable {
  readonly voters: number;
  /** Of those, how many answer; this member is taken to. */
  readonly reachable: number;
}

/** Asks all voters at once. */
export async function reachableVoters(
  configuration: Configuration,
  ownId: bigint,
  isReachable: IsReachable,
): Promise<Reachable> {
  const voters = configuration.members.filter(({ id }) => isVoter(configuration, id));
  const answers = await Promise.all(
    voters.map(async (voter) => voter.id === ownId || (await isReachable(voter))),
  );
  return { voters: voters.length, reachable: answers.filter(Boolean).length };
}
