/** Where the server is, and how to reach it. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';

export interface Endpoints {
  readonly port: number;
  readonly securePort: number;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const host = '127.0.0.1';

const contexts = new WeakMap<Endpoints, SecureContext>();

/** Reading the keys takes longer than a request. */
function contextOf(endpoints: Endpoints): SecureContext {
  let context = contexts.get(endpoints);
  if (context === undefined)
    contexts.set(
      endpoints,
      (context = createSecureContext({ ca: endpoints.ca, cert: endpoints.cert, key: endpoints.key })),
    );
  return context;
}

/** Resolves when bytes can be sent. */
export async function connectTo(endpoints: Endpoints, over: 'plain' | 'tls' | 'tls-raw'): Promise<Socket> {
  const { port, securePort } = endpoints;
  const socket =
    over === 'tls'
      ? connectTls({
          host,
          port: securePort,
          secureContext: contextOf(endpoints),
          ALPNProtocols: ['http/1.1'],
        })
      : connectPlain({ host, port: over === 'plain' ? port : securePort });
  await once(socket, over === 'tls' ? 'secureConnect' : 'connect');
  socket.setNoDelay(true);
  // How it ends is told by what came before.
  socket.on('error', () => undefined);
  return socket;
}

export interface Fetched {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

/** Over a connection that does not outlive it. */
export async function fetchOnce(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Fetched> {
  const [response] = (await once(get(url, { agent: false, headers }), 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const named = Object.entries(response.headersDistinct).map(
    ([name, values]) => [name, values ?? []] as const,
  );
  return { status: response.statusCode ?? 0, headers: new Map(named), body: Buffer.concat(pieces) };
}
