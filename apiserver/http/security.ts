/**
 * What no web page may do (docs: the plain port is the administrator of this machine's server): a browser sends the
 * page's origin with every request that could change something and with every web socket, and the name it believes it
 * is talking to as Host. Requests that name a foreign one are refused before anything else looks at them.
 */
import { isIP } from 'node:net';
import { StatusError } from '../errors.js';

export interface OriginRules {
  /** The headers that let the origin's pages read the answer, or undefined where it is only not refused. */
  allow(origin: string): Readonly<Record<string, string>> | undefined;
}

/** `localhost`, 127.0.0.0/8 and ::1, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = hostName(host).toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/** The name or address of a Host header, without port and brackets. */
export function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(1, Math.max(1, host.indexOf(']')));
  const colon = host.indexOf(':');
  return colon === -1 ? host : host.slice(0, colon);
}

const refused = (message: string) => new StatusError(403, 'Forbidden', message, {});

/**
 * Throws StatusError 403 unless the Host is a name of this server. A page's own name can be made to point at this
 * machine (DNS rebinding), its browser then takes us for the page's origin; an address cannot.
 */
export function checkHost(host: string | undefined, isOurName: (name: string) => boolean): void {
  if (host !== undefined && host !== '' && (isLoopbackHost(host) || isOurName(hostName(host)))) return;
  throw refused('the Host header does not name this server');
}

function isLoopbackOrigin(origin: string): boolean {
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match?.[1] !== undefined && !match[1].includes('@') && isLoopbackHost(match[1]);
}

/**
 * Rules from `--cors-allowed-origins`: an entry is an origin, or, as upstream has them, a regular expression where it
 * holds any of ^ $ \ * + ( [ |.
 */
export function originRules(allowed: readonly string[]): OriginRules {
  const tests = allowed.map((entry) => {
    if (!/[\^$\\*+([|]/.test(entry)) {
      const exact = entry.toLowerCase();
      return (origin: string) => origin.toLowerCase() === exact;
    }
    const pattern = new RegExp(entry, 'i');
    return (origin: string) => pattern.test(origin);
  });
  return {
    allow(origin) {
      if (tests.some((test) => test(origin))) return corsHeaders(origin);
      if (isLoopbackOrigin(origin)) return undefined;
      throw refused('the Origin of this request is not allowed');
    },
  };
}

function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
    'access-control-allow-headers':
      'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
    'access-control-expose-headers': 'Date, Warning',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  };
}

/**
 * Whether a body without a content type may be taken as JSON, as upstream takes it. A page can send such a body without
 * asking first, so not when a browser says that one did.
 */
export function mayOmitContentType(headers: {
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}): boolean {
  const site = headers['sec-fetch-site'];
  return headers.origin === undefined && (site === undefined || site === 'same-origin' || site === 'none');
}
