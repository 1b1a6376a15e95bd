/** Rules for what a claim asks for, in templates of claims too. */
import { addAll } from '../../add-all.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { quantityOf } from '../../meta/quantity.js';
import {
  invalidEach,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
} from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
} from './persistent-volume-claim-schema.js';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES = ['Block', 'Filesystem'];

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

export function validateClaimSpec(
  errors: FieldError[],
  spec: PersistentVolumeClaimSpec,
  field: string,
): void {
  const { accessModes = [], selector, resources, volumeMode } = spec;
  if (accessModes.length === 0) {
    errors.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  }
  addAll(errors, validateLabelSelector(selector as LabelSelector | undefined, `${field}.selector`));
  validateAccessModes(errors, accessModes, `${field}.accessModes`);
  const storage = resources?.requests?.['storage'];
  if (storage === undefined) errors.push(required(`${field}.resources[storage]`));
  else if (quantityOf(storage).value <= 0n) {
    errors.push(invalid(`${field}.resources[storage]`, storage, 'must be greater than zero'));
  }
  validateClass(errors, spec.storageClassName, `${field}.storageClassName`);
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES));
  }
  validateDataSources(errors, spec, field);
  validateClass(errors, spec.volumeAttributesClassName, `${field}.volumeAttributesClassName`);
}

/** Of claims and of volumes. */
export function validateAccessModes(errors: FieldError[], modes: readonly string[], field: string): void {
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(field, mode, ACCESS_MODES));
  }
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  if (others && modes.includes('ReadWriteOncePod')) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
}

export function validateClass(errors: FieldError[], name: string | undefined, field: string): void {
  if (name) invalidEach(errors, field, name, dns1123Subdomain(name));
}

/** The two are one field under its former and its present name, unless the present one names another namespace. */
function validateDataSources(errors: FieldError[], spec: PersistentVolumeClaimSpec, field: string): void {
  const { dataSource: source, dataSourceRef: reference } = spec;
  if (source) validateDataSource(errors, source, `${field}.dataSource`);
  if (reference) validateDataSource(errors, reference, `${field}.dataSourceRef`);
  if (!source || !reference) return;
  // Upstream shows the path of the field in place of its value, and a path prints as nothing.
  if (reference.namespace) {
    errors.push(invalid(field, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  } else if (
    source.apiGroup !== reference.apiGroup ||
    source.kind !== reference.kind ||
    source.name !== reference.name
  ) {
    errors.push(invalid(field, {}, 'must match dataSourceRef'));
  }
}

function validateDataSource(
  errors: FieldError[],
  source: NonNullable<PersistentVolumeClaimSpec['dataSourceRef']>,
  field: string,
): void {
  const { apiGroup, kind = '', name = '', namespace } = source;
  if (name === '') errors.push(required(`${field}.name`));
  if (kind === '') errors.push(required(`${field}.kind`));
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    const problem = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalid(field, kind, problem));
  }
  if (apiGroup) invalidEach(errors, `${field}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup));
  if (namespace) invalidEach(errors, `${field}.namespace`, namespace, dns1123Label(namespace));
}
