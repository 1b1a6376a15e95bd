/**
 * `wherry serve`: puts the layers together and runs until it is told to stop. Started from the bottom up: the store
 * (which takes the data directory's lock), what exists from the start, the ports, the controllers; stopped the other
 * way round.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { defaultAdmission } from '../apiserver/admission/index.js';
import type { AdmissionPlugin } from '../apiserver/admission/plugin.js';
import { defaultAllocators } from '../apiserver/allocation/index.js';
import { allowAll } from '../apiserver/auth/authorize.js';
import { reviewAnswers } from '../apiserver/auth/reviews.js';
import { ControllerManager, SystemObjects, controllersNamed } from '../apiserver/controllers/index.js';
import { type Registries, createRegistries } from '../apiserver/registry/index.js';
import { createApiServer } from '../apiserver/server.js';
import { builtinResources } from '../schemas/index.js';
import type { EtcdClient } from '../storage/client/interface.js';
import { openStore } from '../storage/open.js';
import { logReady, plainUrl, readyText, secureUrl } from './announce.js';
import { version, workerUrls } from './bundle.js';
import { openDataDirectory } from './data-directory.js';
import { explain } from './explain.js';
import type { LogLevel } from './flags.js';
import { kubeconfig } from './kubeconfig.js';
import { createLogger } from './logger.js';
import { type Certificates, loadCertificates, writePrivate } from './pki/certificates.js';

export interface ServeOptions {
  readonly dataDir: string;
  readonly bindAddress: string;
  /** Plain HTTP on loopback; 0: off. */
  readonly port: number;
  /** HTTPS; 0: off. */
  readonly securePort: number;
  /** Names of the controllers to run. */
  readonly controllers: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
  /** The store's, in bytes. */
  readonly maxRequestBytes: number;
  /** The store's. */
  readonly maxTxnOps: number;
  readonly logLevel: LogLevel;
}

interface Surroundings {
  readonly logger: Logger;
  /** What must be closed, in the order in which it was opened. */
  readonly closers: (() => Promise<void> | void)[];
  /** The store cannot go on. */
  readonly onFatal: (error: Error) => void;
}

/** What the service `kubernetes` leads to where the secure port is off. */
const USUAL_SECURE_PORT = 6443;
/** What has not stopped by then is left behind: the process ends within a second. */
const STOP_MS_MAX = 900;
const EXIT_STOPPED = 0;
const EXIT_FAILED = 1;

/** Resolves after a clean stop. Throws `StartupError` with a line for the user, also when the store fails later. */
export async function serve(options: ServeOptions): Promise<void> {
  const terminal = process.stdout.isTTY;
  const logger = createLogger(options.logLevel, terminal);
  const stopped = stopSignal();
  const fatal = fatalError();
  const surroundings = { logger, closers: [], onFatal: fatal.report };
  try {
    const kubeconfigFile = await start(options, surroundings);
    const reach = { ...options, kubeconfig: kubeconfigFile };
    if (terminal) process.stdout.write(readyText(reach));
    else logReady(reach, logger);
    logger.info({ signal: await Promise.race([stopped, fatal.reported]) }, 'stopping');
  } catch (error) {
    await closeAll(surroundings, EXIT_FAILED);
    throw explain(error, options);
  }
  await closeAll(surroundings, EXIT_STOPPED);
}

/** Gives the kubeconfig's path once the server is ready. */
async function start(options: ServeOptions, { logger, closers, onFatal }: Surroundings): Promise<string> {
  const directory = await openDataDirectory(options.dataDir);
  closers.push(() => directory.close());
  const store = await openStore({
    dataDir: directory.store,
    workerUrls: workerUrls(),
    requestBytesMax: options.maxRequestBytes,
    txnOpsMax: options.maxTxnOps,
    logger,
    onFatal,
  });
  closers.push(() => store.close());
  const { client } = store;
  const registries = registriesOver(client, logger);
  closers.push(() => registries.close());
  const { table } = registries;
  const systemObjects = new SystemObjects({
    table,
    logger,
    securePort: options.securePort || USUAL_SECURE_PORT,
  });
  closers.push(() => systemObjects.stop());
  const certificates = await writeCredentials(options, directory.files);
  await systemObjects.start();
  const { server: pair, authority } = certificates;
  const server = await createApiServer({
    registries,
    client,
    bindAddress: options.bindAddress,
    port: options.port || undefined,
    securePort: options.securePort || undefined,
    tls: { key: pair.key, cert: pair.cert, clientCa: authority.cert },
    corsAllowedOrigins: options.corsAllowedOrigins,
    logger,
    version,
  });
  closers.push(() => server.close());
  await server.listen();
  const manager = new ControllerManager({
    table,
    logger,
    controllers: controllersNamed(options.controllers),
  });
  manager.start();
  closers.push(() => manager.stop());
  return join(directory.files, 'kubeconfig');
}

function registriesOver(client: EtcdClient, logger: Logger): Registries {
  const admission: AdmissionPlugin[] = [];
  const registries = createRegistries({
    client,
    definitions: builtinResources,
    allocators: defaultAllocators({ client }),
    admission,
    answers: reviewAnswers(allowAll),
    onError: (error, what) => logger.error({ err: error }, what),
  });
  // The plugins look things up in the very registries that they guard.
  admission.push(...defaultAdmission(registries));
  return registries;
}

/** Writes the kubeconfig, after the certificates it holds; only once the data directory's lock is ours. */
async function writeCredentials(options: ServeOptions, folder: string): Promise<Certificates> {
  const certificates = await loadCertificates({
    folder: join(folder, 'pki'),
    bindAddress: options.bindAddress,
    now: Date.now(),
  });
  const secure = secureUrl(options);
  const text =
    secure === undefined
      ? kubeconfig({ server: plainUrl(options) ?? '' })
      : kubeconfig({ server: secure, certificates });
  await writePrivate(join(folder, 'kubeconfig'), text);
  return certificates;
}

interface FatalError {
  readonly report: (error: Error) => void;
  readonly reported: Promise<never>;
}

function fatalError(): FatalError {
  let report: FatalError['report'] | undefined;
  const reported = new Promise<never>((_resolve, reject) => (report = reject));
  // It may come while nobody waits for it yet.
  reported.catch(() => undefined);
  return { reported, report: (error) => report?.(error) };
}

/** Resolves on the first SIGINT or SIGTERM. A second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(EXIT_FAILED);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

async function closeAll({ closers, logger }: Surroundings, exitCode: number): Promise<void> {
  const deadline = setTimeout(() => {
    logger.warn('something did not stop in time and is left behind');
    process.exit(exitCode);
  }, STOP_MS_MAX);
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error }, 'failed to stop cleanly');
    }
  }
  clearTimeout(deadline);
}
