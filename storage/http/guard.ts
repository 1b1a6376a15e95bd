/**
 * What no web page may do on the client port, which asks for no credentials: a browser says from which origin a page
 * sends, and which name it believes it is talking to. It can post a form without asking first, but no JSON.
 */
import type { RequestHeaders } from '../http2/stream.js';
import { isLoopbackName } from '../cluster/urls.js';

/** HTTP status and one line. */
export interface Refusal {
  readonly status: 403 | 415;
  readonly message: string;
}

/** Exceptions to that, as etcd's `--cors` and `--host-whitelist` name them; `*` is all. */
export interface GuardRules {
  /** Web pages of these may use the port. */
  readonly origins?: readonly string[] | undefined;
  /** Names that the port has, too. */
  readonly hosts?: readonly string[] | undefined;
}

/** `loopback`: the port is reached from this machine only, so that it has only the names of loopback. */
export function refusalFor(
  headers: RequestHeaders,
  loopback: boolean,
  { origins, hosts }: GuardRules = {},
): Refusal | undefined {
  if (headers['origin'] !== undefined && !names(origins, headers['origin'])) {
    return { status: 403, message: 'web pages may not use this port' };
  }
  const name = nameOf(headers['host'] ?? '');
  if (loopback && !isLoopbackName(name) && !names(hosts, name)) {
    return { status: 403, message: 'the Host header does not name this server' };
  }
  return undefined;
}

const names = (list: readonly string[] | undefined, item: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(item));

/** What a browser is told where a page may use the port; the values are etcd's. Empty for whoever is no page. */
export function corsHeaders({ origin }: RequestHeaders): Readonly<Record<string, string>> {
  if (origin === undefined) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
    'access-control-allow-headers': 'accept, content-type, authorization',
    vary: 'origin',
  };
}

export function refusalForBody(headers: RequestHeaders): Refusal | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return undefined;
  return { status: 415, message: 'the content type must be application/json' };
}

/** Of a Host header, without its port, and without the brackets of an IPv6 address. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*:.*)\]$/, '$1');
}
