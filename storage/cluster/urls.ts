/** Where members are reached, as etcd writes and checks it: `http://host:port`, nothing behind it. */
import { isIP } from 'node:net';

/** One line that names the URL. The texts are etcd's. */
export class UrlError extends Error {
  override name = 'UrlError';
}

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

const PORT_MAX = 65_535;
const SHAPE =
  /^(?<scheme>[a-z]+):\/\/(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<host>[^/:?#@[\]\s]+)):(?<port>\d{1,5})(?<rest>.*)$/i;
const SCHEME = /^https?:\/\//i;

/** @throws UrlError */
export function addressOf(url: string): Address {
  if (!SCHEME.test(url)) throw new UrlError(`URL scheme must be http or https: ${url}`);
  const groups = SHAPE.exec(url)?.groups;
  const port = Number(groups?.['port']);
  if (groups === undefined || port > PORT_MAX) {
    throw new UrlError(`URL address does not have the form "host:port": ${url}`);
  }
  if (groups['rest'] !== '') throw new UrlError(`URL must not contain a path: ${url}`);
  const host = groups['ipv6'] ?? groups['host'] ?? '';
  return { host, port, secure: groups['scheme']?.toLowerCase() === 'https' };
}

/** In order, as etcd keeps them: members then agree on what they are without talking. @throws UrlError */
export function checkedUrls(urls: readonly string[]): string[] {
  if (urls.length === 0) throw new UrlError('no valid URLs given');
  const trimmed = urls.map((url) => url.trim());
  for (const url of trimmed) addressOf(url);
  return trimmed.sort();
}

export function isLoopback({ host }: Address): boolean {
  return isLoopbackName(host);
}

/** Without brackets. */
export function isLoopbackName(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
