/** Three members on this machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { type Wherry, freePort, startWherry } from './process.js';

const SIZE = 3;
const LEADER_MS_MAX = 30_000;
const POLL_MS = 50;

export interface BenchCluster {
  readonly leader: Wherry;
  /** The leader, too. */
  readonly members: readonly Wherry[];
  stop(): Promise<void>;
}

interface Plan {
  readonly name: string;
  readonly peerUrl: string;
  readonly clientUrl: string;
}

export async function startCluster(folder: string): Promise<BenchCluster> {
  const plans: Plan[] = [];
  for (let number = 1; number <= SIZE; number++) {
    const [peerPort, clientPort] = [await freePort(), await freePort()];
    plans.push({
      name: `m${number}`,
      peerUrl: `http://127.0.0.1:${peerPort}`,
      clientUrl: `http://127.0.0.1:${clientPort}`,
    });
  }
  const initial = plans.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const members = await Promise.all(
    plans.map((plan) => startWherry(join(folder, plan.name), flagsOf(plan, initial))),
  );
  const leader = members[await placeOfLeader(plans)];
  if (leader === undefined) throw new Error('the cluster has no leader');
  return {
    leader,
    members,
    stop: async () => {
      await Promise.all(members.map((member) => member.stop()));
    },
  };
}

function flagsOf({ name, peerUrl, clientUrl }: Plan, initial: string): string[] {
  const own = ['--name', name, '--listen-client-urls', clientUrl];
  const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
  return [...own, ...peers, '--initial-cluster', initial];
}

async function placeOfLeader(plans: readonly Plan[]): Promise<number> {
  const deadline = performance.now() + LEADER_MS_MAX;
  while (performance.now() < deadline) {
    const leads = await Promise.all(plans.map(isLeader));
    if (leads.includes(true)) return leads.indexOf(true);
    await sleep(POLL_MS);
  }
  return -1;
}

/** By etcd's status call. */
async function isLeader({ clientUrl }: Plan): Promise<boolean> {
  const response = await fetch(`${clientUrl}/v3/maintenance/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { header, leader } = (await response.json()) as {
    readonly header: { readonly member_id: string };
    readonly leader?: string;
  };
  return leader === header.member_id;
}
