/** etcd's `--listen-metrics-urls`: metrics and health, for those who may see no key. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type PeerTls, followRenewals, isAllowed, serverTlsOptions } from '../../raft/transport/tls.js';
import { addressOf, isLoopback } from '../cluster/urls.js';
import type { MetricsPage } from '../metrics/metrics.js';
import type { RequestHeaders } from '../http2/stream.js';
import { refusalFor, type GuardRules } from './guard.js';
import { health, probe, type HealthParts } from './health.js';

/** Time for a client to send its whole request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface MetricsPortOptions extends HealthParts {
  readonly urls: readonly string[];
  /** Of the urls that are https. */
  readonly tls?: PeerTls | undefined;
  readonly metrics: () => Promise<MetricsPage>;
  readonly rules?: GuardRules | undefined;
  /** Told of what must not happen; the request is answered with 500. */
  readonly onError: (error: unknown) => void;
}

export interface MetricsPort {
  /** What the urls came to, in their order. */
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Rejects as the system refuses (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function listenForMetrics(options: MetricsPortOptions): Promise<MetricsPort> {
  const servers: Server[] = [];
  const close = async () => void (await Promise.all(servers.map(closeServer)));
  try {
    const ports: number[] = [];
    for (const url of options.urls) {
      const server = serverFor(url, options);
      ports.push(await listen(server, url));
      servers.push(server);
    }
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function serverFor(url: string, options: MetricsPortOptions): Server {
  const address = addressOf(url);
  const loopback = isLoopback(address);
  const settings = { requestTimeout: REQUEST_TIMEOUT_MS };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    pageOf(options, request, loopback).then(
      (page) => send(response, page),
      (error: unknown) => {
        options.onError(error);
        send(response, text(500, 'unexpected failure; the server log has the details\n'));
      },
    );
  };
  const { tls } = options;
  if (!address.secure) return createServer(settings, answer);
  if (tls === undefined) throw new Error(`${url} needs a certificate`);
  const server = createSecureServer({ ...settings, ...serverTlsOptions(tls) }, answer);
  followRenewals(server, tls);
  return server.on('secureConnection', (socket) => {
    if (!isAllowed(tls, socket)) socket.destroy();
  });
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const text = (status: number, body: string): Page => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});

async function pageOf(
  options: MetricsPortOptions,
  request: IncomingMessage,
  loopback: boolean,
): Promise<Page> {
  const refused = refusalFor(request.headers as RequestHeaders, loopback, options.rules);
  if (refused !== undefined) return text(refused.status, `${refused.message}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Method Not Allowed\n');
  const [path, search] = (request.url ?? '').split('?', 2);
  const query = new URLSearchParams(search);
  if (path === '/metrics') return { status: 200, ...(await options.metrics()) };
  if (path === '/health') {
    const serializable = query.get('serializable') === 'true';
    const { healthy, reason } = await health(options, { serializable, exclude: query.getAll('exclude') });
    const body = JSON.stringify({ health: String(healthy), reason });
    return { status: healthy ? 200 : 503, contentType: 'application/json', body };
  }
  if (path !== '/livez' && path !== '/readyz') return text(404, '404 page not found\n');
  const found = await probe(options, path === '/livez' ? 'livez' : 'readyz', query.has('verbose'));
  return text(found.healthy ? 200 : 503, found.text);
}

function send(response: ServerResponse, { status, contentType, body }: Page): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function listen(server: Server, url: string): Promise<number> {
  const { host, port } = addressOf(url);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
