/**
 * A member is away while much is written, comes back, and is brought up to date by a snapshot while the cluster serves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, messageOf } from '../tools/api-client.js';
import { Cluster } from '../tools/cluster.js';
import type { ClusterMember } from '../tools/cluster-member.js';
import { COLLECTION, type ConfigMap, listConfigMaps } from '../tools/cluster-load.js';
import { ResumingWatcher, watchFaults } from '../tools/resuming-watcher.js';
import { percentile } from '../tools/statistics.js';
import { unseenChanges } from '../tools/unseen-changes.js';

/** Of each member that is there: while the other is away, and while it comes back. */
const CLIENTS = 24;
const SERVING_CLIENTS = 2;
const REQUEST_MS_MAX = 30_000;
const CATCH_UP_MS_MAX = 300_000;
const SAMPLES = 50;
const POLL_MS = 20;

export interface CatchUpOptions {
  readonly writes: number;
  readonly valueBytes: number;
  /** Of the members; fewer than `writes`. */
  readonly snapshotCount: number;
}

export interface CatchUpReport {
  readonly wrong: readonly string[];
  /** Writes a second while the member was away. */
  readonly rate: number;
  /** From the start of the process to the first answer to a consistent read. */
  readonly catchUpMs: number;
  /** Snapshots that the member installed. */
  readonly snapshots: number;
  /** Writes through the others meanwhile, and the latency of the slowest. */
  readonly servedWrites: number;
  readonly servedMsMax: number;
  readonly servedMsP50: number;
  /** Changes that the watch through the member was told when it was back. */
  readonly watched: number;
}

export async function runCatchUp(options: CatchUpOptions): Promise<CatchUpReport> {
  // Without controllers, so that every ConfigMap is one of ours; and with all of their history.
  const args = [
    '--controllers=',
    '--etcd-compaction-interval=0',
    '--snapshot-count',
    String(options.snapshotCount),
  ];
  const cluster = await Cluster.start({ args });
  const client = new ApiClient();
  try {
    return await new CatchUp(cluster, client, options).run();
  } finally {
    client.close();
    await cluster.stop();
  }
}

class CatchUp {
  readonly #cluster: Cluster;
  readonly #client: ApiClient;
  readonly #options: CatchUpOptions;
  readonly #filler: string;
  readonly #revisions: number[] = [];
  #created = 0;

  constructor(cluster: Cluster, client: ApiClient, options: CatchUpOptions) {
    this.#cluster = cluster;
    this.#client = client;
    this.#options = options;
    this.#filler = 'x'.repeat(options.valueBytes);
  }

  async run(): Promise<CatchUpReport> {
    const leader = await this.#cluster.untilLed();
    const behind = this.#cluster.members.find((member) => member !== leader);
    if (behind === undefined) throw new Error('there is no follower');
    const present = this.#cluster.members.filter((member) => member !== behind);
    const first = await this.#create(behind.url);
    const watcher = new ResumingWatcher(behind.url, first);
    const generation = await behind.generation();
    await behind.end();
    try {
      const rate = await this.#writeAll(present);
      const { catchUpMs, latencies } = await this.#comeBack(behind, present);
      const last = await this.#create(leader.url);
      await watcher.reached(last, CATCH_UP_MS_MAX);
      const acknowledged = this.#revisions.filter((revision) => revision > first);
      const unseen = await unseenChanges(leader.url + COLLECTION, [first, ...watcher.revisions]);
      const wrong = [
        ...watchFaults(behind.name, watcher, { acknowledged, unseen }),
        ...(await this.#readFaults(behind)),
        ...this.#cluster.crashes,
      ];
      return {
        wrong,
        rate,
        catchUpMs,
        snapshots: (await behind.generation()) - generation,
        servedWrites: latencies.length,
        servedMsMax: Math.max(...latencies),
        servedMsP50: percentile(latencies, 50),
        watched: watcher.revisions.length,
      };
    } finally {
      await watcher.stop();
    }
  }

  /** Gives the rate. */
  async #writeAll(members: readonly ClusterMember[]): Promise<number> {
    const startedAt = performance.now();
    const client = async ({ url }: ClusterMember) => {
      while (this.#created < this.#options.writes) await this.#create(url);
    };
    await Promise.all(members.flatMap((member) => Array.from({ length: CLIENTS }, () => client(member))));
    return (this.#options.writes * 1000) / (performance.now() - startedAt);
  }

  /** Starts the member, and writes through the others until it serves. */
  async #comeBack(behind: ClusterMember, present: readonly ClusterMember[]) {
    const latencies: number[] = [];
    const back = new AbortController();
    const serve = async ({ url }: ClusterMember) => {
      while (!back.signal.aborted) {
        const startedAt = performance.now();
        await this.#create(url);
        latencies.push(performance.now() - startedAt);
      }
    };
    const clients = present.flatMap((member) => Array.from({ length: SERVING_CLIENTS }, () => serve(member)));
    const serving = Promise.all(clients);
    const startedAt = performance.now();
    try {
      await behind.start();
      await this.#untilItReads(behind);
    } finally {
      back.abort();
    }
    const catchUpMs = performance.now() - startedAt;
    await serving;
    return { catchUpMs, latencies };
  }

  /** A consistent read through a member is not answered before it has everything. */
  async #untilItReads({ url, name }: ClusterMember): Promise<void> {
    const deadline = performance.now() + CATCH_UP_MS_MAX;
    while (performance.now() < deadline) {
      const read = {
        method: 'GET',
        url: `${url}${COLLECTION}/catch-up-0`,
        timeoutMs: REQUEST_MS_MAX,
      } as const;
      const answer = await this.#client.send(read).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(POLL_MS);
    }
    throw new Error(`${name} does not serve after ${CATCH_UP_MS_MAX} ms`);
  }

  /** Gives the revision. */
  async #create(url: string): Promise<number> {
    const number = this.#created++;
    const body = {
      metadata: { name: `catch-up-${number}` },
      data: { value: String(number), filler: this.#filler },
    };
    const answer = await this.#client.send({
      method: 'POST',
      url: url + COLLECTION,
      body,
      timeoutMs: REQUEST_MS_MAX,
    });
    if (answer.status !== 201) throw new Error(`a create was answered with ${messageOf(answer)}`);
    const revision = Number((answer.body as ConfigMap).metadata.resourceVersion);
    this.#revisions.push(revision);
    return revision;
  }

  async #readFaults({ url, name }: ClusterMember): Promise<string[]> {
    const items = await listConfigMaps(this.#client, url);
    const missing = Array.from({ length: this.#created }, (_, number) => number).filter(
      (number) => items.get(`catch-up-${number}`)?.data?.value !== String(number),
    );
    const faults = missing.slice(0, 10).map((number) => `the list through ${name} lacks catch-up-${number}`);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const number = Math.floor((sample * this.#created) / SAMPLES);
      const answer = await this.#client.send({
        method: 'GET',
        url: `${url}${COLLECTION}/catch-up-${number}`,
        timeoutMs: REQUEST_MS_MAX,
      });
      if ((answer.body as ConfigMap).data?.value !== String(number))
        faults.push(`a read through ${name}: ${messageOf(answer).slice(0, 200)}`);
    }
    return faults;
  }
}
