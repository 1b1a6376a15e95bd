/** The API server over a store, with all that goes with it: registries, admission, credentials, ports, controllers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { defaultAdmission } from '../apiserver/admission/index.js';
import type { AdmissionPlugin } from '../apiserver/admission/plugin.js';
import { defaultAllocators } from '../apiserver/allocation/index.js';
import { allowAll } from '../apiserver/auth/authorize.js';
import { reviewAnswers } from '../apiserver/auth/reviews.js';
import { ServiceAccountTokens } from '../apiserver/auth/service-account-tokens.js';
import { bootstrapLists } from '../apiserver/bootstrap/index.js';
import { Compactor } from '../apiserver/compactor.js';
import { componentHealth, type StoreProbe } from '../apiserver/component-status.js';
import {
  AddressRepair,
  BootstrapObjects,
  ControllerManager,
  LeasedServers,
  SystemObjects,
  clusterAuthentication,
  controllersNamed,
  flowSchemaStatus,
  leaseLeadership,
  onlyServer,
} from '../apiserver/controllers/index.js';
import type { Controller } from '../apiserver/controllers/controller.js';
import { decodeStoredProtobuf } from '../apiserver/http/serializers/index.js';
import { type Registries, createRegistries } from '../apiserver/registry/index.js';
import { DEFAULT_ROOT } from '../apiserver/registry/keys.js';
import type { ResourceTable } from '../apiserver/registry/types.js';
import { createApiServer } from '../apiserver/server.js';
import { builtinResources } from '../schemas/index.js';
import type { EtcdClient } from '../storage/client/interface.js';
import { advertisedAddress } from './advertise.js';
import { plainUrl, secureUrl } from './announce.js';
import { version } from './bundle.js';
import type { LogLevel } from './flags.js';
import { kubeconfig } from './kubeconfig.js';
import { type Certificates, loadCertificates, writePrivate } from './pki/certificates.js';
import type { ServiceAccountFlags } from './service-account-flags.js';
import type { ServiceFlags } from './service-flags.js';
import { tokenKeysOf } from './token-keys.js';

/** As the command line gives them. */
export interface ApiServerFlags extends ServiceAccountFlags, ServiceFlags {
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly bindAddress: string;
  /** Plain HTTP on loopback; 0: off. */
  readonly port: number;
  /** HTTPS; 0: off. */
  readonly securePort: number;
  /** Names of the controllers to run. */
  readonly controllers: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
  /** Milliseconds of history that the store keeps at least; 0: all. */
  readonly etcdCompactionInterval: number;
}

export interface ApiServerParts {
  readonly client: EtcdClient;
  readonly logger: Logger;
  /** For the kubeconfig and the certificates: absolute. */
  readonly folder: string;
  /** What all keys begin with, without a slash at its end; `/registry` when absent. */
  readonly keyRoot?: string;
  /** Takes what must be closed, in the order in which it was opened. */
  readonly closers: (() => Promise<void> | void)[];
  /** Of one of several servers over this store: whoever holds the lease runs the controllers. Absent: it is alone. */
  readonly identity?: string;
  /** One for each server of the store; absent: it is this process's own. */
  readonly stores?: readonly StoreProbe[];
}

/**
 * What nobody waits for begins so long after the server is ready, in milliseconds: who has waited for that asks something at
 * once, and would wait for all of it. First answers come 85 ms sooner.
 */
const BEHIND_MS = 50;

/** What the service `kubernetes` leads to where the secure port is off. */
const USUAL_SECURE_PORT = 6443;
/** The kubeconfig's one. */
const CONTEXT = 'wherry';

/** Listens, and resolves when the server is ready, which where members are missing is when they are there. */
export async function startApiServer(options: ApiServerFlags, parts: ApiServerParts): Promise<void> {
  const { client, logger, folder, closers, identity, keyRoot = DEFAULT_ROOT } = parts;
  const { registries, tokens } = registriesOver(options, parts);
  closers.push(() => registries.close());
  const { table } = registries;
  // Who is alone is ready as soon as it can be reached; who needs others says meanwhile that it is not ready.
  const isAlone = identity === undefined;
  const own = advertisedAddress(options);
  const systemObjects = new SystemObjects({
    table,
    logger,
    securePort: options.securePort || USUAL_SECURE_PORT,
    cidr: options.serviceClusterIpRange,
    servers: isAlone ? onlyServer(own) : new LeasedServers({ client, keyRoot, own }),
  });
  const { server: pair, authority } = await writeCredentials(options, folder);
  const server = await createApiServer({
    registries,
    tokens,
    client,
    bindAddress: options.bindAddress,
    port: options.port || undefined,
    securePort: options.securePort || undefined,
    tls: { key: pair.key, cert: pair.cert, clientCa: authority.cert },
    corsAllowedOrigins: options.corsAllowedOrigins,
    logger,
    version,
    checks: [systemObjects.check],
  });
  closers.push(() => systemObjects.stop());
  if (isAlone) await systemObjects.start();
  closers.push(() => server.close());
  await server.listen();
  if (!isAlone) await systemObjects.start();
  const timer = setTimeout(
    () => startBehind({ options, parts, registries, systemObjects, tokens, authority }),
    BEHIND_MS,
  );
  closers.push(() => clearTimeout(timer));
}

interface Behind extends Resources {
  readonly options: ApiServerFlags;
  readonly parts: ApiServerParts;
  readonly systemObjects: SystemObjects;
  readonly authority: Certificates['authority'];
}

/** What the server does behind its answers. */
function startBehind({ options, parts, registries, systemObjects, tokens, authority }: Behind): void {
  const { client, logger, closers, identity } = parts;
  const { table } = registries;
  systemObjects.register();
  const compactor = new Compactor({
    client,
    logger,
    intervalMs: options.etcdCompactionInterval,
    onCompacted: (revision) => registries.compacted(revision),
  });
  compactor.start();
  closers.push(() => compactor.stop());
  const manager = new ControllerManager({
    table,
    logger,
    controllers: controllersNamed(options.controllers, { authority: authority.cert, tokens }),
    ...(identity !== undefined && { leadership: leaseLeadership({ table, logger, identity }) }),
  });
  manager.start();
  closers.push(() => manager.stop());
  const isSecure = options.securePort !== 0;
  startOwnObjects(parts, table, [
    flowSchemaStatus,
    ...(isSecure ? [clusterAuthentication(authority.cert)] : []),
  ]);
}

/** What every server does for itself, whichever controllers run, and which nobody waits for. */
function startOwnObjects(
  { logger, closers }: ApiServerParts,
  table: ResourceTable,
  controllers: readonly Controller[],
): void {
  const own = new ControllerManager({ table, logger, controllers });
  const objects = new BootstrapObjects({ table, logger, lists: bootstrapLists });
  const repair = new AddressRepair({ table, logger });
  closers.push(() => own.stop());
  closers.push(() => objects.stop());
  closers.push(() => repair.stop());
  void objects.start();
  own.start();
  repair.start();
}

interface Resources {
  readonly registries: Registries;
  readonly tokens: ServiceAccountTokens;
}

function registriesOver(
  options: ApiServerFlags,
  { client, logger, keyRoot = DEFAULT_ROOT, ...parts }: ApiServerParts,
): Resources {
  const stores = parts.stores ?? [(timeout: number) => client.currentRevision({ timeout })];
  const admission: AdmissionPlugin[] = [];
  // Tokens and plugins look things up in the very registries that they guard.
  const later = {
    get table() {
      return registries.table;
    },
  };
  const tokens = new ServiceAccountTokens({
    registries: later,
    keys: tokenKeysOf(options, client, keyRoot),
    issuers: options.serviceAccountIssuer,
    audiences: options.apiAudiences,
  });
  const registries = createRegistries({
    client,
    definitions: builtinResources,
    keyRoot,
    allocators: defaultAllocators({
      client,
      keyRoot,
      registries: later,
      cidr: options.serviceClusterIpRange,
      nodePorts: options.serviceNodePortRange,
    }),
    admission,
    answers: reviewAnswers({ authorizer: allowAll, tokens }),
    computed: new Map([['/componentstatuses', componentHealth({ stores })]]),
    decodeValue: decodeStoredProtobuf,
    onError: (error, what) => logger.error({ err: error }, what),
  });
  admission.push(...defaultAdmission(registries));
  return { registries, tokens };
}

/** Writes the kubeconfig, after the certificates it holds; only once the data directory's lock is ours. */
async function writeCredentials(options: ApiServerFlags, folder: string): Promise<Certificates> {
  const certificates = await loadCertificates({
    folder: join(folder, 'pki'),
    bindAddress: options.bindAddress,
    now: Date.now(),
  });
  const secure = secureUrl(options);
  const text =
    secure === undefined
      ? kubeconfig({ servers: [{ name: CONTEXT, url: plainUrl(options) ?? '' }] })
      : kubeconfig({ servers: [{ name: CONTEXT, url: secure }], certificates });
  const file = join(folder, 'kubeconfig');
  const old = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== old) await writePrivate(file, text);
  return certificates;
}
