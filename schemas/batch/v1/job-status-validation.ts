/**
 * What a job's status may say. Other controllers than upstream's run jobs too (managedBy), so a status is held to what
 * clients rely on: a finished job stays finished, and its numbers and times fit together. Most rules are applied only to a
 * write that touches what they are about, so that a status which breaks one can still be put right in steps.
 */
import { isDeepStrictEqual } from 'node:util';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject } from '../../definition.js';
import { duplicate, type FieldError, invalid, invalidUnshown, required } from '../../field-error.js';
import { FIELD_IMMUTABLE, validateNotNegative } from '../../validation/metadata.js';
import { countIndexes, firstCommonIndex } from './job-indexes.js';
import {
  isIndexed,
  isTrue,
  type JobSpec,
  type JobStatus,
  specOf,
  statusOf,
  uncountedTerminatedPods,
} from './job-schema.js';

const CONDITIONS = 'status.conditions';

/** The states of a job that rules are about. */
const isComplete = (status: JobStatus): boolean => isTrue(status, 'Complete');
const isFailed = (status: JobStatus): boolean => isTrue(status, 'Failed');
const isFinished = (status: JobStatus): boolean => isComplete(status) || isFailed(status);
const hasFailureTarget = (status: JobStatus): boolean => isTrue(status, 'FailureTarget');
const hasSuccess = (status: JobStatus): boolean => isTrue(status, 'SuccessCriteriaMet');

interface Change {
  readonly spec: JobSpec;
  readonly status: JobStatus;
  readonly old: JobStatus;
  /** Whether one of these fields or states differs between the two. */
  readonly touches: (...parts: (keyof JobStatus | ((status: JobStatus) => boolean))[]) => boolean;
}

export function validateJobStatus(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const status = statusOf(object);
  const old = statusOf(oldObject);
  const change: Change = {
    spec: specOf(object),
    status,
    old,
    touches: (...parts) =>
      parts.some((part) =>
        typeof part === 'function'
          ? part(status) !== part(old)
          : !isDeepStrictEqual(status[part] ?? undefined, old[part] ?? undefined),
      ),
  };
  const errors: FieldError[] = [];
  validateCounters(errors, status);
  validateCompletion(errors, change);
  validateFinished(errors, change);
  validateIndexes(errors, change);
  validatePods(errors, change);
  validateSuccess(errors, change);
  validateTransition(errors, change);
  return errors;
}

function validateCounters(errors: FieldError[], status: JobStatus): void {
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    validateNotNegative(errors, `status.${name}`, status[name]);
  }
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [i, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const field = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === '') errors.push(invalid(field, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(field, uid));
      seen.add(uid);
    }
  }
}

function validateCompletion(errors: FieldError[], { status, touches }: Change): void {
  const { startTime, completionTime } = status;
  const complete = isComplete(status);
  const refuse = (problem: string) => errors.push(invalidUnshown(CONDITIONS, problem));
  if (complete && isFailed(status) && touches(isComplete, isFailed)) {
    refuse('cannot set Complete=True and Failed=true conditions');
  }
  if (complete && hasFailureTarget(status) && touches(isComplete, hasFailureTarget)) {
    refuse('cannot set Complete=True and FailureTarget=true conditions');
  }
  const field = 'status.completionTime';
  const isTouched = touches(isComplete, 'completionTime');
  if (completionTime !== undefined && !complete && isTouched) {
    const problem = 'cannot set completionTime when there is no Complete=True condition';
    errors.push(invalid(field, completionTime, problem));
  }
  if (completionTime === undefined && complete && isTouched) {
    errors.push(required(field, 'completionTime is required for Complete jobs'));
  }
  const isEarly =
    startTime !== undefined &&
    completionTime !== undefined &&
    Date.parse(completionTime) < Date.parse(startTime);
  if (isEarly && touches('startTime', 'completionTime')) {
    errors.push(invalid(field, completionTime, 'must be equal to or after `startTime`'));
  }
  if (isFailed(status) && !hasFailureTarget(status) && touches(isFailed, 'failedIndexes')) {
    refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if (complete && !hasSuccess(status) && touches(isComplete, hasSuccess)) {
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
}

function validateFinished(errors: FieldError[], { spec, status, touches }: Change): void {
  if (!isFinished(status)) return;
  const { active = 0, uncountedTerminatedPods: uncounted } = status;
  if (active > 0 && touches(isFinished, 'active')) {
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  }
  // A suspended job that has nothing to do is complete without having started.
  const hasNothingToDo = spec.suspend === true && spec.completions === 0;
  if (status.startTime === undefined && touches(isFinished, 'startTime') && !hasNothingToDo) {
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  }
  const count = (uncounted?.succeeded ?? []).length + (uncounted?.failed ?? []).length;
  if (uncounted && count > 0 && touches(isFinished, 'uncountedTerminatedPods')) {
    const shown = internalStruct(uncountedTerminatedPods(), uncounted);
    errors.push(invalid('status.uncountedTerminatedPods', shown, 'must be empty for finished job'));
  }
}

function validateIndexes(errors: FieldError[], { spec, status, touches }: Change): void {
  const { completedIndexes: completed = '', failedIndexes: failed } = status;
  const { completions, backoffLimitPerIndex } = spec;
  const completedTouched = touches('completedIndexes');
  const failedTouched = touches('failedIndexes');
  const check = (name: 'completedIndexes' | 'failedIndexes', list: string): void => {
    if (completions === undefined) return;
    const counted = countIndexes(list, completions);
    if (typeof counted === 'string') {
      errors.push(invalid(`status.${name}`, list, `error parsing ${name}: ${counted}`));
    }
  };
  if (completedTouched) check('completedIndexes', completed);
  if (failedTouched && failed !== undefined && backoffLimitPerIndex !== undefined) {
    check('failedIndexes', failed);
  }
  if (completedTouched && completed !== '' && !isIndexed(spec)) {
    const problem = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalid('status.completedIndexes', completed, problem));
  }
  if (failedTouched && failed !== undefined && backoffLimitPerIndex === undefined) {
    const problem = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalid('status.failedIndexes', failed, problem));
  }
  if (!completedTouched && !failedTouched) return;
  if (completions === undefined || !failed || completed === '') return;
  const common = firstCommonIndex(completed, failed, completions);
  if (common !== undefined) {
    const problem = `failedIndexes and completedIndexes overlap at index: ${common}`;
    errors.push(invalid('status.failedIndexes', failed, problem));
  }
}

function validatePods(errors: FieldError[], { status, touches }: Change): void {
  const { active = 0, ready = 0, terminating = 0 } = status;
  if (terminating > 0 && isFinished(status) && touches(isFinished, 'terminating')) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if (ready > active && touches('ready', 'active')) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
}

function validateSuccess(errors: FieldError[], { spec, status }: Change): void {
  const refuse = (problem: string) => errors.push(invalidUnshown(CONDITIONS, problem));
  if (hasSuccess(status) && isFailed(status)) {
    refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  }
  if (hasSuccess(status) && hasFailureTarget(status)) {
    refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  }
  if (spec.successPolicy && !hasSuccess(status) && isComplete(status)) {
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
}

function validateTransition(errors: FieldError[], { spec, status, old }: Change): void {
  const refuse = (problem: string) => errors.push(invalidUnshown(CONDITIONS, problem));
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (isTrue(old, type) && !isTrue(status, type)) {
      refuse(`cannot disable the terminal ${type}=True condition`);
    }
  }
  const { failed = 0, succeeded = 0, completionTime } = status;
  if (failed < (old.failed ?? 0)) {
    errors.push(invalid('status.failed', failed, 'cannot decrease the failed counter'));
  }
  // An indexed job that shrinks forgets the indexes beyond its new size.
  const mayShrink = isIndexed(spec) && spec.completions === spec.parallelism;
  if (!mayShrink && succeeded < (old.succeeded ?? 0)) {
    errors.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  }
  const { completionTime: before } = old;
  if (completionTime !== undefined && before !== undefined && completionTime !== before) {
    errors.push(invalid('status.completionTime', completionTime, FIELD_IMMUTABLE));
  }
  validateStartTime(errors, spec, status, old);
  if (hasSuccess(old) && !hasSuccess(status)) {
    refuse('cannot disable the SuccessCriteriaMet=True condition');
  }
  if (isComplete(old) && !hasSuccess(old) && hasSuccess(status)) {
    refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
  }
}

/** It is set anew when the job is resumed, and not otherwise. */
function validateStartTime(errors: FieldError[], spec: JobSpec, status: JobStatus, old: JobStatus): void {
  const { startTime } = status;
  if (old.startTime === undefined || startTime === old.startTime || spec.suspend === true) return;
  const isResumed =
    isTrue(old, 'Suspended') &&
    (status.conditions ?? []).some(({ type, status: value }) => type === 'Suspended' && value === 'False');
  if (isResumed) return;
  errors.push(invalid('status.startTime', startTime, 'field is immutable for unsuspended job once set'));
}
