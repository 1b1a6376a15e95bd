/**
 * The two ports. The secure one speaks HTTP/1.1 and HTTP/2, whichever the TLS handshake agrees on; the plain one is for
 * this machine. Requests of both go the same way.
 */
import { constants } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { answerClientError } from './bare-answers.js';
import { limitBodyTime } from './body-deadline.js';
import {
  concurrentStreamsMax,
  headerBytesMax,
  keepAliveMilliseconds,
  requestTimeoutMilliseconds,
  sessionMemoryMegabytes,
} from './limits.js';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** PEM. */
export interface TlsOptions {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** Signs the client certificates that are believed. */
  readonly clientCa: string | Buffer;
}

/** Seconds after which a silent peer is asked whether it is still there, as Go's servers do. */
const probeSeconds = 15;

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: probeSeconds * 1000 };

/** Node's types do not say that HTTP/1.1 connections of such a server read these from it. */
type Http1Settings = Pick<Server, 'keepAliveTimeout' | 'requestTimeout' | 'headersTimeout'> & {
  maxHeaderSize: number;
};

/** @param requestTimeout milliseconds for a client to send its whole request */
export function createSecure(
  tls: TlsOptions,
  listener: RequestListener,
  requestTimeout = requestTimeoutMilliseconds,
): Http2SecureServer {
  const limited: RequestListener = (request, response) => {
    limitBodyTime(request, requestTimeout);
    listener(request, response);
  };
  const server = createSecureServer(
    {
      allowHTTP1: true,
      key: tls.key,
      cert: tls.cert,
      ca: tls.clientCa,
      // Asked for, and judged by the authenticator: health checks come without.
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      // A ticket would hold the client's certificate: 12 kB more for each connection, to resume what hardly ever is.
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxSessionMemory: sessionMemoryMegabytes,
      settings: { maxConcurrentStreams: concurrentStreamsMax, maxHeaderListSize: headerBytesMax },
      ...socketOptions,
    } as Parameters<typeof createSecureServer>[0],
    limited as unknown as Parameters<typeof createSecureServer>[1],
  );
  Object.assign(server, {
    maxHeaderSize: headerBytesMax,
    keepAliveTimeout: keepAliveMilliseconds,
    requestTimeout,
    headersTimeout: requestTimeout,
  } satisfies Http1Settings);
  return continuing(readByEvents(server), limited);
}

/**
 * Has HTTP/1.1 connections over TLS read by their `data` events. Node's parser, attached to one directly, is paused while
 * answers wait for their client and is handed the records of TLS that were read with the last one even so: it refuses them,
 * and pipelined requests are lost.
 */
function readByEvents(server: Http2SecureServer): Http2SecureServer {
  return server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== 'h2') socket.on('data', () => undefined);
  });
}

export function createPlain(listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      keepAliveTimeout: keepAliveMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
      ...socketOptions,
    },
    listener,
  );
  return continuing(server.on('clientError', answerClientError), listener);
}

/**
 * `100 Continue` for those who ask for it. Not while answers before this one are under way: Node would put it between
 * the headers and the body of the one that it belongs to. Clients send their body without it after a while.
 */
function continuing<S extends Server | Http2SecureServer>(server: S, listener: RequestListener): S {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) response.writeContinue();
    listener(request, response);
  });
  return server;
}

/** Resolves with the port, once clients can connect. Rejects as the system refuses (EADDRINUSE, EACCES). */
export function listen(server: NetServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Every open connection of some servers, so that a shutdown can end them. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  watch(server: NetServer): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
  }

  /** Tells HTTP/2 clients to send nothing more; what they have sent is answered. */
  refuseMore(): void {
    for (const session of this.#sessions) session.close();
  }

  /** Waits until what was answered is on its way, at most until `deadline`, then closes everything. */
  async end(deadline: number): Promise<void> {
    while (performance.now() < deadline && [...this.#sockets].some((socket) => socket.writableLength > 0)) {
      await sleep(5);
    }
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroySoon();
    await sleep(0);
    for (const socket of this.#sockets) socket.destroy();
  }
}
