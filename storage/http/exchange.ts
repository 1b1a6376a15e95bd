/** A request and its response, over HTTP/1.1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ErrorCode } from '../http2/frames.js';
import { encodeHeaders } from '../http2/hpack.js';
import type { RequestHeaders, Stream, StreamHandler } from '../http2/stream.js';

export type ResponseHeaders = Readonly<Record<string, string | number>>;

export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** By name in lower case. `host` is there in HTTP/2, too. */
  readonly headers: RequestHeaders;
  /** Aborted when the client has gone before the response has ended. */
  readonly signal: AbortSignal;
  readonly hasBegun: boolean;
  /** Undefined: more than so many bytes; the response then ends the connection where there is no other way. */
  readBody(bytesMax: number): Promise<string | undefined>;
  begin(status: number, headers: ResponseHeaders): void;
  /** False: not before `untilDrained`. */
  write(text: string): boolean;
  untilDrained(): Promise<void>;
  end(text?: string): void;
  /** Cuts what has begun. */
  destroy(): void;
}

export class Http1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.once('close', () => this.#gone.abort());
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  get url(): string {
    return this.#request.url ?? '';
  }

  get headers(): RequestHeaders {
    return this.#request.headers as RequestHeaders;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  async readBody(bytesMax: number): Promise<string | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Leaving the loop must not end the connection, on which the refusal is sent.
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        // Whoever sends more than that is not listened to.
        this.#response.setHeader('connection', 'close');
        return undefined;
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  begin(status: number, headers: ResponseHeaders): void {
    this.#response.writeHead(status, headers);
  }

  write(text: string): boolean {
    return this.#response.destroyed || this.#response.write(text);
  }

  untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      this.#response.once('drain', resolve);
      this.#response.once('close', resolve);
    });
  }

  end(text?: string): void {
    this.#response.end(text);
  }

  destroy(): void {
    this.#response.destroy();
  }
}

export class Http2Exchange implements Exchange, StreamHandler {
  readonly headers: RequestHeaders;
  readonly #stream: Stream;
  readonly #gone = new AbortController();
  readonly #isHead: boolean;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #bytesMax = 0;
  #isWhole = false;
  #resolveBody: ((body: string | undefined) => void) | undefined;
  #resolveDrained: (() => void) | undefined;

  constructor(stream: Stream, headers: RequestHeaders) {
    this.#stream = stream;
    this.headers = { host: headers[':authority'], ...headers };
    this.#isHead = headers[':method'] === 'HEAD';
    stream.serve(this);
  }

  get method(): string {
    return this.headers[':method'] ?? '';
  }

  get url(): string {
    return this.headers[':path'] ?? '';
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get hasBegun(): boolean {
    return this.#stream.hasHeaders;
  }

  readBody(bytesMax: number): Promise<string | undefined> {
    this.#bytesMax = bytesMax;
    return new Promise((resolve) => {
      this.#resolveBody = resolve;
      this.#look();
    });
  }

  begin(status: number, headers: ResponseHeaders): void {
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
    this.#stream.respond(encodeHeaders([[':status', String(status)], ...fields]));
  }

  write(text: string): boolean {
    return this.#isHead || this.#stream.write(Buffer.from(text));
  }

  untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
  }

  end(text?: string): void {
    if (text !== undefined) this.write(text);
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.reset(ErrorCode.internal);
  }

  // What the stream tells.

  received(chunk: Buffer): void {
    this.#bytes += chunk.length;
    // Before somebody reads, flow control bounds it.
    if (this.#resolveBody === undefined || this.#bytes <= this.#bytesMax) this.#chunks.push(chunk);
    this.#look();
  }

  ended(): void {
    this.#isWhole = true;
    this.#look();
  }

  drained(): void {
    this.#resolveDrained?.();
  }

  closed(): void {
    this.#gone.abort();
    this.#resolveBody?.(undefined);
    this.#resolveDrained?.();
  }

  #look(): void {
    if (this.#resolveBody === undefined) return;
    if (this.#bytes > this.#bytesMax) this.#resolveBody(undefined);
    else if (this.#isWhole) this.#resolveBody(Buffer.concat(this.#chunks).toString());
  }
}
