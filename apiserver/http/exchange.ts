/** One request and its answer, as the stages of the chain pass it on. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestContext, RequestInfo, UserInfo } from '../request.js';
import { parseQuery } from './query-text.js';

/** What we use of Node's requests, of HTTP/1.1 and HTTP/2 alike. */
export interface RawRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  readonly socket: Socket;
  /** HTTP/2 only. */
  readonly stream?: RequestStream | undefined;
  readonly readableEnded: boolean;
  resume(): unknown;
}

/** A stream of HTTP/2. */
export interface RequestStream {
  readonly session?: object | undefined;
  /** No body follows the headers. */
  readonly endAfterHeaders?: boolean | undefined;
  close(code: number): void;
  once(event: 'close', listener: () => void): unknown;
}

/** The connection of a request. */
export interface RequestSocket {
  readonly destroyed: boolean;
  setMaxListeners(count: number): unknown;
  once(event: 'close' | 'end', listener: () => void): unknown;
  destroy(): unknown;
}

/** What we use of Node's responses, of HTTP/1.1 and HTTP/2 alike. */
export interface RawResponse {
  statusCode: number;
  /** Null of HTTP/1.1 while answers before this one are not finished. */
  readonly socket?: object | null | undefined;
  readonly req?: { readonly socket: RequestSocket };
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  writeHead(status: number, headers: OutgoingHeaders): unknown;
  flushHeaders(): void;
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array): unknown;
  destroy(): unknown;
  on(event: 'close' | 'drain', listener: () => void): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}

export type OutgoingHeaders = Record<string, string | number | string[]>;

/** What it takes to answer; refusals come before there is more. */
export interface Answerable {
  readonly request: RawRequest;
  readonly response: RawResponse;
  readonly warnings: readonly string[];
  /** Headers that let an allowed origin's page read the answer. */
  readonly cors: Readonly<Record<string, string>> | undefined;
}

const noQuery = new URLSearchParams();

export class Exchange implements RequestContext, Answerable {
  readonly warnings: string[] = [];
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;

  constructor(
    readonly request: RawRequest,
    readonly response: RawResponse,
    readonly info: RequestInfo,
    readonly queryText: string,
    readonly user: UserInfo,
    readonly cors: Readonly<Record<string, string>> | undefined,
  ) {}

  /** Parsed on first use: most requests have none. */
  get query(): URLSearchParams {
    return this.queryText === '' ? noQuery : (this.#query ??= parseQuery(this.queryText));
  }

  get userAgent(): string {
    return this.request.headers['user-agent'] ?? '';
  }

  /** Made on first use: few stages outlast their client. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      const { response } = this;
      const closed = () => {
        if (!response.writableEnded) abort.abort();
      };
      if (response.destroyed) closed();
      else response.once('close', closed);
    }
    return this.#abort.signal;
  }
}
