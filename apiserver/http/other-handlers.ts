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
import { sendDiscovery } from './discovery-answers.js';
import type { Exchange } from './exchange.js';
import { type HealthCheck, type HealthEndpoint, health, healthEndpoints } from './health.js';
import { jsonOnly, jsonRoute, negotiable, negotiate } from './negotiation.js';
import { formOfV2, type OpenApi, type OpenApiDocument } from './openapi-documents.js';
import { knowsGroup } from './resource-request.js';
import { send, sendDocument, sendJson, sendText } from './respond.js';

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
      await sendForPeople(exchange, { paths: allPaths(server) });
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
      negotiate(exchange.request.headers.accept, jsonRoute);
      await sendForPeople(exchange, server.version);
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

/** As upstream shows what is no object: always for people. */
const sendForPeople = (exchange: Exchange, value: object) =>
  sendJson(exchange, 200, Buffer.from(JSON.stringify(value, null, 2)));

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
  if (discovery.legacy(path) !== undefined) {
    mustRead(exchange);
    await sendDiscovery(exchange, discovery, path);
    return;
  }
  const group = path.startsWith('/apis/') ? (path.split('/')[2] ?? '') : '';
  if (knowsGroup(table, group)) throw noSuchResource();
  await sendNotFoundPage(exchange);
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
  if (negotiable(exchange.request.headers.accept, jsonOnly) === undefined) await send(exchange, 406, nothing);
  else await (rest.length === 0 ? sendDocument(exchange, document) : sendVersioned(exchange, document));
  return true;
}

/**
 * Clients that name a document by its hash may keep it for ever; who names another one's is sent to the present one.
 * Without a hash it is a document like any other.
 */
function sendVersioned(exchange: Exchange, document: OpenApiDocument): Promise<void> | undefined {
  const asked = exchange.query.get('hash') ?? '';
  if (asked === '') return sendDocument(exchange, document);
  const { etag, contentType } = document;
  const hash = etag.slice(1, -1);
  if (asked !== hash) {
    const headers = {
      etag,
      vary: 'Accept',
      location: `${exchange.info.path.replace(/\/$/, '')}?hash=${hash}`,
    };
    return send(exchange, 301, { ...nothing, contentType }, headers);
  }
  const expires = new Date();
  expires.setUTCFullYear(expires.getUTCFullYear() + 1);
  return sendDocument(exchange, document, {
    'cache-control': 'public, immutable',
    expires: expires.toUTCString(),
  });
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
