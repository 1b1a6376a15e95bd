/** A watch stream that outlives its connections: the ledger says what to send on the next one. */
import { EtcdError, GrpcCode } from '../../errors.js';
import type { WatchRequest } from '../../grpc/messages/watch.js';
import { Delivery } from '../../watch/delivery.js';
import type { CallOptions, WatchCreateRequest, WatchResponse, WatchStream } from '../interface.js';
import type { Connection, Stream, StreamEvents, StreamSettings } from './connection.js';
import type { Connections, RemoteLogger } from './connections.js';
import { isOfTheToken } from './failures.js';
import { Backoff } from './limits.js';
import { ProgressRequests } from './progress.js';
import type { Tokens } from './tokens.js';
import { WatchLedger } from './watch-ledger.js';

/** A progress request that has no answer is made again after so long, in milliseconds. */
const PROGRESS_REPEAT_MS = 200;
/** So long a connection is waited for, in milliseconds; its own limit is shorter. */
const CONNECT_MS_MAX = 60_000;

export interface WatchStreamOptions {
  readonly connections: Connections;
  readonly tokens: Tokens;
  readonly logger: RemoteLogger;
  /** Opens the call on this connection. */
  readonly open: (
    connection: Connection,
    settings: StreamSettings,
    events: StreamEvents<WatchResponse>,
  ) => Stream<WatchRequest>;
  /** Whether what this server says of progress can be trusted. Rejects with EtcdError. */
  readonly trustsProgress: (connection: Connection, token: string | undefined) => Promise<boolean>;
  /** The caller's own; the client's otherwise. */
  readonly token: CallOptions['token'];
}

export class RemoteWatchStream implements WatchStream {
  readonly closed: Promise<Error | undefined>;
  readonly #options: WatchStreamOptions;
  readonly #ledger = new WatchLedger();
  readonly #progress = new ProgressRequests();
  readonly #backoff = new Backoff();
  readonly #delivery: Delivery;
  readonly #stopped = new AbortController();
  #resolveClosed!: (error: Error | undefined) => void;
  #ended = false;
  /** The call that is open; undefined while there is none. */
  #stream: Stream<WatchRequest> | undefined;
  #connecting = false;
  /** Of the server that is connected; undefined as long as it is not known. */
  #trusted: boolean | undefined;
  #retry: NodeJS.Timeout | undefined;
  #repeat: NodeJS.Timeout | undefined;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    this.#delivery = new Delivery({
      stream: this,
      onRefused: () => this.#stream?.pause(),
      onBroken: (error) => this.#end(asEtcdError(error)),
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  create(request: WatchCreateRequest): void {
    if (this.#ended) return;
    this.#progress.creating();
    const message = this.#ledger.create(request);
    if (this.#stream === undefined) {
      if (this.#retry === undefined) void this.#connect();
      return;
    }
    this.#stream.send(message);
    this.#askProgress({ repeat: false });
  }

  cancel(watchId: number): void {
    const message = this.#ledger.cancel(watchId);
    if (message !== undefined) this.#stream?.send(message);
  }

  requestProgress(): boolean {
    if (this.#ended || this.#trusted === false) return false;
    this.#progress.want();
    this.#askProgress({ repeat: false });
    return true;
  }

  deliver(receiver: (response: WatchResponse) => boolean): void {
    this.#delivery.setReceiver(receiver);
    this.resume();
  }

  resume(): void {
    this.#delivery.resume();
    if (!this.#delivery.isRefused) this.#stream?.resume();
  }

  close(): void {
    this.#end(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchResponse> {
    return this.#delivery.iterator;
  }

  async #connect(): Promise<void> {
    if (this.#connecting || this.#ended) return;
    this.#connecting = true;
    const connection = this.#options.connections.current;
    let token: string | undefined;
    try {
      const deadline = performance.now() + CONNECT_MS_MAX;
      await connection.ready({ deadline, signal: this.#stopped.signal });
      token = this.#options.token ?? (await this.#options.tokens.get());
    } catch (error) {
      this.#connecting = false;
      this.#lost(connection, token, asEtcdError(error));
      return;
    }
    this.#connecting = false;
    if (!this.#ended) this.#open(connection, token);
  }

  #open(connection: Connection, token: string | undefined): void {
    const stream = this.#options.open(
      connection,
      { token, requireLeader: true },
      {
        message: (response) => {
          if (stream === this.#stream) this.#receive(connection, token, response);
        },
        ended: (error) => {
          if (stream === this.#stream) this.#lost(connection, token, error);
        },
      },
    );
    this.#stream = stream;
    for (const message of this.#ledger.connected()) stream.send(message);
    if (this.#delivery.isRefused) stream.pause();
    void this.#learnTrust(connection, token, stream);
  }

  async #learnTrust(
    connection: Connection,
    token: string | undefined,
    stream: Stream<WatchRequest>,
  ): Promise<void> {
    const { trustsProgress } = this.#options;
    // Of a server that does not say what it is nothing can be known.
    const trusted = await trustsProgress(connection, token).catch(() => false);
    if (stream !== this.#stream) return;
    this.#trusted = trusted;
    if (trusted) this.#askProgress({ repeat: false });
    else this.#progress.giveUp();
  }

  #askProgress({ repeat }: { readonly repeat: boolean }): void {
    if (this.#stream === undefined || this.#trusted !== true || this.#ledger.isEmpty) return;
    if (!this.#progress.take({ repeat })) return;
    this.#stream.send({ type: 'progress' });
    clearTimeout(this.#repeat);
    this.#repeat = setTimeout(() => this.#askProgress({ repeat: true }), PROGRESS_REPEAT_MS);
  }

  #receive(connection: Connection, token: string | undefined, response: WatchResponse): void {
    const refusal = this.#tokenRefusal(response);
    if (refusal !== undefined) return this.#lost(connection, token, refusal);
    this.#options.connections.answered(connection);
    this.#backoff.reset();
    if (isProgress(response)) {
      const counts = this.#progress.answered();
      this.#askProgress({ repeat: false });
      if (!counts) return;
    }
    let told: WatchResponse | undefined;
    try {
      told = this.#ledger.received(response);
    } catch (error) {
      return this.#end(asEtcdError(error));
    }
    if (told === undefined) return;
    this.#delivery.send(told);
  }

  /** etcd refuses the watch, not the stream, where a token is no longer good. */
  #tokenRefusal({ created, canceled, cancelReason = '' }: WatchResponse): EtcdError | undefined {
    if (created !== true || canceled !== true || this.#options.token !== undefined) return undefined;
    if (!this.#options.tokens.hasUser) return undefined;
    const names = ['InvalidAuthToken', 'AuthOldRevision', 'UserEmpty'] as const;
    return names.map((name) => EtcdError.of(name)).find(({ message }) => cancelReason.includes(message));
  }

  /** The connection has ended, or there was none. */
  #lost(connection: Connection, token: string | undefined, error: EtcdError | undefined): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#trusted = undefined;
    this.#progress.disconnected();
    clearTimeout(this.#repeat);
    if (this.#ended) return;
    for (const response of this.#ledger.disconnected()) this.#delivery.send(response);
    if (this.#ended) return;
    const why = error ?? new EtcdError(GrpcCode.Unavailable, `${connection.name} has ended the watch stream`);
    this.#options.logger.debug({ endpoint: connection.name, detail: why.message }, 'a watch stream was cut');
    if (this.#isFinal(why)) return this.#end(why);
    if (isOfTheToken(why)) void this.#options.tokens.refused(token);
    else this.#options.connections.failed(connection, why);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (!this.#ledger.isEmpty) void this.#connect();
    }, this.#backoff.next());
  }

  #isFinal(error: EtcdError): boolean {
    if (isOfTheToken(error)) return this.#options.token !== undefined || !this.#options.tokens.hasUser;
    return FINAL.has(error.code);
  }

  #end(error: EtcdError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#repeat);
    this.#stopped.abort();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#delivery.end(error);
    this.#resolveClosed(error);
  }
}

/** Of errors that no other connection will mend. */
const FINAL: ReadonlySet<GrpcCode> = new Set([
  GrpcCode.InvalidArgument,
  GrpcCode.PermissionDenied,
  GrpcCode.Unimplemented,
  GrpcCode.DataLoss,
]);

function isProgress({ watchId, created, canceled }: WatchResponse): boolean {
  return watchId === -1 && created !== true && canceled !== true;
}

function asEtcdError(error: unknown): EtcdError {
  if (error instanceof EtcdError) return error;
  return new EtcdError(GrpcCode.Unknown, error instanceof Error ? error.message : String(error));
}
