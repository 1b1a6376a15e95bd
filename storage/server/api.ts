/**
 * All that etcd's v3 API offers, as plain messages: what the client port serves (grpc/, http/), whoever implements it.
 * Messages carry the fields of etcd's own, in camel case. Every call rejects with EtcdError and nothing else.
 */
import type {
  CallOptions,
  EtcdClient,
  KeyValue,
  RangeRequest,
  RangeResponse,
  ResponseHeader,
  StatusResponse,
} from '../client/interface.js';
import type { PackedRows } from '../mvcc/packed-rows.js';

export interface EtcdServices {
  /** KV, Watch and Lease, with the checks for clients from outside. */
  readonly client: ServedClient;
  readonly cluster: ClusterService;
  readonly maintenance: MaintenanceService;
  readonly auth: AuthService;
  readonly election: ElectionService;
  readonly lock: LockService;
  readonly leadership: Leadership;
}

export interface ServedClient extends EtcdClient {
  /**
   * A range's answer in pieces, so that neither side holds up others with a long one: `kvs` follow on each other, header
   * and count are the whole answer's in each, `more` is said by the last. All are of one revision.
   */
  rangePages(request: RangeRequest, options?: CallOptions): AsyncIterable<RangePage>;
}

export interface RangePage extends Omit<RangeResponse, 'kvs'> {
  readonly kvs: readonly KeyValue[] | PackedRows;
}

/** Whether this member knows a leader, for calls that ask for one (`hasleader` in etcd's metadata). */
export interface Leadership {
  hasLeader(): boolean;
  /** Called once the leader has been absent for three election time-outs. Returns an unsubscribe function. */
  onLost(listener: () => void): () => void;
  /** A learner refuses all but serializable ranges, its status and snapshots. */
  isLearner(): boolean;
}

export interface HeaderResponse {
  readonly header: ResponseHeader;
}

export interface ClusterMember {
  readonly id: bigint;
  /** Empty until it has started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}
export interface MembersResponse extends HeaderResponse {
  readonly members: readonly ClusterMember[];
}
export interface MemberAddResponse extends MembersResponse {
  readonly member: ClusterMember;
}

export interface ClusterService {
  list(request: { readonly linearizable: boolean }, options?: CallOptions): Promise<MembersResponse>;
  add(
    request: { readonly peerUrls: readonly string[]; readonly isLearner: boolean },
    options?: CallOptions,
  ): Promise<MemberAddResponse>;
  remove(request: { readonly id: bigint }, options?: CallOptions): Promise<MembersResponse>;
  promote(request: { readonly id: bigint }, options?: CallOptions): Promise<MembersResponse>;
  update(
    request: { readonly id: bigint; readonly peerUrls: readonly string[] },
    options?: CallOptions,
  ): Promise<MembersResponse>;
}

export type AlarmType = 'none' | 'nospace' | 'corrupt';
export interface AlarmMember {
  readonly memberId: bigint;
  readonly alarm: AlarmType;
}
export interface AlarmRequest extends AlarmMember {
  readonly action: 'get' | 'activate' | 'deactivate';
}
export interface AlarmResponse extends HeaderResponse {
  readonly alarms: readonly AlarmMember[];
}

export interface HashKvResponse extends HeaderResponse {
  readonly hash: number;
  /** −1 when nothing was ever compacted. */
  readonly compactRevision: number;
  /** The revision that the hash is of. */
  readonly hashRevision: number;
}

/** A piece of the store's copy. After the last piece of it come 32 bytes more: SHA-256 of all before. */
export interface SnapshotChunk extends HeaderResponse {
  /** Bytes of the copy that are still to come; the checksum does not count. */
  readonly remainingBytes: number;
  readonly blob: Uint8Array;
  /** Of the store that made it. */
  readonly version: string;
}

export interface MaintenanceService {
  status(options?: CallOptions): Promise<StatusResponse>;
  alarm(request: AlarmRequest, options?: CallOptions): Promise<AlarmResponse>;
  defragment(options?: CallOptions): Promise<HeaderResponse>;
  /** Of everything this member holds, at its present revision. */
  hash(options?: CallOptions): Promise<HeaderResponse & { readonly hash: number }>;
  /** Of what can be read and watched at a revision; 0: the present one. Equal on all members. */
  hashKv(request: { readonly revision: number }, options?: CallOptions): Promise<HashKvResponse>;
  /** Consistent, while the store goes on. */
  snapshot(options?: CallOptions): AsyncIterable<SnapshotChunk>;
  moveLeader(request: { readonly targetId: bigint }, options?: CallOptions): Promise<HeaderResponse>;
  downgrade(
    request: { readonly action: 'validate' | 'enable' | 'cancel'; readonly version: string },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly version: string }>;
}

export interface Permission {
  readonly type: 'read' | 'write' | 'readwrite';
  readonly key: Uint8Array;
  /** Empty: the one key. [0]: every key ≥ key. */
  readonly rangeEnd: Uint8Array;
}
export interface UserAddRequest {
  readonly name: string;
  readonly password: string;
  /** In place of the password, already hashed. */
  readonly hashedPassword: string;
  /** Known by its certificate only. */
  readonly noPassword: boolean;
}

export interface AuthService {
  enable(options?: CallOptions): Promise<HeaderResponse>;
  disable(options?: CallOptions): Promise<HeaderResponse>;
  status(
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly enabled: boolean; readonly authRevision: number }>;
  authenticate(
    request: { readonly name: string; readonly password: string },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly token: string }>;
  userAdd(request: UserAddRequest, options?: CallOptions): Promise<HeaderResponse>;
  userGet(
    request: { readonly name: string },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly roles: readonly string[] }>;
  userList(options?: CallOptions): Promise<HeaderResponse & { readonly users: readonly string[] }>;
  userDelete(request: { readonly name: string }, options?: CallOptions): Promise<HeaderResponse>;
  userChangePassword(
    request: Pick<UserAddRequest, 'name' | 'password' | 'hashedPassword'>,
    options?: CallOptions,
  ): Promise<HeaderResponse>;
  userGrantRole(
    request: { readonly user: string; readonly role: string },
    options?: CallOptions,
  ): Promise<HeaderResponse>;
  userRevokeRole(
    request: { readonly name: string; readonly role: string },
    options?: CallOptions,
  ): Promise<HeaderResponse>;
  roleAdd(request: { readonly name: string }, options?: CallOptions): Promise<HeaderResponse>;
  roleGet(
    request: { readonly role: string },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly permissions: readonly Permission[] }>;
  roleList(options?: CallOptions): Promise<HeaderResponse & { readonly roles: readonly string[] }>;
  roleDelete(request: { readonly role: string }, options?: CallOptions): Promise<HeaderResponse>;
  roleGrantPermission(
    /** Undefined: InvalidArgument, PermissionNotGiven. */
    request: { readonly name: string; readonly permission: Permission | undefined },
    options?: CallOptions,
  ): Promise<HeaderResponse>;
  roleRevokePermission(
    request: { readonly role: string; readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
    options?: CallOptions,
  ): Promise<HeaderResponse>;
}

export interface LeaderKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
  /** Create revision of the key. */
  readonly revision: number;
  readonly lease: bigint;
}

/** etcd's v3election: leadership is the oldest key below `name/`. */
export interface ElectionService {
  /** Resolves when elected. */
  campaign(
    request: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly leader: LeaderKey }>;
  proclaim(
    request: { readonly leader: LeaderKey | undefined; readonly value: Uint8Array },
    options?: CallOptions,
  ): Promise<HeaderResponse>;
  leader(request: { readonly name: Uint8Array }, options?: CallOptions): Promise<LeaderResponse>;
  /** Each leader's proclamations as they come, until the call ends. */
  observe(request: { readonly name: Uint8Array }, options?: CallOptions): AsyncIterable<LeaderResponse>;
  resign(request: { readonly leader: LeaderKey | undefined }, options?: CallOptions): Promise<HeaderResponse>;
}
export interface LeaderResponse extends HeaderResponse {
  readonly kv: KeyValue | undefined;
}

/** etcd's v3lock: whoever has the oldest key below `name/` holds the lock. */
export interface LockService {
  /** Resolves when held. */
  lock(
    request: { readonly name: Uint8Array; readonly lease: bigint },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly key: Uint8Array }>;
  unlock(request: { readonly key: Uint8Array }, options?: CallOptions): Promise<HeaderResponse>;
}
