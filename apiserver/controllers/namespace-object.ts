/**
 * Controllers that keep one object in each active namespace: it is made where it is absent, also after it was deleted,
 * and made good where somebody has changed what it must say.
 */
import type { KubeObject } from '../../schemas/definition.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { change } from './change.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, hasCause, hasReason, ignoring } from './registries.js';
import { WorkQueue } from './work-queue.js';

export interface NamespaceObject {
  /** As `--controllers` names the controller, and its service account. */
  readonly controller: string;
  readonly account: string;
  /** Of the core group. */
  readonly plural: string;
  /** What is to be there, without its namespace. */
  readonly wanted: KubeObject & { readonly metadata: { readonly name: string } };
  /** The object as it should be, undefined where it is. Absent: whatever is there may stay. */
  readonly repaired?: (present: KubeObject) => KubeObject | undefined;
}

export function namespaceObjectController(kept: NamespaceObject): Controller {
  const { controller, account, plural, wanted, repaired } = kept;
  return {
    name: controller,
    async run({ table, logger, signal }) {
      const context = controllerContext(account, signal);
      const queue = new WorkQueue({
        signal,
        reconcile: (namespace) => reconcile(table, { ...context, warnings: [] }, kept, namespace),
        onError: (namespace, error) =>
          logger.warn(
            { err: error, namespace, name: wanted.metadata.name },
            `cannot make the ${wanted.kind}`,
          ),
      });
      const onError = (error: unknown) => logger.warn({ err: error }, `cannot watch namespaces or ${plural}`);
      await Promise.all([
        follow({
          registry: coreRegistry(table, 'namespaces'),
          context,
          onEvent: ({ type, item }) => type !== 'DELETED' && queue.add(item.name),
          onError,
        }),
        follow({
          registry: coreRegistry(table, plural),
          context,
          onEvent({ type, item }) {
            if (item.name !== wanted.metadata.name) return;
            if (type === 'DELETED' || repaired?.(item.object) !== undefined) queue.add(item.namespace);
          },
          onError,
        }),
      ]);
      await queue.idle();
    },
  };
}

async function reconcile(
  table: ResourceTable,
  context: RequestContext,
  { plural, wanted, repaired }: NamespaceObject,
  namespace: string,
): Promise<boolean> {
  const found = await getCached(coreRegistry(table, 'namespaces'), context, '', namespace);
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return true;
  const registry = coreRegistry(table, plural);
  const present = await getCached(registry, context, namespace, wanted.metadata.name);
  if (present === undefined) {
    const { metadata, ...rest } = structuredClone(wanted);
    const made: KubeObject = { ...rest, metadata: { ...metadata, namespace } };
    await registry.create(context, made).catch((error: unknown) => {
      // It is there, or its namespace is going or gone: nothing left to do.
      if (!hasReason(error, 'AlreadyExists', 'NotFound') && !hasCause(error, 'NamespaceTerminating')) {
        throw error;
      }
    });
  } else if (repaired?.(present) !== undefined) {
    // Of what has gone or come meanwhile an event tells.
    await change(registry, context, present.metadata, (current) => repaired(current) ?? current).catch(
      ignoring('NotFound', 'Conflict'),
    );
  }
  return true;
}
