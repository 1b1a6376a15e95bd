/** CronJob: makes jobs at certain times. */
import { selectorColumn } from '../../apps/v1/workload.js';
import { ageColumn, column, nameColumn, translateTimestampSince } from '../../columns.js';
import { containerColumns } from '../../core/v1/pod-template-columns.js';
import { isNewIntent, podNameWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus, startWithoutStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { cronJob, specOf, statusOf } from './cron-job-schema.js';
import { validateCronJob, validateCronJobUpdate } from './cron-job-validation.js';
import { defaultJobTemplate } from './job-defaults.js';
import { jobSpecWarnings } from './job-warnings.js';

const SUCCESSFUL_JOBS_HISTORY_LIMIT = 3;
const FAILED_JOBS_HISTORY_LIMIT = 1;

/** The jobs' own defaults are set when they are made. */
function defaults(object: KubeObject): void {
  const spec = specOf(object);
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= SUCCESSFUL_JOBS_HISTORY_LIMIT;
  spec.failedJobsHistoryLimit ??= FAILED_JOBS_HISTORY_LIMIT;
  if (spec.jobTemplate?.spec) defaultJobTemplate(spec.jobTemplate.spec);
}

function warnings(object: KubeObject, old?: KubeObject): string[] {
  const { schedule = '', jobTemplate } = specOf(object);
  const found = old === undefined ? podNameWarnings(object) : [];
  if (isNewIntent(object, old)) {
    found.push(...jobSpecWarnings(jobTemplate?.spec ?? {}, 'spec.jobTemplate.spec'));
  }
  if (schedule.includes('TZ')) {
    // Upstream's path.
    found.push(
      'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
    );
  }
  return found;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validateCreate: validateCronJob,
  validateUpdate: validateCronJobUpdate,
  warnings,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
};

const jobTemplateOf = (object: KubeObject) => specOf(object).jobTemplate?.spec;

export const cronJobs: ResourceDefinition = {
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  listKind: 'CronJobList',
  plural: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'cronjobs',
  description: 'Makes jobs at certain times.',
  schema: cronJob,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Schedule', 'When jobs are made.', (o) => specOf(o).schedule ?? ''),
    column('Timezone', "Where the schedule's hours are those of.", (o) => specOf(o).timeZone ?? '<none>'),
    column('Suspend', 'Whether no jobs are made.', (o) => suspendCell(specOf(o).suspend), {
      type: 'boolean',
    }),
    column('Active', 'How many jobs run.', (o) => (statusOf(o).active ?? []).length, { type: 'integer' }),
    column('Last Schedule', 'Time since a job was last due.', (o, now) => {
      const { lastScheduleTime: last } = statusOf(o);
      return last === undefined ? '<none>' : translateTimestampSince(last, now);
    }),
    ageColumn,
    ...containerColumns((o) => jobTemplateOf(o)?.template, { priority: 1 }),
    selectorColumn((o) => jobTemplateOf(o)?.selector),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};

/** As Go prints it. */
function suspendCell(suspend: boolean | undefined): string {
  if (suspend === undefined) return '<unset>';
  return suspend ? 'True' : 'False';
}
