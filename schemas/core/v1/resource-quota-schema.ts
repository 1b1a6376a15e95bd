/** The structs of ResourceQuota. */
import type * as z from 'zod';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { resourceList } from './pod-resources.js';

export type ResourceQuotaSpec = z.infer<ReturnType<typeof resourceQuotaSpec>>;
export type ResourceQuotaStatus = z.infer<ReturnType<typeof resourceQuotaStatus>>;

const CORE = 'io.k8s.api.core.v1';
export const DESCRIPTION = 'Bounds what all objects of a namespace use together, and how many there are.';

export const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];

const scopedResourceSelectorRequirement = once(() =>
  struct(
    `${CORE}.ScopedResourceSelectorRequirement`,
    {
      scopeName: text({ default: '', goType: 'v1.ResourceQuotaScope', enum: SCOPES }),
      operator: text({
        default: '',
        goType: 'v1.ScopeSelectorOperator',
        enum: ['DoesNotExist', 'Exists', 'In', 'NotIn'],
        description: 'How the scope is compared with the values.',
      }),
      values: list(text(), { listType: 'atomic', description: 'Of In and NotIn alone.' }),
    },
    { description: 'One scope and its values.', required: ['scopeName', 'operator'] },
  ),
);

const scopeSelector = once(() =>
  struct(
    `${CORE}.ScopeSelector`,
    {
      matchExpressions: list(scopedResourceSelectorRequirement(), {
        listType: 'atomic',
        description: 'All of these must hold.',
      }),
    },
    { description: 'Which objects are counted, by scopes.', mapType: 'atomic' },
  ),
);

const resourceQuotaSpec = once(() =>
  struct(
    `${CORE}.ResourceQuotaSpec`,
    {
      hard: resourceList({ description: 'The most that may be used of each resource.' }),
      scopes: list(text({ goType: 'v1.ResourceQuotaScope', enum: SCOPES }), {
        listType: 'atomic',
        description: 'Only objects that are in all of these are counted. Never change.',
      }),
      scopeSelector: describe(scopeSelector(), { description: 'As scopes, which may have values.' }),
    },
    { description: 'What is bounded.' },
  ),
);

const resourceQuotaStatus = once(() =>
  struct(
    `${CORE}.ResourceQuotaStatus`,
    {
      hard: resourceList({ description: 'The bounds that are in force.' }),
      used: resourceList({ description: 'What is used by now.' }),
    },
    { description: 'What is used of it.' },
  ),
);

export const resourceQuota = once(() =>
  kubeObject(
    `${CORE}.ResourceQuota`,
    {
      spec: describe(resourceQuotaSpec(), { default: {} }),
      status: describe(resourceQuotaStatus(), { default: {} }),
    },
    { description: DESCRIPTION },
  ),
);
