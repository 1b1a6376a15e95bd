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
import type { EtcdClient } from '../../storage/client/interface.js';
import type { Allocator, Companion } from '../registry/allocator.js';
import { DEFAULT_ROOT } from '../registry/keys.js';
import { toAddress, toNumber } from './addresses.js';
import { ClusterIPs } from './cluster-ips.js';
import { NodePorts } from './node-ports.js';
import type { Pool } from './pool.js';

/** Where cluster IPs come from; its first address is the `kubernetes` service's. */
export const SERVICE_CIDR = '10.0.0.0/24';

export interface ServiceAllocatorOptions {
  readonly client: EtcdClient;
  /** What all keys begin with, without a slash at its end; `/registry` when absent. */
  readonly keyRoot?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export class ServiceAllocator implements Allocator {
  private readonly clusterIPs: ClusterIPs;
  private readonly nodePorts: NodePorts;

  constructor({ client, keyRoot = DEFAULT_ROOT, now = Date.now }: ServiceAllocatorOptions) {
    this.clusterIPs = new ClusterIPs({ client, keyRoot, cidr: SERVICE_CIDR, now });
    this.nodePorts = new NodePorts(client, keyRoot);
  }

  async allocate(service: KubeObject, old: KubeObject | undefined): Promise<Companion> {
    await this.fillClusterIP(service, old);
    const oldPorts = new Set(old === undefined ? [] : heldNodePorts(old));
    if (hasNodePorts(specOf(service))) await this.nodePorts.fill(service, oldPorts);
    const oldAddresses = old === undefined ? [] : heldClusterIPs(old);
    return join(
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

  /** A service that had an address keeps it: validation refuses another one. */
  private async fillClusterIP(service: KubeObject, old: KubeObject | undefined): Promise<void> {
    const spec = specOf(service);
    if (!hasClusterIP(spec) || isHeadless(spec)) return;
    if (old !== undefined && hasClusterIP(specOf(old))) return;
    this.clusterIPs.check(service);
    const number = needsClusterIP(service)
      ? await this.clusterIPs.pick()
      : await this.clusterIPs.request(service, spec.clusterIP ?? '');
    spec.clusterIP = toAddress(number);
    spec.clusterIPs = [spec.clusterIP];
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
