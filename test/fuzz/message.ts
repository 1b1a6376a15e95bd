/** A request that is framed as HTTP wants it, and how it is written on an HTTP/1.1 connection. */
import type { Header } from './headers.js';

export interface Message {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Without those that frame the body. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** Sizes of the pieces that the body is sent in; undefined: whole, with its length in front. */
  readonly chunks: readonly number[] | undefined;
}

export function encodeHttp1({ method, target, headers, body, chunks }: Message): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (chunks !== undefined) lines.push('Transfer-Encoding: chunked');
  else if (body.length > 0 || method !== 'GET') lines.push(`Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat(chunks === undefined ? [head, body] : [head, ...chunked(body, chunks)]);
}

function chunked(body: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < body.length; i++) {
    const piece = body.subarray(at, at + (sizes[i % sizes.length] ?? 1));
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return [...pieces, Buffer.from('0\r\n\r\n')];
}
