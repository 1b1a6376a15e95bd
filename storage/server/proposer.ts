import { ConsensusError, type Consensus, type ProposeOptions } from '../../raft/node/consensus.js';
import type { CallOptions } from '../client/interface.js';
import { encodeCommand, type Command } from '../command.js';
import { EtcdError } from '../errors.js';
import type { CommandResult } from '../mvcc/machine.js';
import { errorOf } from './failures.js';
import { REQUEST_BYTES_MAX } from './validate.js';

/** etcd's: 5 s for the disk and twice the election time-out for a new leader. */
export function requestTimeoutMs(electionTimeoutMs: number): number {
  return 5000 + 2 * electionTimeoutMs;
}

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface ProposerOptions {
  readonly consensus: Consensus<CommandResult>;
  /** Bytes of one command. */
  readonly requestBytesMax?: number | undefined;
  /** Milliseconds of a call that does not say how long it may take. */
  readonly requestTimeoutMs: number;
}

/** Brings commands into the log and reads up to date, with etcd's errors for how that can fail. */
export class Proposer {
  readonly #consensus: Consensus<CommandResult>;
  readonly #requestBytesMax: number;
  readonly #requestTimeoutMs: number;

  constructor(options: ProposerOptions) {
    this.#consensus = options.consensus;
    this.#requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
    this.#requestTimeoutMs = options.requestTimeoutMs;
  }

  /**
   * Resolves with the response once the command is applied, on any member unless it is not to be forwarded. Never
   * retries: after Timeout, Canceled or Stopped the command may have been applied or still be.
   */
  async propose<R extends CommandResult>(
    command: Command,
    options?: CallOptions,
    forward = true,
  ): Promise<R> {
    const payload = encodeCommand(command);
    if (payload.length > this.#requestBytesMax) throw EtcdError.of('RequestTooLarge');
    const outcome = await this.#consensus.propose(payload, this.#proposeOptions(options, forward));
    if (outcome.type !== 'applied') throw errorOf(outcome.reason, options);
    if (outcome.result instanceof EtcdError) throw outcome.result;
    return outcome.result as R;
  }

  /** Resolves when this member has applied all that was committed when it was called, by any member. */
  async confirmRead(options?: CallOptions): Promise<void> {
    try {
      await this.#consensus.readIndex(this.#proposeOptions(options));
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
      const wait = Math.min(options?.timeout ?? this.#requestTimeoutMs, TIMER_MS_MAX);
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

  /** When a call is over, on the consensus clock. */
  deadline(options?: CallOptions): number {
    return performance.now() + (options?.timeout ?? this.#requestTimeoutMs);
  }

  /** The error of a call that is over without an answer from any leader. */
  unanswered(options?: CallOptions): EtcdError {
    return errorOf(this.#consensus.status().leaderId === 0n ? 'no-leader' : 'deadline', options);
  }

  #proposeOptions(options: CallOptions | undefined, forward = true): ProposeOptions {
    const deadline = this.deadline(options);
    return options?.signal === undefined
      ? { deadline, forward }
      : { deadline, signal: options.signal, forward };
  }
}
