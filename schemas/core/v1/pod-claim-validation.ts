/** Rules for the claims that are made for a pod from the template in its volume. */
import { addAll } from '../../add-all.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { quantityOf } from '../../meta/quantity.js';
import {
  invalidEach,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
} from '../../validation/metadata.js';
import { dns1123Subdomain } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import type { PersistentVolumeClaimTemplate } from './pod-volumes.js';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];

export function validateClaimTemplate(
  errors: FieldError[],
  { metadata = {}, spec = {} }: PersistentVolumeClaimTemplate,
  field: string,
): void {
  const { labels, annotations, ...others } = metadata;
  addAll(
    errors,
    validateAnnotations(annotations, `${field}.metadata.annotations`),
    validateLabels(labels, `${field}.metadata.labels`),
  );
  for (const name of Object.keys(others)) {
    errors.push(forbidden(`${field}.metadata.${name}`, 'cannot be set for volumeClaimTemplate'));
  }
  validateClaimSpec(errors, spec, `${field}.spec`);
}

function validateClaimSpec(
  errors: FieldError[],
  spec: NonNullable<PersistentVolumeClaimTemplate['spec']>,
  field: string,
): void {
  const { accessModes = [], selector, resources, storageClassName, volumeMode } = spec;
  if (accessModes.length === 0) {
    errors.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  }
  addAll(errors, validateLabelSelector(selector as LabelSelector | undefined, `${field}.selector`));
  for (const mode of accessModes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(`${field}.accessModes`, mode, ACCESS_MODES));
  }
  if (accessModes.length > 1 && accessModes.includes('ReadWriteOncePod')) {
    errors.push(forbidden(`${field}.accessModes`, 'may not use ReadWriteOncePod with other access modes'));
  }
  const storage = resources?.requests?.['storage'];
  if (storage === undefined) errors.push(required(`${field}.resources[storage]`));
  else if (quantityOf(storage).value <= 0n) {
    errors.push(invalid(`${field}.resources[storage]`, storage, 'must be greater than zero'));
  }
  if (storageClassName) {
    invalidEach(errors, `${field}.storageClassName`, storageClassName, dns1123Subdomain(storageClassName));
  }
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES));
  }
}
