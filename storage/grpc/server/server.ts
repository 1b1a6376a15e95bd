/** gRPC over HTTP/2, whatever is answered: routes by path, headers, errors, the end. */
import { EtcdError, GrpcCode } from '../../errors.js';
import type { RequestHeaders } from '../../http2/stream.js';
import type { Leadership } from '../../server/api.js';
import type { GrpcObserver } from '../observer.js';
import { type Call, type CallEnvironment, type CallHeaders } from './call.js';
import { BidiStreamCall } from './bidi-call.js';
import type { Route } from './handlers.js';
import { ServerStreamCall, UnaryCall } from './single-request-calls.js';
import type { Status } from './status.js';
import { parseTimeout } from './timeout.js';
import type { WireStream } from './wire-stream.js';

export interface GrpcServerOptions {
  readonly routes: readonly Route[];
  readonly leadership: Leadership;
  /** Bytes of one request message. */
  readonly requestBytesMax: number;
  readonly observer?: GrpcObserver | undefined;
  /** The name in a client's certificate says which user it is. True when absent. */
  readonly certificatesNameUsers?: boolean | undefined;
  /** Told of what must not happen. */
  readonly onError: (error: unknown) => void;
}

export const isGrpc = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/grpc(?:[+;]|$)/.test(contentType);

export class GrpcServer {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #services: ReadonlySet<string>;
  readonly #leadership: Leadership;
  readonly #environment: CallEnvironment;
  readonly #unsubscribe: () => void;
  #isClosed = false;

  constructor(options: GrpcServerOptions) {
    this.#routes = new Map(options.routes.map((route) => [route.method.path, route]));
    this.#services = new Set(options.routes.map(({ method }) => method.service));
    this.#leadership = options.leadership;
    const { observer, requestBytesMax, certificatesNameUsers = true, onError } = options;
    this.#environment = { observer, requestBytesMax, certificatesNameUsers, onError, calls: new Set() };
    this.#unsubscribe = options.leadership.onLost(() => this.#endWithoutLeader());
  }

  /** Begins a call, or says why there is none. */
  open(stream: WireStream, headers: RequestHeaders): Call | Status {
    if (this.#isClosed) return EtcdError.of('Stopped');
    const route = this.#routes.get(headers[':path'] ?? '');
    if (route === undefined) return this.#unknown(headers[':path'] ?? '');
    const parsed = parseHeaders(headers);
    if (!('requiresLeader' in parsed)) return parsed;
    if (parsed.requiresLeader && !this.#leadership.hasLeader()) return EtcdError.of('NoLeader');
    switch (route.type) {
      case 'unary':
        return new UnaryCall(stream, route, parsed, this.#environment);
      case 'server_stream':
        return new ServerStreamCall(stream, route, parsed, this.#environment);
      default:
        return new BidiStreamCall(stream, route, parsed, this.#environment);
    }
  }

  /** Streams end as those of a server that stops, and no call is taken any more. Unary ones go on. */
  endStreams(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const call of this.#environment.calls) {
      if (!(call instanceof UnaryCall)) call.fail(EtcdError.of('Stopped'));
    }
  }

  /** Ends all calls. */
  close(): void {
    this.endStreams();
    for (const call of this.#environment.calls) call.fail(EtcdError.of('Stopped'));
  }

  /** Streams alone are cut, as by etcd: what a unary call proposed may still be applied. */
  #endWithoutLeader(): void {
    for (const call of this.#environment.calls) {
      if (call.requiresLeader && !(call instanceof UnaryCall)) call.fail(EtcdError.of('NoLeader'));
    }
  }

  #unknown(path: string): Status {
    const code = GrpcCode.Unimplemented;
    const slash = path.lastIndexOf('/');
    if (slash < 1) return { code, message: `malformed method name: ${JSON.stringify(path)}` };
    const service = path.slice(1, slash);
    if (!this.#services.has(service)) return { code, message: `unknown service ${service}` };
    return { code, message: `unknown method ${path.slice(slash + 1)} for service ${service}` };
  }
}

function parseHeaders(headers: RequestHeaders): CallHeaders | Status {
  const compression = headers['grpc-encoding'] ?? 'identity';
  if (compression !== 'identity' && compression !== 'gzip') {
    const message = `grpc: Decompressor is not installed for grpc-encoding "${compression}"`;
    return { code: GrpcCode.Unimplemented, message };
  }
  const given = headers['grpc-timeout'];
  const timeout = given === undefined ? undefined : parseTimeout(given);
  if (given !== undefined && timeout === undefined) {
    return { code: GrpcCode.Internal, message: 'malformed grpc-timeout' };
  }
  return {
    compression,
    timeout,
    token: headers['token'] ?? headers['authorization'],
    requiresLeader: headers['hasleader'] === 'true',
  };
}
