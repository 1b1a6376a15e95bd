/** LimitRange: what one pod, container or claim of a namespace may ask for, and what a container gets that asks for nothing. */
import { column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { validateLimits } from './limit-range-validation.js';
import { resourceList } from './pod-resources.js';
import { roundToMilli } from './resource-lists.js';

type Amounts = Readonly<Record<string, string>>;

export interface LimitRangeItem {
  type?: string;
  max?: Amounts;
  min?: Amounts;
  default?: Amounts;
  defaultRequest?: Amounts;
  maxLimitRequestRatio?: Amounts;
}

export const limitsOf = (object: KubeObject): readonly LimitRangeItem[] =>
  (object['spec'] as { readonly limits?: LimitRangeItem[] | null } | undefined)?.limits ?? [];

const CORE = 'io.k8s.api.core.v1';
const DESCRIPTION = 'Bounds and defaults for what each pod, container or claim of a namespace asks for.';
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

const limitRangeItem = once(() =>
  struct(
    `${CORE}.LimitRangeItem`,
    {
      type: text({
        default: '',
        goType: 'v1.LimitType',
        description: 'What is bounded: Pod, Container or PersistentVolumeClaim.',
      }),
      max: resourceList({ description: 'The most of each resource.' }),
      min: resourceList({ description: 'The least of each resource.' }),
      default: resourceList({ description: 'Limits of containers that have none.' }),
      defaultRequest: resourceList({ description: 'Requests of containers that have none.' }),
      maxLimitRequestRatio: resourceList({ description: 'How many times its request a limit may be.' }),
    },
    { description: 'Bounds for one type.', required: ['type'] },
  ),
);

const limitRangeSpec = once(() =>
  struct(
    `${CORE}.LimitRangeSpec`,
    {
      limits: list(limitRangeItem(), {
        listType: 'atomic',
        printsNull: true,
        description: 'One entry for each type.',
      }),
    },
    { description: 'The bounds.', required: ['limits'] },
  ),
);

/** Containers' limits are at most what is allowed, and their requests what the limit is, or the least that is allowed. */
function defaultContainers(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

const strategy: Strategy = {
  defaults(object) {
    for (const item of limitsOf(object)) {
      for (const name of LISTS) roundToMilli(item, name);
      defaultContainers(item);
    }
  },
  validate: (object) => validateLimits(limitsOf(object)),
};

export const limitRanges: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  listKind: 'LimitRangeList',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'limitranges',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${CORE}.LimitRange`,
      { spec: describe(limitRangeSpec(), { default: {} }) },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Created At', 'When it was made.', ({ metadata }) => metadata.creationTimestamp ?? null, {
      type: 'date',
    }),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
};
