/** Cluster IPs of services: one key each at /registry/ipaddresses/<ip>, holding the IPAddress that kube-apiserver keeps there. */
import { randomUUID } from 'node:crypto';
import { validateClusterIPs } from '../../schemas/core/v1/service-cluster-ips.js';
import { specOf } from '../../schemas/core/v1/service-fields.js';
import type { KubeObject } from '../../schemas/definition.js';
import { type FieldError, invalid as invalidField } from '../../schemas/field-error.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { type StatusError, internalError, invalid } from '../errors.js';
import { toAddress, toNumber, usableAddresses } from './addresses.js';
import { Pool } from './pool.js';

const SERVICE_KIND = { group: '', name: 'Service' };

/** Of a block of `size` addresses: those given out dynamically only when the rest is full. */
function reservedOf(size: number): number {
  return size <= 16 ? 0 : Math.min(256, Math.max(16, Math.floor(size / 16)));
}

interface ClusterIPsOptions {
  readonly client: EtcdClient;
  /** What all keys begin with. */
  readonly keyRoot: string;
  readonly cidr: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class ClusterIPs {
  readonly pool: Pool;

  private readonly cidr: string;
  private readonly now: () => number;

  constructor({ client, keyRoot, cidr, now }: ClusterIPsOptions) {
    this.cidr = cidr;
    this.now = now;
    const { first, last, size } = usableAddresses(cidr);
    const keys = { prefix: `${keyRoot}/ipaddresses/`, nameOf: toAddress, numberOf: toNumber };
    this.pool = new Pool(client, keys, { first, last, reserved: reservedOf(size) });
  }

  /** Refuses what nothing can be allocated for. The other rules come later, with validation. */
  check(service: KubeObject): void {
    const errors = validateClusterIPs(specOf(service));
    if (errors.length > 0) throw refusal(service, errors);
  }

  /** The number of an address that was asked for and can be had; throws the 422 that says why it cannot. */
  async request(service: KubeObject, address: string): Promise<number> {
    const number = toNumber(address);
    if (number === undefined || !this.pool.contains(number)) {
      const range = `is not in the valid range. The range of valid IPs is ${this.cidr}`;
      throw unavailable(service, address, `the provided IP (${address}) ${range}`);
    }
    if (await this.pool.isTaken(number)) {
      throw unavailable(service, address, 'provided IP is already allocated');
    }
    return number;
  }

  async pick(): Promise<number> {
    const number = await this.pool.pick(new Set());
    if (number === undefined) throw internalError('failed to allocate a serviceIP: range is full');
    return number;
  }

  /** The object stored for a taken address. */
  record(number: number, service: KubeObject): string {
    const { namespace, name } = service.metadata;
    return JSON.stringify({
      kind: 'IPAddress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: {
        name: toAddress(number),
        uid: randomUUID(),
        creationTimestamp: `${new Date(this.now()).toISOString().slice(0, 19)}Z`,
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { resource: 'services', namespace, name } },
    });
  }
}

function refusal(service: KubeObject, errors: readonly FieldError[]): StatusError {
  return invalid(SERVICE_KIND, service.metadata.name ?? '', errors);
}

function unavailable(service: KubeObject, address: string, why: string): StatusError {
  const value = specOf(service).clusterIPs ?? [address];
  return refusal(service, [
    invalidField('spec.clusterIPs', value, `failed to allocate IP ${address}: ${why}`),
  ]);
}
