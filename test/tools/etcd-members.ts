/** Members of one cluster as processes of their own, of a real etcd or of `wherry etcd`, with the same flags. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, repository, temporaryFolder } from './wherry.js';

export type Program = 'etcd' | 'wherry';

const READY_MS_MAX = 30_000;
const WHERRY = join(repository, 'dist/bundle/wherry.js');

export interface MembersOptions {
  /** 1 when absent. */
  readonly size?: number;
  /** More flags, of each. */
  readonly args?: readonly string[];
}

export interface Members {
  readonly program: Program;
  /** For clients. */
  readonly urls: readonly string[];
  /** host:port */
  readonly addresses: readonly string[];
  /** Of the first member. */
  readonly address: string;
  /** Ends every member and starts it again with the same data. */
  restart(): Promise<void>;
  /** Ends them and removes their data. */
  stop(): Promise<void>;
}

/** Starts a new cluster and waits until each member is healthy. */
export async function startMembers(program: Program, options: MembersOptions = {}): Promise<Members> {
  const { size = 1, args = [] } = options;
  const folder = await temporaryFolder(`${program}-members`);
  const plans: { readonly name: string; readonly address: string; readonly peerUrl: string }[] = [];
  for (let number = 1; number <= size; number += 1) {
    const [client, peer] = [await freePort(), await freePort()];
    plans.push({ name: `m${number}`, address: `127.0.0.1:${client}`, peerUrl: `http://127.0.0.1:${peer}` });
  }
  const initialCluster = plans.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const start = ({ name, address, peerUrl }: (typeof plans)[number]) => {
    const url = `http://${address}`;
    const flags = [
      ['--name', name],
      ['--data-dir', join(folder, name)],
      ['--listen-client-urls', url],
      ['--advertise-client-urls', url],
      ['--listen-peer-urls', peerUrl],
      ['--initial-advertise-peer-urls', peerUrl],
      ['--initial-cluster', initialCluster],
      args,
    ].flat();
    return startMember(program, url, flags);
  };
  const startAll = async () => Promise.all(plans.map(start));
  let running = await startAll();
  const endAll = async (signal: NodeJS.Signals) => {
    await Promise.all(running.map((child) => end(child, signal)));
  };
  const addresses = plans.map(({ address }) => address);
  return {
    program,
    addresses,
    urls: addresses.map((address) => `http://${address}`),
    address: addresses[0] ?? '',
    async restart() {
      await endAll('SIGTERM');
      running = await startAll();
    },
    async stop() {
      await endAll('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startMember(program: Program, url: string, flags: readonly string[]): Promise<ChildProcess> {
  const [command, args] =
    program === 'etcd'
      ? (['etcd', flags] as const)
      : ([process.execPath, [WHERRY, 'etcd', ...flags]] as const);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  // A test that ends by itself, or is ended, leaves nothing running.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-4000)));
  const deadline = Date.now() + READY_MS_MAX;
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${output}`);
    if (Date.now() > deadline) {
      await end(child, 'SIGKILL');
      throw new Error(`${program} is not healthy after ${READY_MS_MAX} ms: ${output}`);
    }
    await sleep(20);
  }
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

const isHealthy = (url: string) =>
  fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
