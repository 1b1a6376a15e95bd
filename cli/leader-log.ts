/** Lines of the log on who leads: one when it changes, and one when there has been nobody for a while. */
import type { Logger } from 'pino';
import { isVoter, memberOf, type Member } from '../raft/core/configuration.js';
import type { Consensus } from '../raft/node/consensus.js';

export interface LeaderLogOptions<R> {
  readonly consensus: Pick<Consensus<R>, 'status' | 'configuration' | 'onLeadershipChange'>;
  readonly isReachable: (member: Member) => Promise<boolean>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds without a leader before that is worth a line. */
  readonly patienceMs: number;
}

/** Returns a function that ends it. */
export function logLeaders<R>(options: LeaderLogOptions<R>): () => void {
  const { consensus, logger, patienceMs } = options;
  let told: bigint | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const { leaderId, memberId } = consensus.status();
    if (leaderId === 0n) {
      timer ??= setTimeout(() => {
        told = undefined;
        void tellWaiting(options);
      }, patienceMs).unref();
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    if (leaderId === told) return;
    told = leaderId;
    const { name = '', peerUrls = [] } = memberOf(consensus.configuration(), leaderId) ?? {};
    const who = leaderId === memberId ? 'this member leads' : 'another member leads';
    logger.info({ leader: name || (peerUrls[0] ?? leaderId.toString(16)) }, who);
  };
  const unsubscribe = consensus.onLeadershipChange(look);
  look();
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}

async function tellWaiting<R>({ consensus, isReachable, logger }: LeaderLogOptions<R>): Promise<void> {
  const configuration = consensus.configuration();
  const voters = configuration.members.filter(({ id }) => isVoter(configuration, id));
  if (voters.length === 0) return logger.warn('waiting to hear from the leader of the cluster');
  const { memberId } = consensus.status();
  const answers = await Promise.all(
    voters.map(async (voter) => voter.id === memberId || (await isReachable(voter))),
  );
  const reachable = answers.filter(Boolean).length;
  if (consensus.status().leaderId !== 0n) return;
  logger.warn(`waiting for a leader: ${reachable} of ${voters.length} members reachable`);
}
