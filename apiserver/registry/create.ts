/** Creating an object: what the server fills in, defaults, admission, validation, and a write that demands absence. */
import type { KubeObject, Strategy } from '../../schemas/definition.js';
import { type FieldError, fieldErrorsOf } from '../../schemas/field-error.js';
import { validateObjectMeta } from '../../schemas/validation/metadata.js';
import { alreadyExists, conflict, internal, invalid, qualified, StatusError } from '../errors.js';
import type { RequestContext } from '../request.js';
import { attributesOf, runAdmission } from './admit.js';
import type { Companion } from './allocator.js';
import { objectKey } from './keys.js';
import { checkNamespace, fillMetadata } from './metadata.js';
import { commit, noCompanion, readStore, type Resource, written } from './resource.js';
import type { StoredItem } from './stored-item.js';
import { trackFields } from './track-fields.js';
import type { WriteOptions } from './types.js';

/** Names tried for one object with generateName; upstream's number. */
const GENERATED_NAMES_MAX = 8;
/** Times an allocation is tried again because another writer took the same value. */
export const ALLOCATIONS_MAX = 64;

export interface Prepared {
  readonly object: KubeObject;
  readonly companion: Companion;
}

export async function create(
  resource: Resource,
  context: RequestContext,
  given: KubeObject,
  options: WriteOptions,
): Promise<StoredItem> {
  const named = Boolean(given.metadata.name) || !given.metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    try {
      return await createOnce(resource, context, given, options);
    } catch (error) {
      const taken = error instanceof StatusError && error.reason === 'AlreadyExists';
      if (named || !taken || attempt === GENERATED_NAMES_MAX) throw error;
    }
  }
}

async function createOnce(
  resource: Resource,
  context: RequestContext,
  given: KubeObject,
  options: WriteOptions,
): Promise<StoredItem> {
  const { definition, format } = resource;
  const { dryRun = false } = options;
  checkNamespace(definition, given, context.info.namespace || (given.metadata.namespace ?? ''));
  for (let attempt = 1; ; attempt++) {
    const { object, companion } = await prepareCreate(resource, context, given, options);
    const { name = '', namespace = '' } = object.metadata;
    const key = objectKey(namespace, name);
    if (dryRun) {
      const existing = await readStore(resource, key);
      if (existing !== undefined) throw nameTaken(resource, object, existing);
      return format.fromObject(key, object);
    }
    refuseResourceVersion(given);
    const value = format.toValue(object);
    const outcome = await commit(resource, { key, expected: 0, value, companion });
    if (outcome.done) return written(resource, key, value, outcome.revision);
    if (outcome.current !== undefined) throw nameTaken(resource, object, outcome.current);
    if (attempt === ALLOCATIONS_MAX) throw allocationContended(resource, name);
  }
}

/** The object as it would be stored. `given` stays as it is where an allocator may have to be asked again. */
export async function prepareCreate(
  resource: Resource,
  context: RequestContext,
  given: KubeObject,
  options: WriteOptions,
): Promise<Prepared> {
  const { definition, admission, allocator } = resource;
  const { strategy } = definition;
  const mine = allocator === undefined ? given : structuredClone(given);
  const metadata = fillMetadata(definition, mine.metadata, resource.now(), resource.nameSuffix);
  const object: KubeObject = { ...mine, metadata };
  const { name = '', namespace = '' } = metadata;
  strategy.defaults?.(object, resource.now());
  trackFields(resource, context, object, undefined, options);
  const attributes = attributesOf(resource, context, {
    operation: 'CREATE',
    namespace,
    name,
    object,
    old: undefined,
    dryRun: options.dryRun === true,
  });
  await runAdmission(admission, 'admit', attributes);
  const prepared = strategy.prepareForCreate?.(object, context.user, resource.now());
  if (prepared !== undefined) await prepared;
  const companion = allocator === undefined ? noCompanion : await allocator.allocate(object, undefined);
  refuse(resource, object, () => [
    ...validateObjectMeta(object, definition),
    ...(strategy.validate?.(object) ?? []),
    ...(strategy.validateCreate?.(object) ?? []),
  ]);
  warn(context, strategy, object, undefined);
  await runAdmission(admission, 'validate', attributes);
  return { object, companion };
}

/** Throws StatusError 422 where the rules find errors. */
export function refuse(resource: Resource, object: KubeObject, rules: () => readonly FieldError[]): void {
  const errors = fieldErrorsOf(rules);
  if (errors.length > 0) throw invalid(resource.kind, object.metadata.name ?? '', errors);
}

/** A write that is tried again warns once. */
export function warn(
  context: RequestContext,
  strategy: Strategy,
  object: KubeObject,
  old: KubeObject | undefined,
): void {
  // Those that come again are left out where they are sent.
  for (const warning of strategy.warnings?.(object, old) ?? []) context.warnings.push(warning);
}

export function refuseResourceVersion(given: KubeObject): void {
  const { resourceVersion } = given.metadata;
  if (resourceVersion && resourceVersion !== '0') {
    throw internal('resourceVersion should not be set on objects to be created');
  }
}

export const allocationContended = (resource: Resource, name: string): StatusError =>
  conflict(resource.name, name, 'other writers kept taking what was allocated; please try again');

function nameTaken(resource: Resource, object: KubeObject, existing: StoredItem): StatusError {
  const { name = '', generateName } = object.metadata;
  const plain = alreadyExists(resource.name, name);
  const prefix = existing.object.metadata.deletionTimestamp ? 'object is being deleted: ' : '';
  if (!generateName) return new StatusError(plain.code, plain.reason, prefix + plain.message, plain.details);
  return new StatusError(
    plain.code,
    plain.reason,
    `${prefix}${qualified(resource.name)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...plain.details, retryAfterSeconds: 1 },
  );
}
