/** etcd's JSON gateway: its calls over HTTP, for curl and for whoever has no gRPC. Answered by the routes of gRPC. */
import type { CallOptions } from '../client/interface.js';
import { EtcdError, GrpcCode } from '../errors.js';
import type { MessageType } from '../grpc/codec/message.js';
import {
  EncodedMessage,
  type BidiCall,
  type BidiRoute,
  type CallContext,
  type Route,
  type ServerStreamRoute,
  type UnaryRoute,
} from '../grpc/server/handlers.js';
import { statusOf } from '../grpc/server/status.js';
import type { RequestHeaders } from '../http2/stream.js';
import type { Exchange } from './exchange.js';
import { gatewayPaths } from './gateway-paths.js';
import { corsHeaders } from './guard.js';
import { parseMessage, toJson, type JsonObject } from './json.js';
import { sendJson } from './pages.js';

export interface GatewayAnswer {
  readonly status: number;
  readonly body: object;
}

/** An error as the gateway gives it; `status` where another one than the code's is right. */
export function refusal(code: number, message: string, status = httpStatusOf(code)): GatewayAnswer {
  return { status, body: { error: message, code, message } };
}

/** Throws what is no refusal. */
function refusalOf(error: unknown): GatewayAnswer {
  if (error instanceof SyntaxError) return refusal(GrpcCode.InvalidArgument, error.message);
  if (error instanceof EtcdError) return refusal(error.code, error.message);
  throw error;
}

/** HTTP status that the gateway gives for each gRPC code; 500 for the rest. */
const HTTP_STATUS: ReadonlyMap<number, number> = new Map<GrpcCode, number>([
  [GrpcCode.Canceled, 408],
  [GrpcCode.InvalidArgument, 400],
  [GrpcCode.DeadlineExceeded, 504],
  [GrpcCode.NotFound, 404],
  [GrpcCode.PermissionDenied, 403],
  [GrpcCode.ResourceExhausted, 429],
  [GrpcCode.FailedPrecondition, 400],
  [GrpcCode.Aborted, 409],
  [GrpcCode.OutOfRange, 400],
  [GrpcCode.Unimplemented, 501],
  [GrpcCode.Unavailable, 503],
  [GrpcCode.Unauthenticated, 401],
]);

function httpStatusOf(code: number): number {
  return HTTP_STATUS.get(code) ?? 500;
}

export class Gateway {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #onError: (error: unknown) => void;

  constructor(routes: readonly Route[], onError: (error: unknown) => void) {
    const byMethod = new Map(routes.map((route) => [route.method.path, route]));
    const found = new Map<string, Route>();
    for (const [path, method] of gatewayPaths) {
      const route = byMethod.get(method);
      if (route !== undefined) found.set(path, route);
    }
    this.#routes = found;
    this.#onError = onError;
  }

  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** Answers one call. What nobody foresaw passes through, unless the answer has begun. */
  async answer(path: string, body: string, exchange: Exchange): Promise<void> {
    const route = this.#routes.get(path);
    const context = contextOf(exchange.headers, exchange.signal);
    try {
      if (route === undefined) throw new EtcdError(GrpcCode.NotFound, 'Not Found');
      const request = parseMessage(route.method.request as MessageType<unknown>, body);
      if (route.type === 'unary') return await answerUnary(route, request, context, exchange);
      const lines = new Lines(exchange, route.method.response as MessageType<unknown>, this.#onError);
      if (route.type === 'server_stream') await answerStream(route, request, context, lines);
      else answerBidi(route, request, context, lines);
    } catch (error) {
      const { status, body } = refusalOf(error);
      sendJson(exchange, status, body);
    }
  }
}

function contextOf(headers: RequestHeaders, signal: AbortSignal): CallContext {
  const token = headers['authorization'];
  const brief: CallOptions = token === undefined ? {} : { token };
  return {
    ...brief,
    signal,
    brief,
    get isOver() {
      return signal.aborted;
    },
  };
}

async function answerUnary(
  route: UnaryRoute<unknown, unknown>,
  request: unknown,
  context: CallContext,
  exchange: Exchange,
): Promise<void> {
  const answer = await route.handle(request, context);
  const type = route.method.response as MessageType<unknown>;
  const message = answer instanceof EncodedMessage ? type.decode(Buffer.concat(answer.parts)) : answer;
  sendJson(exchange, 200, toJson(type, message));
}

async function answerStream(
  route: ServerStreamRoute<unknown, unknown>,
  request: unknown,
  context: CallContext,
  lines: Lines,
): Promise<void> {
  try {
    for await (const message of route.handle(request, context)) {
      if (!lines.send(message)) await lines.drained();
      if (context.signal.aborted) return;
    }
    lines.end();
  } catch (error) {
    lines.end(error);
  }
}

/** The body is the one message of the client, which keeps the stream open as long as it reads. */
function answerBidi(
  route: BidiRoute<unknown, unknown>,
  request: unknown,
  context: CallContext,
  lines: Lines,
): void {
  let isOver = false;
  const finish = (error?: unknown) => {
    if (isOver) return;
    isOver = true;
    lines.end(error);
    handler.closed();
  };
  const call: BidiCall<unknown> = {
    ...context,
    send: (message) => {
      if (isOver || lines.send(message)) return true;
      void lines.drained().then(() => isOver || handler.drained());
      return false;
    },
    end: finish,
  };
  const handler = route.open(call);
  context.signal.addEventListener('abort', () => finish());
  Promise.resolve(handler.message(request)).then(() => isOver || handler.halfClosed(), finish);
}

/** Messages of a stream, each as a line `{"result":…}`; a failure as the last one. */
class Lines {
  readonly #exchange: Exchange;
  readonly #type: MessageType<unknown>;
  readonly #onError: (error: unknown) => void;

  constructor(exchange: Exchange, type: MessageType<unknown>, onError: (error: unknown) => void) {
    this.#exchange = exchange;
    this.#type = type;
    this.#onError = onError;
  }

  /** False: not before `drained`. */
  send(message: unknown): boolean {
    return this.#write({ result: toJson(this.#type, message) });
  }

  drained(): Promise<void> {
    return this.#exchange.untilDrained();
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      const { code, message } = statusOf(error, this.#onError);
      const status = httpStatusOf(code);
      this.#write({ error: { grpc_code: code, http_code: status, message } });
    }
    this.#begin();
    this.#exchange.end();
  }

  #write(line: JsonObject): boolean {
    this.#begin();
    return this.#exchange.write(`${JSON.stringify(line)}\n`);
  }

  #begin(): void {
    const exchange = this.#exchange;
    if (exchange.hasBegun) return;
    exchange.begin(200, {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      ...corsHeaders(exchange.headers),
    });
  }
}
