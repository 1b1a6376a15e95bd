/** What the remote client needs of a connection to one endpoint. grpc-connection.ts makes it of a gRPC channel. */
import type { EtcdError } from '../../errors.js';
import type { Method } from '../../grpc/method.js';

export interface StreamSettings {
  readonly token: string | undefined;
  /** The server is to refuse, or to end a stream, when it knows no leader. */
  readonly requireLeader: boolean;
}

export interface CallSettings extends StreamSettings {
  /** When it must have ended, by performance.now(). */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

export interface StreamEvents<Response> {
  message(response: Response): void;
  /** Once, and not after `cancel`. Undefined: the server ended it without an error. */
  ended(error: EtcdError | undefined): void;
}

export interface Stream<Request> {
  send(request: Request): void;
  /** No more requests come; responses do. */
  end(): void;
  /** No message comes until `resume`, but for the few that have already arrived. */
  pause(): void;
  resume(): void;
  cancel(): void;
}

export interface Connection {
  /** The endpoint, as the user wrote it. */
  readonly name: string;
  /** Resolves when there is a connection. Rejects with NotSentError, or when time is over or the signal aborts. */
  ready(limits: Pick<CallSettings, 'deadline' | 'signal'>): Promise<void>;
  /** Rejects with EtcdError. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings,
  ): Promise<Response>;
  open<Request, Response>(
    method: Method<Request, Response>,
    settings: StreamSettings,
    events: StreamEvents<Response>,
  ): Stream<Request>;
  close(): void;
}
