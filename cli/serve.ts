/**
 * `wherry serve`: puts the layers together and runs until it is told to stop. Started from the bottom up: the store
 * (which takes the data directory's lock), what exists from the start, the ports, the controllers; stopped the other
 * way round.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openStore } from '../storage/open.js';
import { logReady, readyText } from './announce.js';
import { workerUrls } from './bundle.js';
import { openDataDirectory } from './data-directory.js';
import { explain } from './explain.js';
import type { LogLevel } from './flags.js';
import { collectWhenIdle } from './idle-memory.js';
import { createLogger } from './logger.js';

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
    collectWhenIdle();
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
  const opening = openStore({
    dataDir: directory.store,
    workerUrls: workerUrls(),
    requestBytesMax: options.maxRequestBytes,
    txnOpsMax: options.maxTxnOps,
    // What it tells of a good start is not among the first lines that a user should see.
    logger: {
      debug: logger.trace.bind(logger),
      info: logger.debug.bind(logger),
      warn: logger.warn.bind(logger),
      error: logger.error.bind(logger),
    },
    onFatal,
  });
  // The larger part of the program, loaded here while the store's threads start.
  const [store, { startApiServer }] = await Promise.all([opening, import('./api-server.js')]);
  closers.push(() => store.close());
  await startApiServer(options, { client: store.client, logger, folder: directory.files, closers });
  return join(directory.files, 'kubeconfig');
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
