/** The fields of a HorizontalPodAutoscaler of v2. */
import type * as z from 'zod';
import { workloadConditions } from '../../core/v1/workload-condition.js';
import type { KubeObject } from '../../definition.js';
import { describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';
import { kubeObject, time } from '../../meta/v1.js';
import { crossVersionObjectReference, metricSpec, metricStatus } from './metrics.js';

const V2 = 'io.k8s.api.autoscaling.v2';

export const DESCRIPTION = 'Sizes a workload so that its metrics come near to what is aimed at.';

const scalingPolicy = once(() =>
  struct(
    `${V2}.HPAScalingPolicy`,
    {
      type: text({ default: '', goType: 'v2.HPAScalingPolicyType', description: 'Pods or Percent.' }),
      value: int32({ default: 0, description: 'The most by which the number of pods may change.' }),
      periodSeconds: int32({ default: 0, description: 'The time in which it may.' }),
    },
    { description: 'How fast pods may be added or removed.', required: ['type', 'value', 'periodSeconds'] },
  ),
);

const scalingRules = once(() =>
  struct(
    `${V2}.HPAScalingRules`,
    {
      stabilizationWindowSeconds: int32({
        description: 'How far back recommendations are looked at, of which the safest counts.',
      }),
      selectPolicy: text({
        goType: 'v2.ScalingPolicySelect',
        description: 'Which policy counts: Max, Min, or Disabled for no change in this direction.',
      }),
      // None is refused, while those that are not mentioned are the default ones.
      policies: list(scalingPolicy(), { listType: 'atomic', keepsEmpty: true }),
      tolerance: quantity({ description: 'How far off the target is near enough.' }),
    },
    { description: 'How the number of pods changes in one direction.' },
  ),
);

export const behavior = once(() =>
  struct(
    `${V2}.HorizontalPodAutoscalerBehavior`,
    { scaleUp: scalingRules(), scaleDown: scalingRules() },
    { description: 'How fast the number of pods changes.' },
  ),
);

const spec = once(() =>
  struct(
    `${V2}.HorizontalPodAutoscalerSpec`,
    {
      scaleTargetRef: describe(crossVersionObjectReference(), {
        default: {},
        description: 'The workload, which has a scale subresource.',
      }),
      minReplicas: int32({ description: '1 if absent.' }),
      maxReplicas: int32({ default: 0 }),
      metrics: list(metricSpec(), {
        listType: 'atomic',
        description: 'The one that asks for most pods counts; 80 % of the requested CPU if absent.',
      }),
      behavior: behavior(),
    },
    { description: 'The workload and what is aimed at.', required: ['scaleTargetRef', 'maxReplicas'] },
  ),
);

/** In v1 an annotation holds them. */
export const conditions = () =>
  workloadConditions(`${V2}.HorizontalPodAutoscalerCondition`, 'v2.HorizontalPodAutoscalerConditionType');

const status = once(() =>
  struct(
    `${V2}.HorizontalPodAutoscalerStatus`,
    {
      observedGeneration: int64({ description: 'metadata.generation that this was seen at.' }),
      lastScaleTime: time(),
      currentReplicas: int32({ omitEmpty: true }),
      desiredReplicas: int32({ default: 0 }),
      currentMetrics: list(metricStatus(), { listType: 'atomic', printsNull: true }),
      conditions: conditions(),
    },
    { description: 'What was seen and decided last.', required: ['desiredReplicas'] },
  ),
);

export const horizontalPodAutoscaler = once(() =>
  kubeObject(
    `${V2}.HorizontalPodAutoscaler`,
    {
      spec: describe(spec(), { default: {} }),
      status: describe(status(), { default: {} }),
    },
    { description: DESCRIPTION, required: ['spec'] },
  ),
);

export type ScalingRules = z.infer<ReturnType<typeof scalingRules>>;
export type ScalingPolicy = z.infer<ReturnType<typeof scalingPolicy>>;
export type Behavior = z.infer<ReturnType<typeof behavior>>;
export type AutoscalerSpec = z.infer<ReturnType<typeof spec>>;
export type AutoscalerStatus = Omit<z.infer<ReturnType<typeof status>>, 'currentMetrics'> & {
  currentMetrics?: z.infer<ReturnType<typeof metricStatus>>[] | null;
};
export const specOf = (object: KubeObject): AutoscalerSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): AutoscalerStatus => object['status'] ?? {};
