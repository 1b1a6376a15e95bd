/** ReplicationController: keeps a number of like pods; what ReplicaSets and Deployments have taken the place of. */
import { addAll } from '../../add-all.js';
import { scaleSubresource } from '../../autoscaling/v1/scale.js';
import { ageColumn, column, formatLabels, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, int32, int64, map, once, struct, text } from '../../fields.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { kubeObject } from '../../meta/v1.js';
import { validateNotNegative } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { formatLabelSelector, selectorMatches, sortedByKey } from '../../validation/selectors.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import {
  defaultPodTemplate,
  type PodTemplateSpec,
  podTemplateSpec,
  validatePodTemplate,
  validateRunsForever,
} from './pod-template.js';
import { containerColumns } from './pod-template-columns.js';
import { isNewIntent, podNameWarnings, podTemplateWarnings } from './pod-warnings.js';
import { workloadConditions } from './workload-condition.js';

const CORE = 'io.k8s.api.core.v1';
const DESCRIPTION = 'Keeps a number of like pods; a Deployment does it better.';

const replicationControllerSpec = once(() =>
  struct(
    `${CORE}.ReplicationControllerSpec`,
    {
      replicas: int32({ default: 1, description: 'How many pods there should be.' }),
      minReadySeconds: int32({
        default: 0,
        omitEmpty: true,
        description: 'How long a pod is ready before it is available.',
      }),
      selector: map(text(), {
        mapType: 'atomic',
        description: "Labels of its pods; the template's if absent.",
      }),
      template: describe(podTemplateSpec(), { description: 'What its pods look like.' }),
    },
    { description: 'The pods that should be there.' },
  ),
);

const replicationControllerStatus = once(() =>
  struct(
    `${CORE}.ReplicationControllerStatus`,
    {
      replicas: int32({ default: 0 }),
      fullyLabeledReplicas: int32({ omitEmpty: true, description: 'Pods with all labels of the template.' }),
      readyReplicas: int32({ omitEmpty: true }),
      availableReplicas: int32({ omitEmpty: true, description: 'Pods ready for minReadySeconds.' }),
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      conditions: workloadConditions(
        `${CORE}.ReplicationControllerCondition`,
        'v1.ReplicationControllerConditionType',
      ),
    },
    { description: 'The pods that are there.', required: ['replicas'] },
  ),
);

interface Spec {
  replicas?: number;
  minReadySeconds?: number;
  selector?: Record<string, string>;
  template?: PodTemplateSpec;
}
interface Status {
  replicas?: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};
const statusOf = (object: KubeObject): Status => object['status'] ?? {};

const isEmpty = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  Object.keys(labels ?? {}).length === 0;

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined) {
    if (isEmpty(spec.selector)) spec.selector = labels;
    if (isEmpty(object.metadata.labels)) object.metadata.labels = labels;
  }
  spec.replicas ??= 1;
  if (spec.template) defaultPodTemplate(spec.template);
}

function validateSpec({ replicas, minReadySeconds, selector, template }: Spec): FieldError[] {
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'spec.minReadySeconds', minReadySeconds);
  if (isEmpty(selector)) errors.push(required('spec.selector'));
  validateNotNegative(errors, 'spec.replicas', replicas);
  if (template === undefined) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels;
  if (!isEmpty(selector) && !selectorMatches({ matchLabels: selector ?? {} }, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sortedByKey(labels), problem));
  }
  addAll(errors, validatePodTemplate(template, 'spec.template'));
  validateRunsForever(errors, template, 'ReplicationController', 'spec.template');
  return errors;
}

function validateStatus(object: KubeObject): FieldError[] {
  const status = statusOf(object);
  const { replicas = 0, readyReplicas: ready = 0, availableReplicas: available = 0 } = status;
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
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const { [field]: count = 0 } = status;
    if (count > replicas) {
      errors.push(invalid(`status.${field}`, count, 'cannot be greater than status.replicas'));
    }
  }
  if (available > ready) {
    errors.push(invalid('status.availableReplicas', available, 'cannot be greater than readyReplicas'));
  }
  return errors;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  validateCreate: (object) => validateSpec(specOf(object)),
  validateUpdate(object) {
    const errors = validateSpec(specOf(object));
    // Upstream looks at the spec twice.
    return [...errors, ...errors];
  },
  warnings(object, old) {
    const warnings = old === undefined ? podNameWarnings(object) : [];
    const { template } = specOf(object);
    if (template && isNewIntent(object, old))
      addAll(warnings, podTemplateWarnings(template, 'spec.template'));
    return warnings;
  },
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateStatus,
};

export const replicationControllers: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  listKind: 'ReplicationControllerList',
  plural: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'controllers',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${CORE}.ReplicationController`,
      {
        spec: describe(replicationControllerSpec(), { default: {} }),
        status: describe(replicationControllerStatus(), { default: {} }),
      },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [
    scaleSubresource({
      specReplicas: 'spec.replicas',
      statusReplicas: 'status.replicas',
      selector: (object) => formatLabelSelector({ matchLabels: specOf(object).selector ?? {} }),
    }),
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy },
  ],
  columns: [
    nameColumn,
    column('Desired', 'How many pods there should be.', (o) => specOf(o).replicas ?? 0, { type: 'integer' }),
    column('Current', 'How many there are.', (o) => statusOf(o).replicas ?? 0, { type: 'integer' }),
    column('Ready', 'How many are ready.', (o) => statusOf(o).readyReplicas ?? 0, { type: 'integer' }),
    ageColumn,
    ...containerColumns((o) => specOf(o).template, { priority: 1 }),
    column('Selector', 'Labels of its pods.', (o) => formatLabels(specOf(o).selector), { priority: 1 }),
  ],
  selectableFields: { 'status.replicas': (object) => String(statusOf(object).replicas ?? 0) },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  orphansByDefault: {},
};
