/** Whether a learner has caught up, which only the leader knows. Question: its id, 8 bytes. Answer: one byte, 0 or 1. */
import type { Consensus } from '../../raft/node/consensus.js';
import type { AskOptions } from '../../raft/transport/transport.js';
import { QuestionKind, questionOf } from '../server/questions.js';

/** Share of the leader's own log that a learner must have to be promoted, as in etcd. */
const IN_SYNC_RATIO_MIN = 0.9;

/** Rejects with TransportError or ConsensusError. */
export async function isLearnerInSync<R>(
  consensus: Consensus<R>,
  id: bigint,
  options: AskOptions,
): Promise<boolean> {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(id);
  const answer = await consensus.askLeader(questionOf(QuestionKind.learnerInSync, body), options);
  return answer[0] === 1;
}

/** The leader's side. Whoever no longer leads knows of nobody, so it answers no. */
export function answerLearnerInSync<R>(consensus: Consensus<R>): (body: Uint8Array) => Promise<Uint8Array> {
  return async (body) => {
    const id = Buffer.from(body).readBigUInt64BE();
    const matches = consensus.matches();
    const { memberId, committed } = consensus.status();
    const match = matches.get(id);
    const own = matches.get(memberId) ?? committed;
    return Uint8Array.of(match !== undefined && match >= own * IN_SYNC_RATIO_MIN ? 1 : 0);
  };
}
