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
  readonly close: () => Promise<void>;
}

/** The store in this process, as a client sees it: no serialization, no copies, watches told within the apply. */
export class EmbeddedClient implements EtcdClient {
  readonly #options: EmbeddedClientOptions;

  constructor(options: EmbeddedClientOptions) {
    this.#options = options;
  }

  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse> {
    return this.#options.kv.range(request, options);
  }

  put(request: PutRequest, options?: CallOptions): Promise<PutResponse> {
    return this.#options.kv.put(request, options);
  }

  deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse> {
    return this.#options.kv.deleteRange(request, options);
  }

  txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse> {
    return this.#options.kv.txn(request, options);
  }

  compact(request: CompactionRequest, options?: CallOptions): Promise<CompactionResponse> {
    return this.#options.kv.compact(request, options);
  }

  watch(options?: CallOptions): WatchStream {
    const stream = this.#options.hub.open();
    closeOnAbort(stream, options?.signal);
    return stream;
  }

  leaseGrant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse> {
    return this.#options.leases.grant(request, options);
  }

  leaseRevoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse> {
    return this.#options.leases.revoke(id, options);
  }

  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    return this.#options.leases.keepAlive(id, options);
  }

  leaseTimeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse> {
    return this.#options.leases.timeToLive(request, options);
  }

  leaseLeases(options?: CallOptions): Promise<LeaseLeasesResponse> {
    return this.#options.leases.leases(options);
  }

  async status(): Promise<StatusResponse> {
    return this.#options.status();
  }

  currentRevision(options?: CallOptions): Promise<number> {
    return this.#options.kv.currentRevision(options);
  }

  close(): Promise<void> {
    return this.#options.close();
  }
}

/** Ends a stream with the call that it belongs to. */
export function closeOnAbort(stream: WatchStream, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (signal.aborted) return stream.close();
  const abort = () => stream.close();
  signal.addEventListener('abort', abort, { once: true });
  void stream.closed.then(() => signal.removeEventListener('abort', abort));
}
