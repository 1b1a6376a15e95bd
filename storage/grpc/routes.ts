import type { EtcdServices } from '../server/api.js';
import type { Route } from './server/handlers.js';
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
  const { client, cluster, maintenance, auth, election, lock } = services;
  return [
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
}
