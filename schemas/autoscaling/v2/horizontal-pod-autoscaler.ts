/** HorizontalPodAutoscaler: sizes a workload by metrics. This is the form in which both versions are stored. */
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { autoscalerColumns } from './horizontal-pod-autoscaler-columns.js';
import {
  type AutoscalerSpec,
  DESCRIPTION,
  horizontalPodAutoscaler,
  type ScalingRules,
  specOf,
} from './horizontal-pod-autoscaler-schema.js';
import { validateAutoscaler, validateAutoscalerStatus } from './horizontal-pod-autoscaler-validation.js';
import { CPU_UTILIZATION_DEFAULT, cpuUtilization } from './metrics.js';

const POLICY_PERIOD_SECONDS = 15;

/** Doubled, or four pods more, in a quarter of a minute, and at once. */
const scaleUpDefaults = (): ScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: POLICY_PERIOD_SECONDS },
    { type: 'Percent', value: 100, periodSeconds: POLICY_PERIOD_SECONDS },
  ],
});
/** The window is the controller's to know. */
const scaleDownDefaults = (): ScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: POLICY_PERIOD_SECONDS }],
});

/** In Go's order. */
function withDefaults(rules: ScalingRules = {}, defaults: ScalingRules): ScalingRules {
  const stabilizationWindowSeconds = rules.stabilizationWindowSeconds ?? defaults.stabilizationWindowSeconds;
  const { selectPolicy = defaults.selectPolicy, policies = defaults.policies, tolerance } = rules;
  return {
    ...(stabilizationWindowSeconds === undefined ? {} : { stabilizationWindowSeconds }),
    selectPolicy,
    policies,
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

/** In Go's order, whatever was given. */
function defaults(object: KubeObject): void {
  const { scaleTargetRef = {}, minReplicas = 1, maxReplicas = 0, metrics = [], behavior } = specOf(object);
  const spec: AutoscalerSpec = {
    scaleTargetRef,
    minReplicas,
    maxReplicas,
    metrics: metrics.length === 0 ? [cpuUtilization(CPU_UTILIZATION_DEFAULT)] : metrics,
  };
  if (behavior !== undefined) {
    spec.behavior = {
      scaleUp: withDefaults(behavior.scaleUp, scaleUpDefaults()),
      scaleDown: withDefaults(behavior.scaleDown, scaleDownDefaults()),
    };
  }
  object['spec'] = spec;
}

export const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = { desiredReplicas: 0, currentMetrics: null };
  },
  prepareForUpdate: keepStatus,
  validateCreate: (object) => validateAutoscaler(object),
  validateUpdate: validateAutoscaler,
};

export const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateAutoscalerStatus,
};

export const horizontalPodAutoscalers: ResourceDefinition = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  listKind: 'HorizontalPodAutoscalerList',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'horizontalpodautoscalers',
  description: DESCRIPTION,
  schema: horizontalPodAutoscaler,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: autoscalerColumns,
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
