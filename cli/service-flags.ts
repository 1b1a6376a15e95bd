/** Where services get their addresses and ports, and where the server itself is reached. Named as kube-apiserver's. */
import { type Command, InvalidArgumentError } from 'commander';
import { canonicalRange, rangeProblem } from '../apiserver/allocation/addresses.js';
import type { PortRange } from '../apiserver/allocation/node-ports.js';
import { validateNonSpecialIP } from '../schemas/core/v1/addresses.js';
import { flag } from './command-flags.js';
import { ipAddress } from './flags.js';

/** As the command line gives them. */
export interface ServiceFlags {
  /** Such as `10.0.0.0/24`. */
  readonly serviceClusterIpRange: string;
  readonly serviceNodePortRange: PortRange;
  /** Undefined: the bind address, or what the host has where that is the loopback or every one. */
  readonly advertiseAddress?: string;
}

const PORT_MAX = 65_535;

export function addServiceFlags(command: Command): void {
  const flags = [
    flag({
      name: 'service-cluster-ip-range',
      value: 'cidr',
      description: 'IPv4 addresses for services; ServiceCIDRs add more',
      byDefault: '10.0.0.0/24',
      parse: clusterIpRange,
    }),
    flag({
      name: 'service-node-port-range',
      value: 'ports',
      description: 'ports of nodes for services, first-last or first+more',
      byDefault: '30000-32767',
      parse: portRange,
    }),
    flag({
      name: 'advertise-address',
      value: 'ip',
      description: 'where the service kubernetes leads to; else the bind address, or the host’s own',
      parse: reachableAddress,
    }),
  ];
  for (const option of flags) command.addOption(option);
}

function clusterIpRange(value: string): string {
  const problem = rangeProblem(value);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return canonicalRange(value);
}

/** `30000-32767`, `30000+2767` or one port. */
export function portRange(value: string): PortRange {
  const [, first = '', sign, second = ''] = /^\s*(\d{1,9})(?:([-+])(\d{1,9}))?\s*$/.exec(value) ?? [];
  if (first === '') throw new InvalidArgumentError(`unable to parse port range: ${value}.`);
  const range = { first: Number(first), last: lastOf(Number(first), sign, Number(second)) };
  if (range.first > PORT_MAX || range.last > PORT_MAX) {
    throw new InvalidArgumentError(`the port range cannot be greater than ${PORT_MAX}: ${value}.`);
  }
  if (range.last < range.first) {
    throw new InvalidArgumentError(`end port cannot be less than start port: ${value}.`);
  }
  if (range.first === 0) throw new InvalidArgumentError(`the port range cannot begin with 0: ${value}.`);
  return range;
}

function lastOf(first: number, sign: string | undefined, second: number): number {
  if (sign === undefined) return first;
  return sign === '+' ? first + second : second;
}

function reachableAddress(value: string): string {
  const address = ipAddress(value);
  if (validateNonSpecialIP(address, '').length > 0) {
    throw new InvalidArgumentError('It must be an address that others can reach.');
  }
  return address;
}

/** For another process. */
export function serviceArguments({
  serviceClusterIpRange,
  serviceNodePortRange: { first, last },
  advertiseAddress,
}: ServiceFlags): Readonly<Record<string, string>> {
  return {
    'service-cluster-ip-range': serviceClusterIpRange,
    'service-node-port-range': `${first}-${last}`,
    ...(advertiseAddress !== undefined && { 'advertise-address': advertiseAddress }),
  };
}
