/** What may not change of a job. */
import { isDeepStrictEqual } from 'node:util';
import { addAll } from '../../add-all.js';
import { internalPodSpec, internalPodTemplate, internalStruct } from '../../core/v1/internal-form.js';
import { without } from '../../core/v1/pod-object.js';
import type { PodSpec } from '../../core/v1/pod-spec.js';
import type { PodTemplateSpec } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { shownSelector } from '../../validation/selectors.js';
import {
  isIndexed,
  isTrue,
  type JobSpec,
  podFailurePolicy,
  specOf,
  statusOf,
  successPolicy,
} from './job-schema.js';
import { hasPresentLabels } from './job-selector.js';
import { validateSpec, validateWhole } from './job-validation.js';

export function validateJobUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(object);
  const before = specOf(old);
  const errors = validateWhole(object, hasPresentLabels(before));
  // Upstream looks at the spec twice.
  if (errors.length > 0) addAll(errors, validateSpec(spec));
  validateCompletions(errors, spec, before);
  const keep = (name: keyof JobSpec, shown: unknown = spec[name]): void => {
    if (!isDeepStrictEqual(spec[name], before[name])) {
      errors.push(invalid(`spec.${name}`, shown, FIELD_IMMUTABLE));
    }
  };
  keep('selector', shownSelector(spec.selector));
  validateTemplate(errors, spec.template ?? {}, old);
  keep('completionMode');
  keep(
    'podFailurePolicy',
    spec.podFailurePolicy && internalStruct(podFailurePolicy(), spec.podFailurePolicy),
  );
  keep('backoffLimitPerIndex');
  keep('managedBy');
  keep('successPolicy', spec.successPolicy && internalStruct(successPolicy(), spec.successPolicy));
  return errors;
}

/** An indexed job grows and shrinks together with the number of pods that it runs at a time. */
function validateCompletions(errors: FieldError[], spec: JobSpec, before: JobSpec): void {
  const { completions } = spec;
  if (completions === before.completions) return;
  if (!isIndexed(spec)) errors.push(invalid('spec.completions', completions, FIELD_IMMUTABLE));
  else if (completions !== undefined && completions !== spec.parallelism) {
    const problem = 'can only be modified in tandem with spec.parallelism';
    errors.push(invalid('spec.completions', completions, problem));
  }
}

/** Nothing runs by the old template: the job is suspended, and has either never run or no pods any more. */
function isAtRest(old: KubeObject): boolean {
  const status = statusOf(old);
  const hasStopped = status.startTime === undefined || isTrue(status, 'Suspended');
  return specOf(old).suspend === true && hasStopped && (status.active ?? 0) === 0;
}

/** While the job is at rest, where its pods run and what they ask for may change. */
function validateTemplate(errors: FieldError[], template: PodTemplateSpec, old: KubeObject): void {
  const before = specOf(old).template ?? {};
  const field = 'spec.template';
  if (!isAtRest(old)) {
    if (!isDeepStrictEqual(template, before)) {
      errors.push(invalid(field, internalPodTemplate(template), FIELD_IMMUTABLE));
    }
    return;
  }
  if (!isDeepStrictEqual(fixedMetadata(template), fixedMetadata(before))) {
    errors.push(invalid(field, internalPodTemplate(template), FIELD_IMMUTABLE));
  }
  const { spec = {} } = template;
  if (!isDeepStrictEqual(fixedSpec(spec), fixedSpec(before.spec ?? {}))) {
    errors.push(invalid(`${field}.spec`, internalPodSpec(spec), FIELD_IMMUTABLE));
  }
}

const fixedMetadata = ({ metadata = {} }: PodTemplateSpec) => without(metadata, 'labels', 'annotations');

const fixedContainers = (containers: PodSpec['containers']) =>
  (containers ?? []).map((container) => without(container, 'resources'));

const fixedSpec = (spec: PodSpec) => ({
  ...without(spec, 'nodeSelector', 'tolerations', 'schedulingGates'),
  affinity: without(spec.affinity ?? {}, 'nodeAffinity'),
  containers: fixedContainers(spec.containers),
  initContainers: fixedContainers(spec.initContainers),
});
