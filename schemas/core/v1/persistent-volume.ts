/** PersistentVolume: storage of the cluster, for one claim at a time. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, required } from '../../field-error.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { timeText } from '../../meta/times.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { shortAccessModes } from './access-modes.js';
import { attributesClassColumn, storageClassColumn, volumeModeColumn } from './storage-columns.js';
import { defaultPersistentVolume } from './persistent-volume-defaults.js';
import {
  type PersistentVolume,
  PERSISTENT_VOLUME_DESCRIPTION,
  persistentVolume,
  type PersistentVolumeSpec,
  type PersistentVolumeStatus,
} from './persistent-volume-schema.js';
import { validateVolumeUpdate } from './persistent-volume-update.js';
import { hasInvalidNodeLabels, validateVolumeSpec } from './persistent-volume-validation.js';
import { volumeWarnings } from './persistent-volume-warnings.js';

const specOf = (volume: KubeObject): PersistentVolumeSpec => volume['spec'] ?? {};
const statusOf = (volume: KubeObject): PersistentVolumeStatus => volume['status'] ?? {};

const defaults = (object: KubeObject): void => defaultPersistentVolume(object as unknown as PersistentVolume);

/** Of a phase that begins now. */
const sinceNow = (now: number): PersistentVolumeStatus => ({ lastPhaseTransitionTime: timeText(now) });

function validate(errors: FieldError[], object: KubeObject, old?: KubeObject): void {
  const rules = {
    volumeName: object.metadata.name ?? '',
    allowInvalidNodeLabels: old !== undefined && hasInvalidNodeLabels(specOf(old)),
  };
  validateVolumeSpec(errors, specOf(object), rules, 'spec');
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object, _requester, now) {
    object['status'] = { phase: 'Pending', ...sinceNow(now) };
  },
  prepareForUpdate: keepStatus,
  validateCreate(object) {
    const errors: FieldError[] = [];
    validate(errors, object);
    return errors;
  },
  validateUpdate(object, old) {
    const errors: FieldError[] = [];
    // Upstream looks at the spec twice.
    validate(errors, object, old);
    validate(errors, object, old);
    validateVolumeUpdate(errors, specOf(object), specOf(old));
    return errors;
  },
  warnings: (object) => volumeWarnings(object, specOf(object)),
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate(object, old, now) {
    keepSpec(object, old);
    const [status, before] = [statusOf(object), statusOf(old)];
    const time = status.lastPhaseTransitionTime;
    if (status.phase !== before.phase) {
      const isKept = time === undefined || time === before.lastPhaseTransitionTime;
      if (isKept) object['status'] = { ...status, ...sinceNow(now) };
    } else if (time === undefined && before.lastPhaseTransitionTime !== undefined) {
      object['status'] = { ...status, lastPhaseTransitionTime: before.lastPhaseTransitionTime };
    }
  },
  validateUpdate: ({ metadata }) => (metadata.resourceVersion ? [] : [required('resourceVersion')]),
};

function claimOf(volume: KubeObject): string {
  const { claimRef } = specOf(volume);
  return claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '';
}

export const persistentVolumes: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  listKind: 'PersistentVolumeList',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'persistentvolumes',
  description: PERSISTENT_VOLUME_DESCRIPTION,
  schema: persistentVolume,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Capacity', 'How large it is.', (object) => specOf(object).capacity?.['storage'] ?? '0'),
    column('Access Modes', 'How it may be mounted.', (object) =>
      shortAccessModes(specOf(object).accessModes),
    ),
    column(
      'Reclaim Policy',
      'What becomes of it without its claim.',
      (object) => specOf(object).persistentVolumeReclaimPolicy ?? '',
    ),
    column('Status', 'Whether it has a claim.', (object) =>
      object.metadata.deletionTimestamp ? 'Terminating' : (statusOf(object).phase ?? ''),
    ),
    column('Claim', 'The claim it is bound to.', claimOf),
    storageClassColumn('The class it is of.'),
    attributesClassColumn('The class of what can change in it.'),
    column('Reason', 'Why it is in this state.', (object) => statusOf(object).reason ?? ''),
    ageColumn,
    volumeModeColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
