/**
 * The life of a server's process: it starts, tells that it is ready, and runs until a signal or a failure ends it. What
 * was opened is closed the other way round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { explain, type Ports } from './explain.js';
import { collectWhenIdle } from './idle-memory.js';
import { type LogOptions, createLogger } from './logger.js';
import { onSupervisorGone, tellSupervisor } from './supervised.js';

export interface Surroundings {
  readonly logger: Logger;
  /** Standard output is one: a person reads it. */
  readonly terminal: boolean;
  /** What must be closed, in the order in which it was opened. */
  readonly closers: (() => Promise<void> | void)[];
  /** The server cannot go on. */
  readonly onFatal: (error: Error) => void;
}

export interface RunOptions extends Ports, LogOptions {
  /** What has not stopped by then is left behind. */
  readonly stopMsMax?: number;
}

/** A server ends within a second. */
const STOP_MS_MAX = 900;
/** So long what was opened later is waited for before the next is closed, too: it may wait for that one itself. */
const PATIENCE_MS = 500;
const EXIT_STOPPED = 0;
const EXIT_FAILED = 1;

/**
 * Resolves after a clean stop. Throws `StartupError` or `UsageError` with a line for the user, also when the server fails
 * later. `start` resolves when it is ready, which may take until others are there: it can be stopped meanwhile.
 */
export async function run(
  options: RunOptions,
  start: (surroundings: Surroundings) => Promise<void>,
): Promise<void> {
  const terminal = process.stdout.isTTY;
  const logger = createLogger(options, terminal);
  const failure = reportedFailure();
  const end = Promise.race([stopRequest(), failure.reported]);
  const surroundings: Surroundings = { logger, terminal, closers: [], onFatal: failure.report };
  try {
    const starting = start(surroundings).then(() => tellSupervisor('ready'));
    await Promise.race([starting, end]);
    collectWhenIdle();
    logger.info({ signal: await end }, 'stopping');
  } catch (error) {
    await closeAll(surroundings, EXIT_FAILED, options.stopMsMax);
    throw explain(error, options);
  }
  await closeAll(surroundings, EXIT_STOPPED, options.stopMsMax);
}

interface ReportedFailure {
  readonly report: (error: Error) => void;
  readonly reported: Promise<never>;
}

function reportedFailure(): ReportedFailure {
  let report: ReportedFailure['report'] | undefined;
  const reported = new Promise<never>((_resolve, reject) => (report = reject));
  // It may come while nobody waits for it yet.
  reported.catch(() => undefined);
  return { reported, report: (error) => report?.(error) };
}

/** Resolves on the first SIGINT or SIGTERM, or when the supervisor has gone. A second signal ends the process at once. */
function stopRequest(): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(EXIT_FAILED);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    onSupervisorGone(() => resolve('the supervisor has gone'));
  });
}

async function closeAll(
  { closers, logger }: Surroundings,
  exitCode: number,
  stopMsMax = STOP_MS_MAX,
): Promise<void> {
  const deadline = setTimeout(() => {
    logger.warn('something did not stop in time and is left behind');
    process.exit(exitCode);
  }, stopMsMax);
  const patience = sleep(PATIENCE_MS, undefined, { ref: false });
  const closing: Promise<void>[] = [];
  for (const close of closers.toReversed()) {
    const closed = closeOne(close, logger);
    closing.push(closed);
    await Promise.race([closed, patience]);
  }
  await Promise.all(closing);
  clearTimeout(deadline);
}

async function closeOne(close: () => Promise<void> | void, logger: Logger): Promise<void> {
  try {
    await close();
  } catch (error) {
    logger.error({ err: error }, 'failed to stop cleanly');
  }
}
