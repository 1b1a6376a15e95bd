/** Where an etcd is, as --etcd-servers and etcdctl's --endpoints write it. */
import { addressOf } from '../../cluster/urls.js';

export interface Endpoint {
  /** As the user wrote it: what errors and logs name. */
  readonly name: string;
  /** `host:port`, an IPv6 address in brackets. */
  readonly address: string;
  readonly secure: boolean;
}

/**
 * `http://host:port`, `https://host:port`, or `host:port`, which is secure where certificates are given.
 * @throws UrlError
 */
export function endpointOf(text: string, { secure }: { readonly secure: boolean }): Endpoint {
  const name = text.trim();
  const withScheme = name.includes('://') ? name : `${secure ? 'https' : 'http'}://${name}`;
  const { host, port, secure: isSecure } = addressOf(withScheme.replace(/\/$/, ''));
  return { name, address: `${host.includes(':') ? `[${host}]` : host}:${port}`, secure: isSecure };
}
