/** ReplicaSet: keeps a number of like pods. */
import { scaleSubresource } from '../../autoscaling/v1/scale.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { podTemplateSpec } from '../../core/v1/pod-template.js';
import { workloadConditions } from '../../core/v1/workload-condition.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, int32, int64, once, struct } from '../../fields.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { kubeObject, labelSelector } from '../../meta/v1.js';
import { validateNotNegative } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { formatLabelSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import {
  defaultWorkload,
  MORE_THAN_REPLICAS,
  workloadWarnings,
  templateColumns,
  validateReadyCounts,
  validateSameSelector,
  validateSelectorAndTemplate,
  type WorkloadSpec,
  type WorkloadStatus,
} from './workload.js';

const APPS = 'io.k8s.api.apps.v1';

const replicaSetSpec = once(() =>
  struct(
    `${APPS}.ReplicaSetSpec`,
    {
      replicas: int32({ description: 'How many pods there should be; 1 if absent.' }),
      minReadySeconds: int32({
        omitEmpty: true,
        description: 'How long a pod is ready before it is available.',
      }),
      selector: describe(labelSelector(), { description: 'Finds its pods. Never changes.' }),
      template: describe(podTemplateSpec(), { default: {} }),
    },
    { description: 'The pods that should be there.', required: ['selector'] },
  ),
);

const replicaSetStatus = once(() =>
  struct(
    `${APPS}.ReplicaSetStatus`,
    {
      replicas: int32({ default: 0 }),
      fullyLabeledReplicas: int32({ omitEmpty: true, description: 'Pods with all labels of the template.' }),
      readyReplicas: int32({ omitEmpty: true }),
      availableReplicas: int32({ omitEmpty: true, description: 'Pods ready for minReadySeconds.' }),
      terminatingReplicas: int32(),
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      conditions: workloadConditions(`${APPS}.ReplicaSetCondition`, 'v1.ReplicaSetConditionType'),
    },
    { description: 'The pods that are there.', required: ['replicas'] },
  ),
);

interface Status extends WorkloadStatus {
  fullyLabeledReplicas?: number;
}
const specOf = (object: KubeObject): WorkloadSpec => object['spec'] ?? {};
const statusOf = (object: KubeObject): Status => object['status'] ?? {};

function validate(object: KubeObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'spec.replicas', spec.replicas);
  validateNotNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  return [...errors, ...validateSelectorAndTemplate(spec)];
}

function validateStatus(object: KubeObject): FieldError[] {
  const status = statusOf(object);
  const { replicas = 0, fullyLabeledReplicas: labeled = 0 } = status;
  const errors: FieldError[] = [];
  for (const field of [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'observedGeneration',
  ] as const) {
    validateNotNegative(errors, `status.${field}`, status[field]);
  }
  if (labeled > replicas) errors.push(invalid('status.fullyLabeledReplicas', labeled, MORE_THAN_REPLICAS));
  return [...errors, ...validateReadyCounts(status)];
}

const defaults = (object: KubeObject): void => defaultWorkload(specOf(object));

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  validate,
  validateUpdate: (object, old) => validateSameSelector(specOf(object), specOf(old)),
  warnings: workloadWarnings,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateStatus,
};

export const replicaSets: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  listKind: 'ReplicaSetList',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'replicasets',
  description: 'Keeps a number of like pods; mostly made by a Deployment.',
  schema: once(() =>
    kubeObject(
      `${APPS}.ReplicaSet`,
      {
        spec: describe(replicaSetSpec(), { default: {} }),
        status: describe(replicaSetStatus(), { default: {} }),
      },
      { description: 'Keeps a number of like pods; mostly made by a Deployment.' },
    ),
  ),
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
    column('Desired', 'How many pods there should be.', (o) => specOf(o).replicas ?? 0, { type: 'integer' }),
    column('Current', 'How many there are.', (o) => statusOf(o).replicas ?? 0, { type: 'integer' }),
    column('Ready', 'How many are ready.', (o) => statusOf(o).readyReplicas ?? 0, { type: 'integer' }),
    ageColumn,
    ...templateColumns(specOf),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
