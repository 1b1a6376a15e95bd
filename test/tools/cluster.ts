/** A cluster of real `wherry serve` processes on loopback, with a network between them that can be broken. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from './api-client.js';
import { ClusterMember, type MemberPlan, READY_MS_MAX } from './cluster-member.js';
import { PeerNetwork } from './peer-proxy.js';
import { temporaryFolder } from './wherry.js';

/** etcd's, and the default of `--election-timeout`. */
export const ELECTION_TIMEOUT_MS = 1000;

const POLL_MS = 20;
/** Outside the ports that the kernel gives to outgoing connections: a member must find its ports free again. */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;

export interface ClusterOptions {
  /** 3 when absent. */
  readonly size?: number;
  /** More flags of every member. */
  readonly args?: readonly string[];
  /** HTTPS and a kubeconfig, too. */
  readonly secure?: boolean;
  /** What is to be done for each member before any is started. */
  readonly prepare?: (plan: MemberPlan) => Promise<void>;
}

export class Cluster {
  readonly network: PeerNetwork;
  readonly members: readonly ClusterMember[];
  readonly #folder: string;
  readonly #client: ApiClient;

  private constructor(
    folder: string,
    network: PeerNetwork,
    members: readonly ClusterMember[],
    client: ApiClient,
  ) {
    this.#folder = folder;
    this.network = network;
    this.members = members;
    this.#client = client;
  }

  /** Resolves when every member serves. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { size = 3, args = [], secure = false, prepare } = options;
    const folder = await temporaryFolder('cluster');
    const network = new PeerNetwork();
    const client = new ApiClient();
    const plans = await planMembers(folder, network, { size, args, secure });
    const members = plans.map((plan) => new ClusterMember(plan, client));
    const cluster = new Cluster(folder, network, members, client);
    try {
      if (prepare !== undefined) await Promise.all(plans.map(prepare));
      await Promise.all(members.map((member) => member.start()));
      await Promise.all(members.map((member) => member.ready()));
      for (const { id, name } of members) network.identify(id, name);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get names(): readonly string[] {
    return this.members.map(({ name }) => name);
  }

  /** Ends of processes that nobody asked for: each is a defect. */
  get crashes(): readonly string[] {
    return this.members.flatMap(({ crashes }) => crashes);
  }

  /** The member that leads the highest term that anyone who answers knows of, if it says so itself. */
  async leader(): Promise<ClusterMember | undefined> {
    const running = this.members.filter(({ isRunning, isPaused }) => isRunning && !isPaused);
    const statuses = await Promise.all(running.map((member) => member.status()));
    const highest = Math.max(...statuses.map((status) => status?.term ?? 0));
    const place = statuses.findIndex(
      (status) => status?.term === highest && status.leaderId === status.memberId && status.leaderId !== 0n,
    );
    return running[place];
  }

  async untilLed(msMax: number = READY_MS_MAX): Promise<ClusterMember> {
    const deadline = performance.now() + msMax;
    while (performance.now() < deadline) {
      const leader = await this.leader();
      if (leader !== undefined) return leader;
      await sleep(POLL_MS);
    }
    throw new Error(`the cluster has no leader after ${msMax} ms`);
  }

  /** Everything works again: the network, and every member. Resolves when all serve. */
  async heal(): Promise<void> {
    this.network.heal();
    for (const member of this.members) member.resume();
    await Promise.all(this.members.filter(({ isRunning }) => !isRunning).map((member) => member.start()));
    await Promise.all(this.members.map((member) => member.ready()));
  }

  /** Kills everything and removes the data. */
  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop('SIGKILL')));
    await this.network.close();
    this.#client.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function planMembers(
  folder: string,
  network: PeerNetwork,
  { size, args, secure }: Required<Omit<ClusterOptions, 'prepare'>>,
): Promise<MemberPlan[]> {
  const names = Array.from({ length: size }, (_, position) => `m${position + 1}`);
  const parts = [];
  for (const name of names) {
    const [port, peerPort, clientPort] = [await steadyPort(), await steadyPort(), await steadyPort()];
    const securePort = secure ? await steadyPort() : 0;
    const advertised = await network.addMember(name, peerPort);
    parts.push({ name, port, securePort, peerPort, clientPort, advertised });
  }
  const initial = parts.map(({ name, advertised }) => `${name}=${advertised}`).join(',');
  return parts.map(({ name, port, securePort, peerPort, clientPort, advertised }) => {
    const clientUrl = `http://127.0.0.1:${clientPort}`;
    const own = ['--name', name, '--listen-client-urls', clientUrl];
    const peers = ['--listen-peer-urls', `http://127.0.0.1:${peerPort}`];
    const cluster = ['--initial-advertise-peer-urls', advertised, '--initial-cluster', initial];
    const dataDir = join(folder, name);
    return { name, dataDir, port, securePort, clientUrl, args: [...own, ...peers, ...cluster, ...args] };
  });
}

const taken = new Set<number>();

/** A loopback port that only a listener of ours will use. */
async function steadyPort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (!taken.has(port) && (await isFree(port))) {
      taken.add(port);
      return port;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
