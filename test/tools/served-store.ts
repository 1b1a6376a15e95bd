/** A store in this process, served over gRPC for those who back it up or move it. */
import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { serverStream, unary, type Route } from '../../storage/grpc/server/handlers.js';
import { prepareSession, serveCall, sessionOptions } from '../../storage/grpc/server/http2.js';
import { GrpcServer } from '../../storage/grpc/server/server.js';
import { Maintenance } from '../../storage/grpc/services.js';
import { kvRoutes } from '../../storage/grpc/services/kv.js';
import { leaseRoutes } from '../../storage/grpc/services/lease.js';
import { watchRoutes } from '../../storage/grpc/services/watch.js';
import { openStore, type Store } from '../../storage/open.js';

export interface ServedStore {
  readonly store: Store;
  readonly url: string;
}

/** Closed at the end of the test. */
export async function serveStore(t: Test, dataDir = ':memory:'): Promise<ServedStore> {
  const store = await openStore({ dataDir });
  const routes: Route[] = [
    ...kvRoutes(store.guardedClient),
    ...watchRoutes(store.guardedClient),
    ...leaseRoutes(store.guardedClient),
    unary(Maintenance.Status, () => store.client.status()),
    serverStream(Maintenance.Snapshot, (_request, context) => store.snapshot(context)),
  ];
  const grpc = new GrpcServer({
    routes,
    leadership: { hasLeader: () => true, onLost: () => () => undefined, isLearner: () => false },
    requestBytesMax: 2 * 2 ** 20,
    onError: (error) => t.fail(String(error)),
  });
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer(sessionOptions());
  server.on('session', (session) => {
    sessions.add(session);
    prepareSession(session);
  });
  server.on('stream', (stream, headers) => serveCall(grpc, stream, headers));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    grpc.close();
    for (const session of sessions) session.destroy();
    server.close();
    await store.close();
  });
  return { store, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
