import type { Service } from '../service.js';
import type { ClusterService, EtcdServices, Leadership, MaintenanceService } from './api.js';
import { ElectionServer } from './election.js';
import { LockServer } from './lock.js';

export interface ServicesParts {
  readonly store: Pick<Service, 'guardedClient' | 'auth'>;
  readonly cluster: ClusterService;
  readonly maintenance: MaintenanceService;
  readonly leadership: Leadership;
}

/** All that the client port serves. Elections and locks are clients of the store, with their caller's rights. */
export function servicesOf({ store, cluster, maintenance, leadership }: ServicesParts): EtcdServices {
  const { guardedClient: client, auth } = store;
  return {
    client,
    cluster,
    maintenance,
    auth,
    election: new ElectionServer(client),
    lock: new LockServer(client),
    leadership,
  };
}
