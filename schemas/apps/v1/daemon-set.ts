/** DaemonSet: one pod on every node that it selects. */
import { isDeepStrictEqual } from 'node:util';
import { ageColumn, column, formatLabels, nameColumn } from '../../columns.js';
import { defaultPodTemplate } from '../../core/v1/pod-template.js';
import { isNewIntent, podTemplateWarnings } from '../../core/v1/pod-warnings.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { daemonSet, type DaemonSetStatus, specOf, statusOf } from './daemon-set-schema.js';
import {
  validateDaemonSet,
  validateDaemonSetStatus,
  validateDaemonSetUpdate,
} from './daemon-set-validation.js';
import { setTemplateGeneration, templateGenerationOf } from './template-generation.js';
import { templateColumns } from './workload.js';

const REVISION_HISTORY_LIMIT_DEFAULT = 10;

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    const pace = (strategy.rollingUpdate ??= {});
    pace.maxUnavailable ??= 1;
    pace.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= REVISION_HISTORY_LIMIT_DEFAULT;
  if (spec.template) defaultPodTemplate(spec.template);
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    };
    const given = templateGenerationOf(object) ?? 0;
    // What is no number stays to be refused.
    if (!Number.isNaN(given)) setTemplateGeneration(object, Math.max(given, 1));
  },
  prepareForUpdate(object, old) {
    object['status'] = old['status'];
    const before = templateGenerationOf(old) ?? 0;
    const isNew = !isDeepStrictEqual(specOf(object).template, specOf(old).template);
    setTemplateGeneration(object, isNew ? before + 1 : before);
  },
  validateCreate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  warnings: (object, old) =>
    isNewIntent(object, old) ? podTemplateWarnings(specOf(object).template ?? {}, 'spec.template') : [],
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate(object, old) {
    object['spec'] = old['spec'];
    setTemplateGeneration(object, templateGenerationOf(old) ?? 0);
  },
  validateUpdate: validateDaemonSetStatus,
};

const countColumn = (name: string, description: string, field: keyof DaemonSetStatus) =>
  column(name, description, (o) => statusOf(o)[field] ?? 0, { type: 'integer' });

export const daemonSets: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  listKind: 'DaemonSetList',
  plural: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'daemonsets',
  description: 'One pod on every node that it selects.',
  schema: daemonSet,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    countColumn('Desired', 'How many nodes should have the pod.', 'desiredNumberScheduled'),
    countColumn('Current', 'How many of them have it.', 'currentNumberScheduled'),
    countColumn('Ready', 'On how many it is ready.', 'numberReady'),
    countColumn('Up-to-date', 'On how many it is of the present template.', 'updatedNumberScheduled'),
    countColumn('Available', 'On how many it was ready for minReadySeconds.', 'numberAvailable'),
    column('Node Selector', 'Labels of the nodes that it selects.', (o) =>
      formatLabels(specOf(o).template?.spec?.nodeSelector),
    ),
    ageColumn,
    ...templateColumns(specOf),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
