/**
 * The port that etcd's clients know: health, version and the JSON gateway. HTTP only; etcd's gRPC will share it, told
 * apart by a connection's first bytes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { CallOptions } from '../client/interface.js';
import { addressOf, isLoopback } from '../cluster/urls.js';
import { GrpcCode } from '../errors.js';
import type { MetricsPage } from '../metrics/metrics.js';
import { ETCD_VERSION } from '../version.js';
import { answerGateway, isGatewayPath, refusal, type GatewayAnswer, type GatewayParts } from './gateway.js';
import { refusalFor, refusalForBody } from './guard.js';
import { health, probe, type HealthParts } from './health.js';

/** Of a gateway's body, in bytes: changes of membership are small. */
export const GATEWAY_BODY_BYTES_MAX = 64 * 1024;
/** Request line and headers together, in bytes. */
const HEADER_BYTES_MAX = 16 * 1024;
/** Time for a client to send its whole request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What is not answered by then when the port closes is cut, in milliseconds. */
const CLOSE_MS_MAX = 200;

export interface ClientPortOptions
  extends GatewayParts,
    Pick<HealthParts, 'client' | 'alarms' | 'onChecked'> {
  /** `http://host:port`, port 0 for any free one. */
  readonly urls: readonly string[];
  /** Of `/metrics`; absent: there is none. */
  readonly metrics?: (() => Promise<MetricsPage>) | undefined;
  /** Told of what must not happen; the request is answered with 500. */
  readonly onError: (error: unknown) => void;
}

export interface ClientPort {
  /** What the urls came to, in their order. */
  readonly ports: readonly number[];
  /** Waits a moment for what is under way. */
  close(): Promise<void>;
}

/** Rejects as the system refuses (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function listenForClients(options: ClientPortOptions): Promise<ClientPort> {
  const servers: Server[] = [];
  const close = async () => void (await Promise.all(servers.map(closeServer)));
  try {
    const ports: number[] = [];
    for (const url of options.urls) {
      const address = addressOf(url);
      const server = serverFor(options, isLoopback(address));
      ports.push(await listen(server, address.port, address.host));
      servers.push(server);
    }
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function serverFor(options: ClientPortOptions, loopback: boolean): Server {
  const settings = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS };
  return createServer(settings, (request, response) => {
    const exchange = { request, response, loopback };
    serve(options, exchange).catch((error: unknown) => {
      options.onError(error);
      if (response.headersSent) response.destroy();
      else
        sendJson(response, refusal(GrpcCode.Internal, 'unexpected failure; the server log has the details'));
    });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly loopback: boolean;
}

async function serve(options: ClientPortOptions, { request, response, loopback }: Exchange): Promise<void> {
  const refused = refusalFor(request.headers, loopback);
  if (refused !== undefined) return sendText(response, refused.status, `${refused.message}\n`);
  const [pathname = '', query] = (request.url ?? '').split('?', 2);
  if (isGatewayPath(pathname)) return serveGateway(options, request, response, pathname);
  const page = pages.get(pathname);
  if (page === undefined) return sendText(response, 404, '404 page not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET');
    return sendText(response, 405, 'Method Not Allowed\n');
  }
  return page(options, response, new URLSearchParams(query));
}

type Page = (options: ClientPortOptions, response: ServerResponse, query: URLSearchParams) => Promise<void>;

async function sendMetrics({ metrics }: ClientPortOptions, response: ServerResponse): Promise<void> {
  if (metrics === undefined) return sendText(response, 404, '404 page not found\n');
  const { contentType, body } = await metrics();
  send(response, 200, contentType, body);
}

const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  [
    '/health',
    async (options, response, query) => {
      const serializable = query.get('serializable') === 'true';
      const { healthy, reason } = await health(options, { serializable, exclude: query.getAll('exclude') });
      sendJson(response, { status: healthy ? 200 : 503, body: { health: String(healthy), reason } });
    },
  ],
  ['/metrics', sendMetrics],
  ['/livez', async (options, response, query) => sendProbe(options, response, query, 'livez')],
  ['/readyz', async (options, response, query) => sendProbe(options, response, query, 'readyz')],
  [
    '/version',
    async (_options, response) => {
      const etcdcluster = ETCD_VERSION.replace(/\d+$/, '0');
      sendJson(response, { status: 200, body: { etcdserver: ETCD_VERSION, etcdcluster } });
    },
  ],
]);

async function sendProbe(
  options: ClientPortOptions,
  response: ServerResponse,
  query: URLSearchParams,
  which: 'livez' | 'readyz',
): Promise<void> {
  const { healthy, text } = await probe(options, which, query.has('verbose'));
  sendText(response, healthy ? 200 : 503, text);
}

async function serveGateway(
  options: ClientPortOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  if (request.method !== 'POST') {
    return sendJson(response, refusal(GrpcCode.Unimplemented, 'Method Not Allowed', 405));
  }
  const refused = refusalForBody(request.headers);
  if (refused !== undefined) {
    return sendJson(response, refusal(GrpcCode.InvalidArgument, refused.message, refused.status));
  }
  const body = await readBody(request);
  if (body === undefined) {
    // Whoever sends more than that is not listened to.
    response.setHeader('connection', 'close');
    return sendJson(response, refusal(GrpcCode.ResourceExhausted, 'the body is too large', 413));
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const call: CallOptions = { signal: gone.signal };
  sendJson(response, await answerGateway(options, path, body, call));
}

/** Undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not end the connection, on which the refusal is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > GATEWAY_BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function sendJson(response: ServerResponse, { status, body }: GatewayAnswer): void {
  send(response, status, 'application/json', JSON.stringify(body));
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', text);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
