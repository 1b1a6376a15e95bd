/**
 * Changing an object: computes the new state from the present one and writes it if nobody was faster, else starts again
 * from what is there now.
 */
import { addAll } from '../../schemas/add-all.js';
import type { KubeObject, ObjectMeta, Strategy } from '../../schemas/definition.js';
import type { FieldError } from '../../schemas/field-error.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../schemas/validation/metadata.js';
import { notFound } from '../errors.js';
import type { RequestContext } from '../request.js';
import { attributesOf, runAdmission } from './admit.js';
import { Conflict, untilWritten } from './attempts.js';
import type { Companion } from './allocator.js';
import { canonicalObject } from './canonical.js';
import { prepareCreate, refuse, refuseResourceVersion, warn } from './create.js';
import { deepEqual, sameIntent } from './deep-equal.js';
import { holdsSpecFinalizers } from './deletion.js';
import { objectKey } from './keys.js';
import { carryMetadata, checkName, checkNamespace } from './metadata.js';
import { checkResourceVersion, checkUpdateUid } from './preconditions.js';
import { commit, noCompanion, type Resource, settled, written } from './resource.js';
import type { StoredItem } from './stored-item.js';
import { sameButTimes, trackFields } from './track-fields.js';
import type { Update, UpdateOptions, UpdateResult } from './types.js';

/** Times that one update starts again because another writer was faster. */
const UPDATE_ATTEMPTS_MAX = 1000;

interface Target {
  readonly resource: Resource;
  readonly context: RequestContext;
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly update: Update;
  readonly options: UpdateOptions;
}

/** What an attempt wants to be done. */
interface Plan {
  readonly action: 'create' | 'replace' | 'remove';
  readonly object: KubeObject;
  readonly companion: Companion;
}

export async function update(
  resource: Resource,
  context: RequestContext,
  namespace: string,
  name: string,
  change: Update,
  options: UpdateOptions,
): Promise<UpdateResult> {
  const key = objectKey(namespace, name);
  const target: Target = { resource, context, namespace, name, key, update: change, options };
  return untilWritten({
    ...target,
    max: UPDATE_ATTEMPTS_MAX,
    attempt: (current) => attemptUpdate(target, current),
    isUnwritten: ({ unchanged }) => unchanged,
  });
}

interface AttemptResult extends UpdateResult {
  readonly unchanged: boolean;
}
async function attemptUpdate(
  target: Target,
  current: StoredItem | undefined,
): Promise<AttemptResult | Conflict> {
  const plan = current === undefined ? await planCreate(target) : await planReplace(target, current);
  const { resource, key, options } = target;
  const { format } = resource;
  const shown = format.toShown(plan.object);
  const created = plan.action === 'create';
  if (options.dryRun === true) {
    return { item: format.fromObject(key, plan.object, current?.revision), created, unchanged: false };
  }
  if (
    plan.action === 'replace' &&
    current !== undefined &&
    isUnchanged(resource, shown, plan.object, current)
  ) {
    return { item: current, created, unchanged: true };
  }
  const removed = plan.action === 'remove';
  const value = format.toValue(plan.object, shown);
  const outcome = await commit(resource, {
    key,
    expected: current?.revision ?? 0,
    value: removed ? undefined : value,
    companion: plan.companion,
  });
  if (!outcome.done) return new Conflict(outcome.current);
  if (removed) {
    await settled(resource, outcome.revision);
    return { item: format.fromValue(key, value, outcome.revision), created, unchanged: false };
  }
  const item = await written(resource, key, value, outcome.revision);
  // Whoever updates it next needs its decoded form; what is only created is often never looked into again.
  if (!created) item.adopt(withVersion(canonicalObject(resource.definition, plan.object), outcome.revision));
  return { item, created, unchanged: false };
}

/** Behind the uid, as in the JSON that is sent: an error may quote the object. */
function withVersion(object: KubeObject, revision: number): KubeObject {
  const { name, generateName, namespace, uid, ...rest } = object.metadata;
  const identity = {
    name,
    ...(generateName ? { generateName } : {}),
    ...(namespace ? { namespace } : {}),
    uid,
  };
  return { ...object, metadata: { ...identity, resourceVersion: String(revision), ...rest } as ObjectMeta };
}

/**
 * A change in the order of a map's keys alone is none, nor one of the time at which the same fields were set again; both
 * leave the length as it is.
 */
function isUnchanged(resource: Resource, shown: Buffer, object: KubeObject, current: StoredItem): boolean {
  if (current.holds(shown)) return true;
  if (shown.length !== current.shownBytes) return false;
  const { resourceVersion: _, managedFields: before, ...metadata } = current.object.metadata;
  const next = canonicalObject(resource.definition, object);
  const { managedFields: after, ...nextMetadata } = next.metadata;
  return (
    deepEqual({ ...next, metadata: nextMetadata }, { ...current.object, metadata }) &&
    sameButTimes(before ?? [], after ?? [])
  );
}

async function planCreate(target: Target): Promise<Plan> {
  const { resource, context, namespace, name, key, options } = target;
  checkUpdateUid(resource, key, name, options.preconditions?.uid, undefined);
  if (!(options.allowCreate ?? resource.definition.allowCreateOnUpdate)) throw notFound(resource.name, name);
  const given = await target.update(undefined);
  checkNamespace(resource.definition, given, namespace);
  checkName(given, name);
  const prepared = await prepareCreate(resource, context, given, options);
  if (options.dryRun !== true) refuseResourceVersion(given);
  return { action: 'create', ...prepared };
}

async function planReplace(target: Target, current: StoredItem): Promise<Plan> {
  const { resource, context, namespace, name, key, options } = target;
  const { definition } = resource;
  const subresource = options.subresource ?? '';
  const strategy = strategyOf(resource, subresource);
  const allocator = strategy === definition.strategy ? resource.allocator : undefined;
  const old = current.object;
  checkUpdateUid(resource, key, name, options.preconditions?.uid, old);
  const proposed = await target.update(old);
  const given = allocator === undefined ? proposed : structuredClone(proposed);
  checkNamespace(definition, given, namespace);
  checkName(given, name);
  // The uid in a PUT's body says which object is meant; to change it by a patch is a mistake of another kind.
  if (context.info.verb === 'update') checkUpdateUid(resource, key, name, given.metadata.uid, old);
  checkResourceVersion(resource, given, current);
  const metadata = carryMetadata(given.metadata, old.metadata, String(current.revision));
  const object: KubeObject = { ...given, metadata };
  // What replaces one part of the object (binding) has checked it and is stored as it is.
  if (strategy === undefined) return { action: 'replace', object, companion: noCompanion };
  strategy.defaults?.(object, resource.now());
  trackFields(resource, context, object, old, options);
  const attributes = attributesOf(resource, context, {
    operation: 'UPDATE',
    subresource,
    namespace,
    name,
    object,
    old,
    dryRun: options.dryRun === true,
  });
  await runAdmission(resource.admission, 'admit', attributes);
  strategy.prepareForUpdate?.(object, old, resource.now());
  const companion = allocator === undefined ? noCompanion : await allocator.allocate(object, old);
  raiseGeneration(resource, object, old);
  refuse(resource, object, () => validateUpdate(resource, strategy, object, old));
  warn(context, strategy, object, old);
  await runAdmission(resource.admission, 'validate', attributes);
  if (!isLastFinalizerGone(resource, object, old)) return { action: 'replace', object, companion };
  return { action: 'remove', object, companion: resource.allocator?.release(old) ?? noCompanion };
}

/** The strategy of a write; undefined for subresources in a kind of their own that keep the object's rules out of it. */
function strategyOf({ definition }: Resource, subresource: string): Strategy | undefined {
  if (subresource === '') return definition.strategy;
  const found = definition.subresources.find(({ name }) => name === subresource);
  if (found?.kind !== undefined) return found.scale === undefined ? undefined : definition.strategy;
  return found?.strategy ?? definition.strategy;
}

function raiseGeneration({ definition }: Resource, object: KubeObject, old: KubeObject): void {
  if (!definition.generation) return;
  const { generationCounts: counted } = definition;
  const sameMetadata =
    counted === undefined || deepEqual(object.metadata[counted] ?? {}, old.metadata[counted] ?? {});
  if (sameMetadata && sameIntent(object, old)) return;
  object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function validateUpdate(
  resource: Resource,
  strategy: Strategy,
  object: KubeObject,
  old: KubeObject,
): readonly FieldError[] {
  const errors = validateObjectMetaUpdate(object, old);
  // The rest of metadata was valid when it was stored, and labels and annotations are checked with what may change.
  const isRenamed =
    strategy === resource.definition.strategy && object.metadata.generateName !== old.metadata.generateName;
  if (isRenamed || !deepEqual(object.metadata.finalizers, old.metadata.finalizers)) {
    const known = new Set(errors.map(({ field, message }) => `${field} ${message}`));
    for (const error of validateObjectMeta(object, resource.definition)) {
      if (!known.has(`${error.field} ${error.message}`)) errors.push(error);
    }
  }
  addAll(errors, strategy.validate?.(object) ?? [], strategy.validateUpdate?.(object, old) ?? []);
  return errors;
}

/** Nothing keeps a terminating object any more: the update removes it. */
function isLastFinalizerGone(
  { definition }: Resource,
  object: KubeObject,
  { metadata }: KubeObject,
): boolean {
  return (
    Boolean(metadata.deletionTimestamp) &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (object.metadata.finalizers ?? []).length === 0 &&
    !holdsSpecFinalizers(definition, object)
  );
}
