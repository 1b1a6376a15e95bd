/** etcd's API over gRPC, on one or several endpoints: the same interface as the store in this process. */
import { EtcdError, GrpcCode } from '../../errors.js';
import type { SnapshotChunk } from '../../server/api.js';
import { Auth, KV, Lease, Maintenance, Watch } from '../../grpc/services.js';
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
} from '../interface.js';
import { Calls, LOCAL_READ, READ, REQUEST_TIMEOUT_MS, WRITE } from './calls.js';
import type { CallSettings, Connection } from './connection.js';
import { Connections, type RemoteLogger } from './connections.js';
import { limited } from './limits.js';
import { isProgressTrusted } from './progress.js';
import { SnapshotCall } from './snapshot.js';
import { Tokens } from './tokens.js';
import { RemoteWatchStream } from './watch-stream.js';

export interface RemoteClientParts {
  /** At least one. */
  readonly connections: readonly Connection[];
  readonly user?: { readonly name: string; readonly password: string } | undefined;
  readonly logger: RemoteLogger;
  /** Of calls that say nothing else, in milliseconds. */
  readonly requestTimeoutMs?: number | undefined;
  /** A key that is read to learn the store's revision; its user must be allowed to. */
  readonly probeKey?: Uint8Array | undefined;
}

/** How long a server may take to make a copy of its database, in milliseconds. */
const SNAPSHOT_MS_MAX = 10 * 60_000;

/** How long a server may take to say what version it is, in milliseconds. */
const VERSION_MS_MAX = 5000;

export class RemoteClient implements EtcdClient {
  readonly #logger: RemoteLogger;
  readonly #connections: Connections;
  readonly #tokens: Tokens;
  readonly #calls: Calls;
  readonly #requestTimeoutMs: number;
  readonly #streams = new Set<RemoteWatchStream>();
  readonly #probe: RangeRequest;
  #closed = false;

  constructor({
    connections,
    user,
    logger,
    requestTimeoutMs,
    probeKey = Uint8Array.of(0),
  }: RemoteClientParts) {
    this.#logger = logger;
    this.#connections = new Connections(connections, logger);
    this.#tokens = new Tokens(user && (() => this.#authenticate(user)));
    this.#requestTimeoutMs = requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#calls = new Calls({ connections: this.#connections, tokens: this.#tokens, requestTimeoutMs });
    this.#probe = { key: probeKey, countOnly: true };
  }

  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse> {
    const kind = request.serializable === true ? LOCAL_READ : READ;
    return this.#calls.unary(KV.Range, request, kind, options);
  }

  put(request: PutRequest, options?: CallOptions): Promise<PutResponse> {
    return this.#calls.unary(KV.Put, request, WRITE, options);
  }

  deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse> {
    return this.#calls.unary(KV.DeleteRange, request, WRITE, options);
  }

  txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse> {
    return this.#calls.unary(KV.Txn, request, onlyReads(request) ? READ : WRITE, options);
  }

  compact(request: CompactionRequest, options?: CallOptions): Promise<CompactionResponse> {
    return this.#calls.unary(KV.Compact, request, WRITE, options);
  }

  watch(options: CallOptions = {}): WatchStream {
    const stream = new RemoteWatchStream({
      connections: this.#connections,
      tokens: this.#tokens,
      logger: this.#logger,
      open: (connection, settings, events) => connection.open(Watch.Watch, settings, events),
      trustsProgress: (connection, token) => this.#trustsProgress(connection, token),
      token: options.token,
    });
    if (this.#closed || options.signal?.aborted === true) {
      stream.close();
      return stream;
    }
    this.#streams.add(stream);
    const abort = () => stream.close();
    options.signal?.addEventListener('abort', abort, { once: true });
    const forget = () => {
      this.#streams.delete(stream);
      options.signal?.removeEventListener('abort', abort);
    };
    stream.closed.then(forget, forget);
    return stream;
  }

  leaseGrant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse> {
    return this.#calls.unary(Lease.LeaseGrant, request, WRITE, options);
  }

  leaseRevoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse> {
    return this.#calls.unary(Lease.LeaseRevoke, { id }, WRITE, options);
  }

  /** A stream for each call: they are few, and share a connection. Renewing twice harms nobody. */
  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    return this.#calls.run((connection, settings) => keepAlive(connection, settings, id), READ, options);
  }

  leaseTimeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse> {
    return this.#calls.unary(Lease.LeaseTimeToLive, request, READ, options);
  }

  leaseLeases(options?: CallOptions): Promise<LeaseLeasesResponse> {
    return this.#calls.unary(Lease.LeaseLeases, {}, READ, options);
  }

  /** Of the endpoint in use. */
  status(options?: CallOptions): Promise<StatusResponse> {
    return this.#calls.unary(Maintenance.Status, {}, LOCAL_READ, options);
  }

  /**
   * Of the endpoint in use, which may take long to begin: until then a time-out counts, and another endpoint is asked when
   * one fails. @throws EtcdError
   */
  async *snapshot(options: CallOptions = {}): AsyncGenerator<SnapshotChunk, void, undefined> {
    const call = await this.#calls.run(
      async (connection, settings) => {
        const call = new SnapshotCall(connection, settings);
        await call.begun(settings);
        return call;
      },
      LOCAL_READ,
      { timeout: SNAPSHOT_MS_MAX, ...options },
    );
    yield* call.chunks(options.signal);
  }

  async currentRevision(options?: CallOptions): Promise<number> {
    return (await this.range(this.#probe, options)).header.revision;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of this.#streams) stream.close();
    this.#calls.close();
    this.#connections.close();
  }

  /** Whoever asks for a token has none. */
  async #authenticate(user: { readonly name: string; readonly password: string }): Promise<string> {
    const calls = new Calls({
      connections: this.#connections,
      tokens: new Tokens(undefined),
      requestTimeoutMs: this.#requestTimeoutMs,
    });
    return (await calls.unary(Auth.Authenticate, user, READ)).token;
  }

  async #trustsProgress(connection: Connection, token: string | undefined): Promise<boolean> {
    const { version } = await connection.unary(
      Maintenance.Status,
      {},
      { deadline: performance.now() + VERSION_MS_MAX, signal: undefined, token, requireLeader: false },
    );
    const isTrusted = isProgressTrusted(version);
    this.#logger.debug({ endpoint: connection.name, version, isTrusted }, 'watch stream opened');
    return isTrusted;
  }
}

/** Whether doing it twice does no harm, whatever branch is taken. */
function onlyReads({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every((op) => op.type === 'range' || (op.type === 'txn' && onlyReads(op)));
}

function keepAlive(
  connection: Connection,
  { deadline, signal, token, requireLeader }: CallSettings,
  id: bigint,
): Promise<LeaseKeepAliveResponse> {
  let stream: { cancel(): void } | undefined;
  const answer = new Promise<LeaseKeepAliveResponse>((resolve, reject) => {
    const opened = connection.open(
      Lease.LeaseKeepAlive,
      { token, requireLeader },
      {
        message: resolve,
        ended: (error) =>
          reject(error ?? new EtcdError(GrpcCode.Unavailable, `${connection.name} has ended the stream`)),
      },
    );
    opened.send({ id });
    stream = opened;
  });
  return limited(answer, deadline, signal).finally(() => stream?.cancel());
}
