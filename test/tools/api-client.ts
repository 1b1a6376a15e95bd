/** Requests to API servers that may be gone, stopped or cut off. What became of a request is told exactly. */
import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  /** Of JSON; undefined when it is none. */
  readonly body: unknown;
}

/** Nobody listened: the request has certainly had no effect. */
export class NotSentError extends Error {
  override name = 'NotSentError';
}

/** The connection was cut or there was no answer in time: the request may have had its effect, or may yet have it. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly body?: object;
  readonly timeoutMs: number;
}

/** Keeps connections. Never sends a request twice. */
export class ApiClient {
  readonly #agent = new Agent({ keepAlive: true });

  /** @throws NotSentError, NoAnswerError */
  send({ method, url, body, timeoutMs }: ApiRequest): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = bytes === undefined ? {} : jsonHeaders(bytes);
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers, agent: this.#agent });
      const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        call.destroy();
        const refused = error.code === 'ECONNREFUSED';
        reject(refused ? new NotSentError(error.message) : new NoAnswerError(error.message));
      };
      call.on('error', fail);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks)) });
        });
      });
      call.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function jsonHeaders(body: Buffer): Record<string, string | number> {
  return { 'content-type': 'application/json', 'content-length': body.length };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** The message of a Status, or what else there is to say of an answer. */
export function messageOf({ status, body }: Answer): string {
  const message = (body as { readonly message?: unknown } | undefined)?.message;
  return `${status} ${typeof message === 'string' ? message : JSON.stringify(body)}`;
}
