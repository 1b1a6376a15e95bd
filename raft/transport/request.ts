/** Requests to other members, and what comes of those that have one answer. */
import * as http from 'node:http';
import * as https from 'node:https';
import { IDLE_CONNECTION_MS } from './limits.js';
import type { ClientTls } from './tls.js';
import { TransportError, type TransportErrorReason } from './transport.js';

export interface RequestTarget {
  /** One of the other side's peer URLs. */
  readonly url: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  readonly tls: ClientTls | undefined;
  /** Absent: a connection of its own. */
  readonly agents?: Agents;
  readonly connectMs: number;
}

/** Keep idle connections for the next question. */
export class Agents {
  readonly http = new http.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });
  readonly https = new https.Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });

  destroy(): void {
    this.http.destroy();
    this.https.destroy();
  }
}

/** The request, its body still to be written. Throws TransportError if the URL is none. */
export function openRequest(target: RequestTarget): http.ClientRequest {
  const { method, headers, tls, agents, connectMs } = target;
  const url = parseUrl(target);
  const options = { method, headers };
  const request =
    url.protocol === 'https:'
      ? https.request(url, {
          ...options,
          agent: agents?.https ?? false,
          ...(tls && { secureContext: tls.secureContext, rejectUnauthorized: tls.verifies }),
        })
      : http.request(url, { ...options, agent: agents?.http ?? false });
  request.setNoDelay(true);
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(
      () => request.destroy(new Error(`not connected within ${connectMs} ms`)),
      connectMs,
    ).unref();
    const clear = () => clearTimeout(timer);
    socket.once('connect', clear);
    socket.once('close', clear);
  });
  return request;
}

function parseUrl({ url, path }: RequestTarget): URL {
  const parsed = URL.canParse(path, url) ? new URL(path, url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
  throw new TransportError('unreachable', `${url} is no http or https URL`);
}

export interface Exchange extends RequestTarget {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** An answer with more bytes is an error. */
  readonly answerBytesMax: number;
  /** Writes the body and ends the request. Rejects with a TransportError; stops when the request is destroyed. */
  readonly send: (request: http.ClientRequest) => Promise<void>;
  /** Where the exchange can be ended from while it lasts. */
  readonly pending?: Set<Abandon> | undefined;
}

export type Abandon = (reason: TransportErrorReason, message: string) => void;

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * One request and its answer, which may come before all of the request is sent. Nothing of it goes on once the promise
 * is settled. Rejects with a TransportError.
 */
export async function exchange(options: Exchange): Promise<Answer> {
  const { url, signal } = options;
  if (signal?.aborted === true) throw new TransportError('aborted', `${url}: aborted`);
  const request = openRequest(options);
  const answer = answerTo(request, options.answerBytesMax);
  const interruption = interruptionOf(options);
  const sending = options.send(request);
  let through = false;
  try {
    const result = await Promise.race([answer, interruption.promise, sending.then(() => answer)]);
    through = request.writableFinished;
    return result;
  } catch (error) {
    throw errorFrom(error, url);
  } finally {
    interruption.stop();
    if (!through) request.destroy();
    // Whoever gave the body may let go of it now.
    await sending.catch(() => undefined);
  }
}

function answerTo(request: http.ClientRequest, bytesMax: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let responded = false;
    request.on('error', reject);
    request.on('close', () => responded || reject(new Error('the connection was closed')));
    request.on('response', (response) => {
      responded = true;
      const status = response.statusCode ?? 0;
      readBody(response, bytesMax).then((body) => resolve({ status, body }), reject);
    });
  });
}

/** The ends of an exchange that come from this side. */
function interruptionOf({ url, timeoutMs, signal, pending }: Exchange) {
  let reject!: (error: TransportError) => void;
  const promise = new Promise<never>((_resolve, rejectPromise) => {
    reject = rejectPromise;
  });
  const abandon: Abandon = (reason, message) => reject(new TransportError(reason, `${url}: ${message}`));
  const abort = () => abandon('aborted', 'aborted');
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => abandon('timeout', `no answer within ${timeoutMs} ms`), timeoutMs);
  signal?.addEventListener('abort', abort);
  pending?.add(abandon);
  const stop = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    pending?.delete(abandon);
  };
  return { promise, stop };
}

/** Rejects with a TransportError past `bytesMax`, and as the stream does. */
export async function readBody(stream: http.IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new TransportError('refused', `more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** What happened to a connection, in one line: several addresses that all fail have only a code in common. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

function errorFrom(error: unknown, url: string): TransportError {
  if (error instanceof TransportError) return error;
  return new TransportError('unreachable', `${url}: ${describe(error)}`);
}
