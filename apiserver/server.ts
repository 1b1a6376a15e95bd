/** The API server as a whole: two ports, the chain of stages, and what it serves. */
import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EtcdClient } from '../storage/client/interface.js';
import { anyOf, type Authenticate, clientCertificate, loopbackAdministrator } from './auth/authenticate.js';
import { allowAll, type Authorizer } from './auth/authorize.js';
import { bearerToken } from './auth/bearer-token.js';
import type { ServiceAccountTokens } from './auth/service-account-tokens.js';
import { openIdDocument } from './auth/open-id.js';
import { createApplication } from './http/application.js';
import type { Stages } from './http/chain.js';
import { Core } from './http/core.js';
import { Discovery } from './http/discovery.js';
import type { RawRequest } from './http/exchange.js';
import { builtinChecks, checkMillisecondsMax, reportRarely, type HealthCheck } from './http/health.js';
import { shutdownMilliseconds } from './http/limits.js';
import {
  Connections,
  createPlain,
  createSecure,
  listen,
  type RequestListener,
  type TlsOptions,
} from './http/listeners.js';
import { OpenApi } from './http/openapi-documents.js';
import { isPublic } from './http/other-handlers.js';
import { parseRequestInfo } from './http/request-info.js';
import { checkHost, originRules } from './http/security.js';
import { versionInfo } from './http/version.js';
import { WatchPump } from './http/watch-pump.js';
import type { ResourceTable } from './registry/types.js';

export interface ApiServerOptions {
  readonly registries: { readonly table: ResourceTable };
  /** Asked by the check `etcd` whether it is well. */
  readonly client: Pick<EtcdClient, 'status' | 'currentRevision'>;
  /** Of the secure port; without it there is none. */
  readonly tls?: TlsOptions | undefined;
  /** Of the secure port. The plain port is on loopback, whatever this is. */
  readonly bindAddress: string;
  /** Undefined: no plain port. 0: any free one. */
  readonly port: number | undefined;
  /** Undefined: no secure port. 0: any free one. */
  readonly securePort: number | undefined;
  readonly corsAllowedOrigins?: readonly string[];
  readonly logger: Logger;
  /** Wherry's own version, for /version. */
  readonly version: string;
  /** Beside `ping`, `log` and `etcd`. */
  readonly checks?: readonly HealthCheck[];
  readonly tokens: ServiceAccountTokens;
  /** Tried before client certificates and bearer tokens. */
  readonly authenticators?: readonly Authenticate[];
  readonly authorizer?: Authorizer;
}

export interface ApiServer {
  readonly table: ResourceTable;
  /** Resolves with the ports, undefined for those that are off. Rejects when one is taken. */
  listen(): Promise<{ readonly port: number | undefined; readonly securePort: number | undefined }>;
  /** Ends watches in order, finishes what was accepted, closes all connections: within a second. */
  close(): Promise<void>;
}

const loopback = '127.0.0.1';

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { logger, tls, client, tokens } = options;
  const { table } = options.registries;
  const pump = new WatchPump((error) => logger.error({ err: error }, 'a watch failed'));
  let address = '';
  let closing = false;
  /** Connections of the plain port. */
  const local = new WeakSet<Socket>();
  const checks: readonly HealthCheck[] = [
    ...builtinChecks,
    // Alive is a server whose store answers; ready one whose store has a majority behind it.
    { name: 'etcd', of: ['livez'], check: async () => void (await client.status()) },
    {
      name: 'etcd',
      of: ['healthz', 'readyz'],
      check: async () => void (await client.currentRevision({ timeout: checkMillisecondsMax })),
    },
    ...(options.checks ?? []),
    {
      name: 'shutdown',
      of: ['readyz'],
      check: () => (closing ? Promise.reject(new Error('shutting down')) : undefined),
    },
  ];
  const core = new Core({
    logger,
    stages: stagesOf(options, (socket) => local.has(socket)),
    resources: { table, pump, tokens },
    others: {
      table,
      checks,
      discovery: new Discovery(table, () => address),
      openId: (path) => openIdDocument(tokens, address, path),
      openApi: new OpenApi(table),
      version: versionInfo(options.version),
      reportHealth: reportRarely((name, error) =>
        logger.warn({ err: error, check: name }, 'health check failed'),
      ),
    },
  });
  // Without a secure port Fastify still wants a server; it never listens.
  const create = (listener: RequestListener): Server =>
    tls === undefined ? createServer() : (createSecure(tls, listener) as unknown as Server);
  let secure: Server | undefined;
  const application = await createApplication(core, pump, (listener) => (secure = create(listener)));
  const plain = createPlain(application.listener);
  plain.on('connection', (socket: Socket) => local.add(socket));
  const connections = new Connections();
  for (const server of [plain, secure]) {
    if (server === undefined) continue;
    connections.watch(server);
    server.on('upgrade', application.upgrade);
  }
  return {
    table,
    async listen() {
      const securePort =
        tls === undefined || secure === undefined || options.securePort === undefined
          ? undefined
          : await listen(secure, options.securePort, options.bindAddress);
      const port = options.port === undefined ? undefined : await listen(plain, options.port, loopback);
      address = securePort === undefined ? `${loopback}:${port}` : `${options.bindAddress}:${securePort}`;
      return { port, securePort };
    },
    async close() {
      if (closing) return;
      closing = true;
      const deadline = performance.now() + shutdownMilliseconds;
      plain.close();
      secure?.close();
      pump.finishAll();
      connections.refuseMore();
      while (core.inFlight > 0 && performance.now() < deadline) await sleep(5);
      await connections.end(deadline);
      await application.close();
    },
  };
}

function stagesOf(options: ApiServerOptions, isLocal: (socket: Socket) => boolean): Stages {
  const { tls, corsAllowedOrigins = [], authenticators = [], tokens, logger } = options;
  const origins = originRules(corsAllowedOrigins);
  const isSecureName = tls === undefined ? never : certificateNames(tls.cert);
  const onRefused = (reason: string) => logger.debug({ reason }, 'a bearer token was refused');
  return {
    guard: (request) => {
      const isOurName = isLocal(request.socket) ? never : isSecureName;
      for (const host of hostsOf(request)) checkHost(host, isOurName);
      const { origin } = request.headers;
      return origin === undefined ? undefined : origins.allow(origin);
    },
    requestInfo: parseRequestInfo,
    // Who shows a token on the plain port is whom it says, and not the administrator.
    authenticate: anyOf([
      ...authenticators,
      clientCertificate(),
      bearerToken(tokens, onRefused),
      loopbackAdministrator(isLocal),
    ]),
    isPublic,
    authorizer: options.authorizer ?? allowAll,
  };
}

const never = () => false;

/** HTTP/2 has :authority in Host's place, and a client may send both. */
function hostsOf({ headers }: RawRequest): readonly (string | undefined)[] {
  const authority = headers[':authority'];
  if (typeof authority !== 'string') return [headers.host];
  return headers.host === undefined ? [authority] : [authority, headers.host];
}

/** Names that the certificate is for, and every address: nobody can make an address point elsewhere. */
function certificateNames(pem: string | Buffer): (name: string) => boolean {
  const certificate = new X509Certificate(pem);
  return (name) => isIP(name) !== 0 || certificate.checkHost(name) !== undefined;
}
