/**
 * Rules of a CustomResourceDefinition, in the words of upstream's internal structs (internal-spec.ts). What older
 * releases let through may stay.
 */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { dns1035Label } from '../../validation/names.js';
import { hasKnownVersion } from '../../validation/review-versions.js';
import { validateConversion } from './conversion-validation.js';
import {
  type Spec,
  specOf,
  statusOf,
  type Subresources,
  type Version,
  versionsOf,
} from './custom-resource-definition-schema.js';
import { printVersions } from './internal-print.js';
import { type InternalSpec, internalSpec } from './internal-spec.js';
import { type JsonSchema, someSchema } from './json-schema.js';
import { hasUnknownType } from './json-schema-validation.js';
import { validateApproval, validateGroup, validateName, validateNames } from './names-validation.js';
import { hasDividedSetItems, validateListKeys } from './schema-lists-validation.js';
import { structuralProblem, validateStructural } from './structural.js';
import {
  validateColumns,
  validateDeprecation,
  validateSchema,
  validateSelectableFields,
  validateSubresources,
  type VersionDemands,
} from './version-validation.js';

const SCOPES = ['Cluster', 'Namespaced'];

interface Demands extends VersionDemands {
  readonly schema: boolean;
  readonly knownReviewVersion: boolean;
}

const ALL: Demands = {
  schema: true,
  knownReviewVersion: true,
  structural: true,
  knownTypes: true,
  atomicSetItems: true,
  listKeys: true,
};

const schemasOf = (spec: Spec): (JsonSchema | undefined)[] =>
  versionsOf(spec).map(({ schema }) => schema?.openAPIV3Schema);

/** What the stored definition already met. */
function demandsOver(old: Spec): Demands {
  const schemas = schemasOf(old);
  const none = (holds: (schema: JsonSchema) => boolean) =>
    !schemas.some((schema) => someSchema(schema, holds));
  const reviewVersions = old.conversion?.webhook?.conversionReviewVersions ?? [];
  return {
    schema: schemas.every((schema) => schema !== undefined),
    knownReviewVersion: reviewVersions.length === 0 || hasKnownVersion(reviewVersions),
    structural: schemas.every(
      (schema) =>
        schema === undefined ||
        (structuralProblem(schema) === undefined && validateStructural(schema, '').length === 0),
    ),
    knownTypes: none(hasUnknownType),
    atomicSetItems: none(hasDividedSetItems),
    listKeys: none((schema) => validateListKeys(schema, '').length > 0),
  };
}

export function validateNewDefinition(object: KubeObject): FieldError[] {
  const errors = [
    ...validateName(object),
    ...validateSpec(specOf(object), ALL),
    ...validateStatus(object),
    ...validateStoredVersions(object),
    ...validateApproval(object),
  ];
  if (specOf(object).preserveUnknownFields) errors.push(preservesUnknown());
  return errors;
}

export function validateChangedDefinition(object: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(object);
  const before = specOf(old);
  const errors = validateSpec(spec, demandsOver(before));
  const keep = (field: string, value = '', was = ''): void => {
    if (value !== was) errors.push(invalid(`spec.${field}`, value, FIELD_IMMUTABLE));
  };
  if (isEstablished(old)) {
    keep('scope', spec.scope, before.scope);
    keep('names.kind', spec.names?.kind, before.names?.kind);
  }
  keep('group', spec.group, before.group);
  keep('names.plural', spec.names?.plural, before.names?.plural);
  errors.push(...validateStatus(object), ...validateStoredVersions(object), ...validateApproval(object, old));
  if (spec.preserveUnknownFields && !before.preserveUnknownFields) errors.push(preservesUnknown());
  return errors;
}

const isEstablished = (object: KubeObject): boolean =>
  (statusOf(object).conditions ?? []).find(({ type }) => type === 'Established')?.status === 'True';

const preservesUnknown = (): FieldError =>
  invalid(
    'spec.preserveUnknownFields',
    true,
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
  );

export const validateStatus = (object: KubeObject): FieldError[] =>
  validateNames(statusOf(object).acceptedNames ?? {}, 'status.acceptedNames');

function validateStoredVersions(object: KubeObject): FieldError[] {
  const field = 'status.storedVersions';
  const stored = statusOf(object).storedVersions ?? [];
  if (stored.length === 0) return [invalid(field, null, 'must have at least one stored version')];
  const errors: FieldError[] = [];
  const versions = versionsOf(specOf(object));
  const known = new Set(versions.map(({ name = '' }) => name));
  const storedNames = new Set(stored);
  for (const { name = '', storage } of versions) {
    if (storage && !storedNames.has(name)) {
      errors.push(invalid(field, stored, `must have the storage version ${name}`));
    }
  }
  for (const [i, name] of stored.entries()) {
    if (known.has(name)) continue;
    const problem = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`${field}[${i}]`, name, problem));
  }
  return errors;
}

function validateSpec(spec: Spec, demanded: Demands): FieldError[] {
  const { scope = '', names = {}, preserveUnknownFields = false, conversion } = spec;
  const internal = internalSpec(spec);
  const errors = validateGroup(spec.group ?? '');
  if (scope === '') errors.push(required('spec.scope'));
  else if (!SCOPES.includes(scope)) errors.push(notSupported('spec.scope', scope, SCOPES));
  addAll(errors, validateSchemasPresent(internal, demanded, preserveUnknownFields));
  const hasDefaults = schemasOf(spec).some((schema) =>
    someSchema(schema, (one) => one.default !== undefined),
  );
  if (hasDefaults && preserveUnknownFields) {
    const problem = 'must be false in order to use defaults in the schema';
    errors.push(invalid('spec.preserveUnknownFields', true, problem));
  }
  const structural =
    demanded.structural || !preserveUnknownFields || hasDefaults || schemasOf(spec).some(hasExtensions);
  const demands = { ...demanded, structural };
  addAll(errors, validateVersions(internal, demands));
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[name]) errors.push(required(`spec.names.${name}`));
  }
  addAll(errors, validateNames(names, 'spec.names'));
  addAll(errors, validateShared(internal, demands));
  if (conversion !== undefined && conversion.strategy !== 'None' && preserveUnknownFields) {
    const problem = 'must be None if spec.preserveUnknownFields is true';
    errors.push(invalid('spec.conversion.strategy', conversion.strategy ?? '', problem));
  }
  addAll(errors, validateConversion(conversion, demands.knownReviewVersion));
  return errors;
}

const hasExtensions = (schema: JsonSchema | undefined): boolean =>
  someSchema(
    schema,
    (one) =>
      one['x-kubernetes-embedded-resource'] === true ||
      one['x-kubernetes-preserve-unknown-fields'] !== undefined ||
      one['x-kubernetes-int-or-string'] === true ||
      one['x-kubernetes-list-map-keys'] !== undefined ||
      one['x-kubernetes-list-type'] !== undefined ||
      one['x-kubernetes-validations'] !== undefined,
  );

function validateSchemasPresent(
  { validation, versions }: InternalSpec,
  demands: Demands,
  preserveUnknownFields: boolean,
): FieldError[] {
  if (validation?.openAPIV3Schema !== undefined) return [];
  if (!demands.schema && preserveUnknownFields) return [];
  return versions.flatMap(({ schema, served }, i) => {
    if (schema?.openAPIV3Schema !== undefined || (!demands.schema && !served)) return [];
    const problem = demands.schema ? 'schemas are required' : 'because otherwise all fields are pruned';
    return [required(`spec.versions[${i}].schema.openAPIV3Schema`, problem)];
  });
}

const hasStatus = (subresources: Subresources | undefined): boolean => subresources?.status !== undefined;

function validateVersions(internal: InternalSpec, demands: Demands): FieldError[] {
  const { versions, subresources } = internal;
  const errors: FieldError[] = [];
  for (const [i, version] of versions.entries()) {
    const path = `spec.versions[${i}]`;
    const { name = '' } = version;
    const problems = dns1035Label(name);
    if (problems.length > 0) errors.push(invalid(`${path}.name`, name, problems.join(',')));
    addAll(errors, validateDeprecation(version, path));
    addAll(errors, validateVersion(version, path, hasStatus(version.subresources ?? subresources), demands));
  }
  const shown = (problem: string) => invalid('spec.versions', printVersions(versions), problem);
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(shown('must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(shown('must have exactly one version marked as storage version'));
  }
  const problems = internal.version === '' ? [] : dns1035Label(internal.version);
  if (problems.length > 0) errors.push(invalid('spec.version', internal.version, problems.join(',')));
  return errors;
}

function validateVersion(version: Version, path: string, status: boolean, demands: Demands): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  const fields = version.selectableFields ?? [];
  const errors = [
    ...validateSchema(schema, `${path}.schema`, { hasStatus: status, demands }),
    ...validateSubresources(version.subresources, `${path}.subresources`),
    ...validateColumns(version.additionalPrinterColumns ?? [], `${path}.additionalPrinterColumns`),
  ];
  if (fields.length === 0) return errors;
  if (schema !== undefined) {
    return [...errors, ...validateSelectableFields(fields, schema, `${path}.selectableFields`)];
  }
  // Upstream means the opposite of the last words.
  const problem = 'selectableFields may only be set when version.schema.openAPIV3Schema is not included';
  return [...errors, invalid(`${path}.selectableFields`, '', problem)];
}

/** What all versions have in common. */
function validateShared(internal: InternalSpec, demands: Demands): FieldError[] {
  const { validation, subresources, additionalPrinterColumns, selectableFields, versions } = internal;
  const schema = validation?.openAPIV3Schema;
  const status = hasStatus(subresources) || versions.some((version) => hasStatus(version.subresources));
  const errors = [
    ...validateSchema(schema, 'spec.validation', { hasStatus: status, demands }),
    ...validateSubresources(subresources, 'spec.subresources'),
    ...validateColumns(additionalPrinterColumns, 'spec.additionalPrinterColumns'),
  ];
  if (selectableFields.length === 0) return errors;
  if (schema !== undefined) {
    return [...errors, ...validateSelectableFields(selectableFields, schema, 'spec.selectableFields')];
  }
  const problem = 'selectableFields may only be set when validations.schema is included';
  return [...errors, invalid('spec.selectableFields', '', problem)];
}
