/** The remote client, to be imported only where one is used: it brings gRPC. */
import { RemoteClient, type RemoteClientParts } from './client.js';
import { endpointOf } from './endpoint.js';
import { GrpcConnection, type ClientTls } from './grpc-connection.js';

export type { RemoteClient } from './client.js';
export type { ClientTls } from './grpc-connection.js';

export interface RemoteClientOptions
  extends Pick<RemoteClientParts, 'user' | 'logger' | 'requestTimeoutMs' | 'probeKey'> {
  /** At least one: `http://host:port`, `https://host:port`, or `host:port`, which is secure where `tls` is given. */
  readonly endpoints: readonly string[];
  readonly tls?: ClientTls | undefined;
  /** How long one endpoint is tried before the next, in milliseconds. */
  readonly dialTimeoutMs?: number;
  /** A connection with calls on it is asked for a sign of life after so long a silence, in milliseconds. */
  readonly keepAliveMs?: number;
  /** Largest request, in bytes; etcd takes 1.5 MiB unless it is told otherwise. */
  readonly sendBytesMax?: number;
}

const DIAL_TIMEOUT_MS = 2000;
/** As kube-apiserver. Below 5 s etcd takes it for abuse. */
const KEEP_ALIVE_MS = 30_000;
/** As etcd's own client. */
const SEND_BYTES_MAX = 2 * 2 ** 20;

/**
 * A client of an etcd v3 (3.4 or newer) or of Wherry. It connects at first use.
 * @throws UrlError
 */
export function createRemoteClient(options: RemoteClientOptions): RemoteClient {
  const {
    endpoints,
    tls,
    dialTimeoutMs = DIAL_TIMEOUT_MS,
    keepAliveMs = KEEP_ALIVE_MS,
    sendBytesMax = SEND_BYTES_MAX,
    ...parts
  } = options;
  const connections = endpoints
    .map((text) => endpointOf(text, { secure: tls !== undefined }))
    .map((endpoint) => new GrpcConnection(endpoint, { tls, dialTimeoutMs, keepAliveMs, sendBytesMax }));
  return new RemoteClient({ ...parts, connections });
}
