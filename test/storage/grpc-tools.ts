/** Clients of the client port: grpc-js, and HTTP/2 by hand for what no client library sends. */
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { Test } from 'tap';
import { listenForClients, type ClientPort, type ClientPortOptions } from '../../storage/http/client-port.js';
import type { Method } from '../../storage/grpc/method.js';
import { servicesWith, type SomeServices } from './fake-services.js';

export const HEADER = { clusterId: 11n, memberId: 22n, revision: 33, raftTerm: 44 };

export interface Served {
  readonly port: ClientPort;
  readonly address: string;
  readonly errors: unknown[];
}

type ServeOptions = Partial<Omit<ClientPortOptions, 'services'>> & { readonly services: SomeServices };

export async function serve(t: Test, { services, ...options }: ServeOptions): Promise<Served> {
  const errors: unknown[] = [];
  const port = await listenForClients({
    urls: [options.tls === undefined ? 'http://127.0.0.1:0' : 'https://127.0.0.1:0'],
    status: () => ({ leader: 1n }),
    alarms: () => [],
    onError: (error) => errors.push(error),
    ...options,
    services: servicesWith(services),
  });
  t.teardown(() => port.close());
  return { port, address: `127.0.0.1:${port.ports[0]}`, errors };
}

export function grpcClient(
  t: Test,
  address: string,
  credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
): grpc.Client {
  const client = new grpc.Client(address, credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  t.teardown(() => client.close());
  return client;
}

export function metadataOf(entries: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

export function unary<Request, Response>(
  client: grpc.Client,
  method: Method<Request, Response>,
  request: Request,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): Promise<Response> {
  const { path, request: sent, response } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Request, Response>(
      path,
      (message) => sent.encode(message),
      (bytes) => response.decode(bytes),
      request,
      metadata,
      options,
      (error, answer) => (error === null ? resolve(answer as Response) : reject(error)),
    );
  });
}

export function stream<Request, Response>(
  client: grpc.Client,
  method: Method<Request, Response>,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): grpc.ClientDuplexStream<Request, Response> {
  const { path, request, response } = method;
  return client.makeBidiStreamRequest<Request, Response>(
    path,
    (message) => request.encode(message),
    (bytes) => response.decode(bytes),
    metadata,
    options,
  );
}

/** What a failed call rejects with: code and text. */
export const failure = (code: number, details: string | RegExp) => ({ code, details });

export async function rawSession(t: Test, address: string): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  t.teardown(() => session.destroy());
  await once(session, 'connect');
  return session;
}

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** HTTP/2's code of the reset, 0 for none. */
  readonly resetCode: number;
}

/** `chunks`: what is sent, each as a frame of its own. */
export async function rawCall(
  session: ClientHttp2Session,
  path: string,
  chunks: readonly Uint8Array[],
  headers: IncomingHttpHeaders = {},
  { end = true } = {},
): Promise<RawAnswer> {
  const call = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const received: Buffer[] = [];
  let answered: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  call.on('response', (headers) => (answered = headers));
  call.on('trailers', (headers: IncomingHttpHeaders) => (trailers = headers));
  call.on('data', (chunk: Buffer) => received.push(chunk));
  call.on('error', () => undefined);
  const closed = once(call, 'close');
  for (const chunk of chunks) call.write(chunk);
  if (end) call.end();
  await closed;
  return { headers: answered, trailers, body: Buffer.concat(received), resetCode: call.rstCode ?? 0 };
}

/** With gRPC's prefix. */
export function framed(message: Uint8Array, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
