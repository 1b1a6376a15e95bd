/** What every part is given. */
import type { LoadRequest, LoadResult } from '../load-worker.js';
import { type Wherry, type Worker, cpuMs } from '../process.js';
import type { Cell } from '../report.js';

export interface Context {
  readonly wherry: Wherry;
  readonly load: Worker;
  /** How long each measure runs. */
  readonly seconds: number;
  readonly clients: readonly number[];
}

export type Load = Omit<LoadRequest, 'port' | 'credentials'>;

/** Both processes compile what is hot, before anything counts. */
const WARM_UP_SECONDS_MAX = 2;
/** With fewer it would take long. */
const WARM_UP_CLIENTS = 16;

/** Runs a load on a process and says what it did, with the CPU time that the process spent on it. */
export async function measure(
  { load }: Pick<Context, 'load'>,
  target: { readonly pid: number; readonly port: number; readonly credentials: LoadRequest['credentials'] },
  request: Load,
): Promise<Cell> {
  const { port, credentials } = target;
  const full: LoadRequest = { ...request, port, credentials };
  if (request.operationsMax === undefined) {
    const seconds = Math.min(WARM_UP_SECONDS_MAX, request.seconds / 2);
    const clients = Math.max(WARM_UP_CLIENTS, request.clients);
    await load.ask<LoadResult>({ ...full, seconds, clients } satisfies LoadRequest);
  }
  const before = cpuMs(target.pid);
  const result = await load.ask<LoadResult>(full);
  const cpuUs = ((cpuMs(target.pid) - before) * 1000) / result.operations;
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
