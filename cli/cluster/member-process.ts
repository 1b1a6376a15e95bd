/** One member as a child process: started, started again when it dies, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartupError } from '../startup-error.js';
import { SUPERVISED_VARIABLE, type MemberMessage } from '../supervised.js';

/** Pauses before a member that has died is started again. */
const RESTART_MS_FIRST = 1000;
const RESTART_MS_MAX = 30_000;
/** A member that has run for so long has recovered: the next pause is the first again. */
const STABLE_MS = 60_000;
/** What has not stopped by then is killed. */
const STOP_MS_MAX = 2000;

export interface MemberProcessOptions {
  readonly name: string;
  /** Behind the program's own path. */
  readonly args: readonly string[];
  readonly logger: Logger;
  /** Takes a line of the member's own log. */
  readonly onLine: (line: string) => void;
}

type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class MemberProcess {
  readonly #options: MemberProcessOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> = Promise.resolve();
  /** The last line that it has complained with. */
  #complaint = '';
  #removed = false;

  constructor(options: MemberProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it serves for the first time. Rejects with StartupError when it ends before that. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#keepRunning(resolve, reject);
    });
  }

  /** Resolves when the process has gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    child?.kill('SIGTERM');
    const late = setTimeout(() => child?.kill('SIGKILL'), STOP_MS_MAX);
    await this.#running;
    clearTimeout(late);
  }

  async #keepRunning(onReady: () => void, onFailure: (error: Error) => void): Promise<void> {
    const { name, logger } = this.#options;
    const { signal } = this.#stopping;
    let pauseMs = RESTART_MS_FIRST;
    let wasReady = false;
    while (!signal.aborted) {
      const begun = performance.now();
      const ending = await this.#runOnce(() => {
        wasReady = true;
        onReady();
      });
      if (signal.aborted) return;
      if (this.#removed) {
        logger.warn({ member: name }, `${name} was removed from the cluster and is not started again`);
        return onReady();
      }
      if (!wasReady)
        return onFailure(new StartupError(`${name} did not start: ${this.#complaint || how(ending)}`));
      if (performance.now() - begun > STABLE_MS) pauseMs = RESTART_MS_FIRST;
      logger.warn(
        { member: name },
        `${name} has ended (${how(ending)}) and is started again in ${pauseMs / 1000} s`,
      );
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, RESTART_MS_MAX);
    }
  }

  #runOnce(onReady: () => void): Promise<Ending> {
    const { args, name, logger, onLine } = this.#options;
    const program = process.argv[1] ?? '';
    const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environment(),
      // Ctrl-C is for the supervisor, which stops the members in its own way.
      detached: true,
    });
    this.#child = child;
    if (child.stdout !== null) createInterface(child.stdout).on('line', onLine);
    if (child.stderr !== null) {
      createInterface(child.stderr).on('line', (line) => {
        this.#complaint = line.replace(/^wherry: /, '');
        logger.error({ member: name }, this.#complaint);
      });
    }
    child.on('message', (message: MemberMessage) => {
      if (message === 'ready') onReady();
      else this.#removed = true;
    });
    return new Promise((resolve) => {
      child.once('error', () => resolve({ code: null, signal: null }));
      // By then its last lines have been read.
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }
}

function how({ code, signal }: Ending): string {
  return signal === null ? `exit code ${code}` : signal;
}

/** The members' flags are given one by one; what the supervisor's environment says of its own must not reach them. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WHERRY_'));
  return { ...Object.fromEntries(own), [SUPERVISED_VARIABLE]: '1' };
}
