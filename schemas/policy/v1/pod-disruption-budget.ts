/** PodDisruptionBudget: how many of an application's pods may be evicted at a time. */
import { addAll } from '../../add-all.js';
import { validateAtMostAll, validateCount } from '../../apps/v1/counts.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, notSupported } from '../../field-error.js';
import { describe, int32, int64, list, map, once, struct, text } from '../../fields.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { intOrString } from '../../meta/scalars.js';
import { condition, kubeObject, labelSelector, time } from '../../meta/v1.js';
import { type Condition, validateConditions } from '../../validation/conditions.js';
import { validateLabelSelector, validateNotNegative } from '../../validation/metadata.js';
import { labelValue, nameIs } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';

const POLICY = 'io.k8s.api.policy.v1';
const DESCRIPTION = 'How many of some pods may be evicted at a time.';
const UNHEALTHY_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

const spec = once(() =>
  struct(
    `${POLICY}.PodDisruptionBudgetSpec`,
    {
      minAvailable: intOrString({ description: 'How many pods, or which part of them, must stay.' }),
      selector: describe(labelSelector(), {
        patchStrategy: 'replace',
        description: 'Which pods it is about; an empty one is all of the namespace, none is none.',
      }),
      maxUnavailable: intOrString({
        description: 'How many pods, or which part of them, may be missing; in place of minAvailable.',
      }),
      unhealthyPodEvictionPolicy: text({
        enum: UNHEALTHY_POLICIES,
        goType: 'v1.UnhealthyPodEvictionPolicyType',
        description: 'Whether pods that run and are not ready may always go. IfHealthyBudget if absent.',
      }),
    },
    { description: 'The pods, and how many of them must stay.' },
  ),
);

const status = once(() =>
  struct(
    `${POLICY}.PodDisruptionBudgetStatus`,
    {
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      disruptedPods: map(time(), {
        description: 'Pods whose eviction was granted and that have not been seen to go, and since when.',
      }),
      disruptionsAllowed: int32({ default: 0, description: 'How many evictions may be granted now.' }),
      currentHealthy: int32({ default: 0 }),
      desiredHealthy: int32({ default: 0, description: 'How many pods must be healthy.' }),
      expectedPods: int32({ default: 0, description: 'How many pods are counted.' }),
      conditions: list(condition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
    },
    { description: 'How many pods are there, and how many may go.' },
  ),
);

export interface BudgetSpec {
  readonly minAvailable?: number | string;
  readonly maxUnavailable?: number | string;
  readonly selector?: LabelSelector;
  readonly unhealthyPodEvictionPolicy?: string;
}
export interface BudgetStatus {
  readonly observedGeneration?: number;
  readonly disruptedPods?: Readonly<Record<string, string>>;
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly expectedPods?: number;
  readonly conditions?: readonly Condition[];
}
export const budgetSpec = (object: KubeObject): BudgetSpec => object['spec'] ?? {};
export const budgetStatus = (object: KubeObject): BudgetStatus => object['status'] ?? {};

function validate(object: KubeObject, allowInvalidValues = false): FieldError[] {
  const given = budgetSpec(object);
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: unhealthy } = given;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const problem = 'minAvailable and maxUnavailable cannot be both set';
    errors.push(invalid('spec', internalStruct(spec(), { ...given }), problem));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const { [field]: count } = given;
    if (count === undefined) continue;
    validateCount(errors, `spec.${field}`, count);
    validateAtMostAll(errors, `spec.${field}`, count);
  }
  addAll(errors, validateLabelSelector(selector, 'spec.selector', { allowInvalidValues }));
  if (unhealthy !== undefined && !UNHEALTHY_POLICIES.includes(unhealthy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', unhealthy, UNHEALTHY_POLICIES));
  }
  return errors;
}

/** Selectors were not always checked, and those that are there stay. */
const hasInvalidValues = ({ selector }: BudgetSpec): boolean =>
  (selector?.matchExpressions ?? []).some(({ values = [] }) =>
    values.some((value) => labelValue(value).length > 0),
  );

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

function validateStatus(object: KubeObject): FieldError[] {
  const given = budgetStatus(object);
  const errors = validateConditions(given.conditions ?? [], 'status.conditions');
  for (const field of COUNTS) validateNotNegative(errors, `status.${field}`, given[field]);
  return errors;
}

const strategy: Strategy = {
  prepareForCreate(object) {
    object['status'] = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  prepareForUpdate: keepStatus,
  validateCreate: (object) => validate(object),
  validateUpdate: (object, old) => validate(object, hasInvalidValues(budgetSpec(old))),
};

const statusStrategy: Strategy = {
  prepareForUpdate: keepSpec,
  validateUpdate: validateStatus,
};

const countCell = (field: 'minAvailable' | 'maxUnavailable') => (object: KubeObject) =>
  String(budgetSpec(object)[field] ?? 'N/A');

export const podDisruptionBudgets: ResourceDefinition = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  listKind: 'PodDisruptionBudgetList',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'poddisruptionbudgets',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${POLICY}.PodDisruptionBudget`,
      {
        spec: describe(spec(), { default: {} }),
        status: describe(status(), { default: {} }),
      },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Min Available', 'How many pods must stay.', countCell('minAvailable')),
    column('Max Unavailable', 'How many pods may be missing.', countCell('maxUnavailable')),
    column(
      'Allowed Disruptions',
      'How many pods may be evicted now.',
      (object) => budgetStatus(object).disruptionsAllowed ?? 0,
      { type: 'integer' },
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.pathSegment,
  generation: true,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
};
