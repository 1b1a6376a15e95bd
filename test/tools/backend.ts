/**
 * What an API server under test stores in: a store in its own process, `wherry etcd`, or a real etcd. A store belongs to
 * the server's data directory, so that a server that is started again finds what it left.
 */
import { type EtcdProcess, startWherryEtcd } from './etcd-process.js';
import { startEtcd } from './real-etcd.js';

export const backends = ['embedded', 'wherry-etcd', 'etcd'] as const;
export type Backend = (typeof backends)[number];

export const BACKEND_VARIABLE = 'WHERRY_TEST_BACKEND';

export function chosenBackend(): Backend {
  const chosen = process.env[BACKEND_VARIABLE] ?? 'embedded';
  const backend = backends.find((name) => name === chosen);
  if (backend === undefined)
    throw new Error(`${BACKEND_VARIABLE} is none of ${backends.join(', ')}: ${chosen}`);
  return backend;
}

const stores = new Map<string, EtcdProcess>();

/** Of the store that belongs to this data directory; started if it is not running. */
export async function storeOf(backend: Exclude<Backend, 'embedded'>, dataDir: string): Promise<string> {
  const running = stores.get(dataDir);
  if (running !== undefined) return running.url;
  const start = backend === 'etcd' ? startEtcd : startWherryEtcd;
  const store = await start();
  // Nothing waits for it: it ends with the test at the latest.
  store.process.unref();
  if (stores.size === 0) process.once('exit', endStores);
  stores.set(dataDir, store);
  return store.url;
}

export async function removeStore(dataDir: string): Promise<void> {
  const store = stores.get(dataDir);
  stores.delete(dataDir);
  await store?.stop();
  await store?.remove();
}

/** Those whose data directory its test keeps. */
function endStores(): void {
  for (const store of stores.values()) store.discard();
}
