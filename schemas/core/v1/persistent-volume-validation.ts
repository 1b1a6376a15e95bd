/** Rules for what a persistent volume is; those for its sources are a file of their own. */
import { posix } from 'node:path';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { quantityOf, roundedValue } from '../../meta/quantity.js';
import { labelValue } from '../../validation/names.js';
import { validateAccessModes, validateClass, VOLUME_MODES } from './persistent-volume-claim-validation.js';
import {
  type PersistentVolumeSpec,
  RECLAIM_POLICIES,
  type VolumeNodeAffinity,
} from './persistent-volume-schema.js';
import { validateVolumeSources } from './persistent-volume-source-validation.js';
import { validateNodeSelector } from './pod-scheduling-validation.js';

const NOT_INLINE = 'may not be specified in the context of inline volumes';

export interface VolumeRules {
  readonly volumeName: string;
  /** A volume that had them keeps them. */
  readonly allowInvalidNodeLabels: boolean;
}

export function validateVolumeSpec(
  errors: FieldError[],
  spec: PersistentVolumeSpec,
  { volumeName, allowInvalidNodeLabels }: VolumeRules,
  field: string,
): void {
  const { persistentVolumeReclaimPolicy: policy, nodeAffinity, volumeMode } = spec;
  validateModes(errors, spec, field);
  validateCapacity(errors, spec.capacity, `${field}.capacity`);
  if (policy && !RECLAIM_POLICIES.includes(policy)) {
    errors.push(notSupported(`${field}.persistentVolumeReclaimPolicy`, policy, RECLAIM_POLICIES));
  }
  if (nodeAffinity) {
    const path = `${field}.nodeAffinity.required`;
    if (nodeAffinity.required) {
      validateNodeSelector(errors, nodeAffinity.required, path, allowInvalidNodeLabels);
    } else errors.push(required(path, 'must specify required node constraints'));
  }
  validateSources(errors, spec, nodeAffinity, field, volumeName);
  validateClass(errors, spec.storageClassName, `${field}.storageClassName`);
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES));
  }
  validateAttributesClass(errors, spec, field);
}

/** Of a volume that stands inside of another object (VolumeAttachment): it is a CSI driver's, and for nobody to claim. */
export function validateInlineVolumeSpec(
  errors: FieldError[],
  spec: PersistentVolumeSpec,
  field: string,
): void {
  const { persistentVolumeReclaimPolicy: policy, volumeMode } = spec;
  if (spec.claimRef) errors.push(forbidden(`${field}.claimRef`, NOT_INLINE));
  if (spec.capacity) errors.push(forbidden(`${field}.capacity`, NOT_INLINE));
  if (!spec.csi)
    errors.push(required(`${field}.csi`, 'has to be specified in the context of inline volumes'));
  validateModes(errors, spec, field);
  if (policy && policy !== 'Retain') {
    const problem = 'may only be Retain in the context of inline volumes';
    errors.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, problem));
  }
  if (spec.nodeAffinity) errors.push(forbidden(`${field}.nodeAffinity`, NOT_INLINE));
  validateSources(errors, spec, undefined, field, '');
  if (spec.storageClassName) errors.push(forbidden(`${field}.storageClassName`, NOT_INLINE));
  if (volumeMode !== undefined && volumeMode !== 'Filesystem') {
    const problem = 'may not specify volumeMode other than Filesystem in the context of inline volumes';
    errors.push(forbidden(`${field}.volumeMode`, problem));
  }
}

function validateModes(
  errors: FieldError[],
  { accessModes = [] }: PersistentVolumeSpec,
  field: string,
): void {
  if (accessModes.length === 0) errors.push(required(`${field}.accessModes`));
  validateAccessModes(errors, accessModes, `${field}.accessModes`);
}

function validateCapacity(
  errors: FieldError[],
  capacity: PersistentVolumeSpec['capacity'],
  field: string,
): void {
  const amounts = Object.entries(capacity ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (amounts.length === 0) errors.push(required(field));
  if (amounts.length !== 1 || amounts[0]?.[0] !== 'storage') {
    errors.push(notSupported(field, capacity && Object.fromEntries(amounts), ['storage']));
  }
  for (const [name, amount] of amounts) {
    const quantity = quantityOf(amount);
    if (quantity.value > 0n) continue;
    const path = `${field}[${name}]`;
    if (quantity.value < 0n) {
      errors.push(invalid(path, Number(roundedValue(quantity)), 'must be a valid resource quantity'));
    }
    errors.push(invalid(path, amount, 'must be greater than zero'));
  }
}

function validateSources(
  errors: FieldError[],
  spec: PersistentVolumeSpec,
  nodeAffinity: VolumeNodeAffinity | undefined,
  field: string,
  volumeName: string,
): void {
  validateVolumeSources(errors, spec, field, volumeName, () => {
    if (nodeAffinity) return;
    errors.push(required(`${field}.nodeAffinity`, 'Local volume requires node affinity'));
  });
  const { hostPath, persistentVolumeReclaimPolicy: policy } = spec;
  if (hostPath && policy === 'Recycle' && posix.normalize(hostPath.path ?? '') === '/') {
    const problem = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, problem));
  }
}

function validateAttributesClass(errors: FieldError[], spec: PersistentVolumeSpec, field: string): void {
  const { volumeAttributesClassName: name, csi } = spec;
  if (name === undefined) return;
  const path = `${field}.volumeAttributesClassName`;
  if (name === '') errors.push(required(path, 'an empty string is disallowed'));
  else validateClass(errors, name, path);
  if (!csi) {
    errors.push(required(`${field}.csi`, 'has to be specified when using volumeAttributesClassName'));
  }
}

/** Whether it asks for values that no label can have. */
export const hasInvalidNodeLabels = ({ nodeAffinity }: PersistentVolumeSpec): boolean =>
  (nodeAffinity?.required?.nodeSelectorTerms ?? []).some(({ matchExpressions = [] }) =>
    matchExpressions.some(({ values = [] }) => values.some((value) => labelValue(value).length > 0)),
  );
