/** Rules of HorizontalPodAutoscalers of either version: upstream has them on what v2 looks like. */
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { quantityOf } from '../../meta/quantity.js';
import { invalidEach, NOT_NEGATIVE, validateNotNegative } from '../../validation/metadata.js';
import { dns1123Label, nameIs } from '../../validation/names.js';
import {
  type AutoscalerSpec,
  type ScalingPolicy,
  type ScalingRules,
  specOf,
  statusOf,
} from './horizontal-pod-autoscaler-schema.js';
import {
  METRIC_TYPES,
  type MetricIdentifier,
  type MetricSpec,
  type MetricTarget,
  type ObjectReference,
  TARGET_TYPES,
} from './metrics.js';

const STABILIZATION_WINDOW_SECONDS_MAX = 3600;
const PERIOD_SECONDS_MAX = 1800;
const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];
const NOT_NEGATIVE_ZERO = 'must be greater than or equal to zero';

/** Which versions of a referred object are let pass. */
type VersionRule = 'any' | 'well-formed' | 'with group';

function versionProblem(apiVersion: string, rule: VersionRule): string | undefined {
  if (rule === 'any') return undefined;
  const slashes = apiVersion.split('/').length - 1;
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`;
  const hasGroup = slashes === 1 && !apiVersion.startsWith('/');
  return rule === 'well-formed' || hasGroup ? undefined : 'apiVersion must specify API group';
}

/** What a change does not touch stays; of the core group only this kind has a scale. */
function versionRuleOfTarget(
  { scaleTargetRef: now = {} }: AutoscalerSpec,
  old?: AutoscalerSpec,
): VersionRule {
  const before = old?.scaleTargetRef;
  const same = before !== undefined && before.apiVersion === now.apiVersion && before.kind === now.kind;
  if (same) return 'any';
  return now.kind === 'ReplicationController' ? 'well-formed' : 'with group';
}

function versionRuleOfMetrics(old: AutoscalerSpec | undefined): VersionRule {
  const wasWrong = (old?.metrics ?? []).some(
    ({ type, object }) =>
      type === 'Object' && versionProblem(object?.describedObject?.apiVersion ?? '', 'well-formed'),
  );
  return wasWrong ? 'any' : 'well-formed';
}

function validateReference(
  errors: FieldError[],
  { kind = '', name = '', apiVersion = '' }: ObjectReference,
  field: string,
  rule: VersionRule,
): void {
  for (const [part, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (value === '') errors.push(required(`${field}.${part}`));
    else invalidEach(errors, `${field}.${part}`, value, nameIs.pathSegment(value, false));
  }
  const problem = versionProblem(apiVersion, rule);
  if (problem !== undefined) errors.push(invalid(`${field}.apiVersion`, apiVersion, problem));
}

function validateIdentifier(errors: FieldError[], { name = '' }: MetricIdentifier, field: string): void {
  if (name === '') errors.push(required(`${field}.name`, 'must specify a metric name'));
  else invalidEach(errors, `${field}.name`, name, nameIs.pathSegment(name, false));
}

function validateTarget(errors: FieldError[], target: MetricTarget, field: string): void {
  const { type = '', averageUtilization } = target;
  if (type === '') errors.push(required(`${field}.type`, 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type)) {
    errors.push(invalid(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const part of ['value', 'averageValue'] as const) {
    const { [part]: amount } = target;
    if (amount !== undefined && quantityOf(amount).value <= 0n) {
      errors.push(invalid(`${field}.${part}`, amount, 'must be positive'));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}

type Source<K extends keyof MetricSpec> = NonNullable<MetricSpec[K]>;

function validateObject(
  errors: FieldError[],
  { describedObject = {}, metric = {}, target = {} }: Source<'object'>,
  field: string,
  rule: VersionRule,
): void {
  validateReference(errors, describedObject, `${field}.describedObject`, rule);
  validateIdentifier(errors, metric, `${field}.metric`);
  validateTarget(errors, target, `${field}.target`);
  if (target.value === undefined && target.averageValue === undefined) {
    const problem = 'must set either a target value or averageValue';
    errors.push(required(`${field}.target.averageValue`, problem));
  }
}

function validateExternal(
  errors: FieldError[],
  { metric = {}, target = {} }: Source<'external'>,
  field: string,
): void {
  validateIdentifier(errors, metric, `${field}.metric`);
  validateTarget(errors, target, `${field}.target`);
  const { value, averageValue } = target;
  if (value === undefined && averageValue === undefined) {
    const problem = 'must set either a target value for metric or a per-pod target';
    errors.push(required(`${field}.target.averageValue`, problem));
  }
  if (value !== undefined && averageValue !== undefined) {
    const problem = 'may not set both a target value for metric and a per-pod target';
    errors.push(forbidden(`${field}.target.value`, problem));
  }
}

function validatePods(
  errors: FieldError[],
  { metric = {}, target = {} }: Source<'pods'>,
  field: string,
): void {
  validateIdentifier(errors, metric, `${field}.metric`);
  validateTarget(errors, target, `${field}.target`);
  if (target.averageValue === undefined) {
    errors.push(required(`${field}.target.averageValue`, 'must specify a positive target averageValue'));
  }
}

function validateResource(
  errors: FieldError[],
  { name = '', target = {}, ...more }: Source<'containerResource'>,
  field: string,
  ofContainer: boolean,
): void {
  if (name === '') errors.push(required(`${field}.name`, 'must specify a resource name'));
  if (ofContainer) {
    const { container = '' } = more;
    if (container === '') errors.push(required(`${field}.container`, 'must specify a container'));
    else invalidEach(errors, `${field}.container`, container, dns1123Label(container));
  }
  validateTarget(errors, target, `${field}.target`);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const problem = 'must set either a target raw value or a target utilization';
    errors.push(required(`${field}.target.averageUtilization`, problem));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const problem = 'may not set both a target raw value and a target utilization';
    errors.push(forbidden(`${field}.target.averageValue`, problem));
  }
}

/** In the order in which upstream looks at them; only the first that is there is looked into. */
const SOURCES = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
type SourceName = (typeof SOURCES)[number];

function validateSource(
  errors: FieldError[],
  metric: MetricSpec,
  source: SourceName,
  field: string,
  rule: VersionRule,
): void {
  const { object, external, pods, resource, containerResource } = metric;
  if (source === 'object') validateObject(errors, object ?? {}, field, rule);
  else if (source === 'external') validateExternal(errors, external ?? {}, field);
  else if (source === 'pods') validatePods(errors, pods ?? {}, field);
  else if (source === 'resource') validateResource(errors, resource ?? {}, field, false);
  else validateResource(errors, containerResource ?? {}, field, true);
}

function validateMetric(errors: FieldError[], metric: MetricSpec, field: string, rule: VersionRule): void {
  const { type = '' } = metric;
  if (type === '') errors.push(required(`${field}.type`, 'must specify a metric source type'));
  const isKnown = METRIC_TYPES.includes(type);
  if (!isKnown) errors.push(notSupported(`${field}.type`, type, METRIC_TYPES));
  const present = SOURCES.filter((source) => metric[source] !== undefined);
  const [first] = present;
  if (first !== undefined) validateSource(errors, metric, first, `${field}.${first}`, rule);
  const expected = `${type.slice(0, 1).toLowerCase()}${type.slice(1)}`;
  // Upstream says so twice.
  if (!isKnown) errors.push(notSupported(`${field}.type`, type, METRIC_TYPES));
  else if (!present.includes(expected as SourceName)) {
    const problem = 'must populate information for the given metric source';
    errors.push(required(`${field}.${expected}`, problem));
  }
  if (present.length === 1) return;
  for (const source of present) {
    if (source === expected && isKnown) continue;
    errors.push(forbidden(`${field}.${source}`, 'must populate the given metric source only'));
  }
}

function validatePolicy(
  errors: FieldError[],
  { type = '', value = 0, periodSeconds = 0 }: ScalingPolicy,
  field: string,
): void {
  if (!POLICY_TYPES.includes(type)) errors.push(notSupported(`${field}.type`, type, POLICY_TYPES));
  if (value <= 0) errors.push(invalid(`${field}.value`, value, 'must be greater than zero'));
  if (periodSeconds <= 0) {
    errors.push(invalid(`${field}.periodSeconds`, periodSeconds, 'must be greater than zero'));
  }
  if (periodSeconds > PERIOD_SECONDS_MAX) {
    const problem = `must be less than or equal to ${PERIOD_SECONDS_MAX}`;
    errors.push(invalid(`${field}.periodSeconds`, periodSeconds, problem));
  }
}

function validateRules(errors: FieldError[], rules: ScalingRules, field: string): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) {
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, NOT_NEGATIVE_ZERO));
  }
  if (window !== undefined && window > STABILIZATION_WINDOW_SECONDS_MAX) {
    const problem = `must be less than or equal to ${STABILIZATION_WINDOW_SECONDS_MAX}`;
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, problem));
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    errors.push(notSupported(`${field}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  }
  if (policies.length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  for (const [i, policy] of policies.entries()) validatePolicy(errors, policy, `${field}.policies[${i}]`);
  if (tolerance !== undefined && quantityOf(tolerance).value < 0n) {
    errors.push(invalid(`${field}.tolerance`, tolerance, NOT_NEGATIVE));
  }
}

export function validateAutoscaler(object: KubeObject, oldObject?: KubeObject): FieldError[] {
  const spec = specOf(object);
  const old = oldObject && specOf(oldObject);
  const { scaleTargetRef = {}, minReplicas: min, maxReplicas: max = 0, metrics = [], behavior } = spec;
  const errors: FieldError[] = [];
  // A workload can be sized to nothing only where it could before.
  const lowest = old?.minReplicas === 0 ? 0 : 1;
  if (min !== undefined && min < lowest) {
    errors.push(invalid('spec.minReplicas', min, `must be greater than or equal to ${lowest}`));
  }
  if (max < 1) errors.push(invalid('spec.maxReplicas', max, 'must be greater than 0'));
  if (min !== undefined && max < min) {
    errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  }
  validateReference(errors, scaleTargetRef, 'spec.scaleTargetRef', versionRuleOfTarget(spec, old));
  const rule = versionRuleOfMetrics(old);
  for (const [i, metric] of metrics.entries()) validateMetric(errors, metric, `spec.metrics[${i}]`, rule);
  if (min === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const problem = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbidden('spec.metrics', problem));
  }
  for (const direction of ['scaleUp', 'scaleDown'] as const) {
    const rules = behavior?.[direction];
    if (rules) validateRules(errors, rules, `spec.behavior.${direction}`);
  }
  return errors;
}

export function validateAutoscalerStatus(object: KubeObject): FieldError[] {
  const { currentReplicas, desiredReplicas } = statusOf(object);
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'status.currentReplicas', currentReplicas);
  validateNotNegative(errors, 'status.desiredReplicas', desiredReplicas);
  return errors;
}
