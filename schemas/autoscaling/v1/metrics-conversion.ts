/**
 * Metrics of v2 in the form of v1, which has no fields for them: annotations hold them as JSON. Sources of v1 have their
 * targets and selectors beside the name.
 */
import type { MetricSpec, MetricStatus, ObjectReference } from '../v2/metrics.js';

type Fields = Readonly<Record<string, unknown>>;

/** Go prints an amount that is no pointer even when nobody has set it. */
const ZERO = '0';

const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const referenceToV1 = ({ kind = '', name = '', apiVersion }: ObjectReference = {}): Fields =>
  defined({ kind, name, apiVersion });

export function specToV1({
  type = '',
  object,
  pods,
  resource,
  containerResource,
  external,
}: MetricSpec): Fields {
  return defined({
    type,
    object: object && {
      target: referenceToV1(object.describedObject),
      metricName: object.metric?.name ?? '',
      targetValue: object.target?.value ?? ZERO,
      ...defined({ selector: object.metric?.selector, averageValue: object.target?.averageValue }),
    },
    pods: pods && {
      metricName: pods.metric?.name ?? '',
      targetAverageValue: pods.target?.averageValue ?? ZERO,
      ...defined({ selector: pods.metric?.selector }),
    },
    resource:
      resource &&
      defined({
        name: resource.name ?? '',
        targetAverageUtilization: resource.target?.averageUtilization,
        targetAverageValue: resource.target?.averageValue,
      }),
    containerResource:
      containerResource &&
      defined({
        name: containerResource.name ?? '',
        targetAverageUtilization: containerResource.target?.averageUtilization,
        targetAverageValue: containerResource.target?.averageValue,
        container: containerResource.container ?? '',
      }),
    external:
      external &&
      defined({
        metricName: external.metric?.name ?? '',
        metricSelector: external.metric?.selector,
        targetValue: external.target?.value,
        targetAverageValue: external.target?.averageValue,
      }),
  });
}

export function statusToV1({
  type = '',
  object,
  pods,
  resource,
  containerResource,
  external,
}: MetricStatus): Fields {
  return defined({
    type,
    object: object && {
      target: referenceToV1(object.describedObject),
      metricName: object.metric?.name ?? '',
      currentValue: object.current?.value ?? ZERO,
      ...defined({ selector: object.metric?.selector, averageValue: object.current?.averageValue }),
    },
    pods: pods && {
      metricName: pods.metric?.name ?? '',
      currentAverageValue: pods.current?.averageValue ?? ZERO,
      ...defined({ selector: pods.metric?.selector }),
    },
    resource:
      resource &&
      defined({
        name: resource.name ?? '',
        currentAverageUtilization: resource.current?.averageUtilization,
        currentAverageValue: resource.current?.averageValue ?? ZERO,
      }),
    containerResource:
      containerResource &&
      defined({
        name: containerResource.name ?? '',
        currentAverageUtilization: containerResource.current?.averageUtilization,
        currentAverageValue: containerResource.current?.averageValue ?? ZERO,
        container: containerResource.container ?? '',
      }),
    external:
      external &&
      defined({
        metricName: external.metric?.name ?? '',
        metricSelector: external.metric?.selector,
        currentValue: external.current?.value ?? ZERO,
        currentAverageValue: external.current?.averageValue,
      }),
  });
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an annotation says, which may be anything: the v2 schema decides afterwards whether it is a metric. */
type FromV1 = (source: Fields, name: 'selector' | 'metricSelector') => Fields;

function sourcesFromV1(metric: unknown, fromV1: Readonly<Record<string, FromV1>>): unknown {
  if (!isFields(metric)) return metric;
  const converted: Record<string, unknown> = { type: metric['type'] };
  for (const [source, convert] of Object.entries(fromV1)) {
    const value = metric[source];
    if (value === undefined || value === null) continue;
    const selector = source === 'external' ? 'metricSelector' : 'selector';
    converted[source] = isFields(value) ? convert(value, selector) : value;
  }
  return converted;
}

const identifier = (source: Fields, selector: string): Fields => ({
  name: source['metricName'],
  selector: source[selector],
});

const resourceTarget: FromV1 = (source) => ({
  name: source['name'],
  target: {
    type: (source['targetAverageUtilization'] ?? undefined) === undefined ? 'AverageValue' : 'Utilization',
    averageValue: source['targetAverageValue'],
    averageUtilization: source['targetAverageUtilization'],
  },
  container: source['container'],
});

const SPECS_FROM_V1: Readonly<Record<string, FromV1>> = {
  object: (source, selector) => ({
    describedObject: source['target'],
    target: {
      type: (source['averageValue'] ?? undefined) === undefined ? 'Value' : 'AverageValue',
      value: source['targetValue'] ?? ZERO,
      averageValue: source['averageValue'],
    },
    metric: identifier(source, selector),
  }),
  pods: (source, selector) => ({
    metric: identifier(source, selector),
    target: { type: 'AverageValue', averageValue: source['targetAverageValue'] ?? ZERO },
  }),
  resource: resourceTarget,
  containerResource: resourceTarget,
  external: (source, selector) => ({
    metric: identifier(source, selector),
    target: {
      type: (source['targetValue'] ?? undefined) === undefined ? 'AverageValue' : 'Value',
      value: source['targetValue'],
      averageValue: source['targetAverageValue'],
    },
  }),
};

const resourceStatus: FromV1 = (source) => ({
  name: source['name'],
  current: {
    averageValue: source['currentAverageValue'] ?? ZERO,
    averageUtilization: source['currentAverageUtilization'],
  },
  container: source['container'],
});

const STATUSES_FROM_V1: Readonly<Record<string, FromV1>> = {
  object: (source, selector) => ({
    metric: identifier(source, selector),
    current: { value: source['currentValue'] ?? ZERO, averageValue: source['averageValue'] },
    describedObject: source['target'],
  }),
  pods: (source, selector) => ({
    metric: identifier(source, selector),
    current: { averageValue: source['currentAverageValue'] ?? ZERO },
  }),
  resource: resourceStatus,
  containerResource: resourceStatus,
  external: (source, selector) => ({
    metric: identifier(source, selector),
    current: { value: source['currentValue'] ?? ZERO, averageValue: source['currentAverageValue'] },
  }),
};

export const specFromV1 = (metric: unknown): unknown => sourcesFromV1(metric, SPECS_FROM_V1);
export const statusFromV1 = (metric: unknown): unknown => sourcesFromV1(metric, STATUSES_FROM_V1);
