/**
 * A client that costs little: HTTP/1.1 over one kept TLS connection, one request at a time, requests ready as bytes,
 * answers counted rather than kept. What it spends is not the server's to answer for.
 */
import { once } from 'node:events';
import { type TLSSocket, connect } from 'node:tls';

/** PEM. */
export interface Credentials {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

const HEADER_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const EMPTY: Buffer = Buffer.alloc(0);

/** Bytes of a request with an optional JSON body. */
export function requestBytes(method: string, path: string, body = ''): Buffer {
  const headers = ['Host: 127.0.0.1', 'Accept: application/json'];
  if (body !== '') {
    headers.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
}

export class HttpClient {
  private header = EMPTY;
  /** Of the answer being read: bytes of the body to come; undefined: chunked, or no header yet. */
  private remaining: number | undefined;
  private inBody = false;
  private tail = EMPTY;
  private status = 0;
  private done: ((status: number) => void) | undefined;
  private failed: ((error: Error) => void) | undefined;

  private constructor(private readonly socket: TLSSocket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.failed?.(error));
    socket.on('close', () => this.failed?.(new Error('the server closed the connection')));
  }

  static async open(port: number, credentials: Credentials): Promise<HttpClient> {
    const socket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ...credentials });
    await once(socket, 'secureConnect');
    return new HttpClient(socket);
  }

  /** Resolves with the status once the whole answer is here. */
  send(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.done = resolve;
      this.failed = reject;
      this.socket.write(request);
    });
  }

  close(): void {
    this.failed = undefined;
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    if (this.inBody) return this.takeBody(chunk);
    const bytes = this.header.length === 0 ? chunk : Buffer.concat([this.header, chunk]);
    const end = bytes.indexOf(HEADER_END);
    if (end < 0) {
      this.header = bytes;
      return;
    }
    const header = bytes.toString('latin1', 0, end);
    this.header = EMPTY;
    this.status = Number(header.slice(9, 12));
    const length = /\r\ncontent-length: (\d+)/i.exec(header)?.[1];
    this.remaining = length === undefined ? undefined : Number(length);
    this.inBody = true;
    this.takeBody(bytes.subarray(end + HEADER_END.length));
  }

  private takeBody(chunk: Buffer): void {
    if (this.remaining === undefined) {
      this.tail = Buffer.concat([this.tail, chunk]).subarray(-LAST_CHUNK.length);
      if (!this.tail.equals(LAST_CHUNK)) return;
    } else {
      this.remaining -= chunk.length;
      if (this.remaining > 0) return;
    }
    this.inBody = false;
    this.tail = EMPTY;
    this.done?.(this.status);
  }
}
