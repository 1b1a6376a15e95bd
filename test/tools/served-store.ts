/** A store in this process, served over gRPC for those who back it up or move it. */
import type { Test } from 'tap';
import { listenForClients } from '../../storage/http/client-port.js';
import { openStore, type Store } from '../../storage/open.js';
import { servicesWith } from '../storage/fake-services.js';

export interface ServedStore {
  readonly store: Store;
  readonly url: string;
}

/** Closed at the end of the test. */
export async function serveStore(t: Test, dataDir = ':memory:'): Promise<ServedStore> {
  const store = await openStore({ dataDir });
  const { client, guardedClient } = store;
  const port = await listenForClients({
    urls: ['http://127.0.0.1:0'],
    services: {
      ...servicesWith({
        maintenance: { status: () => client.status(), snapshot: (options) => store.snapshot(options) },
      }),
      client: guardedClient,
    },
    status: () => store.status(),
    alarms: () => [],
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(async () => {
    await port.close();
    await store.close();
  });
  return { store, url: `http://127.0.0.1:${port.ports[0]}` };
}
