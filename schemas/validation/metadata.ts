/** Rules for metadata, which hold for every kind. */
import { addAll } from '../add-all.js';
import type { KubeObject, ObjectMeta, OwnerReference, ResourceDefinition } from '../definition.js';
import { type FieldError, forbidden, invalid, required, tooLong } from '../field-error.js';
import { validateFieldManager } from './field-manager.js';
import { byteLength, dns1123Label, labelValue, qualifiedName } from './names.js';
import type { LabelSelector } from './selectors.js';

/** All keys and values of an object's annotations together. */
export const ANNOTATIONS_BYTES_MAX = 256 * 1024;
const SUBRESOURCE_BYTES_MAX = 256;

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export const FIELD_IMMUTABLE = 'field is immutable';
export const NOT_NEGATIVE = 'must be greater than or equal to 0';

export function validateNotNegative(errors: FieldError[], field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalid(field, value, NOT_NEGATIVE));
}

/** Adds one `Invalid value` for each problem of a value with itself. */
export function invalidEach(
  errors: FieldError[],
  field: string,
  value: unknown,
  problems: readonly string[],
): void {
  for (const problem of problems) errors.push(invalid(field, value, problem));
}

export function validateLabelName(name: string, field: string): FieldError[] {
  return qualifiedName(name).map((problem) => invalid(field, name, problem));
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!labels) return errors;
  // Not the entries, which of 300,000 labels take half a second and are cut short by the first wrong ones.
  for (const key of Object.keys(labels)) {
    const value = labels[key] as string;
    invalidEach(errors, field, key, qualifiedName(key));
    invalidEach(errors, field, value, labelValue(value));
  }
  return errors;
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  if (!annotations) return errors;
  for (const key of Object.keys(annotations)) {
    const value = annotations[key] as string;
    invalidEach(errors, field, key, qualifiedName(key.toLowerCase()));
    size += byteLength(key) + byteLength(value);
  }
  if (size > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(field, ANNOTATIONS_BYTES_MAX));
  return errors;
}

/** `allowInvalidValues` where a selector stored before values were checked may stay as it is. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  field: string,
  { allowInvalidValues = false }: { readonly allowInvalidValues?: boolean } = {},
): FieldError[] {
  const errors = validateLabels(selector?.matchLabels, `${field}.matchLabels`);
  for (const [i, { key = '', operator = '', values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        errors.push(
          forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
    } else {
      errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
    }
    errors.push(...validateLabelName(key, `${path}.key`));
    if (allowInvalidValues) continue;
    for (const [j, value] of values.entries()) {
      invalidEach(errors, `${path}.values[${j}]`, value, labelValue(value));
    }
  }
  return errors;
}

/** metadata of a new object whose generated name is already in place. */
export function validateObjectMeta(object: KubeObject, definition: ResourceDefinition): FieldError[] {
  const errors = validateMeta(object.metadata, {
    field: 'metadata',
    namespaced: definition.namespaced,
    validateName: definition.validateName,
  });
  if (FINALIZERS_WITH_DOMAIN.has(definition.group)) validateFinalizerDomains(errors, object.metadata);
  return errors;
}

/** Groups in which a finalizer without a domain has to be one of the server's own. */
const FINALIZERS_WITH_DOMAIN: ReadonlySet<string> = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);
const OWN_FINALIZERS = ['kubernetes', ORPHAN, FOREGROUND];

function validateFinalizerDomains(errors: FieldError[], { finalizers = [] }: ObjectMeta): void {
  for (const [i, finalizer] of finalizers.entries()) {
    if (finalizer.includes('/') || OWN_FINALIZERS.includes(finalizer)) continue;
    const problem = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(invalid(`metadata.finalizers[${i}]`, finalizer, problem));
  }
}

interface MetaRules {
  /** Path of the metadata: `metadata`, `spec.volumeClaimTemplates[0].metadata`. */
  readonly field: string;
  readonly namespaced: boolean;
  readonly validateName: (name: string, prefix: boolean) => string[];
}

function validateMeta(meta: ObjectMeta, { field, namespaced, validateName }: MetaRules): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    invalidEach(errors, `${field}.generateName`, meta.generateName, validateName(meta.generateName, true));
  }
  if (meta.name) invalidEach(errors, `${field}.name`, meta.name, validateName(meta.name, false));
  else errors.push(required(`${field}.name`, 'name or generateName is required'));
  if (namespaced) {
    if (meta.namespace)
      invalidEach(errors, `${field}.namespace`, meta.namespace, dns1123Label(meta.namespace));
    else errors.push(required(`${field}.namespace`));
  } else if (meta.namespace) {
    errors.push(forbidden(`${field}.namespace`, 'not allowed on this type'));
  }
  if ((meta.generation ?? 0) < 0) errors.push(invalid(`${field}.generation`, meta.generation, NOT_NEGATIVE));
  validateCommon(errors, meta, field);
  validateFinalizers(errors, meta.finalizers ?? [], `${field}.finalizers`);
  validateManagedFields(errors, meta.managedFields ?? [], `${field}.managedFields`);
  return errors;
}

function validateCommon(errors: FieldError[], meta: ObjectMeta, field: string): void {
  if (meta.labels) addAll(errors, validateLabels(meta.labels, `${field}.labels`));
  if (meta.annotations) addAll(errors, validateAnnotations(meta.annotations, `${field}.annotations`));
  if (meta.ownerReferences) {
    validateOwnerReferences(errors, meta.ownerReferences, `${field}.ownerReferences`);
  }
}

function validateOwnerReferences(
  errors: FieldError[],
  references: readonly OwnerReference[],
  field: string,
): void {
  let controller = '';
  for (const reference of references) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = reference as Partial<OwnerReference>;
    if (apiVersion === '')
      errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    if (kind === '') errors.push(invalid(`${field}.kind`, kind, 'must not be empty'));
    if (name === '') errors.push(invalid(`${field}.name`, name, 'must not be empty'));
    if (uid === '') errors.push(invalid(`${field}.uid`, uid, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (reference.controller !== true) continue;
    const current = `${kind}/${name}`;
    if (controller === '') controller = current;
    else {
      errors.push(
        invalid(
          field,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`,
        ),
      );
    }
  }
}

function validateFinalizers(errors: FieldError[], finalizers: readonly string[], field: string): void {
  for (const finalizer of finalizers) invalidEach(errors, field, finalizer, qualifiedName(finalizer));
  if (finalizers.includes(ORPHAN) && finalizers.includes(FOREGROUND)) {
    errors.push(invalid(field, finalizers, `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`));
  }
}

interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsType?: string;
  readonly subresource?: string;
}

function validateManagedFields(errors: FieldError[], entries: readonly unknown[], field: string): void {
  for (const [i, entry] of entries.entries()) {
    const { manager = '', operation = '', fieldsType = '', subresource = '' } = entry as ManagedFieldsEntry;
    const path = `${field}[${i}]`;
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(`${path}.operation`, operation, 'must be `Apply` or `Update`'));
    }
    if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
      errors.push(invalid(`${path}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
    }
    validateFieldManager(errors, manager, `${path}.manager`);
    if (byteLength(subresource) > SUBRESOURCE_BYTES_MAX) {
      errors.push(tooLong(`${path}.subresource`, SUBRESOURCE_BYTES_MAX));
    }
  }
}

/** What an update may not change, where the server has already carried over what clients may leave out. */
const IMMUTABLE_META = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const satisfies readonly (keyof ObjectMeta)[];

export function validateObjectMetaUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata } = object;
  if (old.metadata.deletionTimestamp) {
    const before = new Set(old.metadata.finalizers);
    const extra = [...new Set(metadata.finalizers)].filter((finalizer) => !before.has(finalizer));
    if (extra.length > 0) {
      errors.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${extra
            .sort()
            .map((finalizer) => JSON.stringify(finalizer))
            .join(', ')}}`,
        ),
      );
    }
  }
  if (!metadata.resourceVersion) {
    errors.push(invalid('metadata.resourceVersion', '', 'must be specified for an update'));
  }
  if ((metadata.generation ?? 0) < (old.metadata.generation ?? 0)) {
    errors.push(invalid('metadata.generation', metadata.generation ?? 0, 'must not be decremented'));
  }
  for (const name of IMMUTABLE_META) {
    if ((metadata[name] ?? undefined) !== (old.metadata[name] ?? undefined)) {
      const absent = name === 'name' || name === 'namespace' || name === 'uid' ? '' : undefined;
      errors.push(invalid(`metadata.${name}`, metadata[name] ?? absent, FIELD_IMMUTABLE));
    }
  }
  validateCommon(errors, metadata, 'metadata');
  if (metadata.managedFields) {
    validateManagedFields(errors, metadata.managedFields, 'metadata.managedFields');
  }
  return errors;
}
