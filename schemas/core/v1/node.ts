/** Node: a machine that runs pods. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { PROXY_VERBS, STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { node } from './node-schema.js';
import { specOf, statusOf, validateNode, validateNodeUpdate } from './node-validation.js';

/** New nodes take no pods until they report that they are ready. */
const NOT_READY_TAINT = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;

const ROLE_LABEL_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  const status = statusOf(object);
  if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity };
  // podCIDR is the older field; where the two disagree it wins, as older clients know no other.
  if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.[0]) spec.podCIDR ||= spec.podCIDRs[0];
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    const { taints = [] } = specOf(object);
    const { key, effect } = NOT_READY_TAINT;
    if (!taints.some((taint) => taint.key === key && taint.effect === effect)) {
      object['spec'] = { ...specOf(object), taints: [...taints, { key, effect }] };
    }
  },
  prepareForUpdate: keepStatus,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  warnings(object) {
    const { configSource, externalID } = specOf(object);
    const warnings: string[] = [];
    if (configSource !== undefined) warnings.push('spec.configSource: the feature is removed');
    if (externalID) warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
    return warnings;
  },
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
};

function readiness(object: KubeObject): string {
  const ready = statusOf(object).conditions?.findLast(({ type }) => type === 'Ready');
  const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (specOf(object).unschedulable) states.push('SchedulingDisabled');
  return states.join(',');
}

function roles({ metadata }: KubeObject): string {
  const found = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(ROLE_LABEL_PREFIX)) found.add(label.slice(ROLE_LABEL_PREFIX.length));
    else if (label === ROLE_LABEL) found.add(value);
  }
  found.delete('');
  return found.size === 0 ? '<none>' : [...found].sort().join(',');
}

const addressOfType = (type: string) => (object: KubeObject) =>
  statusOf(object).addresses?.find((address) => address.type === type)?.address || '<none>';

const WIDE = { priority: 1 } as const;

export const nodes: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Node',
  listKind: 'NodeList',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'minions',
  description: 'A machine that runs pods.',
  schema: node,
  strategy,
  subresources: [
    { name: 'proxy', kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' }, verbs: PROXY_VERBS },
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy },
  ],
  columns: [
    nameColumn,
    column('Status', 'Whether it is ready, and takes new pods.', readiness),
    column('Roles', 'From its labels.', roles),
    ageColumn,
    column('Version', 'Of its kubelet.', (o) => statusOf(o).nodeInfo?.kubeletVersion ?? ''),
    column('Internal-IP', 'Address within the cluster.', addressOfType('InternalIP'), WIDE),
    column('External-IP', 'Address from outside.', addressOfType('ExternalIP'), WIDE),
    column('OS-Image', 'Operating system.', (o) => statusOf(o).nodeInfo?.osImage || '<unknown>', WIDE),
    column(
      'Kernel-Version',
      'Version of its kernel.',
      (o) => statusOf(o).nodeInfo?.kernelVersion || '<unknown>',
      WIDE,
    ),
    column(
      'Container-Runtime',
      'What runs its containers.',
      (o) => statusOf(o).nodeInfo?.containerRuntimeVersion || '<unknown>',
      WIDE,
    ),
  ],
  selectableFields: { 'spec.unschedulable': (object) => String(specOf(object).unschedulable ?? false) },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
