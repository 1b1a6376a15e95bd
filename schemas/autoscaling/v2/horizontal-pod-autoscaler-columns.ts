/** What tables show of a HorizontalPodAutoscaler. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject } from '../../definition.js';
import { specOf, statusOf } from './horizontal-pod-autoscaler-schema.js';
import type { MetricSpec, MetricStatus, MetricTarget, MetricValue } from './metrics.js';

/** Metrics that a cell has place for; of more it says how many. */
const METRICS_SHOWN_MAX = 2;
const UNKNOWN = '<unknown>';
/** Go's text of an amount that is not there. */
const NIL = '<nil>';

/** Of the sources that are compared by their value or their average. */
function valuePair(target: MetricTarget, current: MetricValue | undefined): string {
  const { averageValue } = target;
  if (averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${averageValue} (avg)`;
  return `${current === undefined ? UNKNOWN : (current.value ?? NIL)}/${target.value ?? NIL}`;
}

function podsPair(target: MetricTarget, current: MetricValue | undefined): string {
  return `${current === undefined ? UNKNOWN : (current.averageValue ?? NIL)}/${target.averageValue ?? NIL}`;
}

const percentOf = (value: number | undefined, absent: string): string =>
  value === undefined ? absent : `${value}%`;

function resourcePair(
  name: string | undefined,
  target: MetricTarget,
  current: MetricValue | undefined,
): string {
  const pair =
    target.averageValue === undefined
      ? `${percentOf(current?.averageUtilization, UNKNOWN)}/${percentOf(target.averageUtilization, '<auto>')}`
      : podsPair(target, current);
  return `${name ?? ''}: ${pair}`;
}

function metricText(metric: MetricSpec, seen: MetricStatus | undefined): string {
  const { object, pods, resource, containerResource, external } = metric;
  switch (metric.type) {
    case 'External':
      return valuePair(external?.target ?? {}, seen?.external?.current);
    case 'Pods':
      return podsPair(pods?.target ?? {}, seen?.pods?.current);
    case 'Object':
      return valuePair(object?.target ?? {}, seen?.object?.current);
    case 'Resource':
      return resourcePair(resource?.name, resource?.target ?? {}, seen?.resource?.current);
    case 'ContainerResource':
      return resourcePair(
        containerResource?.name,
        containerResource?.target ?? {},
        seen?.containerResource?.current,
      );
    default:
      return '<unknown type>';
  }
}

function targetsCell(object: KubeObject): string {
  const { metrics = [] } = specOf(object);
  const seen = statusOf(object).currentMetrics ?? [];
  if (metrics.length === 0) return '<none>';
  const shown = metrics.slice(0, METRICS_SHOWN_MAX).map((metric, i) => metricText(metric, seen[i]));
  const more = metrics.length - shown.length;
  return more > 0 ? `${shown.join(', ')} + ${more} more...` : shown.join(', ');
}

function referenceCell(object: KubeObject): string {
  const { kind = '', name = '' } = specOf(object).scaleTargetRef ?? {};
  return `${kind}/${name}`;
}

export const autoscalerColumns = [
  nameColumn,
  column('Reference', 'The workload that is sized.', referenceCell),
  column('Targets', 'What was seen last, and what is aimed at.', targetsCell),
  column('MinPods', 'The least pods.', (o) => String(specOf(o).minReplicas ?? '<unset>')),
  column('MaxPods', 'The most pods.', (o) => specOf(o).maxReplicas ?? 0),
  column('Replicas', 'How many pods there are.', (o) => statusOf(o).currentReplicas ?? 0),
  ageColumn,
];
