/** IPv4 addresses as numbers, and the part of a range that services can have. */
import { isIPv4 } from 'node:net';
import { blockOf } from '../../schemas/core/v1/addresses.js';
import type { PoolRange } from './pool.js';

const OCTET = 256;
/** A smaller range has no room for the services that every cluster has. */
const RANGE_SIZE_MIN = 8;

export function toNumber(address: string): number | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split('.').reduce((number, octet) => number * OCTET + Number(octet), 0);
}

export function toAddress(number: number): string {
  return [OCTET ** 3, OCTET ** 2, OCTET, 1].map((unit) => Math.floor(number / unit) % OCTET).join('.');
}

/** Of a block of `size` addresses: those given out dynamically only when the rest is full. */
function reservedOf(size: number): number {
  return size <= 16 ? 0 : Math.min(256, Math.max(16, Math.floor(size / 16)));
}

/**
 * Addresses that services can have in a range such as `10.0.0.0/24`: all but the network's and the broadcast one.
 * Undefined for what is no range of IPv4 addresses, or has none for services.
 */
export function usableAddresses(cidr: string): PoolRange | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const base = toNumber(address);
  const size = 2 ** (32 - Number(bits));
  if (base === undefined || !(size > 2)) return undefined;
  const network = base - (base % size);
  return { first: network + 1, last: network + size - 2, reserved: reservedOf(size) };
}

/** What is wrong with a range as --service-cluster-ip-range has it, in upstream's words where it refuses it too. */
export function rangeProblem(cidr: string): string | undefined {
  const blocks = cidr.split(',').map(blockOf);
  if (blocks.includes(undefined)) return 'service-cluster-ip-range is not a valid cidr';
  const [block] = blocks;
  if (block?.octets.length !== 4 || blocks.length > 1) {
    return 'services get IPv4 addresses only, of one range';
  }
  return 2 ** (32 - block.bits) < RANGE_SIZE_MIN
    ? `the service cluster IP range must be at least ${RANGE_SIZE_MIN} IP addresses`
    : undefined;
}

/** A range as Go prints it: `10.0.0.77/24` is `10.0.0.0/24`. */
export function canonicalRange(cidr: string): string {
  const { octets = [], bits = 0 } = blockOf(cidr) ?? {};
  return `${octets.join('.')}/${bits}`;
}

/** The first address that services can have, which is that of the service `kubernetes`. */
export function firstAddress(cidr: string): string | undefined {
  const range = usableAddresses(cidr);
  return range && toAddress(range.first);
}
