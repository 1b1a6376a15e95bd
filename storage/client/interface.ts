/**
 * etcd's v3 API as plain messages: what the API server knows of its store. Implemented by the store in this process
 * (embedded) and over gRPC (remote). Messages carry the fields of etcd's own, in camel case, and survive structured
 * cloning, so that the store can move to a worker, a process or a machine without a change above it.
 *
 * Keys and values are bytes. Revisions are numbers below 2^53, asserted. Lease, cluster and member ids are bigint.
 * Every call rejects with `EtcdError` and nothing else.
 */

export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** The store's revision when the request was applied, also for a range at an older revision. */
  readonly revision: number;
  readonly raftTerm: number;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since the key was created; 1 after the first put. */
  readonly version: number;
  /** 0n for none. */
  readonly lease: bigint;
}

export interface RangeRequest {
  readonly key: Uint8Array;
  /** Absent: the one key. [0]: every key ≥ key. */
  readonly rangeEnd?: Uint8Array;
  /** 0 or absent: no limit. */
  readonly limit?: number;
  /** 0 or absent: the current one. */
  readonly revision?: number;
  readonly sortOrder?: 'none' | 'ascend' | 'descend';
  readonly sortTarget?: 'key' | 'version' | 'create' | 'mod' | 'value';
  /** Answer from this member's state without confirming that it is the newest. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}
export interface RangeResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the range, ignoring limit and filters. */
  readonly count: number;
}

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease?: bigint;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}
export interface PutResponse {
  readonly header: ResponseHeader;
  readonly prevKv?: KeyValue;
}

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  readonly prevKv?: boolean;
}
export interface DeleteRangeResponse {
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export type CompareResult = 'equal' | 'greater' | 'less' | 'not-equal';
interface CompareBase {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  readonly result: CompareResult;
}
export type Compare =
  | (CompareBase & { readonly target: 'version'; readonly version: number })
  | (CompareBase & { readonly target: 'create'; readonly createRevision: number })
  | (CompareBase & { readonly target: 'mod'; readonly modRevision: number })
  | (CompareBase & { readonly target: 'value'; readonly value: Uint8Array })
  | (CompareBase & { readonly target: 'lease'; readonly lease: bigint });

/** An operation without a type is etcd's empty op, an error. */
export type RequestOp =
  | ({ readonly type: 'range' } & RangeRequest)
  | ({ readonly type: 'put' } & PutRequest)
  | ({ readonly type: 'delete' } & DeleteRangeRequest)
  | ({ readonly type: 'txn' } & TxnRequest)
  | { readonly type: 'empty' };
export type ResponseOp =
  | ({ readonly type: 'range' } & RangeResponse)
  | ({ readonly type: 'put' } & PutResponse)
  | ({ readonly type: 'delete' } & DeleteRangeResponse)
  | ({ readonly type: 'txn' } & TxnResponse);

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface CompactionRequest {
  readonly revision: number;
  /** Wait until the rows are gone, not only until they cannot be read. */
  readonly physical?: boolean;
}
export interface CompactionResponse {
  readonly header: ResponseHeader;
}

export interface LeaseGrantRequest {
  /** Seconds. */
  readonly ttl: number;
  /** 0n or absent: the store chooses. */
  readonly id?: bigint;
}
export interface LeaseGrantResponse {
  readonly header: ResponseHeader;
  readonly id: bigint;
  readonly ttl: number;
}
export interface LeaseRevokeResponse {
  readonly header: ResponseHeader;
}
/** `ttl` 0: the lease is unknown or has expired. */
export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader;
  readonly id: bigint;
  readonly ttl: number;
}
export interface LeaseTimeToLiveRequest {
  readonly id: bigint;
  readonly keys?: boolean;
}
/** `ttl` −1: the lease is unknown. */
export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader;
  readonly id: bigint;
  /** Seconds left. */
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly Uint8Array[];
}
export interface LeaseLeasesResponse {
  readonly header: ResponseHeader;
  readonly leases: readonly bigint[];
}

export interface StatusResponse {
  readonly header: ResponseHeader;
  readonly version: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly leader: bigint;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
  /** Bytes; 0 where the server is too old to say. */
  readonly dbSizeQuota: number;
  /** Of the format on disk; empty where the server is too old to say. */
  readonly storageVersion: string;
}

export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  /** 0 or absent: from now. */
  readonly startRevision?: number;
  /** Periodic empty responses that carry the revision. */
  readonly progressNotify?: boolean;
  readonly filters?: readonly ('noput' | 'nodelete')[];
  readonly prevKv?: boolean;
  /** 0 or absent: the stream chooses. */
  readonly watchId?: number;
  /** Split a large revision over several responses. */
  readonly fragment?: boolean;
}

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** Of a delete: the key and the revision of the deletion, no value. */
  readonly kv: KeyValue;
  readonly prevKv?: KeyValue;
}

export interface WatchResponse {
  readonly header: ResponseHeader;
  /** −1 for an answer that concerns every watch of the stream (progress). */
  readonly watchId: number;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancelReason?: string;
  /** Set on cancel when the watch fell below the compacted revision. */
  readonly compactRevision?: number;
  readonly fragment?: boolean;
  readonly events: readonly WatchEvent[];
}

/**
 * One watch stream, many watches, as in etcd. Responses come in order. The stream holds a bounded number of bytes for
 * a reader that does not read: it then stops sending and reads history from disk when the reader goes on.
 */
export interface WatchStream extends AsyncIterable<WatchResponse> {
  create(request: WatchCreateRequest): void;
  cancel(watchId: number): void;
  /**
   * Asks for a response with watch id −1 as soon as every watch of this stream is synced. False: there will be none,
   * because this store's word on it cannot be trusted (etcd before 3.4.31 and 3.5.13).
   */
  requestProgress(): boolean;
  /**
   * Delivers responses by a synchronous call instead of iteration, from now on: the embedded store calls it within
   * the apply that made the events, before the writer's own promise resolves. Return false to say "not now": the
   * stream keeps that response and delivers nothing more until `resume()`.
   */
  deliver(receiver: (response: WatchResponse) => boolean): void;
  resume(): void;
  close(): void;
  /** Resolves when the stream has ended: undefined after close(), else why it was cut (e.g. no leader). */
  readonly closed: Promise<Error | undefined>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds from now; the store's own request time-out when absent. */
  readonly timeout?: number;
  /** What `authenticate` gave; absent: nobody in particular. */
  readonly token?: string;
  /** Common name of the client's certificate, which the client port has verified. Never sent over the wire. */
  readonly certificateName?: string;
}

export interface EtcdClient {
  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse>;
  put(request: PutRequest, options?: CallOptions): Promise<PutResponse>;
  deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse>;
  txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse>;
  compact(request: CompactionRequest, options?: CallOptions): Promise<CompactionResponse>;
  watch(options?: CallOptions): WatchStream;
  leaseGrant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse>;
  leaseRevoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse>;
  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse>;
  leaseTimeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse>;
  leaseLeases(options?: CallOptions): Promise<LeaseLeasesResponse>;
  status(options?: CallOptions): Promise<StatusResponse>;
  /**
   * The store's newest revision, confirmed with a quorum (embedded: ReadIndex; remote: a linearizable range of one
   * absent key). What consistent reads through a cache wait for.
   */
  currentRevision(options?: CallOptions): Promise<number>;
  close(): Promise<void>;
}
