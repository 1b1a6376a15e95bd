/** Writing answers: whole where they are small, in pieces with backpressure where they are not. */
import { Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { Answerable, OutgoingHeaders, RawResponse } from './exchange.js';
import { gzipBytesMin, responseChunkBytes, warningCharactersEach, warningCharactersMax } from './limits.js';

/** A body ready to be sent. */
export interface Body {
  readonly contentType: string;
  /** Undefined where it is only known once it is made. */
  readonly bytes: number | undefined;
  /** In pieces of at most `responseChunkBytes` (made when they are asked for), or in one that is no longer. */
  readonly content: Buffer | Iterable<Buffer>;
}

export const jsonType = 'application/json';

const gzipChunkBytes = 64 * 1024;

/** Headers of every answer, as upstream sends them, and the one that keeps a browser from guessing a script. */
export function baseHeaders(exchange: Answerable, contentType: string): OutgoingHeaders {
  const headers: OutgoingHeaders = {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    'x-content-type-options': 'nosniff',
  };
  if (exchange.cors !== undefined) Object.assign(headers, exchange.cors);
  if (exchange.warnings.length > 0) headers.warning = warningHeaders(exchange.warnings);
  return headers;
}

/** Sends a body, or as HEAD only its headers. Resolves when it is written or the client has gone. */
export function send(
  exchange: Answerable,
  status: number,
  body: Body,
  more?: OutgoingHeaders,
): Promise<void> | undefined {
  const { response } = exchange;
  const { contentType, bytes, content } = body.bytes === undefined ? gathered(body) : body;
  const headers = baseHeaders(exchange, contentType);
  if (more !== undefined) Object.assign(headers, more);
  const compressed = (bytes === undefined || bytes > gzipBytesMin) && acceptsGzip(exchange);
  if (compressed) {
    headers['content-encoding'] = 'gzip';
    headers.vary =
      headers.vary === undefined ? 'Accept-Encoding' : `${String(headers.vary)}, Accept-Encoding`;
  } else if (bytes !== undefined) headers['content-length'] = bytes;
  response.writeHead(status, headers);
  if (exchange.request.method === 'HEAD') {
    response.end();
    return undefined;
  }
  if (compressed) return writeCompressed(response, content);
  if (!Buffer.isBuffer(content)) return writePieces(response, content);
  if (content.length > responseChunkBytes) return writePieces(response, slices(content));
  response.end(content);
  return undefined;
}

/** A body whose size is not known, whole if it is small: nothing small is compressed. */
function gathered({ contentType, content }: Body): Body {
  const pieces = (Buffer.isBuffer(content) ? [content] : content)[Symbol.iterator]();
  const first: Buffer[] = [];
  let bytes = 0;
  while (bytes <= gzipBytesMin) {
    const next = pieces.next();
    if (next.done) return { contentType, bytes, content: Buffer.concat(first, bytes) };
    first.push(next.value);
    bytes += next.value.length;
  }
  return { contentType, bytes: undefined, content: joined(first, pieces) };
}

function* joined(first: readonly Buffer[], rest: Iterator<Buffer>): Generator<Buffer> {
  yield* first;
  for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
}

/** A whole body of JSON. */
export function sendJson(
  exchange: Answerable,
  status: number,
  json: Buffer,
  more?: OutgoingHeaders,
): Promise<void> | undefined {
  return send(exchange, status, { contentType: jsonType, bytes: json.length, content: json }, more);
}

/** What clients keep and ask for again. */
export interface Document {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Quoted. */
  readonly etag: string;
  /** Whether others than the client may keep it; they may not when absent. */
  readonly isPublic?: boolean;
}

/** 304 where the client has it already. */
export function sendDocument(
  exchange: Answerable,
  { bytes, contentType, etag, isPublic }: Document,
  more?: OutgoingHeaders,
): Promise<void> | undefined {
  const headers = { etag, vary: 'Accept', ...(isPublic ? { 'cache-control': 'public' } : {}), ...more };
  const known = exchange.request.headers['if-none-match'];
  if (known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    exchange.response.writeHead(304, { ...baseHeaders(exchange, contentType), ...headers });
    exchange.response.end();
    return undefined;
  }
  return send(exchange, 200, { contentType, bytes: bytes.length, content: bytes }, headers);
}

export function sendText(exchange: Answerable, status: number, text: string): Promise<void> | undefined {
  const content = Buffer.from(text);
  return send(exchange, status, { contentType: 'text/plain; charset=utf-8', bytes: content.length, content });
}

async function writePieces(response: RawResponse, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function* slices(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += responseChunkBytes) {
    yield content.subarray(at, at + responseChunkBytes);
  }
}

/** Resolves when there is room again or the client has gone. */
function drained(response: RawResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}

/** Joins pieces of any size into ones of at most `responseChunkBytes`, so that each is worth a write. */
export function* coalesce(pieces: Iterable<Buffer>): Generator<Buffer> {
  let chunk = Buffer.allocUnsafe(responseChunkBytes);
  let filled = 0;
  for (const piece of pieces) {
    if (filled + piece.length > chunk.length && filled > 0) {
      yield chunk.subarray(0, filled);
      chunk = Buffer.allocUnsafe(responseChunkBytes);
      filled = 0;
    }
    if (piece.length > chunk.length) yield* slices(piece);
    else filled += piece.copy(chunk, filled);
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

function acceptsGzip(exchange: Answerable): boolean {
  const encodings = exchange.request.headers['accept-encoding'];
  return (
    typeof encodings === 'string' &&
    /(?:^|[\s,])gzip(?:\s*(?:,|$)|\s*;\s*q=(?:1|0\.\d*[1-9]))/.test(encodings)
  );
}

/** Compression runs on libuv's threads; level 1, as upstream chose. */
async function writeCompressed(response: RawResponse, content: Buffer | Iterable<Buffer>): Promise<void> {
  const source = Readable.from(Buffer.isBuffer(content) ? slices(content) : content, { objectMode: false });
  try {
    const gzip = source.pipe(createGzip({ level: constants.Z_BEST_SPEED, chunkSize: gzipChunkBytes }));
    source.once('error', (error) => gzip.destroy(error));
    for await (const piece of gzip) {
      if (response.destroyed) break;
      if (!response.write(piece as Buffer)) await drained(response);
    }
    response.end();
  } finally {
    source.destroy();
  }
}

/** `299 - "…"`, quoted, bounded in number of characters as upstream bounds them. */
function warningHeaders(warnings: readonly string[]): string[] {
  const unique = [...new Set(warnings)];
  const total = unique.reduce((sum, warning) => sum + warning.length, 0);
  const each = total > warningCharactersMax ? warningCharactersEach : warningCharactersMax;
  const headers: string[] = [];
  let used = 0;
  for (const warning of unique) {
    const text = warning.slice(0, each);
    used += text.length;
    if (used > warningCharactersMax) break;
    headers.push(`299 - "${quoted(text)}"`);
  }
  return headers;
}

/** What a header cannot carry becomes a question mark: answers must not fail for a warning. */
const quoted = (text: string) =>
  text
    .replace(/[\r\n\t]/g, ' ')
    .replace(/[^\x20-\x7e\xa0-\xff]/g, '?')
    .replace(/["\\]/g, '\\$&');
