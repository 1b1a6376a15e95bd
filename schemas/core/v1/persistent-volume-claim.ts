/** PersistentVolumeClaim: asks for storage, and is bound to a volume that has it. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { shortAccessModes } from './access-modes.js';
import { attributesClassColumn, storageClassColumn, volumeModeColumn } from './storage-columns.js';
import { defaultClaim } from './persistent-volume-claim-defaults.js';
import {
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
  persistentVolumeClaim,
} from './persistent-volume-claim-schema.js';
import {
  CLASS_ANNOTATION,
  specOf,
  statusOf,
  validateClaimStatusUpdate,
  validateClaimUpdate,
} from './persistent-volume-claim-update.js';
import { validateClaimSpec } from './persistent-volume-claim-validation.js';
import { addClaimWarnings } from './pod-warnings.js';

type DataSource = NonNullable<PersistentVolumeClaimSpec['dataSource']>;

const defaults = (object: KubeObject): void => defaultClaim(object as unknown as PersistentVolumeClaim);

/** What the field could name before it got a successor that may name anything. */
function isFormerSource({ apiGroup, kind }: DataSource): boolean {
  if (kind === 'PersistentVolumeClaim') return !apiGroup;
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}

/** Leaves the same source in both fields, or none in either. */
function agreeOnDataSource(object: KubeObject, old?: KubeObject): void {
  const spec = specOf(object);
  const before = old && specOf(old);
  // Other namespaces are behind a feature that is off, but a claim that has one keeps it.
  if (spec.dataSourceRef?.namespace && !before?.dataSourceRef) delete spec.dataSourceRef;
  const { dataSource: source, dataSourceRef: reference } = spec;
  if (source && !reference && !before?.dataSource && !isFormerSource(source)) delete spec.dataSource;
  if (reference && !source) {
    if (reference.namespace) return;
    const { namespace: _, ...named } = reference;
    spec.dataSource = named;
  } else if (spec.dataSource && !reference) {
    spec.dataSourceRef = { ...spec.dataSource };
  }
}

function validate(object: KubeObject): ReturnType<NonNullable<Strategy['validate']>> {
  const errors: ReturnType<NonNullable<Strategy['validate']>> = [];
  validateClaimSpec(errors, specOf(object), 'spec');
  return errors;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { phase: 'Pending' };
    agreeOnDataSource(object);
  },
  prepareForUpdate(object, old) {
    object['status'] = old['status'];
    agreeOnDataSource(object, old);
  },
  validate,
  // Upstream looks at the spec twice.
  validateUpdate: (object, old) => [...validate(object), ...validateClaimUpdate(object, old)],
  warnings(object) {
    const warnings: string[] = [];
    if (object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) {
      const instead = 'deprecated since v1.8; use "storageClassName" attribute instead';
      warnings.push(`metadata.annotations[${CLASS_ANNOTATION}]: ${instead}`);
    }
    addClaimWarnings(warnings, specOf(object), 'spec');
    return warnings;
  },
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateClaimStatusUpdate,
};

/** Of what the claim really has, which is nothing before it names a volume. */
const ifBound = (object: KubeObject, cell: () => string): string => (specOf(object).volumeName ? cell() : '');

export const persistentVolumeClaims: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  listKind: 'PersistentVolumeClaimList',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'persistentvolumeclaims',
  description: 'Asks for storage, and is bound to a volume that has it.',
  schema: persistentVolumeClaim,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Status', 'Whether it has a volume.', (object) =>
      object.metadata.deletionTimestamp ? 'Terminating' : (statusOf(object).phase ?? ''),
    ),
    column('Volume', 'The volume it is bound to.', (object) => specOf(object).volumeName ?? ''),
    column('Capacity', 'What the volume really has.', (object) =>
      ifBound(object, () => statusOf(object).capacity?.['storage'] ?? '0'),
    ),
    column('Access Modes', 'How the volume may be mounted.', (object) =>
      ifBound(object, () => shortAccessModes(statusOf(object).accessModes)),
    ),
    storageClassColumn('The class of the volume.'),
    attributesClassColumn('The class of what can change in the volume.'),
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
