/** Three stores in one process that are one. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Test } from 'tap';
import { encodeConfiguration, initialConfiguration, type Member } from '../../raft/core/configuration.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { readCurrent } from '../../storage/mvcc/files.js';
import { openStore, type Store, type StoreOptions } from '../../storage/open.js';
import { Network } from './network.js';
import { stateHash } from './state-hash.js';
import { temporaryFolder } from './tools.js';

export const IDS = [1n, 2n, 3n] as const;
export const TIMES = { electionTimeoutMs: 200, heartbeatMs: 20 };

type Extra = Partial<StoreOptions>;

export class Cluster {
  readonly network = new Network();
  readonly #stores = new Map<bigint, Store>();
  readonly #folder: string;

  private constructor(
    private readonly t: Test,
    private readonly options: (id: bigint) => Extra,
    private readonly members: readonly Member[],
  ) {
    this.#folder = temporaryFolder(t);
    t.teardown(() => this.close());
  }

  static async start(
    t: Test,
    extra: (id: bigint) => Extra = () => ({}),
    urls: string[] = [],
  ): Promise<Cluster> {
    const members = IDS.map((id, place) => {
      return { id, name: `m${id}`, peerUrls: [urls[place] ?? `http://m${id}`], clientUrls: [] };
    });
    const cluster = new Cluster(t, extra, members);
    await Promise.all(IDS.map((id) => cluster.open(id)));
    return cluster;
  }

  dataDir(id: bigint): string {
    return path.join(this.#folder, `m${id}`);
  }

  async open(id: bigint): Promise<Store> {
    const configuration = encodeConfiguration(initialConfiguration(this.members));
    const extra = this.options(id);
    const store = await openStore({
      dataDir: this.dataDir(id),
      bootstrap: async () => ({ clusterId: 9n, memberId: id, configuration }),
      ...(extra.peers === undefined && { transport: () => this.network.transportOf(id) }),
      ...TIMES,
      onFatal: (error) => this.t.fail(error.stack ?? error.message),
      ...extra,
    });
    this.#stores.set(id, store);
    return store;
  }

  async stop(id: bigint): Promise<void> {
    await this.#stores.get(id)?.close();
    this.#stores.delete(id);
  }

  store(id: bigint): Store {
    const store = this.#stores.get(id);
    if (store === undefined) throw new Error(`${id} does not run`);
    return store;
  }

  client(id: bigint): EtcdClient {
    return this.store(id).client;
  }

  /** The member that all who run say is the leader. */
  async leader(except?: bigint): Promise<bigint> {
    for (;;) {
      const leaders = new Set([...this.#stores.values()].map((store) => store.consensus.status().leaderId));
      const [leader = 0n] = leaders;
      if (leaders.size === 1 && leader !== 0n && leader !== except) return leader;
      await delay(5);
    }
  }

  async follower(): Promise<bigint> {
    const leader = await this.leader();
    return IDS.find((id) => id !== leader && this.#stores.has(id)) as bigint;
  }

  /** Resolves when every member that runs has applied what the others have. */
  async settled(): Promise<number> {
    for (;;) {
      const revisions = await Promise.all(
        [...this.#stores.values()].map(({ client }) => client.currentRevision()),
      );
      const applied = new Set([...this.#stores.values()].map((store) => store.consensus.status().applied));
      if (new Set(revisions).size === 1 && applied.size === 1) return revisions[0] as number;
      await delay(5);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.keys()].map((id) => this.stop(id)));
  }

  /** Stops everything and compares what the members have. */
  async sameStates(what: string): Promise<void> {
    await this.settled();
    await this.close();
    const hashes = IDS.map((id) => {
      const folder = path.join(this.dataDir(id), 'member');
      const db = new Database(path.join(folder, readCurrent(folder) ?? ''), { readonly: true });
      const hash = stateHash(db);
      db.close();
      return hash;
    });
    this.t.equal(new Set(hashes).size, 1, what);
  }
}
