import type { LoadRequest, LoadResult } from '../load-worker.js';
import { cpuMs, type Worker } from '../../process.js';
import type { Store } from '../stores.js';
import type { Figure } from '../table.js';

export interface Context {
  readonly store: Store;
  readonly load: Worker;
  /** How long each measure runs. */
  readonly seconds: number;
  readonly clients: readonly number[];
}

/** Operations at once, where a store is filled. */
const FILL_CLIENTS = 256;
const FILL_SECONDS_MAX = 300;

export interface Measured extends LoadResult {
  /** Of the server, for one operation. */
  readonly cpuUs: number;
}

export async function measure(
  { store, load }: Context,
  request: Omit<LoadRequest, 'port'>,
): Promise<Measured> {
  const before = cpuMs(store.pid);
  const result = await load.ask<LoadResult>({ port: store.port, ...request });
  return { ...result, cpuUs: ((cpuMs(store.pid) - before) * 1000) / result.operations };
}

export function rateOf(label: string, measured: Measured): Figure {
  const { operations, seconds, p50Ms, p99Ms, cpuUs, failures } = measured;
  return { label, value: operations / seconds, p50Ms, p99Ms, cpuUs, failures };
}

/** Puts so many revisions of 1 KiB, over keys `<prefix>00000000` and so on. */
export async function fill(
  context: Context,
  prefix: string,
  { keys, puts = keys }: { readonly keys: number; readonly puts?: number },
): Promise<void> {
  const { failures, operations } = await measure(context, {
    type: 'put',
    clients: FILL_CLIENTS,
    seconds: FILL_SECONDS_MAX,
    operationsMax: puts,
    prefix,
    keys,
  });
  if (failures > 0 || operations < puts)
    throw new Error(`${context.store.name} took ${operations} of ${puts} puts`);
}
