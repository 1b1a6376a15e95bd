/** Rules for where a persistent volume is: exactly one source, in upstream's order and with its slips. */
import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.js';
import type { PersistentVolumeSource } from './persistent-volume-sources.js';
import {
  driverRules,
  needs,
  needsSecretName,
  validateIscsiDisk,
  validateStorageOsNames,
} from './pod-driver-validation.js';
import { validateNoBacksteps } from './pod-path-validation.js';
import {
  hostPath,
  ISCSI_PORTAL_LENGTH_MAX,
  ISCSI_PORTAL_TOO_LONG,
  validateDriverName,
} from './pod-volume-validation.js';

type Source = keyof PersistentVolumeSource;
type Rule<K extends Source> = (
  errors: FieldError[],
  source: NonNullable<PersistentVolumeSource[K]>,
  field: string,
  volumeName: string,
) => void;
type SecretReference = NonNullable<NonNullable<PersistentVolumeSource['csi']>['nodePublishSecretRef']>;

const SOURCES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly Source[];

/** The first source is checked and the others are refused, but for flexVolume, which upstream only counts. */
export function validateVolumeSources(
  errors: FieldError[],
  sources: PersistentVolumeSource,
  field: string,
  volumeName: string,
  /** Asked right after a local one. */
  ofLocal: () => void,
): void {
  let found = false;
  for (const name of SOURCES) {
    const source = sources[name];
    if (source === undefined) continue;
    if (found && name !== 'flexVolume') {
      const shown = name === 'cephfs' ? 'cephFS' : name;
      errors.push(forbidden(`${field}.${shown}`, 'may not specify more than 1 volume type'));
      continue;
    }
    found = true;
    (RULES[name] as Rule<Source>)(errors, source, `${field}.${name}`, volumeName);
    if (name === 'local') ofLocal();
  }
  if (!found) errors.push(required(field, 'must specify a volume type'));
}

const glusterfs: Rule<'glusterfs'> = (errors, source, field) => {
  driverRules.glusterfs(errors, source, field);
  const { endpointsNamespace: namespace } = source;
  if (namespace === undefined) return;
  const path = `${field}.endpointsNamespace`;
  if (namespace === '') {
    const problem = 'if the endpointnamespace is set, it must be a valid namespace name';
    errors.push(invalid(path, namespace, problem));
  } else invalidEach(errors, path, namespace, dns1123Label(namespace));
};

const iscsi: Rule<'iscsi'> = (errors, source, field, volumeName) => {
  const { targetPortal = '', initiatorName } = source;
  needs(errors, source, field, 'targetPortal');
  if (initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > ISCSI_PORTAL_LENGTH_MAX) {
    errors.push(invalid(`${field}.targetportal`, targetPortal, ISCSI_PORTAL_TOO_LONG));
  }
  needs(errors, source, field, 'iqn');
  validateIscsiDisk(errors, source, field, true);
};

/** Such Secrets have a namespace too. */
function needsSecret(errors: FieldError[], secret: SecretReference | undefined, field: string): void {
  needsSecretName(errors, secret, field);
  if (secret && !secret.namespace) errors.push(required(`${field}.secretRef.namespace`));
}

const cinder: Rule<'cinder'> = (errors, source, field) => {
  needs(errors, source, field, 'volumeID');
  needsSecret(errors, source.secretRef, field);
};

const azureFile: Rule<'azureFile'> = (errors, source, field) => {
  driverRules.azureFile(errors, source, field);
  if (source.secretNamespace === '') errors.push(required(`${field}.secretNamespace`));
};

const local: Rule<'local'> = (errors, { path = '' }, field) => {
  if (path === '') errors.push(required(`${field}.path`));
  else validateNoBacksteps(errors, path, `${field}.path`);
};

const storageos: Rule<'storageos'> = (errors, source, field) => {
  validateStorageOsNames(errors, source, field);
  needsSecret(errors, source.secretRef, field);
};

/** nodeStageSecretRef is not among those that upstream checks. */
const CHECKED_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

const csi: Rule<'csi'> = (errors, source, field) => {
  validateDriverName(errors, source.driver ?? '', `${field}.driver`);
  needs(errors, source, field, 'volumeHandle');
  for (const name of CHECKED_SECRETS) {
    const secret = source[name];
    if (secret) validateSecretReference(errors, secret, `${field}.${name}`);
  }
};

function validateSecretReference(errors: FieldError[], secret: SecretReference, field: string): void {
  const { name = '', namespace = '' } = secret;
  if (name === '') errors.push(required(`${field}.name`));
  else invalidEach(errors, `${field}.name`, name, dns1123Subdomain(name));
  if (namespace === '') errors.push(required(`${field}.namespace`));
  else invalidEach(errors, `${field}.namespace`, namespace, dns1123Label(namespace));
}

const RULES: { readonly [K in Source]: Rule<K> } = {
  ...driverRules,
  hostPath,
  glusterfs,
  iscsi,
  cinder,
  azureFile,
  local,
  storageos,
  csi,
};
