/**
 * One call, on whichever endpoint answers. What only reads goes on to the next endpoint whenever one fails; a write only
 * where it is certain that it was not done, as in etcd's own client. Everything ends at the call's deadline, with the last
 * failure, since that says more than that time is over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdError } from '../../errors.js';
import type { Method } from '../../grpc/method.js';
import type { CallOptions } from '../interface.js';
import type { CallSettings, Connection } from './connection.js';
import type { Connections } from './connections.js';
import { isCertainlyNotDone, isOfTheEndpoint, isOfTheToken } from './failures.js';
import { Backoff } from './limits.js';
import type { Tokens } from './tokens.js';

/** How long a call may take that says nothing else: etcd's own limit, 5 s and two elections, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 7000;

export interface CallKind {
  /** Doing it twice does no harm. */
  readonly isRepeatable: boolean;
  /** Answered only by a server that knows a leader. */
  readonly requireLeader: boolean;
}

export const READ: CallKind = { isRepeatable: true, requireLeader: true };
/** What the asked server says of itself. */
export const LOCAL_READ: CallKind = { isRepeatable: true, requireLeader: false };
export const WRITE: CallKind = { isRepeatable: false, requireLeader: true };

/** One attempt on one endpoint. Rejects with EtcdError. */
export type Attempt<T> = (connection: Connection, settings: CallSettings) => Promise<T>;

export interface CallsOptions {
  readonly connections: Connections;
  readonly tokens: Tokens;
  readonly requestTimeoutMs?: number | undefined;
}

export class Calls {
  readonly #connections: Connections;
  readonly #tokens: Tokens;
  readonly #requestTimeoutMs: number;
  #closed = false;

  constructor({ connections, tokens, requestTimeoutMs = REQUEST_TIMEOUT_MS }: CallsOptions) {
    this.#connections = connections;
    this.#tokens = tokens;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    kind: CallKind,
    options?: CallOptions,
  ): Promise<Response> {
    return this.run((connection, settings) => connection.unary(method, request, settings), kind, options);
  }

  /** Rejects with EtcdError. */
  async run<T>(attempt: Attempt<T>, kind: CallKind, options: CallOptions = {}): Promise<T> {
    const deadline = performance.now() + (options.timeout ?? this.#requestTimeoutMs);
    const { signal } = options;
    const { requireLeader } = kind;
    const backoff = new Backoff();
    let failure: EtcdError | undefined;
    let isTokenRenewed = false;
    for (let attempts = 1; ; attempts++) {
      if (this.#closed || signal?.aborted === true) throw EtcdError.of('Canceled');
      const connection = this.#connections.current;
      let token: string | undefined;
      try {
        await connection.ready({ deadline, signal });
        // Before anything else: a session of its own, or the one that all calls share.
        token = options.token ?? (await this.#tokens.get());
        const result = await attempt(connection, { deadline, signal, token, requireLeader });
        this.#connections.answered(connection);
        return result;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        if (error.is('DeadlineExceeded')) {
          this.#connections.failed(connection, error);
          throw failure ?? error;
        }
        if (this.#isRenewable(error, options) && !isTokenRenewed) {
          isTokenRenewed = true;
          await this.#tokens.refused(token);
          continue;
        }
        if (isOfTheEndpoint(error)) this.#connections.failed(connection, error);
        else this.#connections.answered(connection);
        if (!isOfTheEndpoint(error) || !(kind.isRepeatable || isCertainlyNotDone(error))) throw error;
        failure = error;
      }
      if (attempts % this.#connections.count > 0) continue;
      // Whoever asked a learner alone will not find another server by waiting.
      if (failure.is('NotSupportedForLearner')) throw failure;
      if (!(await this.#pause(backoff.next(), deadline, signal))) throw failure;
    }
  }

  /** What waits between two attempts gives up. */
  close(): void {
    this.#closed = true;
  }

  #isRenewable(error: EtcdError, options: CallOptions): boolean {
    return isOfTheToken(error) && options.token === undefined && this.#tokens.hasUser;
  }

  /** False when time is over. */
  async #pause(ms: number, deadline: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (performance.now() + ms >= deadline) return false;
    await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
    return true;
  }
}
