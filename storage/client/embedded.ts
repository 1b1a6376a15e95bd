import { EtcdError } from '../errors.js';
import type { KvServer } from '../server/kv.js';
import type { LeaseServer } from '../server/leases.js';
import type { WatchHub } from '../watch/hub.js';
import type {
  CallOptions,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  EtcdClient,
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
} from './interface.js';

export interface EmbeddedClientOptions {
  readonly kv: KvServer;
  readonly leases: LeaseServer;
  readonly hub: WatchHub;
  readonly status: () => StatusResponse;
  /** True while this member is a learner that serves serializable ranges and its status only. Never when absent. */
  readonly refuses?: () => boolean;
  readonly close: () => Promise<void>;
}

/** The store in this process, as a client sees it: no serialization, no copies, watches told within the apply. */
export class EmbeddedClient implements EtcdClient {
  readonly #options: EmbeddedClientOptions;

  constructor(options: EmbeddedClientOptions) {
    this.#options = options;
  }

  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse> {
    const refusal = request.serializable === true ? undefined : this.#refusal();
    return refusal ?? this.#options.kv.range(request, options);
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
    const stream = this.#options.hub.open();
    if (this.#options.refuses?.() === true) stream.end(EtcdError.of('NotSupportedForLearner'));
    const signal = options?.signal;
    if (signal?.aborted === true) {
      stream.close();
    } else if (signal !== undefined) {
      const abort = () => stream.close();
      signal.addEventListener('abort', abort, { once: true });
      void stream.closed.then(() => signal.removeEventListener('abort', abort));
    }
    return stream;
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

  async status(): Promise<StatusResponse> {
    return this.#options.status();
  }

  currentRevision(options?: CallOptions): Promise<number> {
    return this.#refusal() ?? this.#options.kv.currentRevision(options);
  }

  close(): Promise<void> {
    return this.#options.close();
  }

  #refusal(): Promise<never> | undefined {
    if (this.#options.refuses?.() !== true) return undefined;
    return Promise.reject(EtcdError.of('NotSupportedForLearner'));
  }
}
