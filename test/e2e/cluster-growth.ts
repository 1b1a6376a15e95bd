/**
 * A million writes to three stores, compacted all along, as an API server or its operator does: what each member keeps
 * on disk and in memory is looked at all the time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StoreCommand, StoreProcessOptions, StoreReport } from '../tools/store-process.js';
import { freePort, temporaryFolder } from '../tools/wherry.js';

const MODULE = fileURLToPath(new URL('../tools/store-process.js', import.meta.url));
const SIZE = 3;
const KEYS = 10_000;
const VALUE_BYTES = 1024;
/** A compaction after so many writes, of all but the newest as many. */
const COMPACT_EVERY = 20_000;
const POLL_MS = 50;

export interface GrowthSample {
  readonly writes: number;
  /** Writes a second since the last sample. */
  readonly rate: number;
  /** Of each member, in bytes. */
  readonly members: readonly {
    readonly log: number;
    readonly mvcc: number;
    readonly resident: number;
  }[];
}

/** What may be added in the second half to the most that there was in the first. */
const GROWTH_MAX = 0.2;

/** What went on growing, one text each. */
export function growthFaults(samples: readonly GrowthSample[]): string[] {
  const half = Math.floor(samples.length / 2);
  return (['log', 'mvcc', 'resident'] as const).flatMap((what) => {
    const most = (some: readonly GrowthSample[]) =>
      Math.max(0, ...some.flatMap(({ members }) => members.map((member) => member[what])));
    const [before, after] = [most(samples.slice(0, half)), most(samples.slice(half))];
    return after > before * (1 + GROWTH_MAX) ? [`${what} grew from ${before} to ${after} bytes`] : [];
  });
}

class StoreProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;

  constructor(options: StoreProcessOptions) {
    this.#folder = join(options.dataDir, 'member');
    this.#child = fork(MODULE, [JSON.stringify(options)], { serialization: 'advanced' });
  }

  async started(): Promise<void> {
    await this.#answer();
  }

  ask(command: StoreCommand | { readonly type: 'report' }): Promise<StoreReport> {
    this.#child.send(command);
    return this.#answer();
  }

  /** Bytes of the files whose names begin so, with what SQLite keeps beside them. */
  async sizeOf(prefix: string): Promise<number> {
    let bytes = 0;
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(prefix)) bytes += (await stat(join(this.#folder, name))).size;
    }
    return bytes;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #answer(): Promise<StoreReport> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`a store ended with ${code}`));
      this.#child.once('exit', ended);
      this.#child.once('message', (message) => {
        this.#child.off('exit', ended);
        resolve(message as StoreReport);
      });
    });
  }
}

/** Tells of each step as it is done. */
export async function runGrowth(writes: number, onSample: (sample: GrowthSample) => void): Promise<void> {
  const folder = await temporaryFolder('growth');
  const peerUrls: (readonly [string, string])[] = [];
  for (let number = 1; number <= SIZE; number++)
    peerUrls.push([`m${number}`, `http://127.0.0.1:${await freePort()}`]);
  const stores = peerUrls.map(([name]) => new StoreProcess({ name, dataDir: join(folder, name), peerUrls }));
  try {
    await Promise.all(stores.map((store) => store.started()));
    const leader = await leaderOf(stores);
    for (let done = 0; done < writes; done += COMPACT_EVERY) {
      const startedAt = performance.now();
      await leader.ask({ type: 'put', count: COMPACT_EVERY, keys: KEYS, valueBytes: VALUE_BYTES });
      await leader.ask({ type: 'compact', keepRevisions: COMPACT_EVERY });
      const rate = (COMPACT_EVERY * 1000) / (performance.now() - startedAt);
      onSample({ writes: done + COMPACT_EVERY, rate, members: await Promise.all(stores.map(sizesOf)) });
    }
  } finally {
    await Promise.all(stores.map((store) => store.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function leaderOf(stores: readonly StoreProcess[]): Promise<StoreProcess> {
  for (;;) {
    for (const store of stores) if ((await store.ask({ type: 'report' })).leads) return store;
    await sleep(POLL_MS);
  }
}

async function sizesOf(store: StoreProcess) {
  const [log, mvcc] = await Promise.all([store.sizeOf('log.db'), store.sizeOf('mvcc-')]);
  const { residentBytes } = await store.ask({ type: 'report' });
  return { log, mvcc, resident: residentBytes };
}
