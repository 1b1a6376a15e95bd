/**
 * What no web page may do on the client port, which asks for no credentials: a browser says from which origin a page
 * sends, and which name it believes it is talking to. It can post a form without asking first, but no JSON.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopbackName } from '../cluster/urls.js';

/** HTTP status and one line. */
export interface Refusal {
  readonly status: 403 | 415;
  readonly message: string;
}

/** `loopback`: the port is reached from this machine only, so that it has only the names of loopback. */
export function refusalFor(headers: IncomingHttpHeaders, loopback: boolean): Refusal | undefined {
  if (headers.origin !== undefined) return { status: 403, message: 'web pages may not use this port' };
  if (loopback && !isLoopbackName(nameOf(headers.host ?? ''))) {
    return { status: 403, message: 'the Host header does not name this server' };
  }
  return undefined;
}

export function refusalForBody(headers: IncomingHttpHeaders): Refusal | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return undefined;
  return { status: 415, message: 'the content type must be application/json' };
}

/** Of a Host header, without its port, and without the brackets of an IPv6 address. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*:.*)\]$/, '$1');
}
