/** etcd's errors for how consensus, and the way to the leader, can fail. */
import type { ConsensusError, RejectReason, UnknownReason } from '../../raft/node/consensus.js';
import type { TransportErrorReason } from '../../raft/transport/transport.js';
import type { CallOptions } from '../client/interface.js';
import { EtcdError, type EtcdErrorName } from '../errors.js';

export type FailureReason = RejectReason | UnknownReason | ConsensusError['reason'] | TransportErrorReason;

const ERRORS: Readonly<Record<FailureReason, EtcdErrorName>> = {
  'no-leader': 'NoLeader',
  'not-leader': 'NotLeader',
  overloaded: 'RequestTooManyRequests',
  stopped: 'Stopped',
  closed: 'Stopped',
  'too-large': 'RequestTooLarge',
  deadline: 'Timeout',
  timeout: 'Timeout',
  aborted: 'Canceled',
  // Nobody can tell any more what came of it.
  snapshot: 'Timeout',
  // The leader was asked, and is not there or does not lead any more.
  unreachable: 'NoLeader',
  refused: 'LeaderChanged',
  'member-exists': 'MemberExist',
  'member-not-found': 'MemberNotFound',
  'peer-url-exists': 'PeerURLExist',
  'not-a-learner': 'MemberNotLearner',
  'no-voter-left': 'MemberNotEnoughStarted',
  // In etcd the change is dropped, and its request runs out of time.
  'change-pending': 'Timeout',
};

/** A deadline that the caller set is the caller's; etcd's own time-out has its own text. */
export function errorOf(reason: FailureReason, options?: CallOptions): EtcdError {
  const isLate = reason === 'deadline' || reason === 'timeout';
  if (isLate && options?.timeout !== undefined) return EtcdError.of('DeadlineExceeded');
  return EtcdError.of(ERRORS[reason]);
}
