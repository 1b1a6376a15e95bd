/**
 * Makes the IPAddress of a service again that somebody has deleted: while it is missing, another service could get the
 * same address. Upstream's API server does this by itself too, whichever controllers run.
 */
import type { Logger } from 'pino';
import { heldClusterIPs } from '../../schemas/core/v1/service-fields.js';
import type { KubeObject } from '../../schemas/definition.js';
import { ipAddressOf } from '../allocation/cluster-ips.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import type { ResourceTable } from '../registry/types.js';
import { systemContext } from './context.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, getStored, ignoring, registryOf } from './registries.js';
import { WorkQueue } from './work-queue.js';

export interface AddressRepairOptions {
  readonly table: ResourceTable;
  readonly logger: Logger;
}

export class AddressRepair {
  private readonly aborted = new AbortController();
  private readonly context = systemContext('system:apiserver', ['system:masters'], this.aborted.signal);
  private readonly queue: WorkQueue;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: AddressRepairOptions) {
    this.queue = new WorkQueue({
      signal: this.aborted.signal,
      reconcile: (service) => this.repair(service),
      onError: (service, error) => options.logger.warn({ err: error, service }, 'cannot repair its address'),
    });
  }

  start(): void {
    const { table, logger } = this.options;
    this.running = follow({
      registry: registryOf(table, 'networking.k8s.io', 'ipaddresses'),
      context: this.context,
      onEvent: ({ type, item }) => {
        const owner = type === 'DELETED' ? ownerOf(item.object) : undefined;
        if (owner !== undefined) this.queue.add(owner);
      },
      onSynced: () => void this.addAll(),
      onError: (error) => logger.warn({ err: error }, 'cannot watch addresses'),
    });
  }

  async stop(): Promise<void> {
    this.aborted.abort();
    await this.running;
    await this.queue.idle();
  }

  /** What was deleted while nobody looked. */
  private async addAll(): Promise<void> {
    const { table, logger } = this.options;
    try {
      const { items } = await coreRegistry(table, 'services').list(this.context, '', everyObjectAtHand);
      for (const { key } of items) this.queue.add(key);
    } catch (error) {
      if (!this.aborted.signal.aborted)
        logger.warn({ err: error }, 'cannot look at the addresses of services');
    }
  }

  private async repair(key: string): Promise<boolean> {
    const { table } = this.options;
    const [namespace = '', name = ''] = key.split('/');
    const addresses = registryOf(table, 'networking.k8s.io', 'ipaddresses');
    const services = coreRegistry(table, 'services');
    const cached = await getCached(services, this.context, namespace, name);
    for (const ip of cached === undefined ? [] : heldClusterIPs(cached)) {
      if ((await getCached(addresses, this.context, '', ip)) !== undefined) continue;
      // As the store has it: its address may have gone because it has.
      const service = await getStored(services, this.context, namespace, name);
      if (service === undefined || !heldClusterIPs(service).includes(ip)) continue;
      await addresses.create(this.context, ipAddressOf(ip, service)).catch(ignoring('AlreadyExists'));
    }
    return true;
  }
}

interface AddressSpec {
  readonly parentRef?: { group?: string; resource?: string; namespace?: string; name?: string };
}

/** `namespace/name` of the service that an address is of. */
function ownerOf(address: KubeObject): string | undefined {
  const { parentRef = {} } = (address['spec'] ?? {}) as AddressSpec;
  const { group = '', resource, namespace = '', name = '' } = parentRef;
  return group === '' && resource === 'services' ? `${namespace}/${name}` : undefined;
}
