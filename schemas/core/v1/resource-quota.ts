/** ResourceQuota: what a namespace's objects may use together. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus, startWithoutStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { roundToMilli } from './resource-lists.js';
import {
  DESCRIPTION,
  resourceQuota,
  type ResourceQuotaSpec,
  type ResourceQuotaStatus,
} from './resource-quota-schema.js';
import { validateQuotaSpec, validateQuotaStatus, validateQuotaUpdate } from './resource-quota-validation.js';

export const quotaSpecOf = (object: KubeObject): ResourceQuotaSpec => object['spec'] ?? {};
export const quotaStatusOf = (object: KubeObject): ResourceQuotaStatus => object['status'] ?? {};

function defaults(object: KubeObject): void {
  const status = quotaStatusOf(object);
  roundToMilli(quotaSpecOf(object), 'hard');
  roundToMilli(status, 'hard');
  roundToMilli(status, 'used');
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validate: (object) => validateQuotaSpec(quotaSpecOf(object)),
  validateUpdate: (object, old) => validateQuotaUpdate(quotaSpecOf(object), quotaSpecOf(old)),
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: (object) => validateQuotaStatus(quotaStatusOf(object)),
};

/** `requests.cpu: 1/2, pods: 0/10`, of the limits or of all others. */
function usage(object: KubeObject, ofLimits: boolean): string {
  const { hard = {}, used = {} } = quotaStatusOf(object);
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .sort()
    .map((name) => `${name}: ${Object.hasOwn(used, name) ? used[name] : '0'}/${hard[name]}`)
    .join(', ');
}

export const resourceQuotas: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  listKind: 'ResourceQuotaList',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'resourcequotas',
  description: DESCRIPTION,
  schema: resourceQuota,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Request', 'What is used of what there is.', (object) => usage(object, false)),
    column('Limit', 'The same of limits.', (object) => usage(object, true)),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
