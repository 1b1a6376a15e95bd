/** The two servers under measurement. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../process.js';

export type StoreName = 'etcd' | 'wherry';

export interface Store {
  readonly name: StoreName;
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first good answer of /health. */
  readonly startMs: number;
  stop(): Promise<void>;
}

const command = fileURLToPath(new URL('../../bundle/wherry.js', import.meta.url));
const READY_MS_MAX = 30_000;
const POLL_MS = 5;
/** Bytes: room for what is never compacted here. */
const QUOTA_BYTES = 8 * 2 ** 30;

export function etcdVersion(): string | undefined {
  const { status, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /etcd Version: (\S+)/.exec(stdout)?.[1] : undefined;
}

/** A cluster of one, ready to serve. */
export async function startStore(name: StoreName, dataDir: string): Promise<Store> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const flags = [
    ['--data-dir', dataDir],
    ['--listen-client-urls', url],
    ['--advertise-client-urls', url],
    ['--listen-peer-urls', peerUrl],
    ['--initial-advertise-peer-urls', peerUrl],
    ['--initial-cluster', `default=${peerUrl}`],
    ['--log-level', 'error'],
    ['--quota-backend-bytes', String(QUOTA_BYTES)],
  ].flat();
  const [program, args]: [string, string[]] =
    name === 'etcd'
      ? ['etcd', ['--logger', 'zap', ...flags]]
      : [process.execPath, [command, 'etcd', ...flags]];
  const began = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}`);
    if (performance.now() - began > READY_MS_MAX) throw new Error(`${name} is not ready`);
    await sleep(POLL_MS);
  }
  return {
    name,
    pid: child.pid ?? 0,
    port,
    startMs: performance.now() - began,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const isHealthy = (url: string) =>
  fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
