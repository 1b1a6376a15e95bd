/** IPv4 addresses as numbers, and a range of them. */
import { isIPv4 } from 'node:net';

const OCTET = 256;

export function toNumber(address: string): number | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split('.').reduce((number, octet) => number * OCTET + Number(octet), 0);
}

export function toAddress(number: number): string {
  return [OCTET ** 3, OCTET ** 2, OCTET, 1].map((unit) => Math.floor(number / unit) % OCTET).join('.');
}

export interface AddressBlock {
  readonly first: number;
  readonly last: number;
  /** Of the whole block. */
  readonly size: number;
}

/** Addresses that services can have in a block such as `10.0.0.0/24`: all but the network's and the broadcast one. */
export function usableAddresses(cidr: string): AddressBlock {
  const [address = '', bits = ''] = cidr.split('/');
  const base = toNumber(address);
  const size = 2 ** (32 - Number(bits));
  if (base === undefined || !(size >= 4)) throw new Error(`${cidr} is no block of IPv4 addresses`);
  const network = base - (base % size);
  return { first: network + 1, last: network + size - 2, size };
}
