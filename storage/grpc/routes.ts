import { EtcdError } from '../errors.js';
import type { EtcdServices, Leadership } from '../server/api.js';
import type { Route } from './server/handlers.js';
import { Health, KV, Maintenance } from './services.js';
import { authRoutes } from './services/auth.js';
import { clusterRoutes } from './services/cluster.js';
import { electionRoutes } from './services/election.js';
import { healthRoutes } from './services/health.js';
import { kvRoutes } from './services/kv.js';
import { leaseRoutes } from './services/lease.js';
import { lockRoutes } from './services/lock.js';
import { maintenanceRoutes } from './services/maintenance.js';
import { watchRoutes } from './services/watch.js';

/** Every call of the v3 API. */
export function etcdRoutes(services: EtcdServices): Route[] {
  const { client, cluster, maintenance, auth, election, lock, leadership } = services;
  const routes = [
    ...kvRoutes(client),
    ...watchRoutes(client),
    ...leaseRoutes(client),
    ...clusterRoutes(cluster),
    ...maintenanceRoutes(maintenance),
    ...authRoutes(auth),
    ...electionRoutes(election),
    ...lockRoutes(lock),
    ...healthRoutes(),
  ];
  return routes.map((route) =>
    LEARNERS_SERVE.has(route.method.path) ? route : forVoters(route, leadership),
  );
}

/** Of ranges a learner serves those that are serializable, which the store's client sees to. */
const LEARNERS_SERVE: ReadonlySet<string> = new Set(
  [KV.Range, Maintenance.Status, Maintenance.Snapshot, Health.Check, Health.Watch].map(({ path }) => path),
);

/** Streams of both sides are the store's client's, which refuses them itself. */
function forVoters(route: Route, leadership: Leadership): Route {
  if (route.type === 'bidi_stream') return route;
  const check = () => {
    if (leadership.isLearner()) throw EtcdError.of('NotSupportedForLearner');
  };
  if (route.type === 'unary') {
    const handle: typeof route.handle = async (request, context) => {
      check();
      return route.handle(request, context);
    };
    return { ...route, handle };
  }
  return {
    ...route,
    handle: async function* (request, context) {
      check();
      yield* route.handle(request, context);
    },
  };
}
