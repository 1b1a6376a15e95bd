/** What Deployment and ReplicaSet have in common: replicas of a pod template, found again by a selector. */
import { addAll } from '../../add-all.js';
import { column } from '../../columns.js';
import { containerColumns } from '../../core/v1/pod-template-columns.js';
import {
  defaultPodTemplate,
  type PodTemplateSpec,
  validatePodTemplate,
  validateRunsForever,
} from '../../core/v1/pod-template.js';
import { isNewIntent, podNameWarnings, podTemplateWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, TableColumn } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { FIELD_IMMUTABLE, validateLabelSelector } from '../../validation/metadata.js';
import {
  formatLabelSelector,
  type LabelSelector,
  selectorMatches,
  shownSelector,
  sortedByKey,
} from '../../validation/selectors.js';

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
    return [...errors, invalid('spec.selector', shownSelector(selector), 'invalid label selector')];
  }
  return [...errors, ...validateTemplate(template, selector)];
}

export const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

function validateTemplate(template: PodTemplateSpec, selector: LabelSelector | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (!selectorMatches(selector, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sortedByKey(labels), problem));
  }
  addAll(errors, validatePodTemplate(template, 'spec.template'));
  validateRunsForever(errors, template, 'ReplicaSet', 'spec.template');
  return errors;
}

/** The selector never changes in apps/v1. */
export function validateSameSelector(spec: WorkloadSpec, old: WorkloadSpec): FieldError[] {
  return JSON.stringify(canonicalSelector(spec.selector)) === JSON.stringify(canonicalSelector(old.selector))
    ? []
    : [invalid('spec.selector', shownSelector(spec.selector), FIELD_IMMUTABLE)];
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
  const warnings = old === undefined ? podNameWarnings(object) : [];
  if (template !== undefined && isNewIntent(object, old)) {
    addAll(warnings, podTemplateWarnings(template, 'spec.template'));
  }
  return warnings;
}

/** The wide columns of a pod template: names and images of its containers, and the selector. */
export const templateColumns = (specOf: (object: KubeObject) => WorkloadSpec): TableColumn[] => [
  ...containerColumns((object) => specOf(object).template, { priority: 1 }),
  selectorColumn((object) => specOf(object).selector),
];

/** The wide column that shows which labels the pods have. */
export const selectorColumn = (selectorOf: (object: KubeObject) => LabelSelector | undefined): TableColumn =>
  column('Selector', 'Labels of its pods.', (o) => formatLabelSelector(selectorOf(o)) || '<none>', {
    priority: 1,
  });
