/** Removing objects: one, or all that a list finds. */
import type { KubeObject } from '../../schemas/definition.js';
import { notFound, StatusError } from '../errors.js';
import type { RequestContext } from '../request.js';
import { attributesOf, runAdmission } from './admit.js';
import { Conflict, untilWritten } from './attempts.js';
import { decideDeletion } from './deletion.js';
import { objectKey } from './keys.js';
import { list } from './list.js';
import { checkDeletePreconditions } from './preconditions.js';
import { commit, noCompanion, type Resource, settled, written } from './resource.js';
import type { StoredItem } from './stored-item.js';
import type { DeleteOptions, DeleteResult, ListOptions, ObjectList, StoredObject } from './types.js';

/** Times that one deletion starts again because another writer was faster. */
const DELETE_ATTEMPTS_MAX = 1000;
/** Deletions of one collection that run at the same time, so that they share the store's commits. */
const DELETES_AT_ONCE = 32;

interface Target {
  readonly resource: Resource;
  readonly context: RequestContext;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly options: DeleteOptions;
}

/** Throws StatusError 404, 409 and what admission refuses with. */
export async function remove(
  resource: Resource,
  context: RequestContext,
  namespace: string,
  name: string,
  options: DeleteOptions,
): Promise<DeleteResult> {
  warnOfDependents(resource, context, options);
  const key = objectKey(namespace, name);
  const target: Target = { resource, context, namespace, name, key, options };
  const attempt = (current: StoredItem | undefined) => attemptDelete(target, current);
  return untilWritten({ ...target, max: DELETE_ATTEMPTS_MAX, attempt });
}

/** Once in an answer, whatever is deleted. */
function warnOfDependents(
  { definition }: Resource,
  { warnings }: RequestContext,
  { propagationPolicy, orphanDependents }: DeleteOptions,
): void {
  const warning = definition.orphansByDefault?.warning;
  if (warning === undefined || propagationPolicy !== undefined || orphanDependents !== undefined) return;
  if (!warnings.includes(warning)) warnings.push(warning);
}

async function attemptDelete(
  target: Target,
  current: StoredItem | undefined,
): Promise<DeleteResult | Conflict> {
  const { resource, context, namespace, name, options } = target;
  const { definition, format } = resource;
  if (current === undefined) throw notFound(resource.name, name);
  const old = current.object;
  const dryRun = options.dryRun === true;
  const operation = 'DELETE';
  const attributes = attributesOf(resource, context, {
    operation,
    namespace,
    name,
    object: undefined,
    old,
    dryRun,
  });
  await runAdmission(resource.admission, 'admit', attributes);
  checkDeletePreconditions(resource, current, options.preconditions ?? {});
  await runAdmission(resource.admission, 'validate', attributes);
  const decision = decideDeletion(definition, old, options, resource.now());
  if (decision.action === 'wait') return { item: current, removed: false };
  if (decision.action === 'remove') {
    return dryRun ? { item: current, removed: true } : removeNow(target, current);
  }
  const { object, thenRemove } = decision;
  if (dryRun) return { item: format.fromObject(current.key, object, current.revision), removed: thenRemove };
  const marked = await markTerminating(target, current, object);
  if (marked instanceof Conflict || !thenRemove) return marked;
  return removeMarked(target, marked.item);
}

async function markTerminating(
  { resource, key }: Target,
  current: StoredItem,
  object: KubeObject,
): Promise<{ readonly item: StoredItem; readonly removed: false } | Conflict> {
  const shown = resource.format.toShown(object);
  const value = resource.format.toValue(object, shown);
  if (current.holds(shown)) return { item: current, removed: false };
  const outcome = await commit(resource, { key, expected: current.revision, value, companion: noCompanion });
  if (!outcome.done) return new Conflict(outcome.current);
  return { item: await written(resource, key, value, outcome.revision), removed: false };
}

/**
 * The object is marked as terminating, which no other writer undoes: they can only keep it by a finalizer, or remove it
 * themselves.
 */
async function removeMarked(target: Target, marked: StoredItem): Promise<DeleteResult> {
  let current = marked;
  for (;;) {
    const result = await removeNow(target, current);
    if (!(result instanceof Conflict)) return result;
    const now = result.current;
    if (now === undefined || now.object.metadata.uid !== marked.object.metadata.uid) {
      return { item: marked, removed: true };
    }
    if ((now.object.metadata.finalizers ?? []).length > 0) return { item: now, removed: false };
    current = now;
  }
}

async function removeNow({ resource, key }: Target, current: StoredItem): Promise<DeleteResult | Conflict> {
  const companion = resource.allocator?.release(current.object) ?? noCompanion;
  const outcome = await commit(resource, { key, expected: current.revision, value: undefined, companion });
  if (!outcome.done) return new Conflict(outcome.current);
  await settled(resource, outcome.revision);
  return { item: current.at(outcome.revision), removed: true };
}

/** Deletes what a list finds. The answer is that list. What others delete meanwhile is no error. */
export async function removeCollection(
  resource: Resource,
  context: RequestContext,
  namespace: string,
  listOptions: ListOptions,
  options: DeleteOptions,
): Promise<ObjectList> {
  warnOfDependents(resource, context, options);
  const found = await list(resource, namespace, listOptions);
  const rest: Iterator<StoredObject> = found.items.values();
  const worker = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      await removeFound(resource, context, next.value, options);
    }
  };
  await Promise.all(Array.from({ length: Math.min(DELETES_AT_ONCE, found.items.length) }, worker));
  return found;
}

async function removeFound(
  resource: Resource,
  context: RequestContext,
  item: StoredObject,
  options: DeleteOptions,
): Promise<void> {
  try {
    await remove(resource, context, item.namespace, item.name, options);
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 404)) throw error;
  }
}
