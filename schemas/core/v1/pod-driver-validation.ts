/** Rules for the volume sources of storage drivers that were once built in. */
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Label, rangeProblem } from '../../validation/names.js';
import { validateDescendingPath } from './pod-path-validation.js';
import type { Volume } from './pod-volumes.js';

type Rule<K extends keyof Volume> = (
  errors: FieldError[],
  source: NonNullable<Volume[K]>,
  field: string,
) => void;

/** Each field that is empty is required. */
export function needs<T extends object>(
  errors: FieldError[],
  source: T,
  field: string,
  ...names: (keyof T & string)[]
): void {
  for (const name of names) {
    const value = source[name];
    if (!value || (Array.isArray(value) && value.length === 0)) errors.push(required(`${field}.${name}`));
  }
}

export function needsSecretName(
  errors: FieldError[],
  secret: { name?: string | undefined } | undefined,
  field: string,
): void {
  if (secret && !secret.name) errors.push(required(`${field}.secretRef.name`));
}

const PARTITION = rangeProblem(1, 255);
function validatePartition(errors: FieldError[], partition: number | undefined, field: string): void {
  if (partition !== undefined && (partition < 0 || partition > 255)) {
    errors.push(invalid(`${field}.partition`, partition, PARTITION));
  }
}

const gcePersistentDisk: Rule<'gcePersistentDisk'> = (errors, source, field) => {
  // Upstream names this field by its former name.
  const path = field.replace(/gcePersistentDisk$/, 'persistentDisk');
  needs(errors, source, path, 'pdName');
  validatePartition(errors, source.partition, path);
};

const awsElasticBlockStore: Rule<'awsElasticBlockStore'> = (errors, source, field) => {
  needs(errors, source, field, 'volumeID');
  validatePartition(errors, source.partition, field);
};

const gitRepo: Rule<'gitRepo'> = (errors, source, field) => {
  needs(errors, source, field, 'repository');
  validateDescendingPath(errors, source.directory ?? '', `${field}.directory`);
};

const nfs: Rule<'nfs'> = (errors, source, field) => {
  needs(errors, source, field, 'server', 'path');
  if (!source.path?.startsWith('/')) {
    errors.push(invalid(`${field}.path`, source.path ?? '', 'must be an absolute path'));
  }
};

const ISCSI_NAMES = {
  iqn: /^iqn\.\d{4}-\d{2}\.([a-z0-9-.]+)(:([^,;*&$|\s]+))$/i,
  eui: /^eui.[0-9a-fA-F]{16}$/,
  naa: /^naa.[0-9a-fA-F]{32}$/,
} as const;

const ISCSI_FORMAT = 'must be valid format';
const ISCSI_SCHEME = 'must be valid format starting with iqn, eui, or naa';

function validateIscsiName(errors: FieldError[], name: string, field: string, noScheme: string): void {
  const scheme = (['iqn', 'eui', 'naa'] as const).find((prefix) => name.startsWith(prefix));
  if (scheme === undefined) errors.push(invalid(field, name, noScheme));
  else if (!ISCSI_NAMES[scheme].test(name)) errors.push(invalid(field, name, ISCSI_FORMAT));
}

const iscsi: Rule<'iscsi'> = (errors, source, field) => {
  needs(errors, source, field, 'targetPortal', 'iqn');
  validateIscsiDisk(errors, source, field, false);
};

/** Upstream says less of a persistent volume's names and asks more of its Secret. */
export function validateIscsiDisk(
  errors: FieldError[],
  source: NonNullable<Volume['iscsi']>,
  field: string,
  isPersistent: boolean,
): void {
  const { iqn, lun = 0, initiatorName, secretRef } = source;
  const noScheme = isPersistent ? ISCSI_FORMAT : ISCSI_SCHEME;
  if (iqn) validateIscsiName(errors, iqn, `${field}.iqn`, noScheme);
  if (lun < 0 || lun > 255) errors.push(invalid(`${field}.lun`, lun, rangeProblem(0, 255)));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef) {
    errors.push(required(`${field}.secretRef`));
  }
  if (isPersistent) needsSecretName(errors, secretRef, field);
  if (initiatorName !== undefined) {
    validateIscsiName(errors, initiatorName, `${field}.initiatorname`, noScheme);
  }
}

const rbd: Rule<'rbd'> = (errors, source, field) => needs(errors, source, field, 'monitors', 'image');
const glusterfs: Rule<'glusterfs'> = (errors, source, field) =>
  needs(errors, source, field, 'endpoints', 'path');
const cephfs: Rule<'cephfs'> = (errors, source, field) => needs(errors, source, field, 'monitors');
const azureFile: Rule<'azureFile'> = (errors, source, field) =>
  needs(errors, source, field, 'secretName', 'shareName');
const vsphereVolume: Rule<'vsphereVolume'> = (errors, source, field) =>
  needs(errors, source, field, 'volumePath');
const photonPersistentDisk: Rule<'photonPersistentDisk'> = (errors, source, field) =>
  needs(errors, source, field, 'pdID');
const portworxVolume: Rule<'portworxVolume'> = (errors, source, field) =>
  needs(errors, source, field, 'volumeID');
const scaleIO: Rule<'scaleIO'> = (errors, source, field) =>
  needs(errors, source, field, 'gateway', 'system', 'volumeName');

const flexVolume: Rule<'flexVolume'> = (errors, source, field) => {
  needs(errors, source, field, 'driver');
  for (const key of Object.keys(source.options ?? {})) {
    const domain = `.${key.split('/', 1)[0]}`.toLowerCase();
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      const problem = 'kubernetes.io and k8s.io namespaces are reserved';
      errors.push(invalid(`${field}.options[${key}]`, key, problem));
    }
  }
};

const cinder: Rule<'cinder'> = (errors, source, field) => {
  needs(errors, source, field, 'volumeID');
  needsSecretName(errors, source.secretRef, field);
};

const flocker: Rule<'flocker'> = (errors, { datasetName = '', datasetUUID = '' }, field) => {
  if (datasetName === '' && datasetUUID === '') {
    errors.push(required(field, 'one of datasetName and datasetUUID is required'));
  }
  if (datasetName !== '' && datasetUUID !== '') {
    const problem = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.push(invalid(field, 'resource', problem));
  }
  if (datasetName.includes('/')) {
    errors.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
  }
};

const fc: Rule<'fc'> = (errors, { targetWWNs = [], wwids = [], lun }, field) => {
  const path = `${field}.targetWWNs`;
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(path, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targetWWNs.length === 0) return;
  if (wwids.length > 0) {
    errors.push(invalid(path, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (lun === undefined) errors.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
  else if (lun < 0 || lun > 255) errors.push(invalid(`${field}.lun`, lun, rangeProblem(0, 255)));
};

const quobyte: Rule<'quobyte'> = (errors, { registry = '', tenant = '', volume = '' }, field) => {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (registry === '') errors.push(required(`${field}.registry`, pairs));
  else if (tenant.length >= 65) {
    const problem = 'must be a UUID and may not exceed a length of 64 characters';
    errors.push(required(`${field}.tenant`, problem));
  } else {
    for (const pair of registry.split(',')) {
      if (!/^(?:[^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) {
        errors.push(invalid(`${field}.registry`, registry, pairs));
      }
    }
  }
  if (volume === '') errors.push(required(`${field}.volume`));
};

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared'];
const MANAGED_DISK_URI =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

const azureDisk: Rule<'azureDisk'> = (errors, source, field) => {
  needs(errors, source, field, 'diskName', 'diskURI');
  const { cachingMode: mode, kind, diskURI = '' } = source;
  if (mode !== undefined && !CACHING_MODES.includes(mode)) {
    errors.push(notSupported(`${field}.cachingMode`, mode, CACHING_MODES));
  }
  if (kind === undefined) return;
  if (!DISK_KINDS.includes(kind)) errors.push(notSupported(`${field}.kind`, kind, DISK_KINDS));
  const [prefix, shape] =
    kind === 'Managed' ? ['/subscriptions/', MANAGED_DISK_URI] : ['https://', BLOB_DISK_URI];
  if (!diskURI.startsWith(prefix)) errors.push(notSupported(`${field}.diskURI`, diskURI, [shape]));
};

const storageos: Rule<'storageos'> = (errors, source, field) => {
  validateStorageOsNames(errors, source, field);
  needsSecretName(errors, source.secretRef, field);
};

export function validateStorageOsNames(
  errors: FieldError[],
  source: NonNullable<Volume['storageos']>,
  field: string,
): void {
  needs(errors, source, field, 'volumeName');
  for (const name of ['volumeName', 'volumeNamespace'] as const) {
    const value = source[name];
    if (value) invalidEach(errors, `${field}.${name}`, value, dns1123Label(value));
  }
}

export const driverRules = {
  gcePersistentDisk,
  awsElasticBlockStore,
  gitRepo,
  nfs,
  iscsi,
  glusterfs,
  rbd,
  flexVolume,
  cinder,
  cephfs,
  flocker,
  fc,
  azureFile,
  vsphereVolume,
  quobyte,
  azureDisk,
  photonPersistentDisk,
  portworxVolume,
  scaleIO,
  storageos,
} as const;
export type SourceRule<K extends keyof Volume> = Rule<K>;
