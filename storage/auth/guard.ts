import { closeOnAbort } from '../client/embedded.js';
import type {
  CallOptions,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  StatusResponse,
  TxnRequest,
  TxnResponse,
  WatchStream,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { RangePage, ServedClient } from '../server/api.js';
import type { KvServer } from '../server/kv.js';
import type { LeaseServer } from '../server/leases.js';
import type { WatchHub } from '../watch/hub.js';
import type { Authorizer } from './authorizer.js';
import { GuardedStream } from './guarded-stream.js';

export interface GuardedClientOptions {
  /** These check who calls: their proposer is for clients from outside. */
  readonly kv: KvServer;
  readonly leases: LeaseServer;
  readonly hub: WatchHub;
  readonly authorizer: Authorizer;
  readonly status: () => StatusResponse;
  /** True while this member is a learner, which serves serializable ranges and its status only. */
  readonly isLearner: () => boolean;
  readonly close: () => Promise<void>;
}

/** The store as clients from outside see it: every call is checked for who makes it, and a learner refuses most. */
export class GuardedClient implements ServedClient {
  readonly #options: GuardedClientOptions;

  constructor(options: GuardedClientOptions) {
    this.#options = options;
  }

  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse> {
    const refusal = request.serializable === true ? undefined : this.#refusal();
    return refusal ?? this.#options.kv.range(request, options);
  }

  async *rangePages(request: RangeRequest, options?: CallOptions): AsyncGenerator<RangePage, void> {
    if (request.serializable !== true) await this.#refusal();
    yield* this.#options.kv.rangePages(request, options);
  }

  put(request: PutRequest, options?: CallOptions): Promise<PutResponse> {
    return this.#refusal() ?? this.#options.kv.put(request, options);
  }

  deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse> {
    return this.#refusal() ?? this.#options.kv.deleteRange(request, options);
  }

  txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse> {
    return this.#refusal() ?? this.#options.kv.txn(request, options);
  }

  compact(request: CompactionRequest, options?: CallOptions): Promise<CompactionResponse> {
    return this.#refusal() ?? this.#options.kv.compact(request, options);
  }

  watch(options?: CallOptions): WatchStream {
    const { hub, authorizer, isLearner } = this.#options;
    const stream = hub.open();
    if (isLearner()) stream.end(EtcdError.of('NotSupportedForLearner'));
    closeOnAbort(stream, options?.signal);
    return new GuardedStream(stream, authorizer, options);
  }

  leaseGrant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse> {
    return this.#refusal() ?? this.#options.leases.grant(request, options);
  }

  leaseRevoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse> {
    return this.#refusal() ?? this.#options.leases.revoke(id, options);
  }

  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    return this.#refusal() ?? this.#options.leases.keepAlive(id, options);
  }

  leaseTimeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse> {
    return this.#refusal() ?? this.#options.leases.timeToLive(request, options);
  }

  leaseLeases(options?: CallOptions): Promise<LeaseLeasesResponse> {
    return this.#refusal() ?? this.#options.leases.leases(options);
  }

  async status(options?: CallOptions): Promise<StatusResponse> {
    await this.#options.authorizer.requireUser(options);
    return this.#options.status();
  }

  /** Every header carries it, so it is no secret. */
  currentRevision(options?: CallOptions): Promise<number> {
    return this.#refusal() ?? this.#options.kv.currentRevision(options);
  }

  close(): Promise<void> {
    return this.#options.close();
  }

  #refusal(): Promise<never> | undefined {
    if (!this.#options.isLearner()) return undefined;
    return Promise.reject(EtcdError.of('NotSupportedForLearner'));
  }
}
