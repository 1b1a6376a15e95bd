/** Metrics of a HorizontalPodAutoscaler: what is aimed at, and what was seen last. */
import type * as z from 'zod';
import { describe, int32, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';
import { labelSelector } from '../../meta/v1.js';

const V2 = 'io.k8s.api.autoscaling.v2';

export const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
export const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

export const crossVersionObjectReference = once(() =>
  struct(
    `${V2}.CrossVersionObjectReference`,
    {
      kind: text({ default: '' }),
      name: text({ default: '' }),
      apiVersion: text({ omitEmpty: true }),
    },
    { description: 'Another object of the namespace.', required: ['kind', 'name'] },
  ),
);

const metricIdentifier = once(() =>
  struct(
    `${V2}.MetricIdentifier`,
    {
      name: text({ default: '' }),
      selector: describe(labelSelector(), { description: 'Which series of that name; all if absent.' }),
    },
    { description: 'Which metric.', required: ['name'] },
  ),
);

const metricTarget = once(() =>
  struct(
    `${V2}.MetricTarget`,
    {
      type: text({ default: '', goType: 'v2.MetricTargetType', description: TARGET_TYPES.join(', ') }),
      value: quantity(),
      averageValue: quantity({ description: 'Per pod.' }),
      averageUtilization: int32({ description: 'Per cent of what the pods request.' }),
    },
    { description: 'What is aimed at.', required: ['type'] },
  ),
);

const metricValueStatus = once(() =>
  struct(
    `${V2}.MetricValueStatus`,
    {
      value: quantity(),
      averageValue: quantity({ description: 'Per pod.' }),
      averageUtilization: int32({ description: 'Per cent of what the pods request.' }),
    },
    { description: 'What was seen last.' },
  ),
);

const described = { default: {}, description: 'The object that the metric is about.' };
const target = () => describe(metricTarget(), { default: {} });
const current = () => describe(metricValueStatus(), { default: {} });
const metric = () => describe(metricIdentifier(), { default: {} });
const resourceName = () => text({ default: '', goType: 'v1.ResourceName' });
const OBJECT = 'One that describes an object, such as the hits of an Ingress.';
const PODS = 'One of each pod, averaged.';
const RESOURCE = 'What the pods use of a resource.';
const CONTAINER_RESOURCE = 'What one container of each pod uses of a resource.';
const EXTERNAL = 'One from outside of the cluster.';

export const metricSpec = once(() =>
  struct(
    `${V2}.MetricSpec`,
    {
      type: text({ default: '', goType: 'v2.MetricSourceType', description: METRIC_TYPES.join(', ') }),
      object: struct(
        `${V2}.ObjectMetricSource`,
        {
          describedObject: describe(crossVersionObjectReference(), described),
          target: target(),
          metric: metric(),
        },
        { description: OBJECT, required: ['describedObject', 'target', 'metric'] },
      ),
      pods: struct(
        `${V2}.PodsMetricSource`,
        { metric: metric(), target: target() },
        { description: PODS, required: ['metric', 'target'] },
      ),
      resource: struct(
        `${V2}.ResourceMetricSource`,
        { name: resourceName(), target: target() },
        { description: RESOURCE, required: ['name', 'target'] },
      ),
      containerResource: struct(
        `${V2}.ContainerResourceMetricSource`,
        { name: resourceName(), target: target(), container: text({ default: '' }) },
        { description: CONTAINER_RESOURCE, required: ['name', 'target', 'container'] },
      ),
      external: struct(
        `${V2}.ExternalMetricSource`,
        { metric: metric(), target: target() },
        { description: EXTERNAL, required: ['metric', 'target'] },
      ),
    },
    { description: 'A metric, and what is aimed at; one source, that of its type.', required: ['type'] },
  ),
);

export const metricStatus = once(() =>
  struct(
    `${V2}.MetricStatus`,
    {
      type: text({ default: '', goType: 'v2.MetricSourceType', description: METRIC_TYPES.join(', ') }),
      object: struct(
        `${V2}.ObjectMetricStatus`,
        {
          metric: metric(),
          current: current(),
          describedObject: describe(crossVersionObjectReference(), described),
        },
        { description: OBJECT, required: ['metric', 'current', 'describedObject'] },
      ),
      pods: struct(
        `${V2}.PodsMetricStatus`,
        { metric: metric(), current: current() },
        { description: PODS, required: ['metric', 'current'] },
      ),
      resource: struct(
        `${V2}.ResourceMetricStatus`,
        { name: resourceName(), current: current() },
        { description: RESOURCE, required: ['name', 'current'] },
      ),
      containerResource: struct(
        `${V2}.ContainerResourceMetricStatus`,
        { name: resourceName(), current: current(), container: text({ default: '' }) },
        { description: CONTAINER_RESOURCE, required: ['name', 'current', 'container'] },
      ),
      external: struct(
        `${V2}.ExternalMetricStatus`,
        { metric: metric(), current: current() },
        { description: EXTERNAL, required: ['metric', 'current'] },
      ),
    },
    { description: 'What was seen of a metric.', required: ['type'] },
  ),
);

export type ObjectReference = z.infer<ReturnType<typeof crossVersionObjectReference>>;
export type MetricIdentifier = z.infer<ReturnType<typeof metricIdentifier>>;
export type MetricTarget = z.infer<ReturnType<typeof metricTarget>>;
export type MetricValue = z.infer<ReturnType<typeof metricValueStatus>>;
export type MetricSpec = z.infer<ReturnType<typeof metricSpec>>;
export type MetricStatus = z.infer<ReturnType<typeof metricStatus>>;

/** What is used of the processors, in per cent: what autoscalers went by before there were other metrics. */
export const cpuUtilization = (percent: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
});
/** Per cent that are aimed at where nothing else is. */
export const CPU_UTILIZATION_DEFAULT = 80;
