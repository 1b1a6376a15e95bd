/** What a cron job must look like. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { validateNotNegative } from '../../validation/metadata.js';
import { byteLength } from '../../validation/names.js';
import { shownSelector } from '../../validation/selectors.js';
import { type CronJobSpec, specOf } from './cron-job-schema.js';
import { scheduleProblem } from './cron-schedule.js';
import { validateJobSpec } from './job-validation.js';
import { locationProblem } from './time-zone.js';

/** Names of its jobs have eleven characters more, and no more than 63. */
const NAME_BYTES_MAX = 52;
const CONCURRENCY_POLICIES = ['Allow', 'Forbid', 'Replace'];

export function validateCronJob(object: KubeObject): FieldError[] {
  const errors = validateSpec(specOf(object), undefined);
  const { name = '' } = object.metadata;
  if (byteLength(name) > NAME_BYTES_MAX) {
    errors.push(invalid('metadata.name', name, `must be no more than ${NAME_BYTES_MAX} characters`));
  }
  return errors;
}

export const validateCronJobUpdate = (object: KubeObject, old: KubeObject): FieldError[] =>
  validateSpec(specOf(object), specOf(old));

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const { schedule = '', timeZone, concurrencyPolicy: policy = '', jobTemplate } = spec;
  if (schedule === '') errors.push(required('spec.schedule'));
  else validateSchedule(errors, schedule, timeZone, old?.schedule);
  validateNotNegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  if (timeZone !== undefined && timeZone !== old?.timeZone) validateTimeZone(errors, timeZone);
  if (policy === '') errors.push(required('spec.concurrencyPolicy'));
  else if (!CONCURRENCY_POLICIES.includes(policy)) {
    errors.push(notSupported('spec.concurrencyPolicy', policy, CONCURRENCY_POLICIES));
  }
  validateTemplate(errors, jobTemplate?.spec ?? {}, 'spec.jobTemplate.spec');
  validateNotNegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  validateNotNegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  return errors;
}

/** A time zone in the schedule is a thing of the past: who has one keeps it. */
function validateSchedule(
  errors: FieldError[],
  schedule: string,
  timeZone: string | undefined,
  old = '',
): void {
  const problem = scheduleProblem(schedule);
  if (problem !== undefined) errors.push(invalid('spec.schedule', schedule, problem));
  if (!schedule.includes('TZ')) return;
  if (!old.includes('TZ')) {
    const refusal = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(invalid('spec.schedule', schedule, refusal));
  } else if (timeZone !== undefined) {
    const refusal = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
    errors.push(invalid('spec.schedule', schedule, refusal));
  }
}

function validateTimeZone(errors: FieldError[], name: string): void {
  const refuse = (problem: string) => errors.push(invalid('spec.timeZone', name, problem));
  if (name === '') {
    refuse('timeZone must be nil or non-empty string');
    return;
  }
  const isPath = name
    .split('/')
    .every((part) => /^[A-Za-z.\-_0-9+]{1,14}$/.test(part) && !/^(?:\.|\.\.|-.*)$/.test(part));
  if (!isPath) {
    refuse(`unknown time zone ${name}`);
    return;
  }
  if (name.toLowerCase() === 'local') {
    refuse('timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
  }
  const problem = locationProblem(name);
  if (problem !== undefined) refuse(problem);
}

function validateTemplate(
  errors: FieldError[],
  spec: NonNullable<NonNullable<CronJobSpec['jobTemplate']>['spec']>,
  field: string,
): void {
  addAll(errors, validateJobSpec(spec, field));
  if (spec.selector !== undefined) {
    const problem = '`selector` will be auto-generated';
    errors.push(invalid(`${field}.selector`, shownSelector(spec.selector), problem));
  }
  if (spec.manualSelector) {
    errors.push(notSupported(`${field}.manualSelector`, spec.manualSelector, ['nil', 'false']));
  }
}
