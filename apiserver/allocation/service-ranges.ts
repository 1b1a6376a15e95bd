/**
 * The ranges that cluster IPs are taken from: those of the ServiceCIDRs that are ready, and before there is any, the one
 * that the server was started with.
 */
import { cidrsOf, isReady } from '../../schemas/networking/v1/service-cidr.js';
import type { Compare } from '../../storage/client/interface.js';
import type { Registries } from '../admission/lookup.js';
import { everyObject } from '../registry/every-object.js';
import type { StoredObject } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { usableAddresses } from './addresses.js';
import type { PoolRange } from './pool.js';

/** The one that the server makes; services get their addresses from it as long as it has any. */
export const DEFAULT_NAME = 'kubernetes';

export interface ServiceRange extends PoolRange {
  /** Holds while the range may be used: a range that is being deleted gives out nothing. Absent: it always may. */
  readonly compare?: Compare;
}

interface ServiceRangesOptions {
  readonly registries: Registries;
  /** In whose name they are listed. */
  readonly context: RequestContext;
  readonly keyRoot: string;
  /** What the server was started with. */
  readonly cidr: string;
}

export class ServiceRanges {
  constructor(private readonly options: ServiceRangesOptions) {}

  /** As the store has them: what is being deleted on another server is known here. */
  async list(): Promise<ServiceRange[]> {
    const { registries, context, cidr } = this.options;
    const registry = registries.table.find('networking.k8s.io', 'v1', 'servicecidrs');
    const { items = [] } = (await registry?.list(context, '', everyObject)) ?? {};
    if (items.length === 0) return rangesOf([cidr]);
    return [...items].sort(byUse).flatMap((item) => this.rangesOf(item));
  }

  private rangesOf({ object, name, revision }: StoredObject): ServiceRange[] {
    if (object.metadata.deletionTimestamp !== undefined || !isReady(object)) return [];
    const key = Buffer.from(`${this.options.keyRoot}/servicecidrs/${name}`);
    const compare: Compare = { key, target: 'mod', result: 'equal', modRevision: revision };
    return rangesOf(cidrsOf(object)).map((range) => ({ ...range, compare }));
  }
}

function byUse(a: StoredObject, b: StoredObject): number {
  if (a.name === DEFAULT_NAME || b.name === DEFAULT_NAME) return a.name === DEFAULT_NAME ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

const rangesOf = (cidrs: readonly string[]): PoolRange[] =>
  cidrs.map(usableAddresses).filter((range) => range !== undefined);
