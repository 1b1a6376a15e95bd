/**
 * A thousand watchers in one process. They speak the least HTTP that will do, and look at each chunk only for the
 * marker of the event that is being waited for.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import { type Credentials, requestBytes } from './http-client.js';

export interface WatchRequest {
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  readonly port: number;
  readonly credentials: Credentials;
  readonly watchers: number;
  readonly path: string;
}
export interface Opened {
  readonly watchers: number;
}
/** Asks when the event whose JSON holds `marker` has come to every watcher; then comes an `Arrived`. */
export interface Expect {
  readonly marker: string;
}
export interface Arrived {
  /** Milliseconds since the epoch, with a fraction. */
  readonly first: number;
  readonly last: number;
}

const CONNECTIONS_AT_ONCE = 50;
/** Streams of one HTTP/2 connection, below what servers allow by default. */
const STREAMS_A_SESSION = 100;

let marker: Buffer | undefined;
let missing = 0;
let first = 0;
let watchers = 0;
const now = () => performance.timeOrigin + performance.now();

function look(chunk: Buffer): void {
  if (marker === undefined || !chunk.includes(marker)) return;
  if (first === 0) first = now();
  if (--missing === 0) {
    marker = undefined;
    process.send?.({ first, last: now() } satisfies Arrived);
  }
}

async function openHttp1({ port, credentials, path }: WatchRequest): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ...credentials });
  await once(socket, 'secureConnect');
  socket.write(requestBytes('GET', path));
  await once(socket, 'data');
  socket.on('data', look);
}

async function openHttp2(session: ClientHttp2Session, path: string): Promise<void> {
  const stream: ClientHttp2Stream = session.request({ ':path': path, accept: 'application/json' });
  await once(stream, 'response');
  stream.on('data', look);
}

async function open(request: WatchRequest): Promise<void> {
  watchers = request.watchers;
  let session: ClientHttp2Session | undefined;
  for (let opened = 0; opened < watchers; ) {
    const batch = Math.min(CONNECTIONS_AT_ONCE, watchers - opened);
    if (request.protocol === 'HTTP/2' && opened % STREAMS_A_SESSION === 0) {
      session = connectHttp2(`https://127.0.0.1:${request.port}`, { ...request.credentials });
      await once(session, 'connect');
    }
    const watch = session;
    await Promise.all(
      Array.from({ length: batch }, () =>
        watch === undefined ? openHttp1(request) : openHttp2(watch, request.path),
      ),
    );
    opened += batch;
  }
}

process.on('message', (message: WatchRequest | Expect) => {
  if ('marker' in message) {
    marker = Buffer.from(message.marker);
    missing = watchers;
    first = 0;
  } else {
    void open(message).then(() => process.send?.({ watchers } satisfies Opened));
  }
});
