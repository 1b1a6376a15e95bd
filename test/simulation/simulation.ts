import { reportViolation } from '../tools/linearizability-report.js';
import { findViolation } from '../tools/linearizability.js';
import { Clients } from './clients.js';
import { Cluster } from './cluster.js';
import { Faults } from './faults.js';
import { finish } from './finale.js';
import { Operator } from './operator.js';
import { drawProfile, type Profile, type ProfileChange } from './profile.js';
import { Random } from './random.js';
import { World } from './world.js';

export interface SimulationOptions {
  readonly seed: number;
  /** Events before everything heals. */
  readonly steps: number;
  /** Members at first; drawn if absent. */
  readonly members?: number | undefined;
  readonly change?: ProfileChange | undefined;
  /** Keeps lines to read. */
  readonly record?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  /** Undefined if all went well. */
  readonly failure: string | undefined;
  readonly profile: Profile;
  /** Of everything that happened: equal for equal options. */
  readonly hash: string;
  readonly lines: readonly string[];
  /** Simulated milliseconds. */
  readonly simulatedMs: number;
  readonly steps: number;
  readonly counts: ReadonlyMap<string, number>;
  /** Operations whose order was checked. */
  readonly checkedOperations: number;
}

/** A whole cluster, its clients and all that befalls it, from a seed. The same seed gives the same, event by event. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = new Random(options.seed);
  const drawn = drawProfile(random.fork(), options.members);
  const profile = options.change?.(drawn) ?? drawn;
  const world = new World(random, { record: options.record ?? false });
  const cluster = new Cluster(world, profile.host, profile.members);
  for (const host of cluster.hosts) host.start();
  const clients = new Clients(cluster, profile.clients, random.fork());
  const operator = new Operator(cluster, profile.operator, random.fork());
  const faults = new Faults(cluster, profile.faults, random.fork());

  await world.run(() => world.steps >= options.steps);
  if (world.failure === undefined) {
    faults.heal();
    operator.stop();
    clients.stop();
    await finish(cluster, clients);
  }
  const { history } = clients;
  if (world.failure === undefined) checkOrder(world, history);
  return {
    seed: options.seed,
    failure: world.failure,
    profile,
    hash: world.trace.hash,
    lines: world.trace.lines,
    simulatedMs: world.now,
    steps: world.steps,
    counts: world.counts,
    checkedOperations: history.length,
  };
}

function checkOrder(world: World, history: Parameters<typeof findViolation>[0]): void {
  const violation = findViolation(history);
  if (violation !== undefined) world.fail(reportViolation(violation));
}
