/**
 * Answers on connections that Node's HTTP does not answer on any more: to what is no HTTP, and to upgrades that come to
 * nothing. Each ends its connection.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
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

/** `request`: what is answered, where Node or somebody else has begun an answer to it. */
export function answerStatus(error: StatusError, socket: Duplex, request?: IncomingMessage): void {
  answer(socket, error.code, 'application/json', `${JSON.stringify(error.toStatus())}\n`, request);
}

/** So long the rest of what a client sends is read once it was answered, in milliseconds. */
const lingerMilliseconds = 500;

/** So long a connection stays on which no HTTP follows, for the answers that are under way, in milliseconds. */
const underWayMilliseconds = 10_000;

const answered = new WeakSet<Duplex>();

/** Node's answer that is under way on a connection, where Node keeps it. */
export const answerUnderWay = (socket: Duplex): ServerResponse | undefined =>
  // oxlint-disable-next-line no-underscore-dangle
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;

function answer(
  socket: Duplex,
  status: number,
  contentType: string,
  body: string,
  request?: IncomingMessage,
): void {
  // Node reports everything that follows what is wrong, too.
  if (answered.has(socket)) return;
  answered.add(socket);
  // A connection that was reset is past answering.
  if (!socket.writable || (socket.readableEnded && answerUnderWay(socket)?.headersSent === true)) {
    socket.destroy();
    return;
  }
  socket.on('error', () => socket.destroy());
  socket.resume();
  const given = setTimeout(() => socket.destroy(), underWayMilliseconds).unref();
  socket.once('close', () => clearTimeout(given));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${contentType}`,
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  const bytes = `${head.join('\r\n')}\r\n\r\n${body}`;
  afterAnswers(socket, request, (isAnswered) => end(socket, isAnswered ? '' : bytes));
}

/**
 * Lets the answers to the requests before come to their end, if the client reads them. `isAnswered`: so has what is wrong
 * itself, whose answer had begun before its body was read.
 */
function afterAnswers(
  socket: Duplex,
  request: IncomingMessage | undefined,
  then: (isAnswered: boolean) => void,
): void {
  const next = (isAnswered: boolean): void => {
    const response = answerUnderWay(socket);
    if (response === undefined) return then(isAnswered);
    const isWhole = response.req.complete && response.req !== request;
    if (!isWhole && !response.headersSent) return then(false);
    // Node's own listener comes first, and has begun the next answer.
    response.once('finish', () => next(!isWhole));
  };
  if (answerUnderWay(socket) !== undefined) watchOver(socket);
  next(false);
}

/** What Node does no more for the answers of this connection. */
function watchOver(socket: Duplex): void {
  // An answer such as a watch's would not end when the client has gone.
  socket.once('end', () => socket.destroy());
  socket.on('drain', () => answerUnderWay(socket)?.emit('drain'));
}

/** What the client still sends is read for a while: a connection that is closed over it is reset, and answers are lost. */
function end(socket: Duplex, bytes: string): void {
  if (!socket.writable) return;
  let linger: NodeJS.Timeout | undefined;
  socket.once('close', () => clearTimeout(linger));
  socket.end(bytes, () => {
    linger = setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
  });
}
