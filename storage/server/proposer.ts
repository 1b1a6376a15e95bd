import { ConsensusError, type Consensus, type ProposeOptions } from '../../raft/node/consensus.js';
import type { Authorizer } from '../auth/authorizer.js';
import { type Caller, TRUSTED } from '../auth/caller.js';
import type { CallOptions } from '../client/interface.js';
import { encodeCommand, type Command } from '../command.js';
import { EtcdError } from '../errors.js';
import { Counters } from '../metrics/counters.js';
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
  readonly authorizer: Authorizer;
  /** For clients from outside, who are checked while authentication is on. Absent: for this process, which is trusted. */
  readonly outside?: boolean;
  /** Bytes of one command. */
  readonly requestBytesMax?: number | undefined;
  /** Milliseconds of a call that does not say how long it may take. */
  readonly requestTimeoutMs: number;
  readonly counters?: ProposerCounters | undefined;
}

type ProposerCounters = Pick<
  Counters,
  'proposalsPending' | 'proposalsFailed' | 'readIndexesFailed' | 'slowReadIndexes'
>;

/** Brings commands into the log and reads up to date, with etcd's errors for how that can fail. */
export class Proposer {
  readonly #consensus: Consensus<CommandResult>;
  readonly #authorizer: Authorizer;
  readonly #outside: boolean;
  readonly #requestBytesMax: number;
  readonly #requestTimeoutMs: number;
  readonly #counters: ProposerCounters;

  constructor(options: ProposerOptions) {
    this.#consensus = options.consensus;
    this.#authorizer = options.authorizer;
    this.#outside = options.outside === true;
    this.#requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
    this.#requestTimeoutMs = options.requestTimeoutMs;
    this.#counters = options.counters ?? new Counters();
  }

  /** What must be asked before a call is answered, undefined if nothing: all that authentication costs while it is off. */
  get guard(): Authorizer | undefined {
    return this.#outside && this.#authorizer.enabled ? this.#authorizer : undefined;
  }

  /**
   * Resolves with the response once the command is applied, on any member unless it is not to be forwarded. Never
   * retries what may have an effect: after Timeout, Canceled or Stopped the command may have been applied or still be.
   */
  propose<R extends CommandResult>(command: Command, options?: CallOptions, forward = true): Promise<R> {
    if (!this.#outside) return this.#proposeTrusted(command, options, forward);
    const { guard } = this;
    if (guard === undefined) return this.#log(command, options, forward);
    return this.#admit(guard, command, options).then((admitted) => this.#log(admitted, options, forward));
  }

  /**
   * What has no right to it never reaches the log. Rights are checked again at apply, on every member; a refusal is only
   * certain here when this member is up to date.
   */
  async #admit(guard: Authorizer, command: Command, options: CallOptions | undefined): Promise<Command> {
    const known = called(command, await guard.identify(options));
    if (guard.check(known) === undefined) return known;
    await this.confirmRead(options);
    const certain = called(command, await guard.identify(options));
    const denied = guard.check(certain);
    if (denied !== undefined) throw denied;
    return certain;
  }

  /**
   * That the caller is trusted is said only while authentication is on, so that commands without it stay what they were.
   * Where another member has just turned it on, the command is refused for want of a caller: it has changed nothing then,
   * and goes again.
   */
  async #proposeTrusted<R extends CommandResult>(
    command: Command,
    options: CallOptions | undefined,
    forward: boolean,
  ): Promise<R> {
    if (this.#authorizer.enabled) return this.#log(called(command, TRUSTED), options, forward);
    try {
      return await this.#log(command, options, forward);
    } catch (error) {
      if (!(error instanceof EtcdError && error.is('UserEmpty'))) throw error;
      return this.#log(called(command, TRUSTED), options, forward);
    }
  }

  async #log<R extends CommandResult>(
    command: Command,
    options: CallOptions | undefined,
    forward: boolean,
  ): Promise<R> {
    const payload = encodeCommand(command);
    if (payload.length > this.#requestBytesMax) throw EtcdError.of('RequestTooLarge');
    this.#counters.proposalsPending += 1;
    const outcome = await this.#consensus.propose(payload, this.#proposeOptions(options, forward));
    this.#counters.proposalsPending -= 1;
    if (outcome.type !== 'applied') {
      this.#counters.proposalsFailed += 1;
      throw errorOf(outcome.reason, options);
    }
    if (outcome.result instanceof EtcdError) throw outcome.result;
    return outcome.result as R;
  }

  /** Resolves when this member has applied all that was committed when it was called, by any member. */
  async confirmRead(options?: CallOptions): Promise<void> {
    try {
      await this.#consensus.readIndex(this.#proposeOptions(options));
    } catch (error) {
      if (!(error instanceof ConsensusError)) throw error;
      if (error.reason === 'deadline') this.#counters.slowReadIndexes += 1;
      else if (error.reason !== 'aborted') this.#counters.readIndexesFailed += 1;
      throw errorOf(error.reason, options);
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

function called(command: Command, caller: Caller | undefined): Command {
  return caller === undefined ? command : { ...command, caller };
}
