/** The allocators, by the resource whose objects they fill. */
import type { Allocator } from '../registry/allocator.js';
import { type ServiceAllocatorOptions, ServiceAllocator } from './services.js';

export type { PortRange } from './node-ports.js';
export { NODE_PORTS, SERVICE_CIDR } from './services.js';

/** Keys are `group/plural`. */
export function defaultAllocators(options: ServiceAllocatorOptions): ReadonlyMap<string, Allocator> {
  return new Map([['/services', new ServiceAllocator(options)]]);
}
