/** Job: pods that run until enough of them have succeeded. */
import { selectorColumn } from '../../apps/v1/workload.js';
import { ageColumn, column, humanDuration, nameColumn } from '../../columns.js';
import { containerColumns } from '../../core/v1/pod-template-columns.js';
import { isNewIntent, podNameWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { defaultJob, labelLikePods } from './job-defaults.js';
import { conditionOf, job, specOf, statusOf } from './job-schema.js';
import { generateSelector } from './job-selector.js';
import { validateJobStatus } from './job-status-validation.js';
import { validateJobUpdate } from './job-update-validation.js';
import { validateJob } from './job-validation.js';
import { jobSpecWarnings } from './job-warnings.js';

const strategy: Strategy = {
  defaults: defaultJob,
  prepareForCreate(object) {
    generateSelector(object);
    labelLikePods(object);
    object['status'] = {};
  },
  prepareForUpdate: keepStatus,
  validateCreate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings: (object, old) => [
    ...(old === undefined ? podNameWarnings(object) : []),
    ...(isNewIntent(object, old) ? jobSpecWarnings(specOf(object), 'spec') : []),
  ],
};

const statusStrategy: Strategy = {
  defaults: defaultJob,
  prepareForUpdate: keepSpec,
  validateUpdate: validateJobStatus,
};

function stateOf(object: KubeObject): string {
  const status = statusOf(object);
  const is = (type: string): boolean => conditionOf(status, type) === 'True';
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function completionsOf(object: KubeObject): string {
  const { completions, parallelism = 0 } = specOf(object);
  const { succeeded = 0 } = statusOf(object);
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf(object: KubeObject, now: number): string {
  const { startTime, completionTime } = statusOf(object);
  if (startTime === undefined) return '';
  const end = completionTime === undefined ? now : Date.parse(completionTime);
  return humanDuration(end - Date.parse(startTime));
}

export const jobs: ResourceDefinition = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  listKind: 'JobList',
  plural: 'jobs',
  singular: 'job',
  shortNames: [],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'jobs',
  description: 'Pods that run until enough of them have succeeded.',
  schema: job,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Status', 'Whether it runs, or how it has ended.', stateOf),
    column('Completions', 'How many pods have succeeded, of how many must.', completionsOf),
    column('Duration', 'How long it has run, or ran.', durationOf),
    ageColumn,
    ...containerColumns((o) => specOf(o).template, { priority: 1 }),
    selectorColumn((o) => specOf(o).selector),
  ],
  selectableFields: { 'status.successful': (object) => String(statusOf(object).succeeded ?? 0) },
  ownFieldLabels: 'batchv1.Job',
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  orphansByDefault: {
    warning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  },
};
