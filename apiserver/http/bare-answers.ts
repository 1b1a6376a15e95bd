/**
 * Answers on connections that Node's HTTP does not answer on any more: to what is no HTTP, and to upgrades that come to
 * nothing. Each ends its connection.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StatusError } from '../errors.js';

/** By the code of Node's error; what is not here is 400. */
const statusOfError: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** For `clientError` events: in plain text, as Go's server says it, since nothing is known of who asks. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = statusOfError.get(error.code ?? '') ?? 400;
  answer(socket, status, 'text/plain; charset=utf-8', `${status} ${STATUS_CODES[status]}`);
}

export function answerStatus(error: StatusError, socket: Duplex): void {
  answer(socket, error.code, 'application/json', JSON.stringify(error.toStatus()));
}

/** So long the rest of what a client sends is read, in milliseconds: an answer is lost where a connection is reset. */
const lingerMilliseconds = 500;

/** So long an answer that is under way may take on a connection on which no HTTP follows, in milliseconds. */
const underWayMilliseconds = 10_000;

const answered = new WeakSet<Duplex>();

/** Node's answer that is under way on a connection, where Node keeps it. */
export const answerUnderWay = (socket: Duplex): ServerResponse | undefined =>
  // oxlint-disable-next-line no-underscore-dangle
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;

function answer(socket: Duplex, status: number, contentType: string, body: string): void {
  // Node reports everything that follows what is wrong, too.
  if (answered.has(socket)) return;
  answered.add(socket);
  const underWay = answerUnderWay(socket);
  // A connection that was reset is past answering.
  if (!socket.writable || (socket.readableEnded && underWay?.headersSent === true)) {
    socket.destroy();
    return;
  }
  // To a request before this one: it comes to its end, if the client reads it.
  if (underWay?.headersSent === true) {
    const given = setTimeout(() => socket.destroy(), underWayMilliseconds).unref();
    socket.once('close', () => clearTimeout(given));
    underWay.once('finish', () => socket.end(() => socket.destroy()));
    // Node looks no more for whether the client has gone: an answer such as a watch's would not end with it.
    socket.once('end', () => socket.destroy());
    return;
  }
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${contentType}`,
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  const linger = setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
  socket.once('close', () => clearTimeout(linger));
}
