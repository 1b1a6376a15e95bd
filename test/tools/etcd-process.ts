/** An etcd as a process of its own: `wherry etcd`, or whatever takes etcd's flags. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';

const wherry = fileURLToPath(new URL('../../../dist/bundle/wherry.js', import.meta.url));
const readyMsMax = 30_000;

export interface EtcdProcess {
  /** Where clients connect. */
  readonly url: string;
  /** host:port */
  readonly address: string;
  readonly process: ChildProcess;
  /** SIGTERM, or another signal; its data stay until `remove`. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  remove(): Promise<void>;
  /** Ends it and removes its data, at once. */
  discard(): void;
}

export interface EtcdOptions {
  /** One of its own when absent. */
  readonly dataDir?: string;
  /** Client port; a free one when absent. */
  readonly port?: number;
  /** https: with certificates among the arguments. */
  readonly scheme?: 'http' | 'https';
  readonly args?: readonly string[];
}

/** `wherry etcd`; waits until it is healthy. */
export const startWherryEtcd = (options: EtcdOptions = {}) =>
  startEtcdProcess([process.execPath, wherry, 'etcd'], options);

export async function startEtcdProcess(
  [command = '', ...first]: readonly string[],
  options: EtcdOptions,
): Promise<EtcdProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'wherry-etcd-')));
  const address = `127.0.0.1:${options.port ?? (await freePort())}`;
  const url = `${options.scheme ?? 'http'}://${address}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    command,
    [
      first,
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
    child.ref();
    child.kill(signal);
    await exited;
  };
  if (options.scheme !== 'https') await untilHealthy(url, child);
  return {
    url,
    address,
    process: child,
    stop,
    remove: () => rm(dataDir, { recursive: true, force: true }),
    discard() {
      child.kill('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  const isHealthy = () =>
    fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
  const deadline = Date.now() + readyMsMax;
  while (!(await isHealthy())) {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`etcd is not healthy after ${readyMsMax} ms`);
    }
    await sleep(20);
  }
}
