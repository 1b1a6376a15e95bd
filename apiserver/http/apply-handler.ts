/** Server-side apply: PATCH with the fields that a manager means, of an object, its status or its Scale. */
import { badRequest } from '../errors.js';
import { bodyOf } from '../managed-fields/index.js';
import type { UpdateResult } from '../registry/types.js';
import { acceptedShape, objectBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { send } from './respond.js';
import { warningsOf } from './serializers/serializer.js';
import { duplicateKeysError } from './serializers/yaml.js';
import { readYaml } from './serializers/yaml-ahead.js';
import { type FieldValidation, parseApplyOptions } from './write-options.js';

export const APPLY_PATCH = 'application/apply-patch+yaml';

export async function applyObject(request: ResourceRequest): Promise<void> {
  const { exchange, definition } = request;
  acceptedShape(exchange, definition);
  const { item, created } = await applyBody(request);
  await send(exchange, created ? 201 : 200, objectBody(exchange, item, definition));
}

/** Applies what the body means to the object, or through the subresource. Throws StatusError. */
export function applyBody(request: ResourceRequest): Promise<UpdateResult> {
  const { exchange, registry, namespace, name, body, subresource } = request;
  const options = parseApplyOptions(exchange.query);
  const applied = appliedFields(body, options.fieldValidation, exchange.warnings);
  return registry.apply(exchange, namespace, name, applied, {
    ...options,
    subresource: subresource?.name ?? '',
  });
}

/** The body as it stands: only what is in it is meant. Throws StatusError 400. */
export function appliedFields(
  body: Buffer,
  fieldValidation: FieldValidation,
  warnings: string[],
): Record<string, unknown> {
  const { value, problem, duplicates } = readYaml(body);
  if (problem !== undefined)
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${problem}`);
  const fields = bodyOf(value);
  if (duplicates.length > 0 && fieldValidation !== 'Ignore') {
    const error = duplicateKeysError(duplicates);
    if (fieldValidation === 'Strict') {
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${error}`);
    }
    warnings.push(...warningsOf([error]));
  }
  return fields;
}
