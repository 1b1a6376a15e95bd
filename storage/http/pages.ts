/** What the client port answers besides gRPC, over HTTP/1.1 and HTTP/2 alike. */
import { GrpcCode } from '../errors.js';
import type { MetricsPage } from '../metrics/metrics.js';
import { ETCD_VERSION } from '../version.js';
import type { Exchange, ResponseHeaders } from './exchange.js';
import { refusal, type Gateway } from './gateway.js';
import { corsHeaders, refusalFor, refusalForBody, type GuardRules } from './guard.js';
import { health, probe, type HealthParts } from './health.js';

export interface PagesOptions extends HealthParts {
  /** Undefined: there is none. */
  readonly gateway: Gateway | undefined;
  readonly rules?: GuardRules | undefined;
  readonly metrics?: (() => Promise<MetricsPage>) | undefined;
  /** Of a message of the gateway. */
  readonly bodyBytesMax: number;
  /** Told of what must not happen; the request is answered with 500. */
  readonly onError: (error: unknown) => void;
}

/** Of a message's bytes in base64. */
const BASE64_SHARE = 4 / 3;

export class Pages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** `loopback`: the port is reached from this machine only. */
  serve(exchange: Exchange, loopback: boolean): void {
    this.#serve(exchange, loopback).catch((error: unknown) => {
      this.#options.onError(error);
      if (exchange.hasBegun) return exchange.destroy();
      const { status, body } = refusal(
        GrpcCode.Internal,
        'unexpected failure; the server log has the details',
      );
      sendJson(exchange, status, body);
    });
  }

  async #serve(exchange: Exchange, loopback: boolean): Promise<void> {
    const { headers, method, url } = exchange;
    const refused = refusalFor(headers, loopback, this.#options.rules);
    if (refused !== undefined) return sendText(exchange, refused.status, `${refused.message}\n`);
    // A browser's question before a page's request, which the headers answer.
    if (method === 'OPTIONS' && headers['origin'] !== undefined) return sendText(exchange, 200, '');
    const [pathname = '', query] = url.split('?', 2);
    const { gateway, metrics } = this.#options;
    if (gateway?.has(pathname) === true) return this.#serveGateway(gateway, exchange, pathname);
    const page = pages.get(pathname);
    if (page === undefined || (pathname === '/metrics' && metrics === undefined)) {
      return sendText(exchange, 404, '404 page not found\n');
    }
    if (method !== 'GET' && method !== 'HEAD') {
      return sendText(exchange, 405, 'Method Not Allowed\n', { allow: 'GET' });
    }
    return page(this.#options, exchange, new URLSearchParams(query));
  }

  async #serveGateway(gateway: Gateway, exchange: Exchange, path: string): Promise<void> {
    const refuse = (code: GrpcCode, message: string, httpStatus: number) => {
      const { status, body } = refusal(code, message, httpStatus);
      sendJson(exchange, status, body);
    };
    if (exchange.method !== 'POST') return refuse(GrpcCode.Unimplemented, 'Method Not Allowed', 405);
    const refused = refusalForBody(exchange.headers);
    if (refused !== undefined) return refuse(GrpcCode.InvalidArgument, refused.message, refused.status);
    const body = await exchange.readBody(Math.ceil(this.#options.bodyBytesMax * BASE64_SHARE));
    if (body === undefined) return refuse(GrpcCode.ResourceExhausted, 'the body is too large', 413);
    await gateway.answer(path, body, exchange);
  }
}

type Page = (options: PagesOptions, exchange: Exchange, query: URLSearchParams) => Promise<void>;

const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  [
    '/health',
    async (options, exchange, query) => {
      const serializable = query.get('serializable') === 'true';
      const { healthy, reason } = await health(options, { serializable, exclude: query.getAll('exclude') });
      sendJson(exchange, healthy ? 200 : 503, { health: String(healthy), reason });
    },
  ],
  ['/livez', async (options, exchange, query) => sendProbe(options, exchange, query, 'livez')],
  ['/readyz', async (options, exchange, query) => sendProbe(options, exchange, query, 'readyz')],
  [
    '/version',
    async (_options, exchange) => {
      const etcdcluster = ETCD_VERSION.replace(/\d+$/, '0');
      sendJson(exchange, 200, { etcdserver: ETCD_VERSION, etcdcluster });
    },
  ],
  [
    '/metrics',
    async ({ metrics }, exchange) => {
      const page = await metrics?.();
      if (page !== undefined) send(exchange, 200, page.contentType, page.body);
    },
  ],
]);

async function sendProbe(
  options: PagesOptions,
  exchange: Exchange,
  query: URLSearchParams,
  which: 'livez' | 'readyz',
): Promise<void> {
  const { healthy, text } = await probe(options, which, query.has('verbose'));
  sendText(exchange, healthy ? 200 : 503, text);
}

export function sendJson(exchange: Exchange, status: number, body: object): void {
  send(exchange, status, 'application/json', JSON.stringify(body));
}

function sendText(exchange: Exchange, status: number, text: string, more: ResponseHeaders = {}): void {
  send(exchange, status, 'text/plain; charset=utf-8', text, more);
}

function send(
  exchange: Exchange,
  status: number,
  type: string,
  body: string,
  more: ResponseHeaders = {},
): void {
  exchange.begin(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    // A page that may not use the port has been refused, and is told nothing.
    ...(status === 403 ? {} : corsHeaders(exchange.headers)),
    ...more,
  });
  exchange.end(body);
}
