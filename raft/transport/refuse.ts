import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './protocol.js';

/** A refused sender that does not stop sending is cut after this. */
const REFUSED_MS = 2000;

/**
 * Answers before the request has arrived whole. What still comes is thrown away for a while, since closing a socket with
 * bytes unread may take the answer away from the other side.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, { status, text }: Refusal): void {
  if (response.destroyed) return;
  const headers = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
  if (request.complete) return;
  request.on('error', () => undefined);
  request.resume();
  const timer = setTimeout(() => request.destroy(), REFUSED_MS).unref();
  request.once('close', () => clearTimeout(timer));
}
