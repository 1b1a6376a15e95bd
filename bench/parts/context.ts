/** What every part is given. */
import type { LoadRequest, LoadResult, LoadTarget } from '../load-worker.js';
import { type Wherry, type Worker, cpuMs } from '../process.js';
import type { Cell } from '../report.js';

export interface Context {
  readonly wherry: Wherry;
  readonly load: Worker;
  /** How long each measure runs. */
  readonly seconds: number;
  readonly clients: readonly number[];
}

export type Load = Omit<LoadRequest, 'targets'>;

/** Both processes compile what is hot, before anything counts. */
const WARM_UP_SECONDS_MAX = 2;
/** With fewer it would take long. */
const WARM_UP_CLIENTS = 16;

export interface Measured {
  readonly targets: readonly LoadTarget[];
  /** Processes whose CPU time counts. */
  readonly pids: readonly number[];
}

/** Runs a load on a process and says what it did, with the CPU time that the process spent on it. */
export async function measure(
  context: Pick<Context, 'load'>,
  target: LoadTarget & { readonly pid: number },
  request: Load,
): Promise<Cell> {
  return measureAll(context, { targets: [target], pids: [target.pid] }, request);
}

/** The same of several processes, whose CPU time is added up. */
export async function measureAll(
  { load }: Pick<Context, 'load'>,
  { targets, pids }: Measured,
  request: Load,
): Promise<Cell> {
  // A message to another process: no more of a target than it needs.
  const reduced = targets.map(({ port, credentials }) => ({ port, credentials }));
  const full: LoadRequest = { ...request, targets: reduced };
  if (request.operationsMax === undefined) {
    const seconds = Math.min(WARM_UP_SECONDS_MAX, request.seconds / 2);
    const clients = Math.max(WARM_UP_CLIENTS, request.clients);
    await load.ask<LoadResult>({ ...full, seconds, clients } satisfies LoadRequest);
  }
  const spentMs = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const before = spentMs();
  const result = await load.ask<LoadResult>(full);
  const cpuUs = ((spentMs() - before) * 1000) / result.operations;
  const { p50Ms, p99Ms, failures } = result;
  return { rate: result.operations / result.seconds, p50Ms, p99Ms, cpuUs, failures };
}

export const configMaps = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;

/** A ConfigMap with `bytes` of data, its name with `{n}` in it. */
export const configMap = (bytes: number): string =>
  JSON.stringify({ metadata: { name: 'bench-{n}' }, data: { payload: 'x'.repeat(bytes) } });

/** Makes a namespace with so many ConfigMaps in it. */
export async function fill(context: Context, namespace: string, count: number, bytes: number): Promise<void> {
  const { load, wherry } = context;
  const namespaces = {
    method: 'POST',
    path: '/api/v1/namespaces',
    clients: 1,
    seconds: 60,
    operationsMax: 1,
  } as const;
  await measure({ load }, wherry, { ...namespaces, body: JSON.stringify({ metadata: { name: namespace } }) });
  if (count === 0) return;
  const request: Load = {
    method: 'POST',
    path: configMaps(namespace),
    body: configMap(bytes),
    clients: Math.min(64, count),
    seconds: 60,
    operationsMax: count,
  };
  const { failures } = await measure({ load }, wherry, request);
  if (failures > 0)
    throw new Error(`${failures} of ${count} objects were refused while filling ${namespace}`);
}
