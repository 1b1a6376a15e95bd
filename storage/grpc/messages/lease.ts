import type {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
} from '../../client/interface.js';
import { define, mapped } from '../codec/define.js';
import { bool, bytes, int64, int64Id, list, message, optional } from '../codec/fields.js';
import { emptyMessage, headerOnly, responseHeader } from './header.js';

export interface LeaseId {
  readonly id: bigint;
}
const leaseId = (name: string) => define<LeaseId>(name, { id: int64Id(1, 'ID') });

export const leaseGrantRequest = define<LeaseGrantRequest>('etcdserverpb.LeaseGrantRequest', {
  ttl: int64(1, 'TTL'),
  id: optional(int64Id(2, 'ID')),
});
export const leaseGrantResponse = define<LeaseGrantResponse>('etcdserverpb.LeaseGrantResponse', {
  header: message(responseHeader, 1),
  id: int64Id(2, 'ID'),
  ttl: int64(3, 'TTL'),
});

export const leaseRevokeRequest = leaseId('etcdserverpb.LeaseRevokeRequest');
export const leaseRevokeResponse = headerOnly('etcdserverpb.LeaseRevokeResponse');

export const leaseKeepAliveRequest = leaseId('etcdserverpb.LeaseKeepAliveRequest');
export const leaseKeepAliveResponse = define<LeaseKeepAliveResponse>('etcdserverpb.LeaseKeepAliveResponse', {
  header: message(responseHeader, 1),
  id: int64Id(2, 'ID'),
  ttl: int64(3, 'TTL'),
});

export const leaseTimeToLiveRequest = define<LeaseTimeToLiveRequest>('etcdserverpb.LeaseTimeToLiveRequest', {
  id: int64Id(1, 'ID'),
  keys: optional(bool(2)),
});
export const leaseTimeToLiveResponse = define<LeaseTimeToLiveResponse>(
  'etcdserverpb.LeaseTimeToLiveResponse',
  {
    header: message(responseHeader, 1),
    id: int64Id(2, 'ID'),
    ttl: int64(3, 'TTL'),
    grantedTtl: int64(4, 'grantedTTL'),
    keys: list(bytes(5)),
  },
);

export const leaseLeasesRequest = emptyMessage('etcdserverpb.LeaseLeasesRequest');
const leaseStatus = mapped<bigint, LeaseId>(leaseId('etcdserverpb.LeaseStatus'), {
  from: ({ id }) => id,
  to: (id) => ({ id }),
});
export const leaseLeasesResponse = define<LeaseLeasesResponse>('etcdserverpb.LeaseLeasesResponse', {
  header: message(responseHeader, 1),
  leases: list(message(leaseStatus, 2)),
});
