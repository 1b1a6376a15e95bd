/**
 * An APIService for each version of each group that this server serves itself, as upstream's aggregator registers them:
 * clients look there for what a cluster has. Those that an older server of this store left behind, of versions that are
 * no longer served, are removed.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { createUnlessThere } from './create-unless-there.js';
import { ignoring } from './registries.js';

const GROUP = 'apiregistration.k8s.io';
/** Says that a server made the object when it started. */
const MANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged';
const MANAGED = 'onstart';

interface Priority {
  /** spec.groupPriorityMinimum. */
  readonly group: number;
  /** spec.versionPriority, 15 for most. */
  readonly version?: number;
}
const VERSION_PRIORITY = 15;

/** Upstream's numbers, by group and version. */
const PRIORITIES: Readonly<Record<string, Priority>> = {
  '/v1': { group: 18_000, version: 1 },
  'apps/v1': { group: 17_800 },
  'events.k8s.io/v1': { group: 17_750 },
  'authentication.k8s.io/v1': { group: 17_700 },
  'authorization.k8s.io/v1': { group: 17_600 },
  'autoscaling/v1': { group: 17_500 },
  'autoscaling/v2': { group: 17_500, version: 30 },
  'batch/v1': { group: 17_400 },
  'certificates.k8s.io/v1': { group: 17_300 },
  'networking.k8s.io/v1': { group: 17_200 },
  'policy/v1': { group: 17_100 },
  'rbac.authorization.k8s.io/v1': { group: 17_000 },
  'storage.k8s.io/v1': { group: 16_800 },
  'apiextensions.k8s.io/v1': { group: 16_700 },
  'admissionregistration.k8s.io/v1': { group: 16_700 },
  'scheduling.k8s.io/v1': { group: 16_600 },
  'coordination.k8s.io/v1': { group: 16_500 },
  'node.k8s.io/v1': { group: 16_300 },
  'discovery.k8s.io/v1': { group: 16_200 },
  'resource.k8s.io/v1': { group: 16_200, version: 20 },
  'flowcontrol.apiserver.k8s.io/v1': { group: 16_100, version: 21 },
};

interface Spec {
  readonly group?: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
}

/** By name; of this group itself there is none. */
function wanted(table: ResourceTable): ReadonlyMap<string, Spec> {
  const specs = new Map<string, Spec>();
  for (const { definition } of table.all()) {
    const { group, version } = definition;
    const priority = PRIORITIES[`${group}/${version}`];
    if (priority === undefined) continue;
    specs.set(`${version}.${group}`, {
      ...(group !== '' && { group }),
      version,
      groupPriorityMinimum: priority.group,
      versionPriority: priority.version ?? VERSION_PRIORITY,
    });
  }
  return specs;
}

/**
 * Makes what is missing, all at once: the store commits it as few groups. `reconcile`: also corrects and removes what
 * servers before this one had made.
 */
export async function ensureLocalApiServices(
  table: ResourceTable,
  context: RequestContext,
  { reconcile }: { readonly reconcile: boolean },
): Promise<void> {
  const registry = table.find(GROUP, 'v1', 'apiservices');
  if (registry === undefined) return;
  const specs = wanted(table);
  const { items } = await registry.list(context, '', everyObjectAtHand);
  const there = new Map(items.map((item) => [item.name, item]));
  const work: Promise<unknown>[] = [];
  for (const [name, spec] of specs) {
    const object = there.get(name)?.object;
    if (object === undefined) work.push(createUnlessThere(registry, context, apiService(name, spec)));
    else if (reconcile && isManaged(object) && !says(object, spec)) {
      work.push(registry.update(context, '', name, (now) => ({ ...(now ?? object), spec })));
    }
  }
  if (reconcile) {
    for (const { name, object } of items) {
      if (!specs.has(name) && isManaged(object)) {
        // Another server may have done it.
        work.push(registry.delete(context, '', name, {}).catch(ignoring('NotFound')));
      }
    }
  }
  await Promise.all(work);
}

const isManaged = ({ metadata }: KubeObject): boolean => metadata.labels?.[MANAGED_LABEL] === MANAGED;

const says = (object: KubeObject, { groupPriorityMinimum, versionPriority }: Spec): boolean => {
  const spec = object['spec'] as Spec & { readonly service?: unknown };
  return (
    spec.service === undefined &&
    spec.groupPriorityMinimum === groupPriorityMinimum &&
    spec.versionPriority === versionPriority
  );
};

const apiService = (name: string, spec: Spec): KubeObject => ({
  kind: 'APIService',
  apiVersion: `${GROUP}/v1`,
  metadata: { name, labels: { [MANAGED_LABEL]: MANAGED } },
  spec: { ...spec },
});
