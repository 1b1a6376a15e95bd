/** What a job gets that its author left out. Works in place. */
import { defaultPodTemplate } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { type JobSpec, specOf } from './job-schema.js';

const BACKOFF_LIMIT = 6;
/** Where failures are counted for each index, those of the whole job are not. */
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;

export function defaultJob(object: KubeObject): void {
  const spec = specOf(object);
  if (spec.parallelism === undefined) {
    spec.parallelism = 1;
    spec.completions ??= 1;
  }
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : NO_BACKOFF_LIMIT;
  labelLikePods(object);
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  for (const { onPodConditions } of spec.podFailurePolicy?.rules ?? []) {
    for (const condition of onPodConditions ?? []) condition.status ||= 'True';
  }
  defaultJobTemplate(spec);
}

/** Of templates of jobs too. */
export function defaultJobTemplate(spec: JobSpec): void {
  if (spec.template) defaultPodTemplate(spec.template);
}

/** A job without labels has those of its pods. */
export function labelLikePods(object: KubeObject): void {
  const labels = specOf(object).template?.metadata?.labels;
  if (labels && Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = labels;
}
