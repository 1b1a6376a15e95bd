import type { ClusterService, EtcdServices, HeaderResponse } from '../../storage/server/api.js';
import type { Members } from '../../storage/cluster/members.js';
import type { ResponseHeader } from '../../storage/client/interface.js';
import { EtcdError, GrpcCode } from '../../storage/errors.js';

export type SomeServices = { readonly [K in keyof EtcdServices]?: Partial<EtcdServices[K]> };

/** Of which only what is given answers; the rest rejects as Unimplemented. There is a leader unless it is said. */
export function servicesWith(parts: SomeServices): EtcdServices {
  const rest = <T extends object>(some: Partial<T> | undefined): T => {
    const unimplemented = () => Promise.reject(new EtcdError(GrpcCode.Unimplemented, 'not of this test'));
    return new Proxy((some ?? {}) as T, {
      get: (target, name) => (Reflect.get(target, name) as unknown) ?? unimplemented,
    });
  };
  return {
    client: rest(parts.client),
    cluster: rest(parts.cluster),
    maintenance: rest(parts.maintenance),
    auth: rest(parts.auth),
    election: rest(parts.election),
    lock: rest(parts.lock),
    leadership: {
      hasLeader: () => true,
      onLost: () => () => undefined,
      isLearner: () => false,
      ...parts.leadership,
    },
  };
}

/** The members behind etcd's Cluster service, whose headers carry no revision. */
export function clusterOf(members: Members<unknown>, header: ResponseHeader): ClusterService {
  const answer: HeaderResponse = { header: { ...header, revision: 0 } };
  return {
    list: async (request, options) => ({ ...answer, members: await members.list(request, options) }),
    add: async (request, options) => ({ ...answer, ...(await members.add(request, options)) }),
    remove: async ({ id }, options) => ({ ...answer, members: await members.remove(id, options) }),
    promote: async ({ id }, options) => ({ ...answer, members: await members.promote(id, options) }),
    update: async ({ id, peerUrls }, options) => ({
      ...answer,
      members: await members.update(id, peerUrls, options),
    }),
  };
}
