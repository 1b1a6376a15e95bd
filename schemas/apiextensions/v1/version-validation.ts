/** Rules of what is served of a version: its schema as a whole, subresources, columns and selectable fields. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../../field-error.js';
import { isPrintable } from '../../go-quote.js';
import { byteLength } from '../../validation/names.js';
import type { Column, SelectableField, Subresources, Version } from './custom-resource-definition-schema.js';
import { findField } from './field-path.js';
import { fieldsSet, printSchema } from './internal-print.js';
import type { JsonSchema } from './json-schema.js';
import { type SchemaDemands, validateJsonSchema } from './json-schema-validation.js';
import { structuralProblem, validateStructural } from './structural.js';

const DEPRECATION_WARNING_BYTES_MAX = 256;
const SELECTABLE_FIELDS_MAX = 8;
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

/** Where the status is written by itself, all of its schema must stand in `properties`. */
const ROOT_FIELDS =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'.split(
    ' ',
  );

export interface VersionDemands extends SchemaDemands {
  readonly structural: boolean;
}

export function validateSchema(
  schema: JsonSchema | undefined,
  path: string,
  { hasStatus, demands }: { readonly hasStatus: boolean; readonly demands: VersionDemands },
): FieldError[] {
  if (schema === undefined) return [];
  const field = `${path}.openAPIV3Schema`;
  const errors = hasStatus ? validateRoot(schema, field) : [];
  if (schema.nullable) errors.push(forbidden(`${field}.nullable`, 'nullable cannot be true at the root'));
  const problem = demands.structural ? structuralProblem(schema) : undefined;
  if (demands.structural && problem === undefined) addAll(errors, validateStructural(schema, field));
  addAll(errors, validateJsonSchema(schema, field, demands));
  if (errors.length === 0 && problem !== undefined) errors.push(invalid(field, '', problem));
  return errors;
}

function validateRoot(schema: JsonSchema, field: string): FieldError[] {
  for (const name of fieldsSet(schema)) {
    if (name === 'Type' && schema.type !== 'object') {
      const problem =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [invalid(`${field}.type`, schema.type, problem)];
    }
    if (!ROOT_FIELDS.includes(name)) {
      const problem = `only [${ROOT_FIELDS.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`;
      return [invalid(field, printSchema(schema), problem)];
    }
  }
  return [];
}

export function validateDeprecation({ deprecated, deprecationWarning }: Version, path: string): FieldError[] {
  if (deprecationWarning === undefined) return [];
  const problems: string[] = [];
  if (!deprecated) problems.push('can only be set for deprecated versions');
  else {
    if (byteLength(deprecationWarning) > DEPRECATION_WARNING_BYTES_MAX) {
      problems.push(`must be <= ${DEPRECATION_WARNING_BYTES_MAX} characters long`);
    }
    if (deprecationWarning === '') problems.push('must not be an empty string');
    let index = 0;
    for (const character of deprecationWarning) {
      if (!isPrintable(character)) {
        problems.push(
          `must only contain printable UTF-8 characters; non-printable character found at index ${index}`,
        );
        break;
      }
      index += byteLength(character);
    }
  }
  return problems.map((problem) => invalid(`${path}.deprecationWarning`, deprecationWarning, problem));
}

/** A path in the simplest form, under one of `roots`. */
function validatePath(path: string, field: string, roots: readonly string[], problem: string): FieldError[] {
  if (!path.startsWith('.')) return [invalid(field, path, 'must be a simple json path starting with .')];
  return roots.some((root) => path.startsWith(root)) ? [] : [invalid(field, path, problem)];
}

export function validateSubresources(subresources: Subresources | undefined, path: string): FieldError[] {
  const { scale } = subresources ?? {};
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  for (const [name, root] of [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
  ] as const) {
    const field = `${path}.scale.${name}`;
    const value = scale[name] ?? '';
    if (value === '') errors.push(required(field));
    else addAll(errors, validatePath(value, field, [`${root}.`], `should be a json path under ${root}`));
  }
  const selector = scale.labelSelectorPath ?? '';
  if (selector !== '') {
    const field = `${path}.scale.labelSelectorPath`;
    const problem = 'should be a json path under either .spec or .status';
    addAll(errors, validatePath(selector, field, ['.spec.', '.status.'], problem));
  }
  return errors;
}

export function validateColumns(columns: readonly Column[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, { name = '', type = '', format = '', jsonPath = '' }] of columns.entries()) {
    const field = `${path}[${i}]`;
    if (name === '') errors.push(required(`${field}.name`));
    const types = `must be one of ${COLUMN_TYPES.join(',')}`;
    if (type === '') errors.push(required(`${field}.type`, types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${field}.type`, type, types));
    if (format !== '' && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalid(`${field}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    }
    if (jsonPath === '') errors.push(required(`${field}.JSONPath`));
    else addAll(errors, validatePath(jsonPath, `${field}.JSONPath`, ['.'], ''));
  }
  return errors;
}

const SELECTABLE_TYPES = ['string', 'boolean', 'integer'];

export function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: JsonSchema,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const field = `${path}[${i}].jsonPath`;
    if (jsonPath === '') {
      errors.push(required(field));
      continue;
    }
    const found = findField(jsonPath, schema, { brackets: false });
    if (typeof found === 'string') {
      errors.push(invalid(field, jsonPath, `is an invalid path: ${found}`));
      continue;
    }
    if (found.names[0] === 'metadata') {
      errors.push(invalid(field, jsonPath, 'must not point to fields in metadata'));
    }
    if (!SELECTABLE_TYPES.includes(found.schema?.type ?? '')) {
      const problem =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(invalid(field, jsonPath, problem));
    }
    const key = found.names.join('.');
    if (seen.has(key)) errors.push(duplicate(field, jsonPath));
    seen.add(key);
  }
  if (seen.size > SELECTABLE_FIELDS_MAX) errors.push(tooMany(path, seen.size, SELECTABLE_FIELDS_MAX));
  return errors;
}
