/** Every call of the v3 API, for the server, the remote client and the JSON gateway. */
import type { MessageType } from './codec/message.js';
import * as auth from './messages/auth.js';
import * as cluster from './messages/cluster.js';
import * as concurrency from './messages/concurrency.js';
import * as health from './messages/health.js';
import * as kv from './messages/kv.js';
import * as lease from './messages/lease.js';
import * as maintenance from './messages/maintenance.js';
import * as watch from './messages/watch.js';
import type { Method } from './method.js';

/** A method whose messages can be walked, too. */
export interface DeclaredMethod<Request, Response, T extends MethodType = MethodType>
  extends Method<Request, Response> {
  readonly type: T;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}
type MethodType = Method<unknown, unknown>['type'];

type Part<Request, Response, T extends MethodType> = Pick<
  DeclaredMethod<Request, Response, T>,
  'type' | 'request' | 'response'
>;

const part =
  <T extends MethodType>(type: T) =>
  <Request, Response>(
    request: MessageType<Request>,
    response: MessageType<Response>,
  ): Part<Request, Response, T> => ({ type, request, response });
const unary = part('unary');
const serverStream = part('server_stream');
const bidiStream = part('bidi_stream');

type Service<Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends Part<infer Request, infer Response, infer T>
    ? DeclaredMethod<Request, Response, T>
    : never;
};

function service<Parts extends Readonly<Record<string, object>>>(name: string, parts: Parts): Service<Parts> {
  const methods = Object.entries(parts).map(([method, part]) => [
    method,
    { ...part, service: name, name: method, path: `/${name}/${method}` },
  ]);
  return Object.fromEntries(methods) as Service<Parts>;
}

export const KV = service('etcdserverpb.KV', {
  Range: unary(kv.rangeRequest, kv.rangeResponse),
  Put: unary(kv.putRequest, kv.putResponse),
  DeleteRange: unary(kv.deleteRangeRequest, kv.deleteRangeResponse),
  Txn: unary(kv.txnRequest, kv.txnResponse),
  Compact: unary(kv.compactionRequest, kv.compactionResponse),
  RangeStream: serverStream(kv.rangeRequest, kv.rangeStreamResponse),
});

export const Watch = service('etcdserverpb.Watch', {
  Watch: bidiStream(watch.watchRequest, watch.watchResponse),
});

export const Lease = service('etcdserverpb.Lease', {
  LeaseGrant: unary(lease.leaseGrantRequest, lease.leaseGrantResponse),
  LeaseRevoke: unary(lease.leaseRevokeRequest, lease.leaseRevokeResponse),
  LeaseKeepAlive: bidiStream(lease.leaseKeepAliveRequest, lease.leaseKeepAliveResponse),
  LeaseTimeToLive: unary(lease.leaseTimeToLiveRequest, lease.leaseTimeToLiveResponse),
  LeaseLeases: unary(lease.leaseLeasesRequest, lease.leaseLeasesResponse),
});

export const Cluster = service('etcdserverpb.Cluster', {
  MemberAdd: unary(cluster.memberAddRequest, cluster.memberAddResponse),
  MemberRemove: unary(cluster.memberRemoveRequest, cluster.memberRemoveResponse),
  MemberUpdate: unary(cluster.memberUpdateRequest, cluster.memberUpdateResponse),
  MemberList: unary(cluster.memberListRequest, cluster.memberListResponse),
  MemberPromote: unary(cluster.memberPromoteRequest, cluster.memberPromoteResponse),
});

export const Maintenance = service('etcdserverpb.Maintenance', {
  Alarm: unary(maintenance.alarmRequest, maintenance.alarmResponse),
  Status: unary(maintenance.statusRequest, maintenance.statusResponse),
  Defragment: unary(maintenance.defragmentRequest, maintenance.defragmentResponse),
  Hash: unary(maintenance.hashRequest, maintenance.hashResponse),
  HashKV: unary(maintenance.hashKvRequest, maintenance.hashKvResponse),
  Snapshot: serverStream(maintenance.snapshotRequest, maintenance.snapshotResponse),
  MoveLeader: unary(maintenance.moveLeaderRequest, maintenance.moveLeaderResponse),
  Downgrade: unary(maintenance.downgradeRequest, maintenance.downgradeResponse),
});

export const Auth = service('etcdserverpb.Auth', {
  AuthEnable: unary(auth.authEnableRequest, auth.authEnableResponse),
  AuthDisable: unary(auth.authDisableRequest, auth.authDisableResponse),
  AuthStatus: unary(auth.authStatusRequest, auth.authStatusResponse),
  Authenticate: unary(auth.authenticateRequest, auth.authenticateResponse),
  UserAdd: unary(auth.userAddRequest, auth.userAddResponse),
  UserGet: unary(auth.userGetRequest, auth.userGetResponse),
  UserList: unary(auth.userListRequest, auth.userListResponse),
  UserDelete: unary(auth.userDeleteRequest, auth.userDeleteResponse),
  UserChangePassword: unary(auth.userChangePasswordRequest, auth.userChangePasswordResponse),
  UserGrantRole: unary(auth.userGrantRoleRequest, auth.userGrantRoleResponse),
  UserRevokeRole: unary(auth.userRevokeRoleRequest, auth.userRevokeRoleResponse),
  RoleAdd: unary(auth.roleAddRequest, auth.roleAddResponse),
  RoleGet: unary(auth.roleGetRequest, auth.roleGetResponse),
  RoleList: unary(auth.roleListRequest, auth.roleListResponse),
  RoleDelete: unary(auth.roleDeleteRequest, auth.roleDeleteResponse),
  RoleGrantPermission: unary(auth.roleGrantPermissionRequest, auth.roleGrantPermissionResponse),
  RoleRevokePermission: unary(auth.roleRevokePermissionRequest, auth.roleRevokePermissionResponse),
});

export const Election = service('v3electionpb.Election', {
  Campaign: unary(concurrency.campaignRequest, concurrency.campaignResponse),
  Proclaim: unary(concurrency.proclaimRequest, concurrency.proclaimResponse),
  Leader: unary(concurrency.leaderRequest, concurrency.leaderResponse),
  Observe: serverStream(concurrency.leaderRequest, concurrency.leaderResponse),
  Resign: unary(concurrency.resignRequest, concurrency.resignResponse),
});

export const Lock = service('v3lockpb.Lock', {
  Lock: unary(concurrency.lockRequest, concurrency.lockResponse),
  Unlock: unary(concurrency.unlockRequest, concurrency.unlockResponse),
});

export const Health = service('grpc.health.v1.Health', {
  Check: unary(health.healthCheckRequest, health.healthCheckResponse),
  Watch: serverStream(health.healthCheckRequest, health.healthCheckResponse),
});

export const etcdServices = [KV, Watch, Lease, Cluster, Maintenance, Auth, Election, Lock, Health] as const;
