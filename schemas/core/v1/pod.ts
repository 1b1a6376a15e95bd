/** Pod: containers that run together on one node. */
import type * as z from 'zod';
import type { KubeObject, ResourceDefinition } from '../../definition.js';
import { describe, once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { eviction } from '../../policy/v1/eviction.js';
import { nameIs } from '../../validation/names.js';
import { CREATE_ONLY, PROXY_VERBS, STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { binding, bindingStrategy } from './binding.js';
import { podColumns, podRowConditions } from './pod-columns.js';
import { specOf, statusOf } from './pod-object.js';
import { podSpec } from './pod-spec.js';
import { podStatus } from './pod-status.js';
import {
  ephemeralContainersStrategy,
  podStatusStrategy,
  podStrategy,
  resizeStrategy,
} from './pod-strategy.js';

const DESCRIPTION = 'Containers that run together on one node.';

export type Pod = z.infer<ReturnType<typeof pod>>;

export const pod = once(() =>
  kubeObject(
    'io.k8s.api.core.v1.Pod',
    {
      spec: describe(podSpec(), { default: {} }),
      status: describe(podStatus(), { default: {} }),
    },
    { description: DESCRIPTION },
  ),
);

/** Seconds between the stop signal and the kill; a pod that runs nowhere goes at once. */
function deletionGracePeriod(object: KubeObject, requested: number | undefined): number {
  const spec = specOf(object);
  const { phase } = statusOf(object);
  if (!spec.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

const options = (kind: string) => ({ group: '', version: 'v1', kind });

export const pods: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  listKind: 'PodList',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'pods',
  description: DESCRIPTION,
  schema: pod,
  strategy: podStrategy,
  subresources: [
    { name: 'attach', kind: options('PodAttachOptions'), verbs: ['create', 'get'] },
    {
      name: 'binding',
      kind: options('Binding'),
      verbs: CREATE_ONLY,
      schema: binding,
      strategy: bindingStrategy,
    },
    {
      name: 'ephemeralcontainers',
      verbs: SUBRESOURCE_VERBS,
      strategy: ephemeralContainersStrategy,
      settableFields: ['spec.ephemeralContainers'],
    },
    {
      name: 'eviction',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      verbs: CREATE_ONLY,
      schema: eviction,
    },
    { name: 'exec', kind: options('PodExecOptions'), verbs: ['create', 'get'] },
    { name: 'log', verbs: ['get'] },
    { name: 'portforward', kind: options('PodPortForwardOptions'), verbs: ['create', 'get'] },
    {
      name: 'proxy',
      kind: options('PodProxyOptions'),
      verbs: PROXY_VERBS,
    },
    {
      name: 'resize',
      verbs: SUBRESOURCE_VERBS,
      strategy: resizeStrategy,
      settableFields: [
        'spec.containers.*.resources',
        'spec.containers.*.resizePolicy',
        'spec.initContainers.*.resources',
        'spec.initContainers.*.resizePolicy',
      ],
    },
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: podStatusStrategy,
      resetFields: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
    },
  ],
  columns: podColumns,
  rowConditions: podRowConditions,
  selectableFields: {
    'spec.nodeName': (object) => specOf(object).nodeName ?? '',
    'spec.restartPolicy': (object) => specOf(object).restartPolicy ?? '',
    'spec.schedulerName': (object) => specOf(object).schedulerName ?? '',
    'spec.serviceAccountName': (object) => specOf(object).serviceAccountName ?? '',
    'spec.hostNetwork': (object) => String(specOf(object).hostNetwork ?? false),
    'status.phase': (object) => statusOf(object).phase ?? '',
    'status.podIP': (object) => statusOf(object).podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': (object) => statusOf(object).nominatedNodeName ?? '',
  },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
  deletionGracePeriod,
};
