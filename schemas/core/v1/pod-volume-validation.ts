/** Rules for volumes. */
import { addAll } from '../../add-all.js';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../field-error.js';
import { quantityOf } from '../../meta/quantity.js';
import { invalidEach, validateLabelSelector } from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import { validateClaimTemplate } from './persistent-volume-claim-validation.js';
import { driverRules, type SourceRule } from './pod-driver-validation.js';
import { validateFieldSelector, validateResourceFieldSelector, VOLUME_FIELDS } from './pod-env-validation.js';
import { validateNoBacksteps, validateUnreservedPath } from './pod-path-validation.js';
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from './pod-volumes.js';
import { HOST_PATH_TYPES, PULL_POLICIES } from './enums.js';

const FILE_MODE_MAX = 0o777;
const FILE_MODE_PROBLEM = 'must be a number between 0 and 0777 (octal), both inclusive';
const CSI_DRIVER_BYTES_MAX = 63;
export const ISCSI_PORTAL_LENGTH_MAX = 64;
export const ISCSI_PORTAL_TOO_LONG =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

export interface VolumeRules {
  /** Name of the pod; absent in templates. */
  readonly podName: string | undefined;
  readonly ofPod: boolean;
}

/** The volumes that are as they should be, by name: those that containers can mount. */
export function validateVolumes(
  errors: FieldError[],
  volumes: readonly Volume[],
  rules: VolumeRules,
  field: string,
): Map<string, Volume> {
  const good = new Map<string, Volume>();
  const claims = new Set<string>();
  for (const { name = '', ephemeral } of volumes) {
    if (rules.podName && ephemeral) claims.add(`${rules.podName}-${name}`);
  }
  for (const [i, volume] of volumes.entries()) {
    const path = `${field}[${i}]`;
    const before = errors.length;
    const { name = '' } = volume;
    validateSource(errors, volume, rules, path);
    if (name === '') errors.push(required(`${path}.name`));
    else invalidEach(errors, `${path}.name`, name, dns1123Label(name));
    if (good.has(name)) errors.push(duplicate(`${path}.name`, name));
    if (errors.length === before) good.set(name, volume);
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (claimName && claims.has(claimName)) {
      errors.push(
        invalid(
          `${path}.persistentVolumeClaim.claimName`,
          claimName,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      );
    }
  }
  return good;
}

/** In the order in which upstream looks at them: of several sources, the first is checked and the others are refused. */
const SOURCES = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[];
type Source = (typeof SOURCES)[number];

function validateSource(errors: FieldError[], volume: Volume, rules: VolumeRules, field: string): void {
  const [first, ...others] = SOURCES.filter((name) => volume[name] !== undefined);
  if (first === undefined) {
    errors.push(required(field, 'must specify a volume type'));
    return;
  }
  applyRule(errors, volume, first, `${field}.${first}`);
  if (first === 'image') validateImage(errors, volume, rules, `${field}.image`);
  if (first === 'ephemeral') validateClaimName(errors, volume, rules, `${field}.name`);
  for (const name of others) {
    errors.push(
      forbidden(`${field}.${FORBIDDEN_NAMES[name] ?? name}`, 'may not specify more than 1 volume type'),
    );
  }
  const portal = `${volume.name ?? ''}:${volume.iscsi?.targetPortal ?? ''}`;
  if (volume.iscsi?.initiatorName !== undefined && portal.length > ISCSI_PORTAL_LENGTH_MAX) {
    errors.push(invalid(`${field}.name`, volume.name ?? '', ISCSI_PORTAL_TOO_LONG));
  }
}

/** Two fields are misspelt in upstream's message about a second source. */
const FORBIDDEN_NAMES: Partial<Record<Source, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

function applyRule(errors: FieldError[], volume: Volume, name: Source, field: string): void {
  const rule = RULES[name] as SourceRule<Source> | undefined;
  const source = volume[name];
  if (source) rule?.(errors, source, field);
}

/** The claim made for an ephemeral volume is called after the pod and the volume. */
function validateClaimName(
  errors: FieldError[],
  { name = '' }: Volume,
  rules: VolumeRules,
  field: string,
): void {
  if (!rules.podName || name === '') return;
  const claim = `${rules.podName}-${name}`;
  for (const problem of dns1123Subdomain(claim)) {
    errors.push(invalid(field, name, `PVC name ${JSON.stringify(claim)}: ${problem}`));
  }
}

function validateImage(errors: FieldError[], { image }: Volume, rules: VolumeRules, field: string): void {
  if (rules.ofPod && !image?.reference) errors.push(required(`${field}.reference`));
  const policy = image?.pullPolicy ?? '';
  if (policy === '') errors.push(required(`${field}.pullPolicy`));
  else if (!PULL_POLICIES.includes(policy)) {
    errors.push(notSupported(`${field}.pullPolicy`, policy, PULL_POLICIES));
  }
}

function validateMode(errors: FieldError[], mode: number | undefined, field: string): void {
  if (mode !== undefined && (mode < 0 || mode > FILE_MODE_MAX)) {
    errors.push(invalid(field, mode, FILE_MODE_PROBLEM));
  }
}

const emptyDir: SourceRule<'emptyDir'> = (errors, { sizeLimit }, field) => {
  if (sizeLimit !== undefined && quantityOf(sizeLimit).value < 0n) {
    errors.push(forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
};

export const hostPath: SourceRule<'hostPath'> = (errors, { path = '', type }, field) => {
  if (path === '') {
    errors.push(required(`${field}.path`));
    return;
  }
  validateNoBacksteps(errors, path, `${field}.path`);
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) {
    errors.push(notSupported(`${field}.type`, type, HOST_PATH_TYPES));
  }
};

function validateItems(errors: FieldError[], items: readonly KeyToPath[], field: string): void {
  for (const [i, { key = '', path = '', mode }] of items.entries()) {
    const item = `${field}.items[${i}]`;
    if (key === '') errors.push(required(`${item}.key`));
    if (path === '') errors.push(required(`${item}.path`));
    validateUnreservedPath(errors, path, `${item}.path`);
    validateMode(errors, mode, `${item}.mode`);
  }
}

const secret: SourceRule<'secret'> = (errors, { secretName, defaultMode, items = [] }, field) => {
  if (!secretName) errors.push(required(`${field}.secretName`));
  validateMode(errors, defaultMode, `${field}.defaultMode`);
  validateItems(errors, items, field);
};

const configMap: SourceRule<'configMap'> = (errors, { name, defaultMode, items = [] }, field) => {
  if (!name) errors.push(required(`${field}.name`));
  validateMode(errors, defaultMode, `${field}.defaultMode`);
  validateItems(errors, items, field);
};

const persistentVolumeClaim: SourceRule<'persistentVolumeClaim'> = (errors, { claimName }, field) => {
  if (!claimName) errors.push(required(`${field}.claimName`));
};

const downwardAPI: SourceRule<'downwardAPI'> = (errors, { defaultMode, items = [] }, field) => {
  validateMode(errors, defaultMode, `${field}.defaultMode`);
  for (const file of items) validateDownwardFile(errors, file, field);
};

/** Upstream reports all files of a source under the path of the source. */
function validateDownwardFile(errors: FieldError[], file: DownwardAPIVolumeFile, field: string): void {
  const { path = '', fieldRef, resourceFieldRef, mode } = file;
  if (path === '') errors.push(required(`${field}.path`));
  validateUnreservedPath(errors, path, `${field}.path`);
  if (fieldRef) {
    validateFieldSelector(errors, fieldRef, VOLUME_FIELDS, `${field}.fieldRef`);
    if (resourceFieldRef) {
      const problem = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(invalid(field, 'resource', problem));
    }
  } else if (resourceFieldRef) {
    validateResourceFieldSelector(errors, resourceFieldRef, `${field}.resourceFieldRef`, true);
  } else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  validateMode(errors, mode, `${field}.mode`);
}

/** The name of a CSI driver. */
export function validateDriverName(errors: FieldError[], name: string, field: string): void {
  if (name === '') errors.push(required(field));
  if (name.length > CSI_DRIVER_BYTES_MAX) errors.push(tooLong(field, CSI_DRIVER_BYTES_MAX));
  invalidEach(errors, field, name, dns1123Subdomain(name.toLowerCase()));
}

const csi: SourceRule<'csi'> = (errors, { driver = '', nodePublishSecretRef: reference }, field) => {
  validateDriverName(errors, driver, `${field}.driver`);
  if (!reference) return;
  if (!reference.name) errors.push(required(`${field}.nodePublishSecretRef.name`));
  else invalidEach(errors, `${field}.name`, reference.name, dns1123Subdomain(reference.name));
};

const ephemeral: SourceRule<'ephemeral'> = (errors, { volumeClaimTemplate: template }, field) => {
  const path = `${field}.volumeClaimTemplate`;
  if (!template) errors.push(required(path));
  else validateClaimTemplate(errors, template, path);
};

const TOKEN_SECONDS_MIN = 10 * 60;
const TOKEN_SECONDS_MAX = 2 ** 32;

const projected: SourceRule<'projected'> = (errors, { defaultMode, sources = [] }, field) => {
  validateMode(errors, defaultMode, `${field}.defaultMode`);
  const paths = new Set<string>();
  const claim = (path: string, shown: string): void => {
    if (paths.has(path)) errors.push(invalid(field, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  for (const [i, source] of sources.entries()) {
    const path = `${field}.sources[${i}]`;
    for (const name of ['secret', 'configMap'] as const) {
      const from = source[name];
      if (!from) continue;
      if (!from.name) errors.push(required(`${path}.${name}.name`));
      for (const item of from.items ?? []) if (item.path) claim(item.path, from.name ?? '');
      validateItems(errors, from.items ?? [], `${path}.${name}`);
    }
    for (const file of source.downwardAPI?.items ?? []) {
      validateDownwardFile(errors, file, `${path}.downwardAPI`);
      if (file.path) claim(file.path, file.path);
    }
    if (source.serviceAccountToken) validateToken(errors, source.serviceAccountToken, path, field);
    if (source.clusterTrustBundle) {
      validateTrustBundle(errors, source.clusterTrustBundle, `${path}.clusterTrustBundle`);
      const bundlePath = source.clusterTrustBundle.path ?? '';
      claim(bundlePath, bundlePath);
    }
    if (Object.keys(source).length > 1) {
      errors.push(forbidden(path, 'may not specify more than 1 volume type per source'));
    }
  }
};

function validateToken(
  errors: FieldError[],
  { expirationSeconds: seconds = 0, path = '' }: NonNullable<VolumeProjection['serviceAccountToken']>,
  source: string,
  volume: string,
): void {
  const field = `${source}.serviceAccountToken.expirationSeconds`;
  if (seconds < TOKEN_SECONDS_MIN) {
    errors.push(invalid(field, seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > TOKEN_SECONDS_MAX) {
    errors.push(invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (path === '') errors.push(required(`${volume}.path`));
  else validateUnreservedPath(errors, path, `${volume}.path`);
}

function validateTrustBundle(
  errors: FieldError[],
  bundle: NonNullable<VolumeProjection['clusterTrustBundle']>,
  field: string,
): void {
  const { name, signerName, labelSelector, path = '' } = bundle;
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalid(field, bundle, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    if (name === '') errors.push(required(`${field}.name`, 'must be a valid object name'));
    if (labelSelector) {
      const problem = 'labelSelector must be unset if name is specified';
      errors.push(invalid(`${field}.labelSelector`, labelSelector, problem));
    }
  } else if (signerName !== undefined) {
    if (signerName === '') errors.push(required(`${field}.signerName`, 'must be a valid signer name'));
    addAll(
      errors,
      validateLabelSelector(labelSelector as LabelSelector | undefined, `${field}.labelSelector`),
    );
  } else errors.push(required(field, 'either name or signerName must be specified'));
  if (path === '') errors.push(required(`${field}.path`));
  validateUnreservedPath(errors, path, `${field}.path`);
}

const RULES: { readonly [K in Source]?: SourceRule<K> } = {
  ...driverRules,
  emptyDir,
  hostPath,
  secret,
  configMap,
  persistentVolumeClaim,
  downwardAPI,
  csi,
  ephemeral,
  projected,
};
