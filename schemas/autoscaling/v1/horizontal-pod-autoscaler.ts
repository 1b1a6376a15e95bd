/** HorizontalPodAutoscaler of v1: the same objects as in v2, with the use of the CPU as the only metric that has a field. */
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { describe, int32, int64, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';
import { SUBRESOURCE_VERBS } from '../../verbs.js';
import { horizontalPodAutoscalers, statusStrategy, strategy } from '../v2/horizontal-pod-autoscaler.js';
import { fromStored, toStored } from './horizontal-pod-autoscaler-conversion.js';

const V1 = 'io.k8s.api.autoscaling.v1';

const crossVersionObjectReference = once(() =>
  struct(
    `${V1}.CrossVersionObjectReference`,
    {
      kind: text({ default: '' }),
      name: text({ default: '' }),
      apiVersion: text({ omitEmpty: true }),
    },
    { description: 'Another object of the namespace.', required: ['kind', 'name'], mapType: 'atomic' },
  ),
);

const spec = once(() =>
  struct(
    `${V1}.HorizontalPodAutoscalerSpec`,
    {
      scaleTargetRef: describe(crossVersionObjectReference(), {
        default: {},
        description: 'The workload, which has a scale subresource.',
      }),
      minReplicas: int32({ description: '1 if absent.' }),
      maxReplicas: int32({ default: 0 }),
      targetCPUUtilizationPercentage: int32({
        description: 'Per cent of the requested CPU that pods should use; 80 if nothing else is aimed at.',
      }),
    },
    { description: 'The workload and what is aimed at.', required: ['scaleTargetRef', 'maxReplicas'] },
  ),
);

const status = once(() =>
  struct(
    `${V1}.HorizontalPodAutoscalerStatus`,
    {
      observedGeneration: int64({ description: 'metadata.generation that this was seen at.' }),
      lastScaleTime: time(),
      currentReplicas: int32({ default: 0 }),
      desiredReplicas: int32({ default: 0 }),
      currentCPUUtilizationPercentage: int32({ description: 'Per cent of the requested CPU that pods use.' }),
    },
    {
      description: 'What was seen and decided last.',
      required: ['currentReplicas', 'desiredReplicas'],
    },
  ),
);

function change(object: KubeObject, rule: (stored: KubeObject) => void): void {
  const stored = toStored(object);
  rule(stored);
  Object.assign(object, fromStored(stored));
}

/** The rules of v2 on objects of v1, whose annotations hold what v1 has no fields for. */
function throughV2(rules: Strategy): Strategy {
  return {
    defaults: (object) => change(object, (stored) => rules.defaults?.(stored)),
    prepareForCreate: (object, requester, now) =>
      change(object, (stored) => void rules.prepareForCreate?.(stored, requester, now)),
    prepareForUpdate: (object, old, now) =>
      change(object, (stored) => rules.prepareForUpdate?.(stored, toStored(old), now)),
    validateCreate: (object) => rules.validateCreate?.(toStored(object)) ?? [],
    validateUpdate: (object, old) => rules.validateUpdate?.(toStored(object), toStored(old)) ?? [],
  };
}

export const horizontalPodAutoscalersV1: ResourceDefinition = {
  ...horizontalPodAutoscalers,
  version: 'v1',
  schema: once(() =>
    kubeObject(
      `${V1}.HorizontalPodAutoscaler`,
      {
        spec: describe(spec(), { default: {} }),
        status: describe(status(), { default: {} }),
      },
      { description: horizontalPodAutoscalers.description, required: ['spec'] },
    ),
  ),
  strategy: throughV2(strategy),
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: throughV2(statusStrategy) }],
  columns: horizontalPodAutoscalers.columns.map((column) => ({
    ...column,
    cell: (object, now) => column.cell(toStored(object), now),
  })),
  storedAs: { resource: horizontalPodAutoscalers, toStored, fromStored },
};
