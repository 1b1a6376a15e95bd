/** The structs of CronJob. */
import { objectReference } from '../../core/v1/references.js';
import type { KubeObject } from '../../definition.js';
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { kubeObject, objectMeta, time } from '../../meta/v1.js';
import { type JobSpec, jobSpec } from './job-schema.js';

const BATCH = 'io.k8s.api.batch.v1';

const jobTemplateSpec = once(() =>
  struct(
    `${BATCH}.JobTemplateSpec`,
    {
      metadata: describe(objectMeta(), { default: {} }),
      spec: describe(jobSpec(), { default: {}, description: 'The work of each job.' }),
    },
    { description: 'What the jobs of a cron job look like.' },
  ),
);

const cronJobSpec = once(() =>
  struct(
    `${BATCH}.CronJobSpec`,
    {
      schedule: text({
        default: '',
        description: 'Minute, hour, day of the month, month, day of the week, or a name such as @daily.',
      }),
      timeZone: text({ description: "Where the schedule's hours are those of; the controller's if absent." }),
      startingDeadlineSeconds: int64({ description: 'How late a job may still be started.' }),
      concurrencyPolicy: text({
        omitEmpty: true,
        goType: 'v1.ConcurrencyPolicy',
        enum: ['Allow', 'Forbid', 'Replace'],
        description: 'Forbid skips a job, Replace ends the one that still runs.',
      }),
      suspend: bool({ description: 'No jobs are made while this is set.' }),
      jobTemplate: describe(jobTemplateSpec(), { default: {}, description: 'What each job looks like.' }),
      successfulJobsHistoryLimit: int32({ description: 'How many jobs that succeeded are kept.' }),
      failedJobsHistoryLimit: int32({ description: 'How many jobs that failed are kept.' }),
    },
    { description: 'When which jobs are made.', required: ['schedule', 'jobTemplate'] },
  ),
);

const cronJobStatus = once(() =>
  struct(
    `${BATCH}.CronJobStatus`,
    {
      active: list(objectReference(), { listType: 'atomic', description: 'Jobs that run.' }),
      lastScheduleTime: time({ description: 'When a job was last due.' }),
      lastSuccessfulTime: time({ description: 'When a job last succeeded.' }),
    },
    { description: 'The jobs that were made.' },
  ),
);

export const cronJob = once(() =>
  kubeObject(
    `${BATCH}.CronJob`,
    {
      spec: describe(cronJobSpec(), { default: {} }),
      status: describe(cronJobStatus(), { default: {} }),
    },
    { description: 'Makes jobs at certain times.', required: ['spec'] },
  ),
);

/** What code reads of a CronJob. */
export interface CronJobSpec {
  schedule?: string;
  timeZone?: string;
  startingDeadlineSeconds?: number;
  concurrencyPolicy?: string;
  suspend?: boolean;
  jobTemplate?: { spec?: JobSpec };
  successfulJobsHistoryLimit?: number;
  failedJobsHistoryLimit?: number;
}
export interface CronJobStatus {
  active?: unknown[];
  lastScheduleTime?: string;
}

export const specOf = (object: KubeObject): CronJobSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): CronJobStatus => object['status'] ?? {};
