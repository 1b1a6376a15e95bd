/** A connection to one endpoint as a gRPC channel, with codecs of our own in the place of proto files. */
import {
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { asBuffer } from '../../bytes.js';
import { EtcdError, NotSentError } from '../../errors.js';
import type { Method } from '../../grpc/method.js';
import type { CallSettings, Connection, Stream, StreamEvents, StreamSettings } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { errorOfStatus } from './failures.js';
import { limited } from './limits.js';

export interface ClientTls {
  /** PEM. Absent: the authorities that Node trusts. */
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The name that the server's certificate must have, where it is not the endpoint's. */
  readonly serverName?: string | undefined;
}

export interface ConnectionOptions {
  readonly tls: ClientTls | undefined;
  /** How long a connection is tried for, in milliseconds. */
  readonly dialTimeoutMs: number;
  /** A connection with calls on it is asked for a sign of life after so long a silence, in milliseconds. */
  readonly keepAliveMs: number;
  /** Largest request, in bytes. */
  readonly sendBytesMax: number;
}

/** Without a sign of life for so long a connection is dead, in milliseconds. */
const KEEP_ALIVE_TIMEOUT_MS = 10_000;
/** Between attempts to connect, in milliseconds. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1000;

const unlimited = -1;
const asItIs = (bytes: Buffer) => bytes;

export class GrpcConnection implements Connection {
  readonly name: string;
  readonly #client: Client;
  readonly #dialTimeoutMs: number;
  readonly #sendBytesMax: number;
  /** Calls under way, to be cancelled at the end. */
  readonly #calls = new Set<{ cancel(): void }>();
  #dialing: Promise<void> | undefined;
  #closed = false;
  /** The same for all calls of one kind and token. */
  #metadata: { readonly token: string | undefined; readonly plain: Metadata; readonly leader: Metadata };

  constructor(endpoint: Endpoint, options: ConnectionOptions) {
    this.name = endpoint.name;
    this.#dialTimeoutMs = options.dialTimeoutMs;
    this.#sendBytesMax = options.sendBytesMax;
    this.#metadata = metadataFor(undefined);
    const serverName = options.tls?.serverName;
    this.#client = new Client(endpoint.address, credentialsOf(endpoint, options.tls), {
      'grpc.max_receive_message_length': unlimited,
      'grpc.max_send_message_length': unlimited,
      'grpc.keepalive_time_ms': options.keepAliveMs,
      'grpc.keepalive_timeout_ms': KEEP_ALIVE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS_MIN,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
      // What may be repeated is decided in calls.ts.
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      ...(serverName !== undefined && {
        'grpc.ssl_target_name_override': serverName,
        'grpc.default_authority': serverName,
      }),
    });
  }

  async ready({ deadline, signal }: Pick<CallSettings, 'deadline' | 'signal'>): Promise<void> {
    if (this.#closed) throw EtcdError.of('Canceled');
    if (this.#client.getChannel().getConnectivityState(true) === connectivityState.READY) return;
    this.#dialing ??= this.#dial().finally(() => {
      this.#dialing = undefined;
    });
    await limited(this.#dialing, deadline, signal);
  }

  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { deadline, signal, ...settings }: CallSettings,
  ): Promise<Response> {
    const bytes = asBuffer(method.request.encode(request));
    if (bytes.length > this.#sendBytesMax) return Promise.reject(EtcdError.of('RequestTooLarge'));
    if (this.#closed || signal?.aborted === true) return Promise.reject(EtcdError.of('Canceled'));
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        asItIs,
        (response: Buffer) => method.response.decode(response),
        bytes,
        this.#metadataOf(settings),
        { deadline: Date.now() + Math.max(0, deadline - performance.now()) },
        (error, response) => {
          this.#calls.delete(call);
          signal?.removeEventListener('abort', abort);
          if (error !== null) reject(this.#errorOf(error));
          else if (response === undefined) reject(EtcdError.of('Canceled'));
          else resolve(response);
        },
      );
      this.#calls.add(call);
      const abort = () => call.cancel();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  open<Request, Response>(
    method: Method<Request, Response>,
    settings: StreamSettings,
    events: StreamEvents<Response>,
  ): Stream<Request> {
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      (request: Request) => asBuffer(method.request.encode(request)),
      (response: Buffer) => method.response.decode(response),
      this.#metadataOf(settings),
    );
    this.#calls.add(call);
    let isOver = false;
    const end = (error: EtcdError | undefined) => {
      this.#calls.delete(call);
      if (isOver) return;
      isOver = true;
      events.ended(error);
    };
    call.on('data', (response: Response) => {
      if (!isOver) events.message(response);
    });
    call.on('error', (error: ServiceError) => end(this.#errorOf(error)));
    call.on('end', () => end(undefined));
    return {
      send: (request) => void call.write(request),
      end: () => call.end(),
      pause: () => void call.pause(),
      resume: () => void call.resume(),
      cancel: () => {
        isOver = true;
        this.#calls.delete(call);
        call.cancel();
      },
    };
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  /** Resolves when there is a connection, or when an attempt has failed: the next call then fails, and says why. */
  #dial(): Promise<void> {
    const until = Date.now() + this.#dialTimeoutMs;
    const channel = this.#client.getChannel();
    return new Promise((resolve, reject) => {
      const look = (late?: Error) => {
        if (this.#closed) return reject(EtcdError.of('Canceled'));
        if (late !== undefined) {
          return reject(new NotSentError(this.name, `no connection after ${this.#dialTimeoutMs} ms`));
        }
        const state = channel.getConnectivityState(true);
        const { READY, TRANSIENT_FAILURE } = connectivityState;
        if (state === READY || state === TRANSIENT_FAILURE) resolve();
        else channel.watchConnectivityState(state, until, look);
      };
      look();
    });
  }

  #metadataOf({ token, requireLeader }: StreamSettings): Metadata {
    if (token !== this.#metadata.token) this.#metadata = metadataFor(token);
    return requireLeader ? this.#metadata.leader : this.#metadata.plain;
  }

  #errorOf(error: ServiceError): EtcdError {
    return errorOfStatus(error, this.name);
  }
}

/** etcd looks for the token in both places, a gateway perhaps only in one. */
function metadataFor(token: string | undefined) {
  const plain = new Metadata();
  if (token !== undefined) {
    plain.set('token', token);
    plain.set('authorization', token);
  }
  const leader = plain.clone();
  leader.set('hasleader', 'true');
  return { token, plain, leader };
}

const pem = (value: string | Buffer | undefined) => (value === undefined ? null : Buffer.from(value));

function credentialsOf({ secure }: Endpoint, tls: ClientTls | undefined): ChannelCredentials {
  if (!secure) return credentials.createInsecure();
  return credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert));
}
