/**
 * Fastify as this server uses it: one route for every path, since resources come and go at run time, and bodies as
 * bytes, since what they mean depends on the path.
 */
import { EventEmitter } from 'node:events';
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import websocket, { type WebSocket } from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { badRequest, requestTooLarge, StatusError } from '../errors.js';
import { answerClientError, answerStatus, answerUnderWay } from './bare-answers.js';
import type { Core } from './core.js';
import type { Answerable, Exchange, RawRequest } from './exchange.js';
import { bodyBytesMax, urlBytesMax } from './limits.js';
import type { RequestListener } from './listeners.js';
import type { WatchPump } from './watch-pump.js';
import type { WatchSource } from './watch-stream.js';
import { selectProtocol, SocketWatchStream } from './web-socket-watch.js';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange | undefined;
    watchSource: WatchSource | undefined;
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

export interface Application {
  /** Handles a request of any server. */
  readonly listener: RequestListener;
  /** Handles an `upgrade` event of any server. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  close(): Promise<void>;
}

/** Frames that clients send on a watch mean nothing; longer ones end it. */
const clientMessageBytesMax = 4096;

export async function createApplication(
  core: Core,
  pump: WatchPump,
  createServer: (listener: RequestListener) => Server,
): Promise<Application> {
  const upgrades = new EventEmitter();
  /** Connections that are no longer Node's to answer on. */
  const upgraded = new WeakSet<Duplex>();
  const endUpgraded = ({ headers, raw }: FastifyRequest, reply: FastifyReply): void => {
    if (headers.upgrade !== undefined && upgraded.has(raw.socket)) endWith(raw.socket, reply.raw);
  };
  const app = Fastify({
    serverFactory: (listener) => createServer(listener),
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    clientErrorHandler: answerClientError,
    routerOptions: {
      maxParamLength: urlBytesMax,
      constraints: { upgrade: upgradeConstraint },
    },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (error, request, reply) => {
      reply.hijack();
      endUpgraded(request, reply);
      void core.fail(answerable(request, reply), ownError(error));
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('exchange', undefined);
  app.decorateRequest('watchSource', undefined);
  app.addHook('onRequest', async (request, reply) => {
    announceBody(request.raw);
    endUpgraded(request, reply);
    request.exchange = await core.admit(request.raw, reply.raw);
    if (request.exchange === undefined) reply.hijack();
  });
  app.setErrorHandler((error, request, reply) => {
    reply.hijack();
    void core.fail(request.exchange ?? answerable(request, reply), ownError(error));
  });
  const handler = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack();
    if (request.exchange !== undefined) void core.serve(request.exchange, request.body as Buffer | undefined);
  };
  app.route({ method: [...methods], url: '*', handler });
  app.setNotFoundHandler(handler);
  await app.register((scope) => socketRoutes(scope, { core, pump, upgrades, handler }));
  await app.ready();
  return {
    listener: (request, response) => app.routing(request, response),
    upgrade: (request, socket, head) => {
      upgraded.add(socket);
      // Node has taken its parser off the connection: nobody would read the body, and the request would wait for it.
      if (hasBody(request)) {
        answerStatus(badRequest('a request that asks for an upgrade cannot have a body'), socket);
      } else if (answerUnderWay(socket) !== undefined) {
        // A second one cannot have the connection: Node would throw.
        answerStatus(
          badRequest('a request that asks for an upgrade must wait for the answers before it'),
          socket,
        );
      } else if (isWebSocket(request)) upgrades.emit('upgrade', request, socket, head);
      else declineUpgrade(app, request, socket);
    },
    close: () => app.close(),
  };
}

interface SocketRoutes {
  readonly core: Core;
  readonly pump: WatchPump;
  readonly upgrades: EventEmitter;
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => void;
}

/** In a scope of their own: the hooks of the web socket plugin would keep every request's objects until its end. */
async function socketRoutes(
  scope: FastifyInstance,
  { core, pump, upgrades, handler }: SocketRoutes,
): Promise<void> {
  await scope.register(websocket, {
    options: {
      server: upgrades as Server,
      maxPayload: clientMessageBytesMax,
      handleProtocols: (protocols) => selectProtocol(protocols),
    },
  });
  scope.websocketServer.on('wsClientError', (error: Error, socket: Duplex, request: IncomingMessage) => {
    answerStatus(badRequest(error.message), socket, request);
  });
  scope.addHook('preHandler', async (request, reply) => {
    if (!request.ws || request.exchange === undefined) return;
    // Whatever is no watch is answered as if no web socket had been asked for: exec and its like end in refusals.
    if (request.exchange.info.verb !== 'watch') {
      reply.hijack();
      return core.serve(request.exchange, undefined);
    }
    const source = await core.openSocketWatch(request.exchange);
    // If the handshake comes to nothing.
    request.raw.socket.once('close', () => source.watcher.close());
    request.watchSource = source;
  });
  const wsHandler = (socket: WebSocket, request: FastifyRequest): void => {
    if (request.watchSource !== undefined)
      pump.start(new SocketWatchStream(pump, request.watchSource, socket));
  };
  scope.route({ method: 'GET', url: '*', constraints: { upgrade: 'websocket' }, handler, wsHandler });
}

/**
 * Fastify looks for HTTP/1's headers to see whether a body without a media type is coming. In HTTP/2 that is said by not
 * ending the stream; Go's clients send no length with what they read from a file.
 */
function announceBody({ httpVersionMajor, headers, stream }: RawRequest): void {
  if (httpVersionMajor < 2 || headers['content-type'] !== undefined) return;
  if (headers['content-length'] === undefined && stream?.endAfterHeaders === false) {
    headers['transfer-encoding'] = 'chunked';
  }
}

/** Routes have no schemas of Fastify's, whose compilers it would load at every start. */
const noSchemas = () => (): never => {
  throw new Error('routes have no schemas');
};

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** Finds the route for web sockets by the Upgrade header. */
const upgradeConstraint = {
  name: 'upgrade',
  storage() {
    const handlers = new Map<unknown, unknown>();
    return {
      get: (key: unknown) => handlers.get(key) ?? null,
      set: (key: unknown, handler: unknown) => void handlers.set(key, handler),
    };
  },
  validate: () => true,
  deriveConstraint: (request: RawRequest) =>
    request.headers.upgrade?.toLowerCase() === 'websocket' ? 'websocket' : undefined,
} as unknown as NonNullable<NonNullable<Parameters<typeof Fastify>[0]>['constraints']>[string];

const hasBody = ({ headers }: IncomingMessage): boolean =>
  (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;

/**
 * Clients that would rather speak h2c ask for an upgrade too; a server may answer as if they had not. This is the last
 * request of its connection.
 */
function declineUpgrade(app: FastifyInstance, request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  // Whoever sends nothing more has gone; what it still sends is nobody's to read.
  socket.on('end', () => socket.destroy());
  socket.resume();
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  app.routing(request, response);
}

/** What Node's server does for the connections that are its own. */
function endWith(socket: Duplex, response: ServerResponse): void {
  socket.on('drain', () => response.emit('drain'));
  response.once('finish', () => socket.end(() => socket.destroy()));
}

const answerable = (request: FastifyRequest, reply: FastifyReply): Answerable => ({
  request: request.raw,
  response: reply.raw,
  warnings: [],
  cors: undefined,
});

/** Fastify's own errors, in this server's words. */
function ownError(error: unknown): unknown {
  if (error instanceof StatusError) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return requestTooLarge(`Request entity too large: limit is ${bodyBytesMax}`);
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new StatusError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return badRequest('the request is malformed');
  }
  return error;
}
