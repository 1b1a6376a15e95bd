/**
 * Autoscalers of v1, which know one metric, as those of v2 and back. What v1 has no fields for is shown in annotations,
 * so that a client which writes back what it has read loses nothing.
 */
import type * as z from 'zod';
import { internalStruct } from '../../core/v1/internal-form.js';
import { decodeSchema } from '../../decode.js';
import type { KubeObject, ObjectMeta } from '../../definition.js';
import { list, once, struct } from '../../fields.js';
import { sortedByKey } from '../../validation/selectors.js';
import {
  type AutoscalerSpec,
  type AutoscalerStatus,
  behavior,
  conditions,
  specOf,
  statusOf,
} from '../v2/horizontal-pod-autoscaler-schema.js';
import {
  CPU_UTILIZATION_DEFAULT,
  cpuUtilization,
  type MetricSpec,
  metricSpec,
  type MetricStatus,
  metricStatus,
  type ObjectReference,
} from '../v2/metrics.js';
import { specFromV1, specToV1, statusFromV1, statusToV1 } from './metrics-conversion.js';

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const ANNOTATIONS: readonly string[] = [
  METRICS,
  BEHAVIOR,
  CURRENT_METRICS,
  CONDITIONS,
  'autoscaling.alpha.kubernetes.io/scale-down-tolerance',
  'autoscaling.alpha.kubernetes.io/scale-up-tolerance',
];

export interface SpecV1 {
  readonly scaleTargetRef?: ObjectReference;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly targetCPUUtilizationPercentage?: number;
}
export interface StatusV1 {
  readonly observedGeneration?: number;
  readonly lastScaleTime?: string;
  readonly currentReplicas?: number;
  readonly desiredReplicas?: number;
  readonly currentCPUUtilizationPercentage?: number;
}

const isCpu = ({ type, resource }: MetricSpec | MetricStatus): boolean =>
  type === 'Resource' && resource?.name === 'cpu';
const percentOf = ({ resource }: MetricSpec): number | undefined => resource?.target?.averageUtilization;
const isPercentOfCpu = (metric: MetricSpec): boolean => isCpu(metric) && percentOf(metric) !== undefined;

const ESCAPED = /[<>&\u2028\u2029]/g;
/** JSON as Go prints it. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function withoutAnnotations(metadata: ObjectMeta): ObjectMeta {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined) return metadata;
  const left = Object.entries(annotations).filter(([key]) => !ANNOTATIONS.includes(key));
  if (left.length === Object.keys(annotations).length) return metadata;
  return left.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(left) };
}

function withAnnotations(metadata: ObjectMeta, added: Record<string, string>): ObjectMeta {
  const clean = withoutAnnotations(metadata);
  if (Object.keys(added).length === 0) return clean;
  return { ...clean, annotations: sortedByKey({ ...clean.annotations, ...added }) ?? {} };
}

/** Of fields that are set, in the order given. */
const defined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/** An autoscaler of v2 as v1 shows it. */
export function fromStored(stored: KubeObject): KubeObject {
  const { scaleTargetRef = {}, minReplicas, maxReplicas = 0, metrics = [], behavior: speed } = specOf(stored);
  const status = statusOf(stored);
  const cpu = metrics.find(isCpu);
  const spec = defined({
    scaleTargetRef,
    minReplicas,
    maxReplicas,
    targetCPUUtilizationPercentage: cpu && percentOf(cpu),
  });
  const seen = status.currentMetrics ?? [];
  const used = seen.filter(isCpu).map(({ resource }) => resource?.current?.averageUtilization);
  const shown = defined({
    observedGeneration: status.observedGeneration,
    lastScaleTime: status.lastScaleTime,
    currentReplicas: status.currentReplicas ?? 0,
    desiredReplicas: status.desiredReplicas ?? 0,
    currentCPUUtilizationPercentage: used.findLast((percent) => percent !== undefined),
  });
  const added: Record<string, string> = {};
  const others = metrics.filter((metric) => !isPercentOfCpu(metric));
  if (others.length > 0) added[METRICS] = goJson(others.map(specToV1));
  if (speed !== undefined) added[BEHAVIOR] = goJson(internalStruct(behavior(), { ...speed }));
  if (seen.length > 0) added[CURRENT_METRICS] = goJson(seen.map(statusToV1));
  if ((status.conditions ?? []).length > 0) added[CONDITIONS] = goJson(status.conditions);
  const metadata = withAnnotations(stored.metadata ?? {}, added);
  return { kind: stored.kind, apiVersion: 'autoscaling/v1', metadata, spec, status: shown };
}

/** Annotations are decoded as the fields that they stand for. */
const ANNOTATED = {
  specs: once(() => struct('metrics', { value: list(metricSpec()) })),
  statuses: once(() => struct('currentMetrics', { value: list(metricStatus()) })),
  conditions: once(() => struct('conditions', { value: conditions() })),
  behavior: once(() => struct('behavior', { value: behavior() })),
};

/** What an annotation says; undefined where it is absent or, as upstream has it, says nothing that makes sense. */
function annotated(
  { annotations }: ObjectMeta,
  key: string,
  schema: () => z.ZodType,
  convert: (value: unknown) => unknown,
): unknown {
  if (annotations === undefined || !Object.hasOwn(annotations, key)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(annotations[key] ?? '');
  } catch {
    return undefined;
  }
  const decoded = decodeSchema<{ readonly value?: unknown }>(schema(), { value: convert(parsed) });
  return 'object' in decoded ? decoded.object.value : undefined;
}

const each =
  (convert: (item: unknown) => unknown) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map(convert) : value;

/** Levels of a behavior: its direction, the policies, and one of them. */
const BEHAVIOR_LEVELS_MAX = 4;

/** Go's names of fields as JSON's. */
function lowered(value: unknown, level = 0): unknown {
  if (typeof value !== 'object' || value === null || level > BEHAVIOR_LEVELS_MAX) return value;
  if (Array.isArray(value)) return value.map((item) => lowered(item, level + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      `${key.slice(0, 1).toLowerCase()}${key.slice(1)}`,
      lowered(item, level + 1),
    ]),
  );
}

/** The autoscaler of v2 that one of v1 stands for. */
export function toStored(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: percent, ...given } = (object['spec'] ?? {}) as SpecV1;
  const { currentCPUUtilizationPercentage: used, ...seen } = (object['status'] ?? {}) as StatusV1;
  const from = object.metadata ?? {};
  const others = (annotated(from, METRICS, ANNOTATED.specs, each(specFromV1)) ?? []) as MetricSpec[];
  const metrics = percent === undefined ? others : [...others, cpuUtilization(percent)];
  if (metrics.length === 0) metrics.push(cpuUtilization(CPU_UTILIZATION_DEFAULT));
  const spec: AutoscalerSpec = defined({
    ...given,
    metrics,
    behavior: annotated(from, BEHAVIOR, ANNOTATED.behavior, lowered),
  }) as AutoscalerSpec;
  const currentMetrics =
    annotated(from, CURRENT_METRICS, ANNOTATED.statuses, each(statusFromV1)) ??
    (used === undefined ? null : [usedCpu(used)]);
  const { currentReplicas, desiredReplicas = 0, ...times } = seen;
  const status: AutoscalerStatus = defined({
    ...times,
    currentReplicas: currentReplicas === 0 ? undefined : currentReplicas,
    desiredReplicas,
    currentMetrics,
    conditions: annotated(from, CONDITIONS, ANNOTATED.conditions, (c) => c),
  }) as AutoscalerStatus;
  return {
    kind: object.kind,
    apiVersion: 'autoscaling/v2',
    metadata: withoutAnnotations(from),
    spec,
    status,
  };
}

const usedCpu = (percent: number): MetricStatus => ({
  type: 'Resource',
  resource: { name: 'cpu', current: { averageUtilization: percent } },
});
