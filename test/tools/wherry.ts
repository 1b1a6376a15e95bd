/** Runs the real command as its own process, as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Backend, chosenBackend, removeStore, storeOf } from './backend.js';
import { freePort } from './free-port.js';

export { freePort } from './free-port.js';

/** Root of the checkout: tests run from dist/test/… */
export const repository = fileURLToPath(new URL('../../../', import.meta.url));
const command = join(repository, 'dist/bundle/wherry.js');
const readyMsMax = 30_000;

export async function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `wherry-${name}-`));
}

export interface WherryOptions {
  /** What it stores in; what WHERRY_TEST_BACKEND says when absent. */
  readonly backend?: Backend;
  /** The command and its own flags, in place of what the backend asks for. */
  readonly command?: readonly string[];
  /** A folder of its own, removed on stop, when absent. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly port?: number;
  readonly securePort?: number;
}

export interface Wherry {
  /** Of the plain port. */
  readonly url: string;
  readonly secureUrl: string;
  readonly port: number;
  readonly securePort: number;
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** SIGTERM, or another signal; resolves with the exit code when the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts an API server and waits until it is ready. */
export async function startWherry(options: WherryOptions = {}): Promise<Wherry> {
  const wherry = await spawnWherry(options);
  await untilReady(wherry);
  return wherry;
}

/** `serve`, or `apiserver` on a store of its own that outlives it, as long as its data directory is used. */
async function commandOver(backend: Backend, dataDir: string): Promise<string[]> {
  if (backend === 'embedded') return ['serve'];
  return ['apiserver', '--etcd-servers', await storeOf(backend, dataDir)];
}

/** Starts an API server without waiting for anything of it. */
export async function spawnWherry(options: WherryOptions = {}): Promise<Wherry> {
  const dataDir = options.dataDir ?? (await temporaryFolder('data'));
  const port = options.port ?? (await freePort());
  const securePort = options.securePort ?? (await freePort());
  const start = options.command ?? (await commandOver(options.backend ?? chosenBackend(), dataDir));
  const args = [...start, '--data-dir', dataDir, '--port', `${port}`, '--secure-port', `${securePort}`];
  const child = spawn(process.execPath, [command, ...args, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    url: `http://127.0.0.1:${port}`,
    secureUrl: `https://127.0.0.1:${securePort}`,
    port,
    securePort,
    dataDir,
    kubeconfig: join(dataDir, 'kubeconfig'),
    process: child,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const code = await exited;
      if (options.dataDir === undefined) {
        await removeStore(dataDir);
        await rm(dataDir, { recursive: true, force: true });
      }
      return code;
    },
  };
}

/** Waits for the first 200 of /readyz. Ends the process and throws if there is none in time. */
export async function untilReady(wherry: Wherry, msMax = readyMsMax): Promise<void> {
  const deadline = Date.now() + msMax;
  while (Date.now() < deadline) {
    const ready = await fetch(`${wherry.url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    // Asked after it: what answered may be another server, which has the port in place of this one.
    const { exitCode, signalCode } = wherry.process;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`wherry ended with ${exitCode ?? signalCode}: ${wherry.output()}`);
    }
    if (ready) return;
    await sleep(20);
  }
  wherry.process.kill('SIGKILL');
  throw new Error(`wherry is not ready after ${msMax} ms: ${wherry.output()}`);
}
