import {
  ConsensusError,
  type Consensus,
  type ProposeOptions,
  type RejectReason,
  type UnknownReason,
} from '../../raft/node/consensus.js';
import type { CallOptions } from '../client/interface.js';
import { encodeCommand, type Command } from '../command.js';
import { EtcdError, type EtcdErrorName } from '../errors.js';
import type { CommandResult } from '../mvcc/machine.js';
import { REQUEST_BYTES_MAX } from './validate.js';

/** etcd's: 5 s for the disk and twice the election time-out for a new leader. */
const REQUEST_TIMEOUT_MS = 7000;

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

type Reason = RejectReason | UnknownReason | ConsensusError['reason'];

const ERRORS: Readonly<Record<Reason, EtcdErrorName>> = {
  'no-leader': 'NoLeader',
  overloaded: 'RequestTooManyRequests',
  stopped: 'Stopped',
  'too-large': 'RequestTooLarge',
  deadline: 'Timeout',
  'leader-changed': 'LeaderChanged',
  aborted: 'Canceled',
};

/** Brings commands into the log and reads up to date, with etcd's errors for how that can fail. */
export class Proposer {
  readonly #consensus: Consensus<CommandResult>;
  readonly #requestBytesMax: number;

  constructor(consensus: Consensus<CommandResult>, requestBytesMax = REQUEST_BYTES_MAX) {
    this.#consensus = consensus;
    this.#requestBytesMax = requestBytesMax;
  }

  /**
   * Resolves with the response once the command is applied. Never retries: after LeaderChanged, Timeout, Canceled or
   * Stopped the command may have been applied or still be.
   */
  async propose<R extends CommandResult>(command: Command, options?: CallOptions): Promise<R> {
    const payload = encodeCommand(command);
    if (payload.length > this.#requestBytesMax) throw EtcdError.of('RequestTooLarge');
    const outcome = await this.#consensus.propose(payload, proposeOptions(options));
    if (outcome.type !== 'applied') throw errorOf(outcome.reason, options);
    if (outcome.result instanceof EtcdError) throw outcome.result;
    return outcome.result as R;
  }

  /** Resolves when this member has applied all that was committed when it was called, by any member. */
  async confirmRead(options?: CallOptions): Promise<void> {
    try {
      await this.#consensus.readIndex(proposeOptions(options));
    } catch (error) {
      if (error instanceof ConsensusError) throw errorOf(error.reason, options);
      throw error;
    }
  }

  /** What `work` comes to, or the error of a caller who does not wait that long; the work goes on. */
  within<T>(work: Promise<T>, options?: CallOptions): Promise<T> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(errorOf('aborted', options));
    return new Promise((resolve, reject) => {
      const wait = Math.min(options?.timeout ?? REQUEST_TIMEOUT_MS, TIMER_MS_MAX);
      const timer = setTimeout(() => reject(errorOf('deadline', options)), wait);
      const abort = () => reject(errorOf('aborted', options));
      signal?.addEventListener('abort', abort, { once: true });
      const stopWaiting = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      work.finally(stopWaiting).then(resolve, reject);
    });
  }
}

function proposeOptions(options: CallOptions | undefined): ProposeOptions {
  const deadline = performance.now() + (options?.timeout ?? REQUEST_TIMEOUT_MS);
  return options?.signal === undefined ? { deadline } : { deadline, signal: options.signal };
}

/** A deadline that the caller set is the caller's; etcd's own time-out has its own text. */
function errorOf(reason: Reason, options: CallOptions | undefined): EtcdError {
  if (reason === 'deadline' && options?.timeout !== undefined) return EtcdError.of('DeadlineExceeded');
  return EtcdError.of(ERRORS[reason]);
}
