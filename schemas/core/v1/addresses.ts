/** IP addresses and ranges in fields. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type FieldError, invalid } from '../../field-error.js';

export type IPFamily = 'IPv4' | 'IPv6';

export const familyOf = (ip: string): IPFamily => (isIPv6(ip) ? 'IPv6' : 'IPv4');

/** Go would read 010.0.0.1; since it is unclear whether that is octal, it is refused with a reason of its own. */
const withoutLeadingZeros = (ip: string): string => ip.replaceAll(/(^|\.)0+(?=\d)/g, '$1');

export function validateIP(ip: string, field: string): FieldError[] {
  if (isIP(ip) !== 0 && !ip.includes('%')) return [];
  const problem = isIPv4(withoutLeadingZeros(ip))
    ? 'must not have leading 0s'
    : 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
  return [invalid(field, ip, problem)];
}

export function validateCidr(cidr: string, field: string): FieldError[] {
  const [ip = '', length = '', ...rest] = cidr.split('/');
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) && !ip.includes('%') ? 128 : -1;
  if (rest.length === 0 && /^(?:0|[1-9]\d*)$/.test(length) && Number(length) <= bits) return [];
  return [invalid(field, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
}

/** Ranges that mean something else than one machine's address elsewhere. Takes valid addresses. */
export function validateNonSpecialIP(ip: string, field: string): FieldError[] {
  const is = (v4: RegExp, v6: RegExp): boolean => (isIPv4(ip) ? v4 : v6).test(ip.toLowerCase());
  if (is(/^0\.0\.0\.0$/, /^[0:]+$/)) return [invalid(field, ip, `may not be unspecified (${ip})`)];
  if (is(/^127\./, /^[0:]*:0*1$/)) {
    return [invalid(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  }
  if (is(/^169\.254\./, /^fe[89ab][0-9a-f]:/)) {
    return [invalid(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  }
  if (is(/^224\.0\.0\./, /^ff[0-9a-f]2:/)) {
    return [invalid(field, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
  }
  return [];
}
