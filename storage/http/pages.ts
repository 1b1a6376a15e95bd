/** What the client port answers besides gRPC, over HTTP/1.1 and HTTP/2 alike. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { GrpcCode } from '../errors.js';
import type { MetricsPage } from '../metrics/metrics.js';
import { ETCD_VERSION } from '../version.js';
import { refusal, type Gateway } from './gateway.js';
import { corsHeaders, refusalFor, refusalForBody, type GuardRules } from './guard.js';
import { health, probe, type HealthParts } from './health.js';

export interface PagesOptions extends HealthParts {
  readonly gateway: Gateway | undefined;
  readonly rules?: GuardRules | undefined;
  readonly metrics?: (() => Promise<MetricsPage>) | undefined;
  /** Of a message of the gateway. */
  readonly bodyBytesMax: number;
  /** Told of what must not happen; the request is answered with 500. */
  readonly onError: (error: unknown) => void;
}

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  /** The port is reached from this machine only. */
  readonly loopback: boolean;
}

/** Of a message's bytes in base64. */
const BASE64_SHARE = 4 / 3;

export class Pages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  serveStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, loopback: boolean): void {
    const request = new Http2ServerRequest(stream, headers, {}, []);
    this.serve({ request, response: new Http2ServerResponse(stream), loopback });
  }

  serve(exchange: Exchange): void {
    const { response } = exchange;
    this.#serve(exchange).catch((error: unknown) => {
      this.#options.onError(error);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { status, body } = refusal(
        GrpcCode.Internal,
        'unexpected failure; the server log has the details',
      );
      sendJson(response, status, body);
    });
  }

  async #serve({ request, response, loopback }: Exchange): Promise<void> {
    const headers: IncomingHttpHeaders = request.headers;
    const host = headers.host ?? headers[':authority'];
    const { rules, gateway } = this.#options;
    const refused = refusalFor({ ...headers, ...(host !== undefined && { host }) }, loopback, rules);
    if (refused !== undefined) return sendText(response, refused.status, `${refused.message}\n`);
    for (const [name, value] of Object.entries(corsHeaders(headers))) response.setHeader(name, value);
    // A browser's question before a page's request, which these headers answer.
    if (request.method === 'OPTIONS' && headers.origin !== undefined) return sendText(response, 200, '');
    const [pathname = '', query] = (request.url ?? '').split('?', 2);
    if (gateway?.has(pathname) === true) return this.#serveGateway(gateway, request, response, pathname);
    const page = pages.get(pathname);
    if (page === undefined || (pathname === '/metrics' && this.#options.metrics === undefined)) {
      return sendText(response, 404, '404 page not found\n');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET');
      return sendText(response, 405, 'Method Not Allowed\n');
    }
    return page(this.#options, response, new URLSearchParams(query));
  }

  async #serveGateway(gateway: Gateway, request: Request, response: Response, path: string): Promise<void> {
    const refuse = (code: GrpcCode, message: string, httpStatus: number) => {
      const { status, body } = refusal(code, message, httpStatus);
      sendJson(response, status, body);
    };
    if (request.method !== 'POST') return refuse(GrpcCode.Unimplemented, 'Method Not Allowed', 405);
    const refused = refusalForBody(request.headers);
    if (refused !== undefined) return refuse(GrpcCode.InvalidArgument, refused.message, refused.status);
    const body = await readBody(request, Math.ceil(this.#options.bodyBytesMax * BASE64_SHARE));
    if (body === undefined) {
      // Whoever sends more than that is not listened to.
      if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
      return refuse(GrpcCode.ResourceExhausted, 'the body is too large', 413);
    }
    await gateway.answer(path, body, request.headers, response);
  }
}

type Page = (options: PagesOptions, response: Response, query: URLSearchParams) => Promise<void>;

const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  [
    '/health',
    async (options, response, query) => {
      const serializable = query.get('serializable') === 'true';
      const { healthy, reason } = await health(options, { serializable, exclude: query.getAll('exclude') });
      sendJson(response, healthy ? 200 : 503, { health: String(healthy), reason });
    },
  ],
  ['/livez', async (options, response, query) => sendProbe(options, response, query, 'livez')],
  ['/readyz', async (options, response, query) => sendProbe(options, response, query, 'readyz')],
  [
    '/version',
    async (_options, response) => {
      const etcdcluster = ETCD_VERSION.replace(/\d+$/, '0');
      sendJson(response, 200, { etcdserver: ETCD_VERSION, etcdcluster });
    },
  ],
  [
    '/metrics',
    async ({ metrics }, response) => {
      const page = await metrics?.();
      if (page !== undefined) send(response, 200, page.contentType, page.body);
    },
  ],
]);

async function sendProbe(
  options: PagesOptions,
  response: Response,
  query: URLSearchParams,
  which: 'livez' | 'readyz',
): Promise<void> {
  const { healthy, text } = await probe(options, which, query.has('verbose'));
  sendText(response, healthy ? 200 : 503, text);
}

/** Undefined when it is too large. */
async function readBody(request: Request, bytesMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not end the connection, on which the refusal is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function sendJson(response: Response, status: number, body: object): void {
  send(response, status, 'application/json', JSON.stringify(body));
}

function sendText(response: Response, status: number, text: string): void {
  send(response, status, 'text/plain; charset=utf-8', text);
}

function send(response: Response, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.setHeader('content-length', Buffer.byteLength(body));
  response.setHeader('x-content-type-options', 'nosniff');
  response.end(body);
}
