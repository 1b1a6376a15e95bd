/**
 * One url's port, for HTTP/2 and HTTP/1.1 alike. With TLS the handshake says which; without, a connection's first
 * bytes: HTTP/2 with prior knowledge, as gRPC speaks it, begins with `PRI * HTTP/2.0`.
 */
import {
  createServer as createHttp1Server,
  type RequestListener,
  type Server as Http1Server,
} from 'node:http';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { followRenewals, isAllowed, serverTlsOptions, type PeerTls } from '../../raft/transport/tls.js';
import type { Address } from '../cluster/urls.js';
import { Connection } from '../http2/connection.js';
import { PREFACE } from '../http2/frames.js';
import type { KeepAliveOptions } from '../http2/keep-alive.js';
import type { RequestHeaders, Stream } from '../http2/stream.js';

/** Request line and headers together, in bytes. */
const HEADER_BYTES_MAX = 16 * 1024;
/** Time for a client to send its whole request over HTTP/1.1, and to say which protocol it speaks. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What is not answered by then when the port closes is cut. */
const CLOSE_MS_MAX = 200;
/** A peer that has gone without a word is noticed by TCP. */
const TCP_KEEPALIVE_MS = 30_000;

export interface ListenerOptions {
  readonly address: Address;
  /** For https. */
  readonly tls: PeerTls | undefined;
  /** A stream of HTTP/2. `certificateName`: of the client's certificate, where one was verified. */
  readonly onStream: (stream: Stream, headers: RequestHeaders, certificateName: string | undefined) => void;
  /** A request of HTTP/1.1. */
  readonly onRequest: RequestListener;
  /** Told of what must not happen. */
  readonly onError: (error: unknown) => void;
  readonly concurrentStreamsMax: number | undefined;
  readonly keepAlive: KeepAliveOptions | undefined;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #http1: Http1Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls, onRequest, address } = options;
    this.#http1 = createHttp1Server(
      { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS },
      onRequest,
    );
    if (!address.secure) {
      this.#server = createNetServer({ noDelay: true }, (socket) => this.#tell(socket));
    } else {
      if (tls === undefined) throw new Error('https needs a certificate');
      const secure = { ...serverTlsOptions(tls), ALPNProtocols: ['h2', 'http/1.1'], noDelay: true };
      const server = createTlsServer(secure, (socket) => this.#admit(socket, tls));
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      followRenewals(server, tls);
      this.#server = server;
    }
    this.#server.on('connection', (socket: Socket) => this.#track(socket));
  }

  /** Resolves with the port. Rejects as the system refuses (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  listen(): Promise<number> {
    const { host, port } = this.#options.address;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Takes no new calls, and waits a moment for what is under way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, CLOSE_MS_MAX);
      this.#server.close(() => {
        clearTimeout(late);
        resolve();
      });
      this.#http1.closeIdleConnections();
      for (const connection of this.#connections) connection.close();
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
    // Whoever resets a connection has gone; what it wanted is told of that by its own means.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #speakHttp2(socket: Socket, certificateName: string | undefined): void {
    const { onStream, onError, concurrentStreamsMax, keepAlive } = this.#options;
    const connection = new Connection(socket, {
      onStream: (stream, headers) => onStream(stream, headers, certificateName),
      onClose: () => this.#connections.delete(connection),
      onError,
      concurrentStreamsMax,
      keepAlive,
    });
    this.#connections.add(connection);
  }

  #admit(socket: TLSSocket, tls: PeerTls): void {
    socket.on('error', () => undefined);
    if (!isAllowed(tls, socket)) socket.destroy();
    else if (socket.alpnProtocol === 'h2') this.#speakHttp2(socket, nameOf(socket));
    else {
      this.#http1.emit('connection', socket);
      // Node's parser, attached to the connection directly, would be handed records of TLS while it is paused, and refuse
      // them: pipelined requests would be lost.
      socket.on('data', () => undefined);
    }
  }

  /** Reads until it is clear which protocol it is, and puts back what was read. */
  #tell(socket: Socket): void {
    let seen: Buffer = Buffer.alloc(0);
    const late = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
    const stop = () => {
      clearTimeout(late);
      socket.off('readable', read);
      socket.off('close', stop);
    };
    const read = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const length = Math.min(seen.length, PREFACE.length);
      const isHttp2 = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
      if (isHttp2 && seen.length < PREFACE.length) return;
      stop();
      socket.unshift(seen);
      if (isHttp2) this.#speakHttp2(socket, undefined);
      else this.#http1.emit('connection', socket);
    };
    socket.on('readable', read);
    socket.on('close', stop);
  }
}

/** A port that asks for certificates has verified the one that is there. */
function nameOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}
