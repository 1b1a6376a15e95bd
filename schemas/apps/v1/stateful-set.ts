/** StatefulSet: pods with names and storage of their own. */
import { scaleSubresource } from '../../autoscaling/v1/scale.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { defaultClaim } from '../../core/v1/persistent-volume-claim-defaults.js';
import { containerColumns } from '../../core/v1/pod-template-columns.js';
import { addClaimWarnings, isNewIntent, podTemplateWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { formatLabelSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { specOf, statefulSet, type StatefulSetSpec, statusOf } from './stateful-set-schema.js';
import {
  validateStatefulSet,
  validateStatefulSetStatus,
  validateStatefulSetUpdate,
} from './stateful-set-validation.js';
import { defaultWorkload } from './workload.js';

const REVISION_HISTORY_LIMIT_DEFAULT = 10;

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  // Who names the type and no pace gets none.
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0;
  const policy = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  policy.whenDeleted ||= 'Retain';
  policy.whenScaled ||= 'Retain';
  spec.revisionHistoryLimit ??= REVISION_HISTORY_LIMIT_DEFAULT;
  defaultWorkload(spec);
  if (spec.volumeClaimTemplates) spec.volumeClaimTemplates = spec.volumeClaimTemplates.map(asClaim);
}

/** Upstream gives them their kind whatever the author wrote. */
function asClaim(given: NonNullable<StatefulSetSpec['volumeClaimTemplates']>[number]): typeof given {
  const front = { kind: '', apiVersion: '' };
  const claim = { ...front, ...given, kind: 'PersistentVolumeClaim', apiVersion: 'v1' };
  defaultClaim(claim);
  return claim;
}

/** As long as the feature is off it cannot be set, but whoever has it keeps it. */
function dropMaxUnavailable(spec: StatefulSetSpec, old?: StatefulSetSpec): void {
  const pace = spec.updateStrategy?.rollingUpdate;
  if (pace && old?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) delete pace.maxUnavailable;
}

function warnings(object: KubeObject, old?: KubeObject): string[] {
  const { template = {}, volumeClaimTemplates = [], revisionHistoryLimit = 0 } = specOf(object);
  const found = isNewIntent(object, old) ? podTemplateWarnings(template, 'spec.template') : [];
  // Upstream's paths.
  const suffix = old === undefined ? '' : '.Spec';
  for (const [i, { spec = {} }] of volumeClaimTemplates.entries()) {
    addClaimWarnings(found, spec, `spec.volumeClaimTemplates[${i}]${suffix}`);
  }
  if (revisionHistoryLimit < 0) {
    found.push(
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    );
  }
  return found;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { replicas: 0, availableReplicas: 0 };
    dropMaxUnavailable(specOf(object));
  },
  prepareForUpdate(object, old) {
    object['status'] = old['status'];
    dropMaxUnavailable(specOf(object), specOf(old));
  },
  validateCreate: validateStatefulSet,
  validateUpdate: validateStatefulSetUpdate,
  warnings,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateStatefulSetStatus,
};

export const statefulSets: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  listKind: 'StatefulSetList',
  plural: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'statefulsets',
  description: 'Pods with names and storage of their own, which they keep when they are replaced.',
  schema: statefulSet,
  strategy,
  subresources: [
    scaleSubresource({
      specReplicas: 'spec.replicas',
      statusReplicas: 'status.replicas',
      selector: (object) => formatLabelSelector(specOf(object).selector),
    }),
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy },
  ],
  columns: [
    nameColumn,
    column(
      'Ready',
      'How many pods are ready, of how many there should be.',
      (o) => `${statusOf(o).readyReplicas ?? 0}/${specOf(o).replicas ?? 0}`,
    ),
    ageColumn,
    ...containerColumns((o) => specOf(o).template, { priority: 1 }),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Label,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
