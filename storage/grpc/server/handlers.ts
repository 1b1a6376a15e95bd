/** What answers calls: the server's side that knows what is asked. */
import type { CallOptions } from '../../client/interface.js';
import type { Method } from '../method.js';

/** What a handler knows of its call. */
export interface CallContext extends CallOptions {
  /** Nobody waits for an answer any more. */
  readonly isOver: boolean;
  /** Aborted when the client has gone, the deadline has passed or the server stops. Made when it is first asked for. */
  readonly signal: AbortSignal;
  /**
   * The same without the signal, for work that is over soon anyway and goes on when nobody waits for it any more, as a
   * proposal does: a signal that is listened to costs 6 µs.
   */
  readonly brief: CallOptions;
}

/** The server's side of a call in which both sides send messages. */
export interface BidiCall<Response> extends CallContext {
  /** False: sent, but it is not taken as fast; send no more before `drained`. */
  send(response: Response): boolean;
  /** Without an error: well. Nothing can be sent any more. */
  end(error?: unknown): void;
}

/** What is told of such a call; each in order, nothing after `closed`. */
export interface BidiHandler<Request> {
  /** The next one is told when the promise has resolved; a rejection ends the call. */
  message(request: Request): Promise<void> | void;
  /** The client sends no more. */
  halfClosed(): void;
  drained(): void;
  /** Whichever side ended it. */
  closed(): void;
}

/** A message that is encoded already, in pieces. */
export class EncodedMessage {
  constructor(readonly parts: readonly Uint8Array[]) {}
}

export interface UnaryRoute<Request, Response> {
  readonly type: 'unary';
  readonly method: Method<Request, Response>;
  handle(request: Request, context: CallContext): Promise<Response | EncodedMessage>;
}
export interface ServerStreamRoute<Request, Response> {
  readonly type: 'server_stream';
  readonly method: Method<Request, Response>;
  /** Read as fast as the client takes it. Must end, one way or another, when the signal is aborted. */
  handle(request: Request, context: CallContext): AsyncIterable<Response>;
}
export interface BidiRoute<Request, Response> {
  readonly type: 'bidi_stream';
  readonly method: Method<Request, Response>;
  open(call: BidiCall<Response>): BidiHandler<Request>;
  /**
   * Whether two responses, of whichever calls, have the same bytes; as cheap as comparing what they are made of. What was
   * encoded last is then sent again. Never when absent.
   */
  hasSameBytes?(response: Response, other: Response): boolean;
}

/** One method and who answers it. Its message types are known to itself alone. */
export type Route =
  | UnaryRoute<unknown, unknown>
  | ServerStreamRoute<unknown, unknown>
  | BidiRoute<unknown, unknown>;

type MethodOf<T, Request, Response> = Method<Request, Response> & { readonly type: T };

export function unary<Request, Response>(
  method: MethodOf<'unary', Request, Response>,
  handle: (request: Request, context: CallContext) => Promise<Response | EncodedMessage>,
): Route {
  const route: UnaryRoute<Request, Response> = { type: 'unary', method, handle };
  return route;
}

export function serverStream<Request, Response>(
  method: MethodOf<'server_stream', Request, Response>,
  handle: (request: Request, context: CallContext) => AsyncIterable<Response>,
): Route {
  const route: ServerStreamRoute<Request, Response> = { type: 'server_stream', method, handle };
  return route;
}

export function bidiStream<Request, Response>(
  method: MethodOf<'bidi_stream', Request, Response>,
  open: (call: BidiCall<Response>) => BidiHandler<Request>,
  options: Pick<BidiRoute<Request, Response>, 'hasSameBytes'> = {},
): Route {
  const route: BidiRoute<Request, Response> = { type: 'bidi_stream', method, open, ...options };
  return route;
}
