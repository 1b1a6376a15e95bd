/** What is behind the service `kubernetes`: Endpoints and EndpointSlices with the addresses of the servers that live. */
import { familyOf } from '../../schemas/core/v1/addresses.js';
import type { KubeObject } from '../../schemas/definition.js';
import { deepEqual } from '../registry/deep-equal.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import type { LiveServers, ServerAddress } from './live-servers.js';
import { coreRegistry, getCached, ignoring, registryOf } from './registries.js';

const NAMESPACE = 'default';
const NAME = 'kubernetes';
const PORT_NAME = 'https';
/** Whoever mirrors Endpoints as EndpointSlices leaves these alone. */
const SKIP_MIRROR = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
const SERVICE_NAME = { 'kubernetes.io/service-name': NAME };
/** Slices beside the first: servers on one machine have a port each. */
const MORE_SLICES = /^kubernetes-ipv[46]-\d+$/;

interface EndpointsOptions {
  readonly table: ResourceTable;
  readonly context: RequestContext;
  readonly servers: LiveServers;
}

/** Brings Endpoints and EndpointSlices to where the servers are, with `alive` as what was last heard of them. */
export async function ensureEndpoints(
  options: EndpointsOptions,
  alive: readonly ServerAddress[],
): Promise<void> {
  const { table, context, servers } = options;
  const slices = registryOf(table, 'discovery.k8s.io', 'endpointslices');
  // Listed anew for each attempt to write, so that of two servers the one that knows more writes last.
  const now = (name: string) => async () => slicesOf(await servers.list()).get(name) ?? sliceOf(name, []);
  const wanted = slicesOf(alive);
  await Promise.all([
    ensureObject(coreRegistry(table, 'endpoints'), context, endpointsOf(alive), async () =>
      endpointsOf(await servers.list()),
    ),
    ...[...wanted].map(([name, slice]) => ensureObject(slices, context, slice, now(name))),
    removeOthers(slices, context, servers, wanted),
  ]);
}

function endpointsOf(servers: readonly ServerAddress[]): KubeObject {
  const subsets = groupsOf(servers).map((group) => ({
    addresses: group.map(({ ip }) => ({ ip })),
    ports: [{ name: PORT_NAME, port: group[0]?.port, protocol: 'TCP' }],
  }));
  return {
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: { name: NAME, namespace: NAMESPACE, labels: SKIP_MIRROR },
    ...(subsets.length > 0 && { subsets }),
  };
}

/** By name; there is always the first. */
function slicesOf(servers: readonly ServerAddress[]): Map<string, KubeObject> {
  const slices = new Map<string, KubeObject>();
  for (const group of groupsOf(servers)) {
    const [{ ip, port } = { ip: '', port: 0 }] = group;
    const name = slices.size === 0 ? NAME : `${NAME}-${familyOf(ip).toLowerCase()}-${port}`;
    slices.set(name, sliceOf(name, group));
  }
  return slices.size === 0 ? slices.set(NAME, sliceOf(NAME, [])) : slices;
}

function sliceOf(name: string, group: readonly ServerAddress[]): KubeObject {
  const [first] = group;
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name, namespace: NAMESPACE, labels: SERVICE_NAME },
    addressType: familyOf(first?.ip ?? ''),
    endpoints:
      group.length === 0 ? null : group.map(({ ip }) => ({ addresses: [ip], conditions: { ready: true } })),
    ports: first === undefined ? null : [{ name: PORT_NAME, protocol: 'TCP', port: first.port }],
  };
}

/** Those of one family that have a port in common. Takes them sorted. */
function groupsOf(servers: readonly ServerAddress[]): ServerAddress[][] {
  const groups = new Map<string, ServerAddress[]>();
  for (const server of servers) {
    const key = `${familyOf(server.ip)} ${server.port}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [server]);
    else group.push(server);
  }
  return [...groups.values()];
}

/** All that we say of it stands in the object; what others have added to its metadata may stay. */
function isSame(existing: KubeObject, wanted: KubeObject): boolean {
  const { metadata: old, ...oldRest } = existing;
  const { metadata, ...rest } = wanted;
  const labels = Object.entries(metadata.labels ?? {});
  return deepEqual(oldRest, rest) && labels.every(([key, value]) => old.labels?.[key] === value);
}

async function ensureObject(
  registry: Registry,
  context: RequestContext,
  wanted: KubeObject,
  now: () => Promise<KubeObject>,
): Promise<void> {
  const { name = '' } = wanted.metadata;
  const existing = await getCached(registry, context, NAMESPACE, name);
  if (existing === undefined) return createOne(registry, context, wanted);
  if (isSame(existing, wanted)) return;
  const typeChanges = existing['addressType'] !== wanted['addressType'];
  if (typeChanges) {
    await removeOne(registry, context, name);
    return createOne(registry, context, wanted);
  }
  const update = async (current: KubeObject | undefined): Promise<KubeObject> => {
    const next = await now();
    const metadata = { ...(current ?? next).metadata };
    metadata.labels = { ...metadata.labels, ...next.metadata.labels };
    return { ...next, metadata };
  };
  await registry.update(context, NAMESPACE, name, update, { allowCreate: false }).catch(ignoring('NotFound'));
}

/** What another server makes at the same time is looked at again the next time. */
const createOne = async (registry: Registry, context: RequestContext, object: KubeObject): Promise<void> => {
  await registry.create(context, object).catch(ignoring('AlreadyExists'));
};

const removeOne = async (registry: Registry, context: RequestContext, name: string): Promise<void> => {
  await registry.delete(context, NAMESPACE, name).catch(ignoring('NotFound'));
};

/** Slices of ports that no server has any more. One that seems so may be of a server that has just come. */
async function removeOthers(
  slices: Registry,
  context: RequestContext,
  servers: LiveServers,
  wanted: ReadonlyMap<string, unknown>,
): Promise<void> {
  const { items } = await slices.list(context, NAMESPACE, everyObjectAtHand);
  const others = items.filter(({ name }) => MORE_SLICES.test(name) && !wanted.has(name));
  if (others.length === 0) return;
  const now = slicesOf(await servers.list());
  await Promise.all(
    others.filter(({ name }) => !now.has(name)).map(({ name }) => removeOne(slices, context, name)),
  );
}
