/**
 * Clients at work on a cluster that is killed, paused and partitioned at random. Then everything is healed and read, and
 * what the clients saw is checked: it is linearizable, and no acknowledged write is lost.
 */
import type { Random } from '../raft/random.js';
import { ApiClient } from '../tools/api-client.js';
import { Cluster } from '../tools/cluster.js';
import { ClusterLoad, listConfigMaps } from '../tools/cluster-load.js';
import { Faults } from '../tools/faults.js';
import { History, type HistoryCounts } from '../tools/history.js';

export interface FaultsReport {
  /** What is wrong; empty if nothing is. */
  readonly wrong: readonly string[];
  readonly log: readonly string[];
  readonly faults: number;
  readonly counts: HistoryCounts;
  /** That members installed. */
  readonly snapshots: number;
  /** How often each error was answered. */
  readonly errors: ReadonlyMap<string, number>;
  readonly checkMs: number;
}

export interface FaultsOptions {
  readonly size?: number;
  readonly ms: number;
  readonly random: Random;
  readonly onEvent?: (line: string) => void;
}

export async function runFaults({ size, ms, random, onEvent }: FaultsOptions): Promise<FaultsReport> {
  // Small, so that members that were away are brought up to date by snapshots, too.
  const args = ['--snapshot-count', '100'];
  const cluster = await Cluster.start({ ...(size !== undefined && { size }), args });
  const history = new History();
  const load = new ClusterLoad({ cluster, history, random });
  const faults = new Faults(cluster, random, onEvent);
  try {
    load.start();
    let failure: string | undefined;
    await faults.run(ms).catch((error: unknown) => (failure = String(error)));
    await load.stop();
    const last = failure === undefined ? await readAll(cluster, history) : new Map<string, number>();
    const snapshots = await countSnapshots(cluster);
    const startedAt = performance.now();
    const wrong = failure === undefined ? history.faults(last) : [failure];
    return {
      wrong: [...wrong, ...load.surprises],
      log: faults.log,
      faults: faults.count,
      counts: history.counts(),
      snapshots,
      errors: load.errors,
      checkMs: performance.now() - startedAt,
    };
  } finally {
    await load.stop();
    await cluster.stop();
  }
}

async function countSnapshots({ members }: Cluster): Promise<number> {
  const generations = await Promise.all(members.map((member) => member.generation()));
  return generations.reduce((sum, generation) => sum + generation - 1, 0);
}

/** Every member's answer about every key goes into the history. Gives the keys with their revisions. */
export async function readAll(cluster: Cluster, history: History): Promise<Map<string, number>> {
  const client = new ApiClient();
  const keys = new Set(history.operations.map(({ key }) => key));
  let last = new Map<string, number>();
  for (const { name, url } of cluster.members) {
    const calls = new Map([...keys].map((key) => [key, history.begin(name, key)]));
    const items = await listConfigMaps(client, url);
    for (const [key, call] of calls) {
      const item = items.get(key);
      history.read(call, item?.data?.value, Number(item?.metadata.resourceVersion ?? 0));
    }
    last = new Map([...items].map(([key, { metadata }]) => [key, Number(metadata.resourceVersion)]));
  }
  client.close();
  return last;
}

export function describe(report: FaultsReport): string[] {
  const { counts, faults, snapshots, errors, checkMs } = report;
  const { keys, reads, writes, refusals, unknown } = counts;
  return [
    `${faults} faults, ${snapshots} snapshots installed; ${reads} reads, ${writes} writes, ${refusals} refused, ${unknown} of unknown outcome, on ${keys} keys`,
    `checked in ${Math.round(checkMs)} ms`,
    ...[...errors].map(([text, count]) => `${count} × ${text}`),
  ];
}
