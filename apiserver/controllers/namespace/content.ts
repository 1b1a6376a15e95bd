/** Deletes what is in a namespace, and tells what is still there. Pods go first: what runs in them may need the rest. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeObject } from '../../../schemas/definition.js';
import { StatusError } from '../../errors.js';
import { everyObject } from '../../registry/every-object.js';
import type { Registry, ResourceTable, StoredObject } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { hasReason } from '../registries.js';

/** Objects looked into in one turn of the event loop. */
const OBJECTS_AT_ONCE = 200;
/** Nobody orphans here: all of it goes. */
const BACKGROUND = { propagationPolicy: 'Background' } as const;

export interface Outcome {
  /** By `plural.group`, how many objects are still there. */
  readonly remaining: ReadonlyMap<string, number>;
  /** By finalizer, how many objects it holds. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** What went wrong, in upstream's words. */
  readonly failures: readonly string[];
}

export interface Emptying {
  readonly table: ResourceTable;
  readonly context: RequestContext;
  readonly namespace: string;
  /** When the namespace was deleted, and the time now, in milliseconds since the epoch. */
  readonly deletedAt: number;
  readonly now: number;
}

class Tally implements Outcome {
  readonly remaining = new Map<string, number>();
  readonly finalizers = new Map<string, number>();
  readonly failures: string[] = [];
}

const arePods = ({ definition }: Registry): boolean =>
  definition.group === '' && definition.plural === 'pods';

/** Deletes all objects of the namespace once. Others than pods only when no pod is left. */
export async function emptyNamespace(emptying: Emptying): Promise<Outcome> {
  const tally = new Tally();
  const resources = deletable(emptying.table);
  await emptyAll(resources.filter(arePods), emptying, tally);
  if (tally.remaining.size > 0) return tally;
  await emptyAll(
    resources.filter((registry) => !arePods(registry)),
    emptying,
    tally,
  );
  return tally;
}

/** Each resource once, however many versions and groups show its objects. */
function deletable(table: ResourceTable): Registry[] {
  const known = new Set<string>();
  return table.all().filter(({ definition }) => {
    const { namespaced, verbs, virtual, storedAs, etcdPrefix } = definition;
    if (!namespaced || !verbs.includes('delete') || virtual === true || storedAs !== undefined) return false;
    if (known.has(etcdPrefix)) return false;
    known.add(etcdPrefix);
    return true;
  });
}

async function emptyAll(resources: readonly Registry[], emptying: Emptying, tally: Tally): Promise<void> {
  await Promise.all(
    resources.map(async (registry) => {
      try {
        await empty(registry, emptying, tally);
      } catch (error) {
        if (!(error instanceof StatusError) || emptying.context.signal.aborted) throw error;
        tally.failures.push(error.message);
      }
    }),
  );
}

async function empty(registry: Registry, emptying: Emptying, tally: Tally): Promise<void> {
  const { context, namespace } = emptying;
  const { items: found } = await registry.list(context, namespace, everyObject);
  if (found.length === 0) return;
  const isTimed = registry.definition.deletionGracePeriod !== undefined;
  const graceSeconds = isTimed ? await longestGrace(found) : 0;
  await deleteAll(registry, emptying, found);
  const { items: left } = await registry.list(context, namespace, everyObject);
  if (left.length === 0) return;
  const { group, version, plural } = registry.definition;
  tally.remaining.set(`${plural}.${group}`, left.length);
  const isHeld = await countFinalizers(left, tally.finalizers);
  // What has neither a finalizer nor time left should be gone.
  if (isHeld || emptying.now - emptying.deletedAt < graceSeconds * 1000) return;
  const gvr = `${group}/${version}, Resource=${plural}`;
  tally.failures.push(`unexpected items still remain in namespace: ${namespace} for gvr: ${gvr}`);
}

async function deleteAll(
  registry: Registry,
  { context, namespace }: Emptying,
  found: readonly StoredObject[],
): Promise<void> {
  if (registry.definition.verbs.includes('deletecollection')) {
    await registry.deleteCollection(context, namespace, everyObject, BACKGROUND);
    return;
  }
  for (const { name } of found) {
    try {
      await registry.delete(context, namespace, name, BACKGROUND);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }
}

/** Whether any of the objects has a finalizer. */
async function countFinalizers(
  items: readonly StoredObject[],
  counts: Map<string, number>,
): Promise<boolean> {
  let isHeld = false;
  await forEachObject(items, ({ metadata }) => {
    for (const finalizer of metadata.finalizers ?? []) {
      counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
      isHeld = true;
    }
  });
  return isHeld;
}

interface PodParts {
  readonly spec?: { readonly terminationGracePeriodSeconds?: number };
  readonly status?: { readonly phase?: string };
}

/** Of the pods that have not ended, in seconds. */
async function longestGrace(items: readonly StoredObject[]): Promise<number> {
  let longest = 0;
  await forEachObject(items, (object) => {
    const { spec, status } = object as KubeObject & PodParts;
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return;
    longest = Math.max(longest, spec?.terminationGracePeriodSeconds ?? 0);
  });
  return longest;
}

async function forEachObject(
  items: readonly StoredObject[],
  look: (object: KubeObject) => void,
): Promise<void> {
  for (const [index, { object }] of items.entries()) {
    look(object);
    if (index % OBJECTS_AT_ONCE === OBJECTS_AT_ONCE - 1) await nextTurn();
  }
}
