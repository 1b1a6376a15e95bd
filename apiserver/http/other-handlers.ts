/** Everything that is no resource: discovery, OpenAPI, health, version and the list of paths. */
import {
  keySetPath,
  openIdConfigurationPath,
  type OpenIdDocument,
  openIdMaxAgeSeconds,
} from '../auth/open-id.js';
import { methodNotAllowed, noSuchResource } from '../errors.js';
import type { ResourceTable } from '../registry/types.js';
import type { Discovery } from './discovery.js';
import type { Exchange } from './exchange.js';
import { type HealthCheck, type HealthEndpoint, health, healthEndpoints } from './health.js';
import { negotiate } from './negotiation.js';
import { formOfV2, type OpenApi, type OpenApiDocument } from './openapi-documents.js';
import { plainBody } from './representation.js';
import { knowsGroup } from './resource-request.js';
import { baseHeaders, jsonType, send, sendJson, sendText } from './respond.js';

export interface OtherServer {
  readonly table: ResourceTable;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  /** Undefined: there is no document at this path. */
  readonly openId: (path: string) => Promise<OpenIdDocument | undefined>;
  readonly checks: readonly HealthCheck[];
  readonly version: object;
  /** Told why a health check failed. */
  readonly reportHealth: (name: string, error: unknown) => void;
}

/** Paths that need no credentials: a load balancer has none. */
const publicPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);

export const isPublic = (path: string): boolean => publicPaths.has(path);

const notFoundText = '404 page not found\n';

export const sendNotFoundPage = (exchange: Exchange): Promise<void> | undefined =>
  sendText(exchange, 404, notFoundText);

export async function serveOther(server: OtherServer, exchange: Exchange): Promise<void> {
  const path = exchange.info.path.length > 1 ? exchange.info.path.replace(/\/$/, '') : '/';
  const [, first = '', ...rest] = path.split('/');
  switch (first) {
    case '':
      if (exchange.info.path !== '/') break;
      mustRead(exchange);
      await send(exchange, 200, plainBody(exchange, { paths: allPaths(server) }));
      return;
    case 'api':
    case 'apis':
      await serveDiscovery(server, exchange, path);
      return;
    case 'healthz':
    case 'livez':
    case 'readyz':
      await serveHealth(server, exchange, first, rest.join('/'));
      return;
    case 'version':
      if (rest.length > 0) break;
      mustRead(exchange);
      await send(exchange, 200, plainBody(exchange, server.version));
      return;
    case 'openapi':
      if (await serveOpenApi(server, exchange, rest)) return;
      break;
    case '.well-known':
    case 'openid':
      if (await serveOpenId(server, exchange, path)) return;
      break;
    default:
  }
  await sendNotFoundPage(exchange);
}

function mustRead({ request }: Exchange): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
}

async function serveHealth(
  server: OtherServer,
  exchange: Exchange,
  endpoint: HealthEndpoint,
  name: string,
): Promise<void> {
  const { status, text } = await health(server.checks, endpoint, name, exchange.query, server.reportHealth);
  await sendText(exchange, status, text);
}

async function serveDiscovery(server: OtherServer, exchange: Exchange, path: string): Promise<void> {
  const { discovery, table } = server;
  const legacy = discovery.legacy(path);
  if (legacy === undefined) {
    const group = path.startsWith('/apis/') ? (path.split('/')[2] ?? '') : '';
    if (knowsGroup(table, group)) throw noSuchResource();
    await sendNotFoundPage(exchange);
    return;
  }
  mustRead(exchange);
  const accepted = negotiate(exchange.request.headers.accept);
  const shape = accepted.find(({ shape }) => shape === 'object' || shape === 'discovery');
  if ((path === '/api' || path === '/apis') && shape?.shape === 'discovery') {
    const { json, etag } = discovery.aggregated(path, shape.version);
    const contentType = `${jsonType};g=apidiscovery.k8s.io;v=${shape.version};as=APIGroupDiscoveryList`;
    await sendDocument(exchange, { bytes: json, contentType, etag });
    return;
  }
  if (shape?.media === 'yaml' || shape?.pretty) {
    await send(exchange, 200, plainBody(exchange, JSON.parse(legacy.json.toString()) as object));
    return;
  }
  await sendJson(exchange, 200, legacy.json, { vary: 'Accept' });
}

/** 304 where the client has it already. */
function sendDocument(
  exchange: Exchange,
  { bytes, contentType, etag }: OpenApiDocument,
): Promise<void> | undefined {
  const headers = { etag, vary: 'Accept' };
  const known = exchange.request.headers['if-none-match'];
  if (known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    exchange.response.writeHead(304, { ...baseHeaders(exchange, contentType), ...headers });
    exchange.response.end();
    return undefined;
  }
  return send(exchange, 200, { contentType, bytes: bytes.length, content: bytes }, headers);
}

/** False where there is no such document. */
async function serveOpenApi(
  { openApi }: OtherServer,
  exchange: Exchange,
  path: readonly string[],
): Promise<boolean> {
  const [version, ...rest] = path;
  if (version === 'v2' && rest.length === 0) {
    mustRead(exchange);
    const form = formOfV2(exchange.request.headers.accept);
    if (form === undefined) await send(exchange, 406, nothing);
    else await sendDocument(exchange, await openApi.v2(form));
    return true;
  }
  if (version !== 'v3') return false;
  const document = await (rest.length === 0 ? openApi.v3Index() : openApi.v3(rest.join('/')));
  if (document === undefined) return false;
  mustRead(exchange);
  // Only JSON: 406 where the client takes nothing but protobuf.
  negotiate(exchange.request.headers.accept);
  await sendDocument(exchange, document);
  return true;
}

const nothing = { contentType: 'text/plain; charset=utf-8', bytes: 0, content: Buffer.alloc(0) };

/** False where there is no such document. */
async function serveOpenId({ openId }: OtherServer, exchange: Exchange, path: string): Promise<boolean> {
  const document = await openId(path);
  if (document === undefined) return false;
  mustRead(exchange);
  const { contentType, json } = document;
  const headers = { 'cache-control': `public, max-age=${openIdMaxAgeSeconds}` };
  await send(exchange, 200, { contentType, bytes: json.length, content: json }, headers);
  return true;
}

function allPaths({ discovery, openApi, checks }: OtherServer): string[] {
  const paths = [
    ...discovery.paths(),
    openIdConfigurationPath,
    keySetPath,
    '/openapi/v2',
    '/openapi/v3',
    ...openApi.v3Paths().map((path) => `/openapi/v3/${path}`),
    '/version',
  ];
  for (const endpoint of healthEndpoints) {
    paths.push(`/${endpoint}`);
    for (const { name, of } of checks) {
      if (of?.includes(endpoint) ?? true) paths.push(`/${endpoint}/${name}`);
    }
  }
  return paths.sort();
}
