/** What a DaemonSet must look like. */
import { addAll } from '../../add-all.js';
import { validatePodTemplate, validateRunsForever } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { validateLabelSelector, validateNotNegative } from '../../validation/metadata.js';
import { selectorMatches, sortedByKey } from '../../validation/selectors.js';
import { countOf, validateAtMostAll, validateCount } from './counts.js';
import { type DaemonSetUpdateStrategy, specOf, statusOf } from './daemon-set-schema.js';
import { TEMPLATE_GENERATION, templateGenerationOf } from './template-generation.js';
import { isEmptySelector, validateSameSelector } from './workload.js';

export function validateDaemonSet(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  if (Number.isNaN(templateGenerationOf(object))) {
    const value = object.metadata.annotations?.[TEMPLATE_GENERATION];
    errors.push(invalid(`metadata.annotations[${TEMPLATE_GENERATION}]`, value, 'must be an integer'));
  }
  validateSpec(errors, object);
  return errors;
}

export function validateDaemonSetUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  validateSpec(errors, object);
  // Upstream looks at the spec twice.
  addAll(errors, [...errors], validateSameSelector(specOf(object), specOf(old)));
  return errors;
}

function validateSpec(errors: FieldError[], object: KubeObject): void {
  const spec = specOf(object);
  const { selector, template = {} } = spec;
  const problems = validateLabelSelector(selector, 'spec.selector');
  addAll(errors, problems);
  const labels = template.metadata?.labels;
  // A selector that cannot be read is compared with nothing.
  if (problems.length === 0 && !selectorMatches(selector, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sortedByKey(labels), problem));
  }
  if (selector !== undefined && isEmptySelector(selector)) {
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  }
  addAll(errors, validatePodTemplate(template, 'spec.template'));
  validateRunsForever(errors, template, 'DaemonSet', 'spec.template');
  validateNotNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  validateUpdateStrategy(errors, spec.updateStrategy ?? {});
  validateNotNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
}

function validateUpdateStrategy(
  errors: FieldError[],
  { type = '', rollingUpdate }: DaemonSetUpdateStrategy,
): void {
  const field = 'spec.updateStrategy';
  if (type === 'OnDelete') return;
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  if (type !== 'RollingUpdate') {
    // Go prints its internal struct, with Go's field names.
    const pace = rollingUpdate ? { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge } : null;
    errors.push(notSupported(field, { Type: type, RollingUpdate: pace }, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const path = `${field}.rollingUpdate`;
  if (rollingUpdate === undefined) {
    errors.push(required(path));
    return;
  }
  validateCount(errors, `${path}.maxUnavailable`, maxUnavailable);
  validateCount(errors, `${path}.maxSurge`, maxSurge);
  validateAtMostAll(errors, `${path}.maxUnavailable`, maxUnavailable);
  validateAtMostAll(errors, `${path}.maxSurge`, maxSurge);
  if (countOf(maxUnavailable) !== 0 && countOf(maxSurge) !== 0) {
    errors.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (countOf(maxUnavailable) === 0 && countOf(maxSurge) === 0) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
}

export function validateDaemonSetStatus(object: KubeObject, old: KubeObject): FieldError[] {
  const status = statusOf(object);
  const errors: FieldError[] = [];
  for (const field of [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ] as const) {
    validateNotNegative(errors, `status.${field}`, status[field]);
  }
  const { collisionCount = 0 } = status;
  if (collisionCount < (statusOf(old).collisionCount ?? 0)) {
    errors.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}
