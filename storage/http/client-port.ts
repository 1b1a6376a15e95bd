/** The port that etcd's clients know: gRPC, the JSON gateway, health, version and metrics, each over the same address. */
import type { PeerTls } from '../../raft/transport/tls.js';
import { addressOf, isLoopback } from '../cluster/urls.js';
import type { GrpcObserver } from '../grpc/observer.js';
import { etcdRoutes } from '../grpc/routes.js';
import { serveCall } from '../grpc/server/http2.js';
import { GrpcServer, isGrpc } from '../grpc/server/server.js';
import type { MetricsPage } from '../metrics/metrics.js';
import type { EtcdServices } from '../server/api.js';
import { REQUEST_BYTES_MAX } from '../server/validate.js';
import { encodeHeaders } from '../http2/hpack.js';
import type { KeepAliveOptions } from '../http2/keep-alive.js';
import type { RequestHeaders } from '../http2/stream.js';
import { Http1Exchange, Http2Exchange } from './exchange.js';
import { Gateway } from './gateway.js';
import type { GuardRules } from './guard.js';
import type { HealthParts } from './health.js';
import { Listener } from './listener.js';
import { Pages } from './pages.js';

const NOT_FOUND = encodeHeaders([[':status', '404']]);
/** What a message may have beyond the request that is in it, as in etcd. */
const MESSAGE_OVERHEAD_BYTES = 512 * 1024;

export interface ClientPortOptions extends Pick<HealthParts, 'status' | 'alarms' | 'onChecked'> {
  /** `http://host:port` or `https://host:port`, port 0 for any free one. */
  readonly urls: readonly string[];
  /** More of them, without gRPC; there is none of HTTP/1.1 at the others then, as in etcd. */
  readonly httpUrls?: readonly string[] | undefined;
  /** For what is https. */
  readonly tls?: PeerTls | undefined;
  readonly services: EtcdServices;
  readonly observer?: GrpcObserver | undefined;
  readonly metrics?: (() => Promise<MetricsPage>) | undefined;
  /** Bytes of one request's command; etcd's 1.5 MiB when absent. */
  readonly requestBytesMax?: number | undefined;
  /** Of one connection; without a limit when absent. */
  readonly concurrentStreamsMax?: number | undefined;
  /** Of connections of HTTP/2; absent: nobody is asked and nobody cut off. */
  readonly keepAlive?: KeepAliveOptions | undefined;
  /** Web pages, and names of the port, that are let in. */
  readonly rules?: GuardRules | undefined;
  /** False: no JSON gateway. */
  readonly hasGateway?: boolean | undefined;
  /** The name in a client's certificate says which user it is. True when absent. */
  readonly certificatesNameUsers?: boolean | undefined;
  /** Told of what must not happen; the request is answered with 500, or the code Unknown. */
  readonly onError: (error: unknown) => void;
}

export interface ClientPort {
  /** What the urls came to, in their order; after them the HTTP urls. */
  readonly ports: readonly number[];
  /** Streams end at once; unary calls are waited for, for a moment. */
  close(): Promise<void>;
}

/** Rejects as the system refuses (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function listenForClients(options: ClientPortOptions): Promise<ClientPort> {
  const { services, observer, onError, httpUrls = [] } = options;
  const routes = etcdRoutes(services);
  const requestBytesMax = (options.requestBytesMax ?? REQUEST_BYTES_MAX) + MESSAGE_OVERHEAD_BYTES;
  const grpc = new GrpcServer({
    routes,
    leadership: services.leadership,
    requestBytesMax,
    observer,
    certificatesNameUsers: options.certificatesNameUsers,
    onError,
  });
  const gateway = options.hasGateway === false ? undefined : new Gateway(routes, onError);
  const pages = new Pages({ ...options, client: services.client, gateway, bodyBytesMax: requestBytesMax });
  const listeners: Listener[] = [];
  const close = async () => {
    grpc.endStreams();
    await Promise.all(listeners.map((listener) => listener.close()));
    grpc.close();
  };
  try {
    const ports: number[] = [];
    const open = async (url: string, serves: Serves) => {
      const listener = listenerFor(url, options, grpc, pages, serves);
      ports.push(await listener.listen());
      listeners.push(listener);
    };
    const isSplit = httpUrls.length > 0;
    for (const url of options.urls) await open(url, { grpc: true, pages: !isSplit });
    for (const url of httpUrls) await open(url, { grpc: false, pages: true });
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Serves {
  readonly grpc: boolean;
  readonly pages: boolean;
}

function listenerFor(
  url: string,
  { tls, concurrentStreamsMax, keepAlive, onError }: ClientPortOptions,
  grpc: GrpcServer,
  pages: Pages,
  serves: Serves,
): Listener {
  const address = addressOf(url);
  const loopback = isLoopback(address);
  return new Listener({
    address,
    tls,
    concurrentStreamsMax,
    keepAlive,
    onError,
    onStream: (stream, headers, certificateName) => {
      if (serves.grpc && isGrpcCall(headers)) serveCall(grpc, stream, headers, certificateName);
      else if (serves.pages) pages.serve(new Http2Exchange(stream, headers), loopback);
      else stream.respond(NOT_FOUND, { end: true });
    },
    onRequest: (request, response) => {
      if (serves.pages) pages.serve(new Http1Exchange(request, response), loopback);
      else response.writeHead(404).end();
    },
  });
}

/**
 * What a browser sends has an Origin and is for the pages, which refuse it. The Host is not looked at: clients of etcd
 * put their own names there, and no page can make a browser speak HTTP/2 without TLS, which would ask for the name.
 */
const isGrpcCall = (headers: RequestHeaders): boolean =>
  headers[':method'] === 'POST' && isGrpc(headers['content-type']) && headers['origin'] === undefined;
