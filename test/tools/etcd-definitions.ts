/**
 * etcd's v3 API once more, as its documentation gives it: messages and methods for clients that judge the project's own
 * codec and therefore share nothing with it. 64-bit numbers are texts, bytes are Buffers, absent fields are zero.
 */
import protobuf from 'protobufjs';

/** Plain fields of one message. */
export type Message = Readonly<Record<string, unknown>>;

/** `number type name`, `*` for repeated, `|` for one of several; enumerations are int32, so that any number can be sent. */
const MESSAGES: Readonly<Record<string, string>> = {
  Header: '1 uint64 clusterId, 2 uint64 memberId, 3 int64 revision, 4 uint64 raftTerm',
  KeyValue:
    '1 bytes key, 2 int64 createRevision, 3 int64 modRevision, 4 int64 version, 5 bytes value, 6 int64 lease',
  Event: '1 int32 type, 2 KeyValue kv, 3 KeyValue prevKv',
  Empty: '',
  HeaderOnly: '1 Header header',

  RangeRequest:
    '1 bytes key, 2 bytes rangeEnd, 3 int64 limit, 4 int64 revision, 5 int32 sortOrder, 6 int32 sortTarget, ' +
    '7 bool serializable, 8 bool keysOnly, 9 bool countOnly, 10 int64 minModRevision, 11 int64 maxModRevision, ' +
    '12 int64 minCreateRevision, 13 int64 maxCreateRevision',
  RangeResponse: '1 Header header, 2 *KeyValue kvs, 3 bool more, 4 int64 count',
  PutRequest:
    '1 bytes key, 2 bytes value, 3 int64 lease, 4 bool prevKv, 5 bool ignoreValue, 6 bool ignoreLease',
  PutResponse: '1 Header header, 2 KeyValue prevKv',
  DeleteRequest: '1 bytes key, 2 bytes rangeEnd, 3 bool prevKv',
  DeleteResponse: '1 Header header, 2 int64 deleted, 3 *KeyValue prevKvs',
  Compare:
    '1 int32 result, 2 int32 target, 3 bytes key, 4 |int64 version, 5 |int64 createRevision, ' +
    '6 |int64 modRevision, 7 |bytes value, 8 |int64 lease, 64 bytes rangeEnd',
  RequestOp: '1 |RangeRequest range, 2 |PutRequest put, 3 |DeleteRequest delete, 4 |TxnRequest txn',
  ResponseOp: '1 |RangeResponse range, 2 |PutResponse put, 3 |DeleteResponse delete, 4 |TxnResponse txn',
  TxnRequest: '1 *Compare compare, 2 *RequestOp success, 3 *RequestOp failure',
  TxnResponse: '1 Header header, 2 bool succeeded, 3 *ResponseOp responses',
  CompactRequest: '1 int64 revision, 2 bool physical',

  WatchRequest: '1 |WatchCreate create, 2 |WatchCancel cancel, 3 |Empty progress',
  WatchCreate:
    '1 bytes key, 2 bytes rangeEnd, 3 int64 startRevision, 4 bool progressNotify, 5 *int32 filters, ' +
    '6 bool prevKv, 7 int64 watchId, 8 bool fragment',
  WatchCancel: '1 int64 watchId',
  WatchResponse:
    '1 Header header, 2 int64 watchId, 3 bool created, 4 bool canceled, 5 int64 compactRevision, ' +
    '6 string cancelReason, 7 bool fragment, 11 *Event events',

  LeaseGrantRequest: '1 int64 ttl, 2 int64 id',
  LeaseGrantResponse: '1 Header header, 2 int64 id, 3 int64 ttl, 4 string error',
  LeaseId: '1 int64 id',
  LeaseKeepAliveResponse: '1 Header header, 2 int64 id, 3 int64 ttl',
  LeaseTimeToLiveRequest: '1 int64 id, 2 bool keys',
  LeaseTimeToLiveResponse: '1 Header header, 2 int64 id, 3 int64 ttl, 4 int64 grantedTtl, 5 *bytes keys',
  LeaseLeasesResponse: '1 Header header, 2 *LeaseId leases',

  Member: '1 uint64 id, 2 string name, 3 *string peerUrls, 4 *string clientUrls, 5 bool isLearner',
  MemberAddRequest: '1 *string peerUrls, 2 bool isLearner',
  MemberAddResponse: '1 Header header, 2 Member member, 3 *Member members',
  MemberId: '1 uint64 id',
  MemberUpdateRequest: '1 uint64 id, 2 *string peerUrls',
  MemberListRequest: '1 bool linearizable',
  MembersResponse: '1 Header header, 2 *Member members',

  AlarmMember: '1 uint64 memberId, 2 int32 alarm',
  AlarmRequest: '1 int32 action, 2 uint64 memberId, 3 int32 alarm',
  AlarmResponse: '1 Header header, 2 *AlarmMember alarms',
  StatusResponse:
    '1 Header header, 2 string version, 3 int64 dbSize, 4 uint64 leader, 5 uint64 raftIndex, 6 uint64 raftTerm, ' +
    '7 uint64 raftAppliedIndex, 8 *string errors, 9 int64 dbSizeInUse, 10 bool isLearner',
  HashResponse: '1 Header header, 2 uint32 hash',
  HashKvRequest: '1 int64 revision',
  HashKvResponse: '1 Header header, 2 uint32 hash, 3 int64 compactRevision',
  SnapshotResponse: '1 Header header, 2 uint64 remainingBytes, 3 bytes blob',
  MoveLeaderRequest: '1 uint64 targetId',

  Name: '1 string name',
  Role: '1 string role',
  AuthenticateRequest: '1 string name, 2 string password',
  AuthenticateResponse: '1 Header header, 2 string token',
  UserAddOptions: '1 bool noPassword',
  UserAddRequest: '1 string name, 2 string password, 3 UserAddOptions options',
  UserChangePasswordRequest: '1 string name, 2 string password',
  UserGrantRoleRequest: '1 string user, 2 string role',
  UserRevokeRoleRequest: '1 string name, 2 string role',
  RolesResponse: '1 Header header, 2 *string roles',
  UsersResponse: '1 Header header, 2 *string users',
  Permission: '1 int32 type, 2 bytes key, 3 bytes rangeEnd',
  RoleGrantPermissionRequest: '1 string name, 2 Permission permission',
  RoleRevokePermissionRequest: '1 string role, 2 bytes key, 3 bytes rangeEnd',
  RoleGetResponse: '1 Header header, 2 *Permission permissions',

  LeaderKey: '1 bytes name, 2 bytes key, 3 int64 revision, 4 int64 lease',
  CampaignRequest: '1 bytes name, 2 int64 lease, 3 bytes value',
  CampaignResponse: '1 Header header, 2 LeaderKey leader',
  ProclaimRequest: '1 LeaderKey leader, 2 bytes value',
  ResignRequest: '1 LeaderKey leader',
  ElectionName: '1 bytes name',
  LeaderResponse: '1 Header header, 2 KeyValue kv',
  LockRequest: '1 bytes name, 2 int64 lease',
  LockResponse: '1 Header header, 2 bytes key',
  UnlockRequest: '1 bytes key',
};

/** Per service: method, request, response. */
const SERVICES = {
  'etcdserverpb.KV': {
    Range: ['RangeRequest', 'RangeResponse'],
    Put: ['PutRequest', 'PutResponse'],
    DeleteRange: ['DeleteRequest', 'DeleteResponse'],
    Txn: ['TxnRequest', 'TxnResponse'],
    Compact: ['CompactRequest', 'HeaderOnly'],
  },
  'etcdserverpb.Watch': { Watch: ['WatchRequest', 'WatchResponse'] },
  'etcdserverpb.Lease': {
    LeaseGrant: ['LeaseGrantRequest', 'LeaseGrantResponse'],
    LeaseRevoke: ['LeaseId', 'HeaderOnly'],
    LeaseKeepAlive: ['LeaseId', 'LeaseKeepAliveResponse'],
    LeaseTimeToLive: ['LeaseTimeToLiveRequest', 'LeaseTimeToLiveResponse'],
    LeaseLeases: ['Empty', 'LeaseLeasesResponse'],
  },
  'etcdserverpb.Cluster': {
    MemberAdd: ['MemberAddRequest', 'MemberAddResponse'],
    MemberRemove: ['MemberId', 'MembersResponse'],
    MemberUpdate: ['MemberUpdateRequest', 'MembersResponse'],
    MemberList: ['MemberListRequest', 'MembersResponse'],
    MemberPromote: ['MemberId', 'MembersResponse'],
  },
  'etcdserverpb.Maintenance': {
    Alarm: ['AlarmRequest', 'AlarmResponse'],
    Status: ['Empty', 'StatusResponse'],
    Defragment: ['Empty', 'HeaderOnly'],
    Hash: ['Empty', 'HashResponse'],
    HashKV: ['HashKvRequest', 'HashKvResponse'],
    Snapshot: ['Empty', 'SnapshotResponse'],
    MoveLeader: ['MoveLeaderRequest', 'HeaderOnly'],
  },
  'etcdserverpb.Auth': {
    AuthEnable: ['Empty', 'HeaderOnly'],
    AuthDisable: ['Empty', 'HeaderOnly'],
    Authenticate: ['AuthenticateRequest', 'AuthenticateResponse'],
    UserAdd: ['UserAddRequest', 'HeaderOnly'],
    UserGet: ['Name', 'RolesResponse'],
    UserList: ['Empty', 'UsersResponse'],
    UserDelete: ['Name', 'HeaderOnly'],
    UserChangePassword: ['UserChangePasswordRequest', 'HeaderOnly'],
    UserGrantRole: ['UserGrantRoleRequest', 'HeaderOnly'],
    UserRevokeRole: ['UserRevokeRoleRequest', 'HeaderOnly'],
    RoleAdd: ['Name', 'HeaderOnly'],
    RoleGet: ['Role', 'RoleGetResponse'],
    RoleList: ['Empty', 'RolesResponse'],
    RoleDelete: ['Role', 'HeaderOnly'],
    RoleGrantPermission: ['RoleGrantPermissionRequest', 'HeaderOnly'],
    RoleRevokePermission: ['RoleRevokePermissionRequest', 'HeaderOnly'],
  },
  'v3electionpb.Election': {
    Campaign: ['CampaignRequest', 'CampaignResponse'],
    Proclaim: ['ProclaimRequest', 'HeaderOnly'],
    Leader: ['ElectionName', 'LeaderResponse'],
    Observe: ['ElectionName', 'LeaderResponse'],
    Resign: ['ResignRequest', 'HeaderOnly'],
  },
  'v3lockpb.Lock': { Lock: ['LockRequest', 'LockResponse'], Unlock: ['UnlockRequest', 'HeaderOnly'] },
} as const satisfies Record<string, Record<string, readonly [string, string]>>;

type Services = typeof SERVICES;
export type MethodName = { [S in keyof Services]: keyof Services[S] & string }[keyof Services];

export interface WireMethod {
  readonly path: string;
  readonly encode: (message: Message) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

const root = new protobuf.Root();
for (const [name, fields] of Object.entries(MESSAGES)) root.add(typeOf(name, fields));

function typeOf(name: string, fields: string): protobuf.Type {
  const type = new protobuf.Type(name);
  const choices: string[] = [];
  for (const field of fields === '' ? [] : fields.split(', ')) {
    const [number, marked = '', fieldName = ''] = field.split(' ');
    const mark = /^[*|]/.exec(marked)?.[0];
    const rule = mark === '*' ? 'repeated' : undefined;
    type.add(new protobuf.Field(fieldName, Number(number), marked.replace(/^[*|]/, ''), rule));
    if (mark === '|') choices.push(fieldName);
  }
  if (choices.length > 0) type.add(new protobuf.OneOf('choice', choices));
  return type;
}

function wireMethod(path: string, request: string, response: string): WireMethod {
  const [requestType, responseType] = [root.lookupType(request), root.lookupType(response)];
  return {
    path,
    encode: (message) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
    decode: (bytes) => responseType.toObject(responseType.decode(bytes), { longs: String, defaults: true }),
  };
}

/** Method names are unique over all of etcd's services. */
export const wireMethods = Object.fromEntries(
  Object.entries(SERVICES).flatMap(([service, methods]) =>
    Object.entries(methods).map(([name, [request, response]]) => [
      name,
      wireMethod(`/${service}/${name}`, request, response),
    ]),
  ),
) as Readonly<Record<MethodName, WireMethod>>;
