/** The way of an object from a request body to the store, as far as its definition has a say in it. */
import { decodeObject, decodeSchema } from '../../schemas/decode.js';
import type { KubeObject, Requester, ResourceDefinition, Strategy } from '../../schemas/definition.js';
import type { FieldError } from '../../schemas/field-error.js';
import { builtinResources } from '../../schemas/index.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../schemas/validation/metadata.js';

/** The built-in resource that a request path names, and its subresource where it names one. */
export function definitionAt(
  path: string,
): { definition: ResourceDefinition; subresource?: string } | undefined {
  const parts = path.replace(/\?.*/, '').split('/').slice(1);
  const group = parts.shift() === 'api' ? '' : (parts.shift() ?? '');
  const version = parts.shift();
  const namespaced =
    parts[0] === 'namespaces' && parts.length > 2 && !['finalize', 'status'].includes(parts[2] ?? '');
  const [plural, , subresource] = namespaced ? parts.slice(2) : parts;
  const definition = builtinResources.find(
    (resource) =>
      resource.group === group &&
      resource.version === version &&
      resource.plural === plural &&
      resource.namespaced === namespaced,
  );
  return definition && (subresource === undefined ? { definition } : { definition, subresource });
}

export interface Outcome {
  /** As it would be stored; undefined where the body could not be decoded. */
  readonly object?: KubeObject;
  readonly errors: readonly FieldError[];
  readonly typeError?: string;
}

function decode(
  definition: ResourceDefinition,
  body: unknown,
): { object: KubeObject } | { typeError: string } {
  return decodeObject(definition, structuredClone(body));
}

/** Who makes these requests: the one of the recorded answers. */
export const requester: Requester = {
  username: 'admin',
  uid: 'admin-uid',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

/** When they are made. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A POST into `namespace` ('' for cluster-scoped kinds), of a kind whose creation waits for nothing. */
export function create(definition: ResourceDefinition, body: unknown, namespace = 'demo'): Outcome {
  const begun = beginCreate(definition, body, namespace);
  if ('typeError' in begun) return begun;
  if (begun.waiting !== undefined) throw new Error(`creating a ${definition.kind} takes time`);
  return finishCreate(definition, begun.object);
}

/** As `create`, of any kind. */
export async function createInTime(
  definition: ResourceDefinition,
  body: unknown,
  namespace = 'demo',
): Promise<Outcome> {
  const begun = beginCreate(definition, body, namespace);
  if ('typeError' in begun) return begun;
  await begun.waiting;
  return finishCreate(definition, begun.object);
}

function beginCreate(
  definition: ResourceDefinition,
  body: unknown,
  namespace: string,
): { errors: []; typeError: string } | { object: KubeObject; waiting: Promise<void> | undefined } {
  const decoded = decode(definition, body);
  if ('typeError' in decoded) return { errors: [], typeError: decoded.typeError };
  const { object } = decoded;
  if (definition.namespaced) object.metadata.namespace ??= namespace;
  const { strategy } = definition;
  strategy.defaults?.(object);
  return { object, waiting: strategy.prepareForCreate?.(object, requester, NOW) ?? undefined };
}

function finishCreate(definition: ResourceDefinition, object: KubeObject): Outcome {
  const { strategy } = definition;
  // Questions to the server need no name.
  const metadataErrors = definition.virtual ? [] : validateObjectMeta(object, definition);
  const errors = [...(strategy.validate?.(object) ?? []), ...(strategy.validateCreate?.(object) ?? [])];
  return { object, errors: [...metadataErrors, ...errors] };
}

/** A PUT of `body` over `old`, of the resource or of one of its subresources. */
export function update(
  definition: ResourceDefinition,
  old: KubeObject,
  body: unknown,
  subresource?: string,
): Outcome {
  const decoded = decode(definition, body);
  if ('typeError' in decoded) return { errors: [], typeError: decoded.typeError };
  const { object } = decoded;
  Object.assign(object.metadata, { namespace: old.metadata.namespace, resourceVersion: '1' });
  const strategy = strategyOf(definition, subresource);
  strategy.defaults?.(object);
  const before = JSON.stringify(old);
  strategy.prepareForUpdate?.(object, old, NOW);
  const errors = [
    ...validateObjectMetaUpdate(object, old),
    ...(strategy.validate?.(object) ?? []),
    ...(strategy.validateUpdate?.(object, old) ?? []),
  ];
  if (JSON.stringify(old) !== before) throw new Error('the stored object was changed');
  return { object, errors };
}

function strategyOf(definition: ResourceDefinition, subresource: string | undefined): Strategy {
  if (subresource === undefined) return definition.strategy;
  return definition.subresources.find(({ name }) => name === subresource)?.strategy ?? {};
}

/** A body of a subresource in another kind, such as Scale. */
export function createSubresource(
  definition: ResourceDefinition,
  subresource: string,
  body: unknown,
): Outcome {
  const found = definition.subresources.find(({ name }) => name === subresource);
  if (found?.schema === undefined)
    throw new Error(`${definition.plural} has no ${subresource} of another kind`);
  const decoded = decodeSchema<KubeObject>(found.schema(), structuredClone(body));
  if ('typeError' in decoded) return { errors: [], typeError: decoded.typeError };
  const { object } = decoded;
  found.strategy?.defaults?.(object);
  void found.strategy?.prepareForCreate?.(object, requester, NOW);
  return { object, errors: found.strategy?.validate?.(object) ?? [] };
}

/** `field: message` of each error, which is what a 422 is made of. */
export const messages = ({ errors }: Outcome): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);
