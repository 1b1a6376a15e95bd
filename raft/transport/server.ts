/** Listens for the other members, and hands each request to what it is for, if it may be made. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KEEP_ALIVE_MS, SERVER_IDLE_CONNECTION_MS } from './limits.js';
import type { LogOnce } from './log-once.js';
import {
  ASK_PATH,
  CLUSTER_PATH,
  type Identity,
  type Refusal,
  SNAPSHOT_PATH,
  STATUS,
  STREAM_PATH,
  checkHeaders,
  hex,
  parseHex,
} from './protocol.js';
import { refuse } from './refuse.js';
import { type PeerTls, followRenewals, isAllowed, serverTlsOptions } from './tls.js';

type Serve = (request: http.IncomingMessage, response: http.ServerResponse, from: bigint) => void;

export interface PeerServerOptions {
  readonly self: Identity;
  readonly listenUrls: readonly string[];
  readonly tls: PeerTls | undefined;
  readonly log: LogOnce;
  readonly removed: () => readonly bigint[];
  readonly stream: Serve;
  readonly snapshot: Serve;
  readonly ask: Serve;
  /** The body of the answer about the cluster. */
  readonly cluster: () => string;
}

export class PeerServer {
  readonly #servers: http.Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(private readonly options: PeerServerOptions) {}

  /** The URLs listened on. Rejects with the system's own error; then nothing is listened on. */
  async start(): Promise<string[]> {
    const addresses: string[] = [];
    try {
      for (const url of this.options.listenUrls) addresses.push(await this.#listen(new URL(url)));
    } catch (error) {
      await this.close();
      throw error;
    }
    return addresses;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(url: URL): Promise<string> {
    const server = this.#createServer(url);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#servers.push(server);
    return `${url.protocol}//${url.hostname}:${(server.address() as AddressInfo).port}`;
  }

  #createServer({ protocol, href }: URL): http.Server {
    const options: http.ServerOptions = {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      keepAliveTimeout: SERVER_IDLE_CONNECTION_MS,
      noDelay: true,
      // A stream's request never ends.
      requestTimeout: 0,
    };
    const serve: http.RequestListener = (request, response) => this.#serve(request, response);
    const { tls, log } = this.options;
    if (protocol !== 'https:') return this.#tracked(http.createServer(options, serve));
    if (tls === undefined) throw new Error(`${href} needs a certificate`);
    const server = https.createServer({ ...options, ...serverTlsOptions(tls) }, serve);
    followRenewals(server, tls);
    server.on('tlsClientError', (error, socket) => {
      const address = socket.remoteAddress ?? 'an address unknown';
      log.warn(`tls ${address}`, { address }, `a TLS connection was refused: ${error.message}`);
    });
    server.on('secureConnection', (socket) => {
      if (isAllowed(tls, socket)) return;
      const address = socket.remoteAddress ?? 'an address unknown';
      log.warn(`tls ${address}`, { address }, 'a TLS connection was refused: its certificate is not allowed');
      socket.destroy();
    });
    return this.#tracked(server);
  }

  /** Sockets are known from their first byte on, before TLS or HTTP knows them, so that close can end them. */
  #tracked(server: http.Server): http.Server {
    return server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    // What a client does to its connection is seen by whoever reads the request.
    response.on('error', () => undefined);
    const method = this.#methodOf(request);
    if (typeof method !== 'string') refuse(request, response, method);
    else if (method === 'GET') this.#answerCluster(response);
    else this.#serveMember(request, response);
  }

  /** The method that the path asks for, if it is the one used and this is no web page. */
  #methodOf({ headers, method, url }: http.IncomingMessage): 'GET' | 'POST' | Refusal {
    if (headers.origin !== undefined) return { status: STATUS.forbidden, text: 'this is not for web pages' };
    const expected = url === CLUSTER_PATH ? 'GET' : 'POST';
    if (expected === 'POST' && url !== STREAM_PATH && url !== SNAPSHOT_PATH && url !== ASK_PATH)
      return { status: STATUS.notFound, text: 'no such path' };
    if (method !== expected)
      return { status: STATUS.methodNotAllowed, text: `${expected} is the method here` };
    return expected;
  }

  #answerCluster(response: http.ServerResponse): void {
    const body = this.options.cluster();
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    response.writeHead(STATUS.ok, headers).end(body);
  }

  #serveMember(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { self, removed, log, stream, snapshot, ask } = this.options;
    const sender = checkHeaders(request.headers, self, removed());
    const peer = peerOf(request);
    if ('status' in sender) {
      log.warn(`refused ${peer}`, { peer, status: sender.status }, `refused a peer: ${sender.text}`);
      refuse(request, response, sender);
      return;
    }
    log.forget(`refused ${peer}`);
    if (request.url === STREAM_PATH) stream(request, response, sender.from);
    else if (request.url === SNAPSHOT_PATH) snapshot(request, response, sender.from);
    else ask(request, response, sender.from);
  }
}

/** Whom the log names: the id it gives, or where it comes from. */
function peerOf({ headers, socket }: http.IncomingMessage): string {
  const id = parseHex(headers['x-wherry-from']);
  return id === undefined ? (socket.remoteAddress ?? 'an address unknown') : hex(id);
}
