/** Cluster IPs of services: one key each at /registry/ipaddresses/<ip>, holding the IPAddress that kube-apiserver keeps there. */
import { randomUUID } from 'node:crypto';
import { validateClusterIPs } from '../../schemas/core/v1/service-cluster-ips.js';
import { specOf } from '../../schemas/core/v1/service-fields.js';
import type { KubeObject } from '../../schemas/definition.js';
import { type FieldError, invalid as invalidField } from '../../schemas/field-error.js';
import type { Compare, EtcdClient } from '../../storage/client/interface.js';
import { type StatusError, internalError, invalid } from '../errors.js';
import { timestamp } from '../registry/metadata.js';
import { toAddress, toNumber } from './addresses.js';
import { Pool, isWithin } from './pool.js';
import type { ServiceRange, ServiceRanges } from './service-ranges.js';

const SERVICE_KIND = { group: '', name: 'Service' };
const NONE: ReadonlySet<number> = new Set();

/** The label of addresses that services have been given. */
export const MANAGED_BY_ALLOCATOR = {
  key: 'ipaddress.kubernetes.io/managed-by',
  value: 'ipallocator.k8s.io',
} as const;

/** Who has set what in such an object, as if it had been created by a request of the server. */
const MANAGED_FIELDS = {
  manager: 'kube-apiserver',
  operation: 'Update',
  apiVersion: 'networking.k8s.io/v1',
} as const;
const FIELDS = {
  'f:metadata': {
    'f:labels': {
      '.': {},
      'f:ipaddress.kubernetes.io/ip-family': {},
      [`f:${MANAGED_BY_ALLOCATOR.key}`]: {},
    },
  },
  'f:spec': { 'f:parentRef': { '.': {}, 'f:name': {}, 'f:namespace': {}, 'f:resource': {} } },
};

interface ClusterIPsOptions {
  readonly client: EtcdClient;
  /** What all keys begin with. */
  readonly keyRoot: string;
  readonly ranges: ServiceRanges;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** An address to be taken. */
export interface ClusterIP {
  readonly number: number;
  /** Holds while the range that it is of may be used. */
  readonly compare: readonly Compare[];
}

export class ClusterIPs {
  readonly pool: Pool;

  private readonly ranges: ServiceRanges;
  private readonly now: () => number;

  constructor({ client, keyRoot, ranges, now }: ClusterIPsOptions) {
    this.ranges = ranges;
    this.now = now;
    const keys = { prefix: `${keyRoot}/ipaddresses/`, nameOf: toAddress, numberOf: toNumber };
    this.pool = new Pool(client, keys);
  }

  /** Refuses what nothing can be allocated for. The other rules come later, with validation. */
  check(service: KubeObject): void {
    const errors = validateClusterIPs(specOf(service));
    if (errors.length > 0) throw refusal(service, errors);
  }

  /** An address that was asked for and can be had; throws the 422 that says why it cannot. */
  async request(service: KubeObject, address: string): Promise<ClusterIP> {
    const number = toNumber(address);
    const found = number === undefined ? undefined : rangeOf(await this.ranges.list(), number);
    if (number === undefined || found === undefined) {
      throw unavailable(service, address, 'the provided network does not match the current range');
    }
    if (await this.pool.isTaken(number)) {
      throw unavailable(service, address, 'provided IP is already allocated');
    }
    return { number, compare: compareOf(found) };
  }

  async pick(): Promise<ClusterIP> {
    const ranges = await this.ranges.list();
    const number = await this.pool.pick(ranges, NONE);
    if (number === undefined) throw internalError('failed to allocate a serviceIP: range is full');
    return { number, compare: compareOf(rangeOf(ranges, number)) };
  }

  /** The object stored for a taken address. */
  record(number: number, service: KubeObject): string {
    const { metadata, ...rest } = ipAddressOf(toAddress(number), service);
    const { name = '', labels = {} } = metadata;
    const creationTimestamp = timestamp(this.now());
    return JSON.stringify({
      kind: rest.kind,
      apiVersion: rest.apiVersion,
      metadata: {
        name,
        uid: randomUUID(),
        creationTimestamp,
        labels,
        managedFields: [
          { ...MANAGED_FIELDS, time: creationTimestamp, fieldsType: 'FieldsV1', fieldsV1: FIELDS },
        ],
      },
      spec: rest['spec'],
    });
  }
}

/** The object that says whose an address is. */
export function ipAddressOf(ip: string, { metadata: { namespace, name } }: KubeObject): KubeObject {
  return {
    kind: 'IPAddress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: {
      name: ip,
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        [MANAGED_BY_ALLOCATOR.key]: MANAGED_BY_ALLOCATOR.value,
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  };
}

const rangeOf = (ranges: readonly ServiceRange[], number: number): ServiceRange | undefined =>
  ranges.find((range) => isWithin(range, number));

const compareOf = (range: ServiceRange | undefined): readonly Compare[] =>
  range?.compare === undefined ? [] : [range.compare];

function refusal(service: KubeObject, errors: readonly FieldError[]): StatusError {
  return invalid(SERVICE_KIND, service.metadata.name ?? '', errors);
}

function unavailable(service: KubeObject, address: string, why: string): StatusError {
  const value = specOf(service).clusterIPs ?? [address];
  return refusal(service, [
    invalidField('spec.clusterIPs', value, `failed to allocate IP ${address}: ${why}`),
  ]);
}
