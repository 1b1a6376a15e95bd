/** Where others reach the server. */
import { networkInterfaces } from 'node:os';
import type { ServerAddress } from '../apiserver/controllers/index.js';
import { validateNonSpecialIP } from '../schemas/core/v1/addresses.js';
import type { ServiceFlags } from './service-flags.js';

interface Listening extends Pick<ServiceFlags, 'advertiseAddress'> {
  readonly bindAddress: string;
  /** 0: off. */
  readonly securePort: number;
}

const isReachable = (address: string): boolean => validateNonSpecialIP(address, '').length === 0;

/**
 * kube-apiserver's rule: what was said, else the bind address, else, where that is every address or one of this machine
 * alone, the first that the host has. Undefined without a secure port, or on a host without a network.
 */
export function advertisedAddress(
  { advertiseAddress, bindAddress, securePort }: Listening,
  interfaces = networkInterfaces(),
): ServerAddress | undefined {
  if (securePort === 0) return undefined;
  const bound = isReachable(bindAddress) ? bindAddress : undefined;
  const ip = advertiseAddress ?? bound ?? hostAddress(interfaces);
  return ip === undefined ? undefined : { ip, port: securePort };
}

/** IPv4 first. */
function hostAddress(interfaces: ReturnType<typeof networkInterfaces>): string | undefined {
  const outside = Object.values(interfaces).flatMap((list = []) => list.filter(({ internal }) => !internal));
  const firstOf = (wanted: 'IPv4' | 'IPv6') =>
    outside.find(({ family, address }) => family === wanted && isReachable(address))?.address;
  return firstOf('IPv4') ?? firstOf('IPv6');
}
