/** etcd's errors for how a change of the cluster can fail. */
import type { ConsensusError, RejectReason, UnknownReason } from '../../raft/node/consensus.js';
import type { TransportError, TransportErrorReason } from '../../raft/transport/transport.js';
import type { CallOptions } from '../client/interface.js';
import { EtcdError, type EtcdErrorName } from '../errors.js';

type Reason = RejectReason | UnknownReason | ConsensusError['reason'] | TransportErrorReason;

const ERRORS: Readonly<Record<Reason, EtcdErrorName>> = {
  'member-exists': 'MemberExist',
  'member-not-found': 'MemberNotFound',
  'peer-url-exists': 'PeerURLExist',
  'not-a-learner': 'MemberNotLearner',
  'no-voter-left': 'MemberNotEnoughStarted',
  'change-pending': 'Timeout',
  'no-leader': 'NoLeader',
  'not-leader': 'NotLeader',
  overloaded: 'RequestTooManyRequests',
  'too-large': 'RequestTooLarge',
  stopped: 'Stopped',
  closed: 'Stopped',
  deadline: 'Timeout',
  timeout: 'Timeout',
  // It may have been made: how it ended is not known here.
  snapshot: 'Timeout',
  aborted: 'Canceled',
  // The leader was asked, and is not there or not the leader any more.
  unreachable: 'NoLeader',
  refused: 'LeaderChanged',
};

/** A deadline that the caller set is the caller's; etcd's own time-out has its own text. */
export function refusalOf(reason: Reason, options?: CallOptions): EtcdError {
  if (reason === 'deadline' && options?.timeout !== undefined) return EtcdError.of('DeadlineExceeded');
  return EtcdError.of(ERRORS[reason]);
}

export function failureOf({ reason }: ConsensusError | TransportError): EtcdError {
  return refusalOf(reason);
}
