/** Rules of a custom resource's schema beyond its being structural. Expressions are not compiled: there is no CEL here yet. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { findField } from './field-path.js';
import { entriesOf, isList, type JsonSchema, schemaIn } from './json-schema.js';
import { structuralProblem } from './structural.js';
import { validateListKeys, validateLists } from './schema-lists-validation.js';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const META_FIELDS = ['metadata', 'kind', 'apiVersion'];

/** What is asked beyond what was always asked: what older releases let through may stay. */
export interface SchemaDemands {
  readonly knownTypes: boolean;
  readonly atomicSetItems: boolean;
  readonly listKeys: boolean;
}

/** Where a schema stands. */
interface Place {
  readonly path: string;
  /** Why there may be no default; undefined where there may. */
  readonly noDefault?: string;
  /** Of metadata, kind or apiVersion, or within. */
  readonly inMeta?: boolean;
  readonly isRoot?: boolean;
}

export const hasUnknownType = ({ type = '' }: JsonSchema): boolean => type !== '' && !TYPES.includes(type);

export function validateJsonSchema(schema: JsonSchema, path: string, demands: SchemaDemands): FieldError[] {
  const errors: FieldError[] = [];
  check(errors, schema, { path, isRoot: true }, demands);
  return errors;
}

function check(errors: FieldError[], schema: JsonSchema, place: Place, demands: SchemaDemands): void {
  const { path } = place;
  checkFields(errors, schema, place, demands);
  if (schema.uniqueItems) {
    const problem = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(forbidden(`${path}.uniqueItems`, problem));
  }
  checkChildren(errors, schema, place, demands);
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const field = `${path}.x-kubernetes-preserve-unknown-fields`;
    errors.push(invalid(field, false, 'must be true or undefined'));
  }
  errors.push(...validateLists(schema, path, demands));
  if (demands.listKeys) errors.push(...validateListKeys(schema, path));
  checkRules(errors, schema, path);
}

/** Constructs that custom resources do not have. */
function checkFields(errors: FieldError[], schema: JsonSchema, place: Place, demands: SchemaDemands): void {
  const { path, noDefault, inMeta } = place;
  const { type = '' } = schema;
  const unsupported = (name: string) => errors.push(forbidden(`${path}.${name}`, `${name} is not supported`));
  if (demands.knownTypes && hasUnknownType(schema)) errors.push(notSupported(`${path}.type`, type, TYPES));
  if (schema.default !== undefined && noDefault !== undefined) {
    errors.push(forbidden(`${path}.default`, `must not be set ${noDefault}`));
  }
  if (schema.id) unsupported('id');
  if (schema.additionalItems !== undefined) unsupported('additionalItems');
  if (schema.patternProperties !== undefined) unsupported('patternProperties');
  if (schema.definitions !== undefined) unsupported('definitions');
  if (schema.dependencies !== undefined) unsupported('dependencies');
  if (schema.$ref !== undefined) unsupported('$ref');
  if (type === 'null') {
    errors.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  }
  if (isList(schema.items)) {
    errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (inMeta && schema['x-kubernetes-embedded-resource'] === true) {
    errors.push(
      forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'),
    );
  }
}

function checkChildren(errors: FieldError[], schema: JsonSchema, place: Place, demands: SchemaDemands): void {
  const { path, isRoot = false, ...inherited } = place;
  const below = (child: JsonSchema | undefined, name: string, own: Partial<Place> = {}): void => {
    if (child !== undefined) {
      check(errors, child, { ...inherited, ...own, path: `${path}.${name}` }, demands);
    }
  };
  const { additionalProperties, properties, items } = schema;
  if (additionalProperties !== undefined) {
    if (properties !== undefined && additionalProperties !== true) {
      const problem = 'additionalProperties and properties are mutual exclusive';
      errors.push(forbidden(`${path}.additionalProperties`, problem));
    }
    const noDefault = 'inside additionalProperties applying to object metadata';
    below(schemaIn(additionalProperties), 'additionalProperties', place.inMeta ? { noDefault } : {});
  }
  const isObject = isRoot || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of entriesOf(properties)) {
    const isMeta = isObject && META_FIELDS.includes(name);
    below(property, `properties[${name}]`, {
      ...(isMeta && { inMeta: true }),
      ...(isMeta && isRoot && { noDefault: `in top-level ${name}` }),
    });
  }
  below(schema.not, 'not');
  for (const name of ['allOf', 'oneOf', 'anyOf'] as const) {
    for (const [i, child] of (schema[name] ?? []).entries()) below(child, `${name}[${i}]`);
  }
  for (const [name, child] of entriesOf(schema.definitions)) below(child, `definitions[${name}]`);
  if (isList(items)) for (const [i, child] of items.entries()) below(child, `items[${i}]`);
  else below(schemaIn(items), 'items');
  for (const [name, child] of entriesOf(schema.dependencies)) {
    below(schemaIn(child), `dependencies[${name}]`);
  }
}

const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text);

function checkRules(errors: FieldError[], schema: JsonSchema, path: string): void {
  // Looked for once: it takes all of the schema.
  let isStructural: boolean | undefined;
  for (const [i, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    const field = `${path}.x-kubernetes-validations[${i}]`;
    const { message = '', messageExpression = '', reason, fieldPath = '' } = rule;
    const expression = (rule.rule ?? '').trim();
    if (expression === '') errors.push(required(`${field}.rule`, 'rule is not specified'));
    else if (message !== '' && message.trim() === '') {
      errors.push(invalid(`${field}.message`, message, 'message must be non-empty if specified'));
    } else if (hasLineBreak(message.trim())) {
      errors.push(invalid(`${field}.message`, message, 'message must not contain line breaks'));
    } else if (hasLineBreak(expression) && message === '') {
      const problem = 'message must be specified if rule contains line breaks';
      errors.push(required(`${field}.message`, problem));
    }
    if (messageExpression !== '' && messageExpression.trim() === '') {
      const problem = 'messageExpression must be non-empty if specified';
      errors.push(required(`${field}.messageExpression`, problem));
    }
    if (reason !== undefined && !REASONS.includes(reason)) {
      errors.push(notSupported(`${field}.reason`, reason, REASONS));
    }
    if (fieldPath === '') continue;
    checkFieldPath(errors, fieldPath, `${field}.fieldPath`);
    isStructural ??= structuralProblem(schema) === undefined;
    if (isStructural && typeof findField(fieldPath, schema, { brackets: true }) === 'string') {
      errors.push(invalid(`${field}.fieldPath`, fieldPath, 'fieldPath must be a valid path'));
    }
  }
}

function checkFieldPath(errors: FieldError[], path: string, field: string): void {
  if (path.trim() === '') errors.push(invalid(field, path, 'fieldPath must be non-empty if specified'));
  if (hasLineBreak(path)) errors.push(invalid(field, path, 'fieldPath must not contain line breaks'));
}
