/** What a Service is given when it is written: cluster IPs and node ports, taken in the service's own transaction. */
import {
  hasClusterIP,
  hasNodePorts,
  heldClusterIPs,
  heldNodePorts,
  isHeadless,
  needsClusterIP,
  specOf,
} from '../../schemas/core/v1/service-fields.js';
import type { KubeObject } from '../../schemas/definition.js';
import type { Compare, EtcdClient } from '../../storage/client/interface.js';
import type { Registries } from '../admission/lookup.js';
import { systemContext } from '../controllers/context.js';
import type { Allocator, Companion } from '../registry/allocator.js';
import { DEFAULT_ROOT } from '../registry/keys.js';
import { toAddress, toNumber } from './addresses.js';
import { ClusterIPs } from './cluster-ips.js';
import { NodePorts, type PortRange } from './node-ports.js';
import type { Pool } from './pool.js';
import { ServiceRanges } from './service-ranges.js';

/** Where cluster IPs come from, unless something else is said. */
export const SERVICE_CIDR = '10.0.0.0/24';
export const NODE_PORTS: PortRange = { first: 30_000, last: 32_767 };

export interface ServiceAllocatorOptions {
  readonly client: EtcdClient;
  /** Where ServiceCIDRs are looked up; read when a service is written, so its table may be filled later. */
  readonly registries: Registries;
  /** What all keys begin with, without a slash at its end; `/registry` when absent. */
  readonly keyRoot?: string | undefined;
  /** Of cluster IPs, as long as there is no ServiceCIDR. */
  readonly cidr?: string;
  readonly nodePorts?: PortRange;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const NO_COMPARE: readonly Compare[] = [];

export class ServiceAllocator implements Allocator {
  private readonly clusterIPs: ClusterIPs;
  private readonly nodePorts: NodePorts;

  constructor(options: ServiceAllocatorOptions) {
    const { client, registries, keyRoot = DEFAULT_ROOT, now = Date.now } = options;
    const { cidr = SERVICE_CIDR, nodePorts: range = NODE_PORTS } = options;
    const context = systemContext('system:apiserver', ['system:masters'], new AbortController().signal);
    const ranges = new ServiceRanges({ registries, context, keyRoot, cidr });
    this.clusterIPs = new ClusterIPs({ client, keyRoot, ranges, now });
    this.nodePorts = new NodePorts({ client, keyRoot, range });
  }

  async allocate(service: KubeObject, old: KubeObject | undefined): Promise<Companion> {
    const compare = await this.fillClusterIP(service, old);
    const oldPorts = new Set(old === undefined ? [] : heldNodePorts(old));
    if (hasNodePorts(specOf(service))) await this.nodePorts.fill(service, oldPorts);
    const oldAddresses = old === undefined ? [] : heldClusterIPs(old);
    return join(
      { compare, success: [] },
      change(this.clusterIPs.pool, numbers(oldAddresses), numbers(heldClusterIPs(service)), (number) =>
        this.clusterIPs.record(number, service),
      ),
      change(this.nodePorts.pool, oldPorts, new Set(heldNodePorts(service)), () => ownerOf(service)),
    );
  }

  release(service: KubeObject): Companion {
    return join(
      change(this.clusterIPs.pool, numbers(heldClusterIPs(service)), new Set(), () => ''),
      change(this.nodePorts.pool, new Set(heldNodePorts(service)), new Set(), () => ''),
    );
  }

  /**
   * Gives what must hold when the service is written. A service that had an address keeps it: validation refuses another
   * one.
   */
  private async fillClusterIP(service: KubeObject, old: KubeObject | undefined): Promise<readonly Compare[]> {
    const spec = specOf(service);
    if (!hasClusterIP(spec) || isHeadless(spec)) return NO_COMPARE;
    if (old !== undefined && hasClusterIP(specOf(old))) return NO_COMPARE;
    this.clusterIPs.check(service);
    const { number, compare } = needsClusterIP(service)
      ? await this.clusterIPs.pick()
      : await this.clusterIPs.request(service, spec.clusterIP ?? '');
    spec.clusterIP = toAddress(number);
    spec.clusterIPs = [spec.clusterIP];
    return compare;
  }
}

const numbers = (addresses: readonly string[]): Set<number> =>
  new Set(addresses.map(toNumber).filter((number) => number !== undefined));

function ownerOf({ metadata }: KubeObject): string {
  return JSON.stringify({ resource: 'services', namespace: metadata.namespace, name: metadata.name });
}

/** What must be written so that `after` is held in place of `before`. */
function change(
  pool: Pool,
  before: ReadonlySet<number>,
  after: ReadonlySet<number>,
  record: (number: number) => string,
): Companion {
  const taken = [...after].filter((number) => !before.has(number));
  const left = [...before].filter((number) => !after.has(number));
  return {
    compare: taken.map((number) => pool.absent(number)),
    success: [
      ...taken.map((number) => pool.take(number, record(number))),
      ...left.map((number) => pool.giveBack(number)),
    ],
  };
}

const join = (...parts: readonly Companion[]): Companion => ({
  compare: parts.flatMap(({ compare }) => compare),
  success: parts.flatMap(({ success }) => success),
});
