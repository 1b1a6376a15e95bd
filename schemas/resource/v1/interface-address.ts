/** Addresses of network interfaces with the length of their network: 192.0.2.5/24. */
import { isIPv4, isIPv6 } from 'node:net';
import { type FieldError, invalid } from '../../field-error.js';

export function validateInterfaceAddress(address: string, path: string): FieldError[] {
  const [ip = '', length = '', ...rest] = address.split('/');
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) && !ip.includes('%') ? 128 : -1;
  if (rest.length > 0 || !/^\d+$/.test(length) || Number(length) > bits) {
    const why = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)';
    return [invalid(path, address, why)];
  }
  const canonical = `${canonicalIP(ip)}/${Number(length)}`;
  if (address === canonical) return [];
  return [invalid(path, address, `must be in canonical form ("${canonical}")`)];
}

/** As URLs have it: lower case, the longest row of zeros left out. */
const canonicalIP = (ip: string): string =>
  isIPv4(ip) ? ip : new URL(`http://[${ip}]`).hostname.slice(1, -1);
