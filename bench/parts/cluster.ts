/** Creates on three members of one machine, beside one member alone. CPU time is that of all members. */
import { type BenchCluster, startCluster } from '../cluster.js';
import { Worker, removeFolder, startWherry, temporaryFolder } from '../process.js';
import { type Comparison, heading, print } from '../report.js';
import {
  type Context,
  type Load,
  type Measured,
  configMap,
  configMaps,
  fill,
  measureAll,
} from './context.js';

const NAMESPACE = 'creates';
/** Three processes share two cores, and each has to compile what is hot in it. */
const WARM_UP = { seconds: 6, clients: 64 };

type Run = Pick<Context, 'load' | 'seconds' | 'clients'>;
/** Creates a second by number of clients. */
type Rates = Map<number, number>;

export async function clusters(seconds: number, clients: readonly number[]): Promise<void> {
  heading('create a ConfigMap of 1 KiB, with one member and with three');
  const load = new Worker('./load-worker.js');
  try {
    const alone = await oneMember({ load, seconds, clients });
    await threeMembers({ load, seconds, clients }, alone);
  } finally {
    await load.stop();
  }
}

async function oneMember(run: Run): Promise<Rates> {
  const folder = await temporaryFolder();
  const wherry = await startWherry(folder);
  try {
    await fill({ ...run, wherry }, NAMESPACE, 0, 0);
    await measureAll(run, { targets: [wherry], pids: [] }, create(WARM_UP));
    return await creates('one member', run, { targets: [wherry], pids: [wherry.pid] });
  } finally {
    await wherry.stop();
    await removeFolder(folder);
  }
}

async function threeMembers(run: Run, alone: Rates): Promise<void> {
  const folder = await temporaryFolder();
  let cluster: BenchCluster | undefined;
  try {
    cluster = await startCluster(folder);
    const { leader, members } = cluster;
    const pids = members.map(({ pid }) => pid);
    await fill({ ...run, wherry: leader }, NAMESPACE, 0, 0);
    await measureAll(run, { targets: members, pids: [] }, create(WARM_UP));
    await creates('three, all to the leader', run, { targets: [leader], pids }, alone);
    await creates('three, spread over all', run, { targets: members, pids }, alone);
  } finally {
    await cluster?.stop();
    await removeFolder(folder);
  }
}

function create(load: Pick<Load, 'clients' | 'seconds'>): Load {
  return { ...load, method: 'POST', path: configMaps(NAMESPACE), body: configMap(1024) };
}

async function creates(name: string, run: Run, measured: Measured, alone?: Rates): Promise<Rates> {
  const rates: Rates = new Map();
  for (const clients of run.clients) {
    const cell = await measureAll(run, measured, create({ clients, seconds: run.seconds }));
    rates.set(clients, cell.rate);
    const rate = alone?.get(clients);
    const beside: Comparison[] = rate === undefined ? [] : [{ name: 'one member', rate }];
    print(name, clients, cell, beside);
  }
  return rates;
}
