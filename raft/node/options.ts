import type { Clock } from '../clock.js';
import type { RaftLimits, RaftTimes } from '../core/options.js';
import type { RaftLog } from '../log/log.js';
import type { RaftObserver } from '../observer.js';
import type { Transport } from '../transport/transport.js';
import type { StateMachine } from './consensus.js';
import type { ProposalLimits } from './proposals.js';
import type { TailLimits } from './tail.js';

/** As pino takes them. */
export interface MemberLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface MemberOptions<R> {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** 64 random bits, not 0, others at each start: by them the member knows its own proposals. */
  readonly session: bigint;
  /** Owned from here on: closed by stop, and when the start fails. */
  readonly log: RaftLog;
  readonly stateMachine: StateMachine<R>;
  /** Owned from here on. Absent: a member without others. */
  readonly transport?: Transport;
  /** Called once if the disk fails or apply throws; the member has stopped then, and the process should end. */
  readonly onFatal: (error: unknown) => void;
  /** Called once when this member is no longer in the cluster; it is of no more use. */
  readonly onRemoved?: () => void;
  readonly logger?: MemberLogger | undefined;
  readonly observer?: Pick<RaftObserver, 'heartbeatLate'> | undefined;
  readonly times?: RaftTimes | undefined;
  readonly raftLimits?: RaftLimits;
  readonly proposalLimits?: ProposalLimits;
  readonly tailLimits?: TailLimits | undefined;
  readonly clock?: Clock;
  /** From 0 to below 1. */
  readonly random?: () => number;
}
