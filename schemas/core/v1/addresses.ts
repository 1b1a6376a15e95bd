/** IP addresses and ranges in fields. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type FieldError, invalid } from '../../field-error.js';

export type IPFamily = 'IPv4' | 'IPv6';

/** Node compiles a long expression for the first that it is asked about, 7 ms that a start need not wait for. */
const hasIPv6Form = (text: string): boolean => text.includes(':') && isIPv6(text);

export const familyOf = (ip: string): IPFamily => (hasIPv6Form(ip) ? 'IPv6' : 'IPv4');

/** Go would read 010.0.0.1; since it is unclear whether that is octal, it is refused with a reason of its own. */
const withoutLeadingZeros = (ip: string): string => ip.replaceAll(/(^|\.|:)0+(?=\d+(?:\.|$))/g, '$1');

/** Of groups of four hexadecimal digits: `fd00:1`. */
const octetsOfGroups = (groups: string): number[] =>
  (groups === '' ? [] : groups.split(':')).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });

/** Octets of an address, as Go reads it: leading zeros and all. Undefined for what is none. */
function octetsOf(ip: string): number[] | undefined {
  const plain = withoutLeadingZeros(ip);
  if (isIPv4(plain)) return plain.split('.').map(Number);
  if (plain.includes('%') || !hasIPv6Form(plain)) return undefined;
  const [head = '', tail = ''] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const front = octetsOfGroups(head);
  const back = octetsOfGroups(tail);
  return [...front, ...Array<number>(16 - front.length - back.length).fill(0), ...back];
}

/** ::ffff:1.2.3.4, which some programs take for 1.2.3.4 and some do not. */
const isMapped = (octets: readonly number[]): boolean =>
  octets.length === 16 && octets.every((octet, i) => i >= 12 || octet === (i < 10 ? 0 : 0xff));

/** Whether Go reads it as an address, which it does in unusual forms too. */
export const isAddress = (text: string): boolean => octetsOf(text) !== undefined;

/** As Go prints it: RFC 5952. Takes what can be read as an address. */
export function canonicalIP(ip: string): string {
  const octets = octetsOf(ip) ?? [];
  const four = isMapped(octets) ? octets.slice(12) : octets;
  if (four.length === 4) return four.join('.');
  return new URL(`http://[${withoutLeadingZeros(ip)}]`).hostname.slice(1, -1);
}

const NO_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

function ipProblems(ip: string): string[] {
  if (isIPv4(ip)) return [];
  const octets = octetsOf(ip);
  if (octets === undefined) return [NO_IP];
  if (isIP(ip) === 0) return ['must not have leading 0s'];
  return isMapped(octets) ? ['must not be an IPv4-mapped IPv6 address'] : [];
}

export const validateIP = (ip: string, field: string): FieldError[] =>
  ipProblems(ip).map((problem) => invalid(field, ip, problem));

/** Of what takes an address in one form only. */
export function canonicalIPProblems(ip: string): string[] {
  const problems = ipProblems(ip);
  if (problems.length > 0 || canonicalIP(ip) === ip) return problems;
  return [`must be in canonical form ("${canonicalIP(ip)}")`];
}

/** What clients are told of valid addresses that are not written as one writes them. Older fields only. */
export function ipWarnings(ip: string, field: string): string[] {
  if (!hasIPv6Form(ip)) return [];
  const canonical = canonicalIP(ip);
  if (canonical === ip) return [];
  return [`${field}: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`];
}

/** A range of addresses. */
export interface Block {
  /** Of the first address: 4 or 16. */
  readonly octets: readonly number[];
  /** How many bits all its addresses share. */
  readonly bits: number;
}

interface ParsedCidr extends Block {
  readonly ip: string;
  readonly hasHostBits: boolean;
}

function parse(cidr: string): ParsedCidr | undefined {
  const slash = cidr.indexOf('/');
  const ip = cidr.slice(0, slash);
  const bits = cidr.slice(slash + 1);
  const octets = slash < 0 || !/^\d+$/.test(bits) ? undefined : octetsOf(ip);
  if (octets === undefined || Number(bits) > octets.length * 8) return undefined;
  const masked = octets.map((octet, i) => octet & maskOf(Number(bits), i));
  return {
    ip,
    octets: masked,
    bits: Number(bits),
    hasHostBits: masked.some((octet, i) => octet !== octets[i]),
  };
}

/** The part of a mask of so many bits that is in octet `i`. */
const maskOf = (bits: number, i: number): number => (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff;

/** Undefined for what is no range. */
export const blockOf = (cidr: string): Block | undefined => parse(cidr);

/** Every address of `inner` is in `outer`. */
export function contains(outer: Block, inner: Block): boolean {
  return (
    outer.octets.length === inner.octets.length &&
    outer.bits <= inner.bits &&
    outer.octets.every((octet, i) => octet === ((inner.octets[i] ?? 0) & maskOf(outer.bits, i)))
  );
}

export function validateCidr(cidr: string, field: string): FieldError[] {
  const parsed = parse(cidr);
  const problem = parsed === undefined ? NO_CIDR : problemWith(cidr, parsed);
  return problem === undefined ? [] : [invalid(field, cidr, problem)];
}

const NO_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function problemWith(cidr: string, { ip, octets, hasHostBits }: ParsedCidr): string | undefined {
  if (isIP(ip) === 0 || /\/0\d/.test(cidr)) return 'must not have leading 0s in IP or prefix length';
  if (isMapped(octets)) return 'must not have an IPv4-mapped IPv6 address';
  return hasHostBits ? 'must not have bits set beyond the prefix length' : undefined;
}

function canonicalCidr(cidr: string): string {
  const [ip = '', bits = ''] = cidr.split('/');
  return `${canonicalIP(ip)}/${bits}`;
}

/** Of newer fields, which take a range in one form only. */
export function validateCanonicalCidr(cidr: string, field: string): FieldError[] {
  const errors = validateCidr(cidr, field);
  if (errors.length > 0) return errors;
  const canonical = canonicalCidr(cidr);
  return canonical === cidr ? [] : [invalid(field, cidr, `must be in canonical form ("${canonical}")`)];
}

/** As ipWarnings, of ranges. */
export function cidrWarnings(cidr: string, field: string): string[] {
  if (validateCidr(cidr, field).length > 0 || canonicalCidr(cidr) === cidr) return [];
  const canonical = canonicalCidr(cidr);
  return [`${field}: IPv6 CIDR value "${cidr}" should be in RFC 5952 canonical format ("${canonical}")`];
}

const SPECIAL = [
  {
    is: (octets: readonly number[]) => octets.every((octet) => octet === 0),
    range: (ip: string) => `may not be unspecified (${ip})`,
  },
  {
    is: (octets: readonly number[]) =>
      octets.length === 4 ? octets[0] === 127 : octets.every((octet, i) => octet === (i < 15 ? 0 : 1)),
    range: () => 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
  },
  {
    is: ([first, second = 0, ...rest]: readonly number[]) =>
      rest.length === 2 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80,
    range: () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  },
  {
    is: ([first, second = 0, ...rest]: readonly number[]) =>
      rest.length === 2
        ? first === 224 && second === 0 && rest[0] === 0
        : first === 0xff && (second & 0x0f) === 0x02,
    range: () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  },
] as const;

/**
 * Ranges that mean something else than one machine's address elsewhere. What cannot be read at all is refused here too,
 * as upstream does, which looks at an address twice.
 */
export function validateNonSpecialIP(ip: string, field: string): FieldError[] {
  const octets = octetsOf(ip);
  if (octets === undefined) return [invalid(field, ip, 'must be a valid IP address')];
  const plain = isMapped(octets) ? octets.slice(12) : octets;
  const found = SPECIAL.find(({ is }) => is(plain));
  return found === undefined ? [] : [invalid(field, ip, found.range(ip))];
}
