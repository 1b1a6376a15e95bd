/**
 * Whether a schema is structural: whether it says of every field what type it has, outside of the logical junctors, so
 * that objects can be pruned and defaulted by it.
 */
import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { entriesOf, isList, type JsonSchema, propertyOf, schemaIn } from './json-schema.js';

/** Where a schema stands. */
type Level = 'root' | 'item' | 'field';

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

const UNSUPPORTED = [
  ['id', 'id'],
  ['$schema', 'schema'],
  ['$ref', '$ref'],
  ['patternProperties', 'patternProperties'],
  ['dependencies', 'dependencies'],
  ['additionalItems', 'additionalItems'],
  ['definitions', 'definitions'],
] as const;

/** Why a schema has no structural form at all; undefined where it has one. */
export function structuralProblem(schema: JsonSchema | undefined): string | undefined {
  if (schema === undefined) return undefined;
  for (const [field, name] of UNSUPPORTED) {
    if (schema[field]) return `OpenAPIV3Schema '${name}' is not supported`;
  }
  const { not, allOf = [], anyOf = [], oneOf = [], items, additionalProperties, properties } = schema;
  for (const child of [not, ...allOf, ...anyOf, ...oneOf, schemaIn(additionalProperties)]) {
    const problem = structuralProblem(child);
    if (problem !== undefined) return problem;
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  if (isList(items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  for (const child of [schemaIn(items), ...entriesOf(properties).map(([, property]) => property)]) {
    const problem = structuralProblem(child);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What errors are sorted by. */
const shown = ({ field, message }: FieldError): Buffer => Buffer.from(`${field}: ${message}`);

/** Of a schema that has a structural form. Sorted as upstream's are. */
export function validateStructural(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(errors, schema, 'root', path);
  checkJunctors(errors, schema, schema, { path, definedIn: path });
  return errors
    .map((error) => ({ error, text: shown(error) }))
    .sort((a, b) => Buffer.compare(a.text, b.text))
    .map(({ error }) => error);
}

function checkInvariants(errors: FieldError[], schema: JsonSchema, level: Level, path: string): void {
  const { type = '', items, properties, additionalProperties } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (type === 'array' && items === undefined) errors.push(required(`${path}.items`, 'must be specified'));
  const item = schemaIn(items);
  if (item !== undefined) checkInvariants(errors, item, 'item', `${path}.items`);
  for (const [name, property] of entriesOf(properties)) {
    checkInvariants(errors, property, 'field', `${path}.properties[${name}]`);
  }
  if (additionalProperties !== undefined) {
    const field = `${path}.additionalProperties`;
    if (level === 'root') errors.push(forbidden(field, 'must not be used at the root'));
    const additional = schemaIn(additionalProperties);
    if (additional !== undefined) checkInvariants(errors, additional, 'field', field);
  }
  checkExtensions(errors, schema, path);
  checkValues(errors, schema, path, {
    skipAnyOf: isIntOrString(schema.anyOf),
    skipFirst: isIntOrString(schema.allOf?.[0]?.anyOf),
  });
  checkType(errors, schema, level, path);
  if (isEmbedded && additionalProperties !== undefined) {
    const problem = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(`${path}.additionalProperties`, problem));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  }
  checkMeta(errors, schema, level, path);
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (isEmbedded && !isOpen && properties === undefined) {
    const problem =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, problem));
  }
}

function checkExtensions(errors: FieldError[], schema: JsonSchema, path: string): void {
  if (schema['x-kubernetes-int-or-string'] !== true) return;
  for (const name of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (schema[name] === true) {
      errors.push(invalid(`${path}.${name}`, true, 'must be false if x-kubernetes-int-or-string is true'));
    }
  }
}

function checkType(errors: FieldError[], schema: JsonSchema, level: Level, path: string): void {
  const { type = '' } = schema;
  if (schema['x-kubernetes-embedded-resource'] === true && type !== 'object') {
    const problem = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(`${path}.type`, problem) : invalid(`${path}.type`, type, problem));
  } else if (
    type === '' &&
    schema['x-kubernetes-int-or-string'] !== true &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  ) {
    errors.push(required(`${path}.type`, EMPTY_TYPE[level]));
  }
}

/** kind, apiVersion and metadata mean the same in all objects, so little may be said of them. */
function checkMeta(errors: FieldError[], schema: JsonSchema, level: Level, path: string): void {
  const isObject = level === 'root' || schema['x-kubernetes-embedded-resource'] === true;
  for (const name of ['kind', 'apiVersion']) {
    const property = propertyOf(schema, name);
    if (isObject && property !== undefined && property.type !== 'string') {
      errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
    }
  }
  const metadata = propertyOf(schema, 'metadata');
  if (metadata === undefined) return;
  const field = `${path}.properties[metadata]`;
  if (isObject && metadata.type !== 'object') {
    errors.push(invalid(`${field}.type`, metadata.type ?? '', 'must be object'));
  }
  if (level === 'root' && !saysNamesOnly(metadata)) {
    const problem =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbidden(field, problem));
  }
}

/** What is not looked at here: the type, the default, and what structural schemas do not have. */
const METADATA_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'default',
  'properties',
  'externalDocs',
  'example',
]);

const saysNamesOnly = (metadata: JsonSchema): boolean =>
  Object.keys(metadata).every((name) => METADATA_FIELDS.has(name)) &&
  Object.keys(metadata.properties ?? {}).every((name) => name === 'name' || name === 'generateName');

/** `anyOf: [{type: integer}, {type: string}]`, where types are allowed. */
const isIntOrString = (anyOf: readonly JsonSchema[] | undefined): boolean =>
  anyOf?.length === 2 && isOnlyType(anyOf[0], 'integer') && isOnlyType(anyOf[1], 'string');

const isOnlyType = (schema: JsonSchema | undefined, type: string): boolean =>
  schema?.type === type &&
  Object.keys(schema).every((name) => name === 'type' || name === 'externalDocs' || name === 'example');

interface Skipped {
  readonly skipAnyOf: boolean;
  /** The anyOf of the first of allOf. */
  readonly skipFirst: boolean;
}
const NOTHING: Skipped = { skipAnyOf: false, skipFirst: false };

function checkValues(errors: FieldError[], schema: JsonSchema, path: string, skipped: Skipped): void {
  const { anyOf = [], allOf = [], oneOf = [], not } = schema;
  if (!skipped.skipAnyOf) {
    for (const [i, one] of anyOf.entries()) checkNested(errors, one, `${path}.anyOf[${i}]`, NOTHING);
  }
  for (const [i, one] of allOf.entries()) {
    checkNested(errors, one, `${path}.allOf[${i}]`, { ...NOTHING, skipAnyOf: skipped.skipFirst && i === 0 });
  }
  for (const [i, one] of oneOf.entries()) checkNested(errors, one, `${path}.oneOf[${i}]`, NOTHING);
  if (not !== undefined) checkNested(errors, not, `${path}.not`, NOTHING);
}

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== '' && value !== false && (!Array.isArray(value) || value.length > 0);

/** Fields that say what a value is, and not only whether it is good. */
const FORBIDDEN: readonly (readonly [field: keyof JsonSchema, problem: string])[] = [
  ['type', 'must be empty'],
  ['additionalProperties', 'must be undefined'],
  ['default', 'must be undefined'],
  ['title', 'must be empty'],
  ['description', 'must be empty'],
  ['nullable', 'must be false'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false'],
  ['x-kubernetes-embedded-resource', 'must be false'],
  ['x-kubernetes-int-or-string', 'must be false'],
  ['x-kubernetes-list-map-keys', 'must be empty'],
  ['x-kubernetes-list-type', 'must be undefined'],
  ['x-kubernetes-map-type', 'must be undefined'],
  ['x-kubernetes-validations', 'must be empty'],
];

/** A schema within anyOf, allOf, oneOf or not. */
function checkNested(errors: FieldError[], schema: JsonSchema, path: string, skipped: Skipped): void {
  checkValues(errors, schema, path, skipped);
  const item = schemaIn(schema.items);
  if (item !== undefined) checkNested(errors, item, `${path}.items`, NOTHING);
  for (const [name, property] of entriesOf(schema.properties)) {
    checkNested(errors, property, `${path}.properties[${name}]`, NOTHING);
  }
  for (const [field, problem] of FORBIDDEN) {
    const there = field === 'additionalProperties' ? schema[field] !== undefined : isSet(schema[field]);
    if (there) errors.push(forbidden(`${path}.${field}`, `${problem} to be structural`));
  }
  if (propertyOf(schema, 'metadata') !== undefined) {
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
}

/** `path`: where a field should be. `definedIn`: where something is said of it. */
interface Places {
  readonly path: string;
  readonly definedIn: string;
}

/** What the junctors speak of must be specified beside them. */
function checkJunctors(errors: FieldError[], from: JsonSchema, base: JsonSchema, places: Places): void {
  const { path, definedIn } = places;
  const { not, allOf = [], anyOf = [], oneOf = [] } = from;
  const check = (schema: JsonSchema, name: string) =>
    checkSpecified(errors, schema, base, { path, definedIn: `${definedIn}.${name}` });
  if (not !== undefined) check(not, 'not');
  for (const [i, schema] of allOf.entries()) check(schema, `allOf[${i}]`);
  for (const [i, schema] of anyOf.entries()) check(schema, `anyOf[${i}]`);
  for (const [i, schema] of oneOf.entries()) check(schema, `oneOf[${i}]`);
}

function checkSpecified(
  errors: FieldError[],
  schema: JsonSchema,
  base: JsonSchema | undefined,
  places: Places,
): void {
  const { path, definedIn } = places;
  if (base === undefined) {
    errors.push(required(path, `because it is defined in ${definedIn}`));
    return;
  }
  checkJunctors(errors, schema, base, places);
  const below = (name: string): Places => ({ path: `${path}.${name}`, definedIn: `${definedIn}.${name}` });
  const item = schemaIn(schema.items);
  if (item !== undefined) checkSpecified(errors, item, schemaIn(base.items), below('items'));
  for (const [name, property] of entriesOf(schema.properties)) {
    checkSpecified(errors, property, propertyOf(base, name), below(`properties[${name}]`));
  }
}
