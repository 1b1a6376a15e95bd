/**
 * The namespace controller: empties a namespace that is being deleted, then lets it go by taking its finalizer away.
 * Pods go first, since what runs in them may need the rest.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { everything } from '../registry/selectors/index.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, hasReason } from './registries.js';
import { WorkQueue } from './work-queue.js';

const NAME = 'namespace-controller';
const FINALIZER = 'kubernetes';
const ALL = { limit: 0, labels: everything, fields: everything };

const finalizersOf = (namespace: KubeObject): readonly string[] =>
  (namespace['spec'] as { readonly finalizers?: string[] } | undefined)?.finalizers ?? [];

/** Deleted, and waiting for this controller. */
function isWaiting(namespace: KubeObject): boolean {
  return namespace.metadata.deletionTimestamp !== undefined && finalizersOf(namespace).includes(FINALIZER);
}

export const namespaceController: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const context = controllerContext(NAME, signal);
    const queue = new WorkQueue({
      signal,
      reconcile: (name) => reconcile(table, context, name),
      onError: (name, error) => logger.warn({ err: error, namespace: name }, 'cannot empty the namespace'),
    });
    await follow({
      registry: coreRegistry(table, 'namespaces'),
      context,
      onEvent({ type, item }) {
        if (type !== 'DELETED' && isWaiting(item.object)) queue.add(item.name);
      },
      onError: (error) => logger.warn({ err: error }, 'cannot watch namespaces'),
    });
    await queue.idle();
  },
};

async function reconcile(table: ResourceTable, context: RequestContext, name: string): Promise<boolean> {
  const namespaces = coreRegistry(table, 'namespaces');
  const namespace = await getCached(namespaces, context, '', name);
  if (namespace === undefined || !isWaiting(namespace)) return true;
  const resources = table.all().filter(isEmptied);
  const pods = resources.filter(({ definition }) => definition.kind === 'Pod' && definition.group === '');
  const others = resources.filter((registry) => !pods.includes(registry));
  if (!(await empty(pods, context, name)) || !(await empty(others, context, name))) return false;
  await finalize(namespaces, context, name);
  return true;
}

function isEmptied({ definition }: Registry): boolean {
  return definition.namespaced && definition.verbs.includes('deletecollection');
}

/** Deletes everything of these resources in the namespace. False while something of it stays. */
async function empty(
  resources: readonly Registry[],
  context: RequestContext,
  namespace: string,
): Promise<boolean> {
  const left = await Promise.all(
    resources.map(async (registry) => {
      const deleted = await registry.deleteCollection(context, namespace, ALL, {
        propagationPolicy: 'Background',
      });
      return deleted.items.length === 0 ? 0 : (await registry.list(context, namespace, ALL)).items.length;
    }),
  );
  return left.every((count) => count === 0);
}

/** Through `finalize`: takes away what holds the namespace for this controller. */
function release(current: KubeObject | undefined): KubeObject {
  const namespace = structuredClone(current) as KubeObject;
  const finalizers = finalizersOf(namespace).filter((finalizer) => finalizer !== FINALIZER);
  namespace['spec'] = { ...(namespace['spec'] as object), finalizers };
  return namespace;
}

async function finalize(namespaces: Registry, context: RequestContext, name: string): Promise<void> {
  try {
    await namespaces.update(context, '', name, release, { subresource: 'finalize' });
  } catch (error) {
    // Somebody else has finished it.
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
