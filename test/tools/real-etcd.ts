/** A real etcd as a process of its own, where one is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, temporaryFolder } from './wherry.js';

const readyMsMax = 30_000;

/** Why tests with a real etcd cannot run here, or false. */
export const etcdMissing: string | false =
  spawnSync('etcd', ['--version']).status === 0 ? false : 'etcd is not installed';

export interface RealEtcd {
  readonly url: string;
  /** host:port */
  readonly address: string;
  readonly process: ChildProcess;
  /** SIGTERM, or another signal; its data stay until `remove`. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  remove(): Promise<void>;
}

export interface RealEtcdOptions {
  /** One of its own when absent. */
  readonly dataDir?: string;
  /** Client port; a free one when absent. */
  readonly port?: number;
  readonly args?: readonly string[];
}

/** Starts one and waits until it is healthy. */
export async function startEtcd(options: RealEtcdOptions = {}): Promise<RealEtcd> {
  const dataDir = options.dataDir ?? (await temporaryFolder('etcd'));
  const address = `127.0.0.1:${options.port ?? (await freePort())}`;
  const url = `http://${address}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'etcd',
    [
      ['--data-dir', dataDir],
      ['--listen-client-urls', url],
      ['--advertise-client-urls', url],
      ['--listen-peer-urls', peerUrl],
      ['--initial-advertise-peer-urls', peerUrl],
      ['--initial-cluster', `default=${peerUrl}`],
      options.args ?? [],
    ].flat(),
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    await exited;
  };
  const isHealthy = () =>
    fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
  const deadline = Date.now() + readyMsMax;
  while (!(await isHealthy())) {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
    if (Date.now() > deadline) {
      await stop('SIGKILL');
      throw new Error(`etcd is not healthy after ${readyMsMax} ms`);
    }
    await sleep(50);
  }
  return {
    url,
    address,
    process: child,
    stop,
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}
