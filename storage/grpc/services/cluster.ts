import type { ClusterService } from '../../server/api.js';
import { unary, type Route } from '../server/handlers.js';
import { Cluster } from '../services.js';

export function clusterRoutes(cluster: ClusterService): Route[] {
  return [
    unary(Cluster.MemberAdd, (request, context) => cluster.add(request, context)),
    unary(Cluster.MemberRemove, (request, context) => cluster.remove(request, context)),
    unary(Cluster.MemberUpdate, (request, context) => cluster.update(request, context)),
    unary(Cluster.MemberList, (request, context) => cluster.list(request, context)),
    unary(Cluster.MemberPromote, (request, context) => cluster.promote(request, context)),
  ];
}
