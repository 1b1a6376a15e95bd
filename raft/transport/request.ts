/** Requests to other members, and what comes of those that have one answer. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { SecureContext } from 'node:tls';
import { IDLE_CONNECTION_MS } from './limits.js';
import { TransportError, type TransportErrorReason } from './transport.js';

export interface RequestTarget {
  /** One of the other side's peer URLs. */
  readonly url: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  readonly secureContext: SecureContext | undefined;
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
  const { method, headers, secureContext, agents, connectMs } = target;
  const url = parseUrl(target);
  const options = { method, headers };
  const request =
    url.protocol === 'https:'
      ? https.request(url, {
          ...options,
          agent: agents?.https ?? false,
          ...(secureContext && { secureContext }),
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
  readonly send: (request: http.ClientRequest) => void | Promise<void>;
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
  const { url, timeoutMs, signal, pending } = options;
  if (signal?.aborted === true) throw new TransportError('aborted', `${url}: aborted`);
  const request = openRequest(options);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  let abandon: Abandon | undefined;
  let answer: http.IncomingMessage | undefined;
  let sending: void | Promise<void> = undefined;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const fail: Abandon = (reason, message) => reject(new TransportError(reason, `${url}: ${message}`));
      const failed = (error: unknown) => reject(errorFrom(error, url));
      abandon = fail;
      pending?.add(fail);
      if (timeoutMs !== undefined)
        timer = setTimeout(() => fail('timeout', `no answer in ${timeoutMs} ms`), timeoutMs);
      onAbort = () => fail('aborted', 'aborted');
      signal?.addEventListener('abort', onAbort);
      request.on('error', failed);
      request.on('close', () => answer ?? fail('unreachable', 'the connection was closed'));
      request.on('response', (response) => {
        answer = response;
        const status = response.statusCode ?? 0;
        readBody(response, options.answerBytesMax).then((body) => resolve({ status, body }), failed);
      });
      sending = options.send(request);
      sending?.catch(failed);
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    if (abandon !== undefined) pending?.delete(abandon);
    // A finished request's connection is the agent's again, or ends by itself.
    if (!request.writableFinished || answer?.complete !== true) request.destroy();
    // Whoever gave the body may let go of it now.
    await sending?.catch(() => undefined);
  }
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
