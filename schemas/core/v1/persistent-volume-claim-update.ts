/** What may change in a claim: how much it asks for, and its class while nobody has chosen one. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { compareQuantities, quantityOf } from '../../meta/quantity.js';
import { FIELD_IMMUTABLE, invalidEach, NOT_NEGATIVE } from '../../validation/metadata.js';
import { qualifiedName } from '../../validation/names.js';
import { unifiedDiff } from '../../validation/unified-diff.js';
import { internalStruct } from './internal-form.js';
import {
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
  persistentVolumeClaimSpec,
} from './persistent-volume-claim-schema.js';
import { isNativeResource } from './pod-resource-validation.js';
import { sameAmounts } from './resource-lists.js';

/** Where a claim's class stood before it was a field. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];
const IMMUTABLE =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

export const specOf = (claim: KubeObject): PersistentVolumeClaimSpec => claim['spec'] ?? {};
export const statusOf = (claim: KubeObject): NonNullable<PersistentVolumeClaim['status']> =>
  claim['status'] ?? {};
const classAnnotation = (claim: KubeObject): string | undefined =>
  claim.metadata.annotations?.[CLASS_ANNOTATION];

/** `claim` has the status of `old`, which an update of a claim does not touch. */
export function validateClaimUpdate(claim: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const [spec, before] = [specOf(claim), specOf(old)];
  const kept = { ...before };
  const rest = { ...spec };
  // A claim is bound once.
  if (!before.volumeName) setOrDelete(kept, 'volumeName', spec.volumeName);
  allowClass(errors, rest, claim, old);
  if (statusOf(claim).phase === 'Bound') {
    if (rest.resources?.requests) {
      const storage = before.resources?.requests?.['storage'] ?? '0';
      rest.resources = { ...rest.resources, requests: { ...rest.resources.requests, storage } };
    }
    setOrDelete(rest, 'volumeAttributesClassName', before.volumeAttributesClassName);
  }
  if (!isSame(rest, kept)) {
    errors.push(forbidden('spec', `${IMMUTABLE}\n${unifiedDiff(printed(kept), printed(rest))}`));
  }
  const size = spec.resources?.requests?.['storage'];
  const isLess = compare(size, before.resources?.requests?.['storage']) < 0;
  // An expansion that failed may be taken back, as far as nothing has grown yet.
  if (isLess && compare(size, statusOf(old).capacity?.['storage']) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  if (spec.volumeMode !== before.volumeMode) {
    errors.push(invalid('volumeMode', spec.volumeMode ?? null, FIELD_IMMUTABLE));
  }
  keepAttributesClass(errors, spec.volumeAttributesClassName, old);
  return errors;
}

/** The class may move from the annotation into its field, and be chosen where there was none. */
function allowClass(
  errors: FieldError[],
  rest: PersistentVolumeClaimSpec,
  claim: KubeObject,
  old: KubeObject,
): void {
  const { storageClassName: name } = rest;
  const { storageClassName: nameBefore } = specOf(old);
  const [annotation, before] = [classAnnotation(claim), classAnnotation(old)];
  const wasNotChosen = nameBefore === undefined && name !== undefined;
  if (wasNotChosen && name === before && (annotation === undefined || annotation === before)) {
    delete rest.storageClassName;
    return;
  }
  if ((annotation ?? '') !== (before ?? '')) {
    errors.push(invalid(`metadata.annotations.${CLASS_ANNOTATION}`, annotation ?? '', FIELD_IMMUTABLE));
  }
  if (wasNotChosen && (before === undefined || before === name)) delete rest.storageClassName;
}

function keepAttributesClass(errors: FieldError[], name: string | undefined, old: KubeObject): void {
  if (name || name === specOf(old).volumeAttributesClassName) return;
  if (statusOf(old).currentVolumeAttributesClassName === undefined) return;
  const what = name === undefined ? 'nil' : 'empty string';
  const why = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  errors.push(forbidden('spec.volumeAttributesClassName', why));
}

function setOrDelete<K extends 'volumeName' | 'volumeAttributesClassName'>(
  spec: PersistentVolumeClaimSpec,
  field: K,
  value: PersistentVolumeClaimSpec[K],
): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}

/** Amounts are the same however they are written. */
function isSame(
  { resources: a = {}, ...rest }: PersistentVolumeClaimSpec,
  { resources: b = {}, ...others }: PersistentVolumeClaimSpec,
): boolean {
  return (
    sameAmounts(a.limits, b.limits) && sameAmounts(a.requests, b.requests) && isDeepStrictEqual(rest, others)
  );
}

const compare = (a: string | undefined, b: string | undefined): number =>
  compareQuantities(quantityOf(a), quantityOf(b));

const printed = (spec: PersistentVolumeClaimSpec): string[] =>
  JSON.stringify(internalStruct(persistentVolumeClaimSpec(), spec), undefined, ' ').split('\n');

/** What the binder and the resizers write. */
export function validateClaimStatusUpdate(claim: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  if (!claim.metadata.resourceVersion) errors.push(required('resourceVersion'));
  if ((specOf(claim).accessModes ?? []).length === 0) errors.push(required('Spec.accessModes'));
  const { capacity, allocatedResourceStatuses, allocatedResources } = statusOf(claim);
  for (const [name, amount] of Object.entries(capacity ?? {})) {
    notNegative(errors, amount, `status.capacity[${name}]`);
  }
  for (const [name, status] of Object.entries(allocatedResourceStatuses ?? {})) {
    validateResourceKey(errors, name, 'status.allocatedResourceStatus');
    if (!RESIZE_STATUSES.includes(status)) {
      // Upstream shows the name of the resource, not its status.
      errors.push(notSupported('status.allocatedResourceStatus', name, RESIZE_STATUSES));
    }
  }
  for (const [name, amount] of Object.entries(allocatedResources ?? {})) {
    if (validateResourceKey(errors, name, 'status.allocatedResources')) {
      notNegative(errors, amount, `status.allocatedResources[${name}]`);
    }
  }
  return errors;
}

function notNegative(errors: FieldError[], amount: string, field: string): void {
  if (amount.startsWith('-')) errors.push(invalid(field, amount, NOT_NEGATIVE));
}

/** Of Kubernetes' own resources a volume has only one. */
function validateResourceKey(errors: FieldError[], name: string, field: string): boolean {
  const problems = qualifiedName(name);
  invalidEach(errors, field, name, problems);
  if (problems.length > 0) return false;
  if (!isNativeResource(name) || name === 'storage') return true;
  errors.push(notSupported(field, name, ['storage']));
  return false;
}
