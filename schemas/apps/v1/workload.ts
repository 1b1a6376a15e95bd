/** What Deployment and ReplicaSet have in common: replicas of a pod template, found again by a selector. */
import { addAll } from '../../add-all.js';
import { column } from '../../columns.js';
import { defaultPodTemplate, type PodTemplateSpec, validatePodTemplate } from '../../core/v1/pod-template.js';
import { podTemplateWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, TableColumn } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { FIELD_IMMUTABLE, NOT_NEGATIVE, validateLabelSelector } from '../../validation/metadata.js';
import { dns1123Label } from '../../validation/names.js';
import { formatLabelSelector, type LabelSelector, selectorMatches } from '../../validation/selectors.js';

export interface WorkloadSpec {
  replicas?: number;
  minReadySeconds?: number;
  selector?: LabelSelector;
  template?: PodTemplateSpec;
}

export interface WorkloadStatus {
  replicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
}

/** Sets what is absent; `template` is there after decoding. */
export function defaultWorkload(spec: WorkloadSpec): void {
  spec.replicas ??= 1;
  if (spec.template !== undefined) defaultPodTemplate(spec.template);
}

export function validateNotNegative(errors: FieldError[], field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalid(field, value, NOT_NEGATIVE));
}

/** Rules of the selector, and of the template that must be found by it. */
export function validateSelectorAndTemplate({ selector, template = {} }: WorkloadSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (selector === undefined) errors.push(required('spec.selector'));
  else {
    addAll(errors, validateLabelSelector(selector, 'spec.selector'));
    if (isEmptySelector(selector)) {
      errors.push(invalid('spec.selector', selector, 'empty selector is invalid for deployment'));
    }
  }
  // An error in the selector other than an empty one keeps it from being compared with the template.
  if (selector !== undefined && !isEmptySelector(selector) && errors.length > 0) {
    return [...errors, invalid('spec.selector', selector, 'invalid label selector')];
  }
  return [...errors, ...validateTemplate(template, selector)];
}

const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

function validateTemplate(template: PodTemplateSpec, selector: LabelSelector | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (!selectorMatches(selector, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', labels, problem));
  }
  addAll(errors, validatePodTemplate(template, 'spec.template'));
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const problem = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', problem));
  }
  return errors;
}

/** The selector never changes in apps/v1. */
export function validateSameSelector(spec: WorkloadSpec, old: WorkloadSpec): FieldError[] {
  return JSON.stringify(canonicalSelector(spec.selector)) === JSON.stringify(canonicalSelector(old.selector))
    ? []
    : [invalid('spec.selector', spec.selector, FIELD_IMMUTABLE)];
}

/** Equal for selectors that Go finds deeply equal: maps in any order, lists in theirs. */
const canonicalSelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}) => [
  Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)),
  matchExpressions.map(({ key, operator, values = [] }) => [key, operator, values]),
];

/** Rules of the numbers that both kinds report; each kind adds its own between the two parts. */
export function validateReadyCounts(status: WorkloadStatus): FieldError[] {
  const { replicas = 0, readyReplicas: ready = 0, availableReplicas: available = 0 } = status;
  const errors: FieldError[] = [];
  if (ready > replicas) errors.push(invalid('status.readyReplicas', ready, MORE_THAN_REPLICAS));
  if (available > replicas) errors.push(invalid('status.availableReplicas', available, MORE_THAN_REPLICAS));
  if (available > ready) {
    errors.push(invalid('status.availableReplicas', available, 'cannot be greater than readyReplicas'));
  }
  return errors;
}

export const MORE_THAN_REPLICAS = 'cannot be greater than status.replicas';

/** Names of workloads become part of the names of their pods, and warnings of a pod are due for its template. */
export function workloadWarnings(object: KubeObject, old?: KubeObject): string[] {
  const { template } = (object['spec'] ?? {}) as WorkloadSpec;
  const { template: oldTemplate } = (old?.['spec'] ?? {}) as WorkloadSpec;
  const warnings: string[] = [];
  const problems = old === undefined ? dns1123Label(object.metadata.name ?? '') : [];
  if (problems.length > 0) {
    warnings.push(
      `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    );
  }
  if (template !== undefined && JSON.stringify(template) !== JSON.stringify(oldTemplate)) {
    addAll(warnings, podTemplateWarnings(template, 'spec.template'));
  }
  return warnings;
}

/** The wide columns of a pod template: names and images of its containers, and the selector. */
export function templateColumns(specOf: (object: KubeObject) => WorkloadSpec): TableColumn[] {
  const containers = (object: KubeObject) => specOf(object).template?.spec?.containers ?? [];
  const wide = { priority: 1 } as const;
  return [
    column(
      'Containers',
      'Names of the containers.',
      (o) =>
        containers(o)
          .map(({ name = '' }) => name)
          .join(','),
      wide,
    ),
    column(
      'Images',
      'Images of the containers.',
      (o) =>
        containers(o)
          .map(({ image = '' }) => image)
          .join(','),
      wide,
    ),
    column(
      'Selector',
      'Labels of its pods.',
      (o) => formatLabelSelector(specOf(o).selector) || '<none>',
      wide,
    ),
  ];
}
