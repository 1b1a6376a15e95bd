/** Rules of x-kubernetes-list-type, -list-map-keys and -map-type: how lists and objects of a custom resource merge. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { printItems } from './internal-print.js';
import { type JsonSchema, propertyOf, schemaIn } from './json-schema.js';

const LIST_TYPES = ['atomic', 'set', 'map'];
const MAP_TYPES = ['atomic', 'granular'];

export function validateLists(
  schema: JsonSchema,
  path: string,
  { atomicSetItems }: { readonly atomicSetItems: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '' } = schema;
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const mustBe = (wanted: string, name: string): void => {
    const problem = `must be ${wanted} if ${name} is specified`;
    errors.push(type === '' ? required(`${path}.type`, problem) : invalid(`${path}.type`, type, problem));
  };
  if (mapType !== undefined) {
    if (type !== 'object') mustBe('object', 'x-kubernetes-map-type');
    if (!MAP_TYPES.includes(mapType)) {
      errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES));
    }
  }
  if (listType !== undefined) {
    if (type !== 'array') mustBe('array', 'x-kubernetes-list-type');
    else if (atomicSetItems) errors.push(...validateSetItems(schema, path));
    if (!LIST_TYPES.includes(listType)) {
      errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES));
    }
  }
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys !== undefined && listType !== 'map') {
    const field = `${path}.x-kubernetes-list-type`;
    const problem = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? required(field, problem) : invalid(field, listType, problem));
  }
  if (listType === 'map') errors.push(...validateMapItems(schema, path));
  return errors;
}

/** The parts of a set's items cannot be told apart, so nobody owns but a part. */
function validateSetItems(schema: JsonSchema, path: string): FieldError[] {
  const item = schemaIn(schema.items);
  if (schema['x-kubernetes-list-type'] !== 'set' || item === undefined) return [];
  const problem = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = item['x-kubernetes-list-type'];
  if (item.type === 'array' && listType !== undefined && listType !== 'atomic') {
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, problem)];
  }
  // Upstream shows the other extension here.
  if (item.type === 'object' && item['x-kubernetes-map-type'] !== 'atomic') {
    return [invalid(`${path}.items.x-kubernetes-map-type`, listType, problem)];
  }
  return [];
}

export const hasDividedSetItems = (schema: JsonSchema): boolean => {
  const item = schemaIn(schema.items);
  if (schema['x-kubernetes-list-type'] !== 'set' || item === undefined) return false;
  const { 'x-kubernetes-list-type': listType = 'atomic', 'x-kubernetes-map-type': mapType } = item;
  return (item.type === 'array' && listType !== 'atomic') || (item.type === 'object' && mapType !== 'atomic');
};

function validateMapItems(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keysField = `${path}.x-kubernetes-list-map-keys`;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (keys.length === 0) {
    errors.push(required(keysField, 'must not be empty if x-kubernetes-list-type is map'));
  }
  const item = schemaIn(schema.items);
  if (schema.items === undefined) {
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  } else if (item === undefined) {
    const problem = 'must only have a single schema if x-kubernetes-list-type is map';
    errors.push(invalid(`${path}.items`, printItems(schema.items), problem));
  } else if (item.type !== 'object') {
    const problem = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, item.type ?? '', problem));
  } else {
    const seen = new Set<string>();
    for (const key of keys) {
      const property = propertyOf(item, key);
      if (property === undefined) {
        errors.push(invalid(keysField, keys, 'entries must all be names of item properties'));
      } else if (property.type === 'array' || property.type === 'object') {
        const problem = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        errors.push(invalid(`${path}.items.properties[${key}].type`, item.type, problem));
      }
      if (seen.has(key)) errors.push(invalid(keysField, keys, 'must not contain duplicate entries'));
      seen.add(key);
    }
  }
  return errors;
}

/** An item must always have its keys, and be there itself. */
export function validateListKeys(schema: JsonSchema, path: string): FieldError[] {
  const item = schemaIn(schema.items);
  const listType = schema['x-kubernetes-list-type'];
  if (item === undefined || (listType !== 'set' && listType !== 'map')) return [];
  const errors: FieldError[] = [];
  if (item.nullable) {
    const problem = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(`${path}.items.nullable`, problem));
  }
  if (listType === 'set') return errors;
  const always = new Set(item.required);
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = propertyOf(item, key);
    if (property === undefined) continue;
    const field = `${path}.items.properties[${key}]`;
    if (!always.has(key) && property.default === undefined) {
      const problem =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(`${field}.default`, problem));
    }
    if (property.nullable) {
      const problem = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
      errors.push(forbidden(`${field}.nullable`, problem));
    }
  }
  return errors;
}
