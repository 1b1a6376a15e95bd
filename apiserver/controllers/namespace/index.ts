/**
 * The namespace controller: empties a namespace that is being deleted, says in its conditions how far that got, and lets
 * it go by taking its finalizer away when nothing is left.
 */
import type { KubeObject } from '../../../schemas/definition.js';
import { timestamp } from '../../registry/metadata.js';
import type { Registry, ResourceTable } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { change } from '../change.js';
import { controllerContext } from '../context.js';
import type { Controller } from '../controller.js';
import { follow } from '../follow.js';
import { coreRegistry, getCached, hasReason } from '../registries.js';
import { WorkQueue } from '../work-queue.js';
import { type Condition, conditionsAfter } from './conditions.js';
import { emptyNamespace, type Outcome } from './content.js';

const NAME = 'namespace-controller';
const FINALIZER = 'kubernetes';
/** Namespaces emptied at the same time. Upstream's number. */
const WORKERS = 10;
/** How often a namespace is looked at that waits for finalizers or pods, in milliseconds. */
const BACKOFF_MS_MAX = 2000;
/**
 * From a deletion to the first look, in milliseconds: what was admitted into the namespace before its deletion was known
 * is in the store by then, so that the last look finds it. Other servers hear of the deletion later. Theirs is upstream's.
 */
const SETTLE_MS_ALONE = 100;
const SETTLE_MS_SHARED = 5000;

const finalizersOf = (namespace: KubeObject): readonly string[] =>
  (namespace['spec'] as { readonly finalizers?: string[] } | undefined)?.finalizers ?? [];

/** Deleted, and waiting for this controller. */
function isWaiting(namespace: KubeObject): boolean {
  return namespace.metadata.deletionTimestamp !== undefined && finalizersOf(namespace).includes(FINALIZER);
}

export const namespaceController: Controller = {
  name: NAME,
  async run({ table, logger, signal, isShared }) {
    const context = controllerContext(NAME, signal);
    const queue = new WorkQueue({
      signal,
      workers: WORKERS,
      backoffMsMax: BACKOFF_MS_MAX,
      reconcile: (name) => reconcile(table, { ...context, warnings: [] }, name),
      onError: (name, error) => logger.warn({ err: error, namespace: name }, 'cannot empty the namespace'),
    });
    /** Uids by name of those that have been added to the queue, where they stay until they are gone. */
    const queued = new Map<string, string | undefined>();
    await follow({
      registry: coreRegistry(table, 'namespaces'),
      context,
      onStart: () => queued.clear(),
      onEvent({ type, item: { name, object } }) {
        if (type === 'DELETED') queued.delete(name);
        else if (isWaiting(object) && queued.get(name) !== object.metadata.uid) {
          queued.set(name, object.metadata.uid);
          void queue.addAfter(name, isShared ? SETTLE_MS_SHARED : SETTLE_MS_ALONE);
        }
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
  const now = Date.now();
  const deletedAt = Date.parse(namespace.metadata.deletionTimestamp ?? '');
  const outcome = await emptyNamespace({ table, context, namespace: name, deletedAt, now });
  try {
    await tell(namespaces, context, namespace, outcome, timestamp(now));
    if (outcome.remaining.size > 0 || outcome.failures.length > 0) return false;
    await change(namespaces, context, namespace.metadata, release, { subresource: 'finalize' });
  } catch (error) {
    // Somebody else has finished it, and may have made another one of the name.
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    return hasReason(error, 'NotFound');
  }
  return true;
}

const conditionsOf = (namespace: KubeObject): readonly Condition[] =>
  (namespace['status'] as { readonly conditions?: Condition[] } | undefined)?.conditions ?? [];

/** Says in the namespace's status how far its removal got. */
async function tell(
  namespaces: Registry,
  context: RequestContext,
  namespace: KubeObject,
  outcome: Outcome,
  now: string,
): Promise<void> {
  const next = (current: KubeObject): KubeObject => {
    const conditions = conditionsAfter(conditionsOf(current), outcome, now);
    if (conditions === undefined) return current;
    return { ...current, status: { ...(current['status'] as object), conditions } };
  };
  await change(namespaces, context, namespace.metadata, next, { subresource: 'status' });
}

/** Through `finalize`: takes away what holds the namespace for this controller. */
function release(current: KubeObject): KubeObject {
  const finalizers = finalizersOf(current).filter((finalizer) => finalizer !== FINALIZER);
  const { finalizers: _, ...spec } = current['spec'] as { readonly finalizers?: unknown };
  // Go prints no empty list here.
  return { ...current, spec: finalizers.length === 0 ? spec : { ...spec, finalizers } };
}
