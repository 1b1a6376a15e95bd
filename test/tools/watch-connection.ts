/** One connection of a watch, over HTTP/1.1, HTTP/2 or a web socket, for as long as it lasts. */
import { get } from 'node:http';
import { connect } from 'node:http2';
import type { SecureContext } from 'node:tls';
import { WebSocket } from 'ws';

export type WatchProtocol = 'HTTP/1.1' | 'HTTP/2' | 'web socket';

export interface WatchTarget {
  /** `http://…`; `https://…` for HTTP/2. */
  readonly url: string;
  /** For HTTP/2: whom to trust, and who one is. */
  readonly credentials?: SecureContext;
}

export interface WatchAttempt {
  readonly protocol: WatchProtocol;
  readonly target: WatchTarget;
  readonly path: string;
  readonly signal: AbortSignal;
  /** A whole event as JSON; what a cut leaves of one is never told. */
  readonly onEvent: (json: string) => void;
}

/** Resolves when it has ended, however that came about, with the status that was answered; 0: there was none. */
export function followWatch(attempt: WatchAttempt): Promise<number> {
  if (attempt.protocol === 'HTTP/1.1') return overHttp1(attempt);
  return attempt.protocol === 'HTTP/2' ? overHttp2(attempt) : overWebSocket(attempt);
}

/** Whole lines of what comes in pieces of any size. */
function lineReader(onLine: (line: string) => void): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

function overHttp1({ target, path, signal, onEvent }: WatchAttempt): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    const call = get(target.url + path, { agent: false, signal }, (response) => {
      status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      if (status === 200) response.on('data', lineReader(onEvent));
      else response.resume();
      response.on('error', () => undefined);
      response.once('close', () => resolve(status));
    });
    call.on('error', () => resolve(status));
  });
}

async function overHttp2({ target, path, signal, onEvent }: WatchAttempt): Promise<number> {
  const session = connect(target.url, { secureContext: target.credentials });
  session.on('error', () => undefined);
  const stop = () => session.destroy();
  signal.addEventListener('abort', stop);
  let status = 0;
  const stream = session.request({ ':path': path });
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0;
    if (status === 200) stream.on('data', lineReader(onEvent));
    else stream.resume();
  });
  await new Promise<void>((resolve) => {
    session.once('close', resolve);
    stream.once('close', () => session.destroy());
  });
  signal.removeEventListener('abort', stop);
  return status;
}

async function overWebSocket({ target, path, signal, onEvent }: WatchAttempt): Promise<number> {
  const socket = new WebSocket(target.url.replace('http', 'ws') + path);
  const stop = () => socket.terminate();
  signal.addEventListener('abort', stop);
  let status = 0;
  socket.on('open', () => (status = 200));
  socket.on('unexpected-response', (_request, response) => {
    status = response.statusCode ?? 0;
    socket.terminate();
  });
  socket.on('message', (data) => onEvent((data as Buffer).toString()));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  signal.removeEventListener('abort', stop);
  return status;
}
