/** Deployment: like pods that are replaced gradually when their template changes. */
import { scaleSubresource } from '../../autoscaling/v1/scale.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepStatus, startWithoutStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { formatLabelSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { deployment, type DeploymentSpec, specOf, statusOf } from './deployment-schema.js';
import { validateDeployment, validateDeploymentStatus } from './deployment-validation.js';
import { defaultWorkload, workloadWarnings, templateColumns, validateSameSelector } from './workload.js';

const REVISION_HISTORY_LIMIT_DEFAULT = 10;
const PROGRESS_DEADLINE_SECONDS_DEFAULT = 600;
const ROLLING_UPDATE_DEFAULT = '25%';

function defaults(object: KubeObject): void {
  const spec: DeploymentSpec = specOf(object);
  defaultWorkload(spec);
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    const pace = (spec.strategy.rollingUpdate ??= {});
    pace.maxUnavailable ??= ROLLING_UPDATE_DEFAULT;
    pace.maxSurge ??= ROLLING_UPDATE_DEFAULT;
  }
  spec.revisionHistoryLimit ??= REVISION_HISTORY_LIMIT_DEFAULT;
  spec.progressDeadlineSeconds ??= PROGRESS_DEADLINE_SECONDS_DEFAULT;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validate: validateDeployment,
  validateUpdate: (object, old) => validateSameSelector(specOf(object), specOf(old)),
  warnings: workloadWarnings,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate(object, old) {
    object['spec'] = old['spec'];
    if (old.metadata.labels === undefined) delete object.metadata.labels;
    else object.metadata.labels = old.metadata.labels;
  },
  validateUpdate: validateDeploymentStatus,
};

export const deployments: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  listKind: 'DeploymentList',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'deployments',
  description: 'Like pods that are replaced gradually when their template changes.',
  schema: deployment,
  strategy,
  subresources: [
    scaleSubresource({
      specReplicas: 'spec.replicas',
      statusReplicas: 'status.replicas',
      selector: (object) => formatLabelSelector(specOf(object).selector),
    }),
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['spec', 'metadata.labels'],
    },
  ],
  columns: [
    nameColumn,
    column(
      'Ready',
      'How many pods are ready, of how many there should be.',
      (o) => `${statusOf(o).readyReplicas ?? 0}/${specOf(o).replicas ?? 0}`,
    ),
    column(
      'Up-to-date',
      'How many are made from the present template.',
      (o) => statusOf(o).updatedReplicas ?? 0,
    ),
    column(
      'Available',
      'How many were ready for minReadySeconds.',
      (o) => statusOf(o).availableReplicas ?? 0,
    ),
    ageColumn,
    ...templateColumns(specOf),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  generationCounts: 'annotations',
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
