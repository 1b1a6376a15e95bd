import type { Configuration } from './configuration.js';
import type { InFlightLimits } from './follower-progress.js';
import type { LogReader } from './log-reader.js';
import type { HardState } from '../log/log.js';

export interface RaftTimes {
  /**
   * A follower that has heard nothing of a leader for this long, and up to twice as long by chance, stands for election;
   * a leader that has not heard of a quorum for this long steps down. Milliseconds. Far above the time of a message and
   * a sync, or the cluster elects leaders instead of working.
   */
  readonly electionTimeoutMs: number;
  /** Between two signs of life of a leader. Milliseconds, a fifth of the election time-out at most. */
  readonly heartbeatMs: number;
}

/** etcd's. */
export const RAFT_TIMES: RaftTimes = { electionTimeoutMs: 1000, heartbeatMs: 100 };

export interface RaftLimits extends InFlightLimits {
  /** Payload bytes of one append; a single entry may exceed it. */
  readonly appendBytesMax: number;
}

export const RAFT_LIMITS: RaftLimits = { messagesMax: 256, bytesMax: 8 * 2 ** 20, appendBytesMax: 2 ** 20 };

export interface RaftOptions {
  readonly id: bigint;
  readonly log: LogReader;
  /** As the log has it. */
  readonly hardState: HardState;
  /** What the state machine has applied: committed, whatever the hard state says. */
  readonly applied: number;
  /** As of `applied`. */
  readonly configuration: Configuration;
  /** Those in the log behind `applied`, in order. */
  readonly laterConfigurations: readonly { readonly index: number; readonly configuration: Configuration }[];
  readonly times?: RaftTimes;
  readonly limits?: RaftLimits;
  /** From 0 to below 1, for the election time-out. */
  readonly random: () => number;
  /** Milliseconds on the clock that steps are told. */
  readonly now: number;
}
