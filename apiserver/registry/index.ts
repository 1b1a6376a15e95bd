/** Makes the registries of all resources over one store. The state of a resource is loaded when it is first asked for. */
import { decodeObject } from '../../schemas/decode.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { once } from '../../schemas/fields.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import type { AdmissionPlugin } from '../admission/plugin.js';
import { FieldManager } from '../managed-fields/index.js';
import type { Allocator } from './allocator.js';
import { type Computed, ComputedRegistry } from './computed-registry.js';
import { ConvertedFormat } from './converted-format.js';
import { createPools, type ItemPools } from './decoded-pool.js';
import { FreshRevision } from './fresh-revision.js';
import { type Answer, GenericRegistry, VirtualRegistry } from './generic-registry.js';
import { KeySpace } from './keys.js';
import { LeasePool } from './lease-pool.js';
import { randomNameSuffix } from './metadata.js';
import type { Resource } from './resource.js';
import { Slab } from './slab.js';
import { ItemFormat, type ValueDecoder } from './stored-item.js';
import { RegistryTable } from './table.js';
import type { Registry, ResourceTable } from './types.js';
import { WatchCache, type WatchCacheOptions } from './watch-cache.js';

export type { Computed } from './computed-registry.js';
export type { Answer } from './generic-registry.js';
export type { ValueDecoder } from './stored-item.js';

/** How often bookmarks that are due and snapshots out of use are looked for, in milliseconds. */
const TICK_MS = 1000;

export interface RegistriesOptions {
  readonly client: EtcdClient;
  readonly definitions: readonly ResourceDefinition[];
  /** What all keys begin with, without a slash at its end; `/registry` when absent. */
  readonly keyRoot?: string | undefined;
  /** Run in this order. May be filled after construction, since plugins need the table. */
  readonly admission: readonly AdmissionPlugin[];
  /** By `group/plural`. */
  readonly allocators?: ReadonlyMap<string, Allocator>;
  /** What virtual kinds answer, by `group/plural`; without one the object comes back as it is. */
  readonly answers?: ReadonlyMap<string, Answer>;
  /** Makes the objects of kinds that are read and not stored, by `group/plural`; without one there are none. */
  readonly computed?: ReadonlyMap<string, Computed>;
  /** Reads values that are not JSON: a real cluster's protobuf. */
  readonly decodeValue?: ValueDecoder;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly nameSuffix?: () => string;
  /** Told of failures that no request is there to be told of. */
  readonly onError?: (error: unknown, what: string) => void;
  /** Of every watch cache, for tests. */
  readonly cache?: Pick<WatchCacheOptions, 'catchUpMs'> & {
    readonly window?: () => NonNullable<WatchCacheOptions['window']>;
  };
}

export interface Registries {
  readonly table: ResourceTable;
  /** Serves one more resource, or another definition of one that is served. */
  register(definition: ResourceDefinition): Registry;
  /** Ends the resource's watches and forgets it; what is stored stays. */
  unregister(definition: Pick<ResourceDefinition, 'group' | 'version' | 'plural'>): void;
  /** Sends the bookmarks that are due at `now`, in milliseconds since the epoch. It happens by itself every second. */
  tick(now: number): void;
  /** The store has forgotten the states before this revision. */
  compacted(revision: number): void;
  /** Ends all watches. The client stays open. */
  close(): void;
}

export function createRegistries(options: RegistriesOptions): Registries {
  return new ServedResources(options);
}

class ServedResources implements Registries {
  readonly table = new RegistryTable();
  private readonly caches = new Map<Registry, WatchCache>();
  private readonly pools = createPools();
  private readonly fresh: FreshRevision;
  private readonly leases: LeasePool;
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: RegistriesOptions) {
    this.now = options.now ?? Date.now;
    this.fresh = new FreshRevision(options.client);
    this.leases = new LeasePool(options.client, this.now);
    for (const definition of options.definitions) this.register(definition);
    this.timer = setInterval(() => this.tick(this.now()), TICK_MS);
    this.timer.unref();
  }

  register(definition: ResourceDefinition): Registry {
    const resource = this.resourceOf(definition);
    const registry = definition.virtual === true ? this.virtual(resource) : new GenericRegistry(resource);
    this.forget(this.table.put(registry));
    this.caches.set(registry, resource.cache);
    return registry;
  }

  private virtual(resource: Resource): Registry {
    const { group, plural, verbs } = resource.definition;
    const { answers, computed } = this.options;
    return verbs.includes('list')
      ? new ComputedRegistry(resource, computed?.get(`${group}/${plural}`) ?? nothing)
      : new VirtualRegistry(resource, answers?.get(`${group}/${plural}`) ?? ((_, object) => object));
  }

  unregister({ group, version, plural }: Pick<ResourceDefinition, 'group' | 'version' | 'plural'>): void {
    this.forget(this.table.remove(group, version, plural));
  }

  tick(now: number): void {
    for (const cache of this.caches.values()) cache.tick(now);
  }

  compacted(revision: number): void {
    for (const cache of this.caches.values()) cache.compacted(revision);
  }

  close(): void {
    clearInterval(this.timer);
    for (const cache of this.caches.values()) cache.close();
  }

  private forget(registry: Registry | undefined): void {
    if (registry === undefined) return;
    this.caches.get(registry)?.close();
    this.caches.delete(registry);
  }

  private resourceOf(definition: ResourceDefinition): Resource {
    const { client, admission, decodeValue, onError = () => undefined, cache: cacheOptions } = this.options;
    const { now, pools, fresh, leases } = this;
    const keys = new KeySpace(definition.etcdPrefix, this.options.keyRoot);
    const format = formatOf(definition, pools, decodeValue);
    const window = cacheOptions?.window?.();
    return {
      definition,
      name: { group: definition.group, name: definition.plural },
      kind: { group: definition.group, name: definition.errorKind ?? definition.kind },
      client,
      keys,
      format,
      fresh,
      leases,
      admission,
      allocator: this.options.allocators?.get(`${definition.group}/${definition.plural}`),
      fields: new FieldManager(definition, this.options.definitions),
      now,
      nameSuffix: this.options.nameSuffix ?? randomNameSuffix,
      cache: new WatchCache({
        client,
        keys,
        format,
        now,
        onError,
        bookmarkObject: once(() => bookmarkObject(definition)),
        ...(cacheOptions?.catchUpMs === undefined ? {} : { catchUpMs: cacheOptions.catchUpMs }),
        ...(window === undefined ? {} : { window }),
      }),
    };
  }
}

const nothing: Computed = {
  names: () => [],
  object: () => Promise.resolve(undefined),
  absent: (name) => `not found: ${name}`,
};

function formatOf(
  definition: ResourceDefinition,
  pools: ItemPools,
  decodeValue: ValueDecoder | undefined,
): ItemFormat {
  const { storedAs } = definition;
  const slab = new Slab();
  if (storedAs === undefined) return new ItemFormat(definition, pools, slab, decodeValue);
  const stored = new ItemFormat(storedAs.resource, pools, slab, decodeValue);
  return new ConvertedFormat(storedAs, stored, definition, pools, slab);
}

/** What Go prints of an object in which nothing is set. */
function bookmarkObject(definition: ResourceDefinition): Readonly<Record<string, unknown>> {
  const decoded = decodeObject(definition, { metadata: {} });
  return 'object' in decoded ? decoded.object : {};
}
