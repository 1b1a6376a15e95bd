/**
 * Kills the Raft leader with `kill -9` over and over while clients are at work, and measures how soon writes go on. What
 * the clients saw is checked at the end, and so is what a watch through each member saw.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../raft/random.js';
import { ApiClient, NotSentError } from '../tools/api-client.js';
import { Cluster } from '../tools/cluster.js';
import type { ClusterMember } from '../tools/cluster-member.js';
import { COLLECTION, ClusterLoad, type ConfigMap } from '../tools/cluster-load.js';
import { History, type HistoryCounts } from '../tools/history.js';
import { ResumingWatcher, watchFaults } from '../tools/resuming-watcher.js';
import { unseenChanges } from '../tools/unseen-changes.js';
import { readAll } from './cluster-faults.js';

const CLIENTS = 8;
/** Between two kills the cluster works undisturbed for so long. */
const CALM_MS_MIN = 300;
const CALM_MS_MAX = 1300;
/** After a kill a new write is started this often, until one is acknowledged. */
const PROBE_EVERY_MS = 20;
const PROBE_MS_MAX = 20_000;
const WATCH_MS_MAX = 30_000;

export interface LeaderKillsReport {
  readonly wrong: readonly string[];
  /** Of each kill: milliseconds until the first acknowledgement of a write that was started after it. */
  readonly recoveryMs: readonly number[];
  readonly counts: HistoryCounts;
  /** Changes that each watch saw. */
  readonly watched: number;
  /** Connections of watches that ended although their own member lived on. */
  readonly watchesCut: number;
}

export interface LeaderKillsOptions {
  readonly kills: number;
  readonly random: Random;
  readonly onKill?: (kill: number, recoveryMs: number) => void;
}

export async function runLeaderKills(options: LeaderKillsOptions): Promise<LeaderKillsReport> {
  // Without controllers, so that every ConfigMap is one of ours; and with all of their history.
  const cluster = await Cluster.start({ args: ['--controllers=', '--etcd-compaction-interval=0'] });
  try {
    return await new LeaderKills(cluster, options).run();
  } finally {
    await cluster.stop();
  }
}

class LeaderKills {
  readonly #cluster: Cluster;
  readonly #options: LeaderKillsOptions;
  readonly #history = new History();
  readonly #load: ClusterLoad;
  readonly #client = new ApiClient();
  readonly #watchers = new Map<ClusterMember, ResumingWatcher>();
  readonly #recoveryMs: number[] = [];
  #watchesCut = 0;

  constructor(cluster: Cluster, options: LeaderKillsOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const { random } = options;
    this.#load = new ClusterLoad({ cluster, history: this.#history, random, clients: CLIENTS });
  }

  async run(): Promise<LeaderKillsReport> {
    const { kills, random, onKill } = this.#options;
    const start = await this.#revision();
    for (const member of this.#cluster.members) {
      this.#watchers.set(member, new ResumingWatcher(member.url, start));
    }
    try {
      this.#load.start();
      for (let kill = 1; kill <= kills; kill++) {
        await sleep(random.between(CALM_MS_MIN, CALM_MS_MAX));
        const recoveryMs = await this.#kill(kill);
        this.#recoveryMs.push(recoveryMs);
        onKill?.(kill, recoveryMs);
      }
      await this.#load.stop();
      return await this.#report();
    } finally {
      await this.#load.stop();
      await Promise.all([...this.#watchers.values()].map((watcher) => watcher.stop()));
      this.#client.close();
    }
  }

  async #kill(kill: number): Promise<number> {
    for (const watcher of this.#watchers.values()) await watcher.untilConnected(WATCH_MS_MAX);
    const leader = await this.#cluster.untilLed();
    const survivors = this.#cluster.members.filter((member) => member !== leader);
    const connections = () => survivors.map((member) => this.#watchers.get(member)?.connections ?? 0);
    const before = connections();
    const killedAt = performance.now();
    const gone = leader.stop('SIGKILL');
    const acknowledgedAt = await this.#probe(kill, survivors);
    await gone;
    this.#watchesCut += connections().filter((count, place) => count !== before[place]).length;
    await leader.start();
    await leader.ready();
    const [crash] = this.#cluster.crashes;
    if (crash !== undefined) throw new Error(crash);
    return acknowledgedAt - killedAt;
  }

  /** Starts one write after the other, without waiting for any, until one is acknowledged; gives when it was. */
  async #probe(kill: number, survivors: readonly ClusterMember[]): Promise<number> {
    const probes: Promise<void>[] = [];
    const acknowledgedAt: number[] = [];
    const probe = async (key: string, member: ClusterMember) => {
      const at = await this.#create(key, member);
      if (at !== undefined) acknowledgedAt.push(at);
    };
    const deadline = performance.now() + PROBE_MS_MAX;
    for (let number = 0; acknowledgedAt.length === 0; number++) {
      const member = survivors[number % survivors.length];
      if (performance.now() > deadline || member === undefined)
        throw new Error(`kill ${kill}: no write was acknowledged in ${PROBE_MS_MAX} ms`);
      probes.push(probe(`probe-${kill}-${number}`, member));
      await sleep(PROBE_EVERY_MS);
    }
    await Promise.all(probes);
    return Math.min(...acknowledgedAt);
  }

  /** Gives when it was acknowledged; undefined if it was not. */
  async #create(key: string, member: ClusterMember): Promise<number | undefined> {
    const history = this.#history;
    const value = this.#load.newValue('probe');
    const call = history.begin('probe', key);
    try {
      const body = { metadata: { name: key }, data: { value } };
      const url = member.url + COLLECTION;
      const answer = await this.#client.send({ method: 'POST', url, body, timeoutMs: PROBE_MS_MAX });
      if (answer.status === 201) {
        const at = performance.now();
        const { metadata } = answer.body as ConfigMap;
        history.swapped(call, undefined, value, Number(metadata.resourceVersion));
        return at;
      }
    } catch (error) {
      if (error instanceof NotSentError) return undefined;
    }
    history.maybeSwapped(call, undefined, value);
    return undefined;
  }

  async #report(): Promise<LeaderKillsReport> {
    const last = await readAll(this.#cluster, this.#history);
    const acknowledged = this.#history.acknowledged.map(({ revision }) => revision);
    const newest = Math.max(...last.values());
    const watched = [];
    for (const [{ name, url }, watcher] of this.#watchers) {
      await watcher.reached(newest, WATCH_MS_MAX);
      const unseen = await unseenChanges(url + COLLECTION, watcher.revisions);
      watched.push(...watchFaults(name, watcher, { acknowledged, unseen }));
    }
    const [first] = this.#watchers.values();
    return {
      wrong: [...this.#history.faults(last), ...watched, ...this.#load.surprises],
      recoveryMs: this.#recoveryMs,
      counts: this.#history.counts(),
      watched: first?.revisions.length ?? 0,
      watchesCut: this.#watchesCut,
    };
  }

  async #revision(): Promise<number> {
    const url = `${this.#cluster.members[0]?.url}${COLLECTION}`;
    const { body } = await this.#client.send({ method: 'GET', url, timeoutMs: PROBE_MS_MAX });
    const { metadata } = body as { readonly metadata: { readonly resourceVersion: string } };
    return Number(metadata.resourceVersion);
  }
}
