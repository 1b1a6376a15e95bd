/** Service: one name and address for a set of pods. */
import { ageColumn, column, formatLabels, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepSpec } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { PROXY_VERBS, STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { cidrWarnings, ipWarnings } from './addresses.js';
import { defaultService, prepareServiceForCreate, prepareServiceForUpdate } from './service-defaults.js';
import { HEADLESS, type ServicePort, specOf, statusOf } from './service-fields.js';
import { service } from './service-schema.js';
import { validateServiceStatus, validateServiceUpdate } from './service-update.js';
import { TOPOLOGY_HINTS, validateService } from './service-validation.js';

const strategy: Strategy = {
  defaults: defaultService,
  prepareForCreate: prepareServiceForCreate,
  prepareForUpdate: prepareServiceForUpdate,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  warnings,
};

const statusStrategy: Strategy = {
  defaults: defaultService,
  prepareForUpdate: keepSpec,
  validateUpdate: validateServiceStatus,
};

function warnings(object: KubeObject): string[] {
  const found: string[] = [];
  const { externalIPs = [], type, ...spec } = specOf(object);
  const annotations = object.metadata.annotations ?? {};
  if (Object.hasOwn(annotations, TOPOLOGY_HINTS)) {
    found.push(
      `annotation ${TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    );
  }
  const isPlainHeadless = type === 'ClusterIP' && spec.clusterIP === HEADLESS;
  if (type !== 'ExternalName' && !isPlainHeadless) {
    found.push(...(spec.clusterIPs ?? []).flatMap((ip, i) => ipWarnings(ip, `spec.clusterIPs[${i}]`)));
  }
  if (isPlainHeadless) {
    if (spec.loadBalancerIP) found.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) found.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') found.push('spec.SessionAffinity is ignored for headless services');
  }
  found.push(...externalIPs.flatMap((ip, i) => ipWarnings(ip, `spec.externalIPs[${i}]`)));
  if (externalIPs.length > 0 && !isPlainHeadless && type !== 'ExternalName') {
    found.push('spec.externalIPs is deprecated');
  }
  if (spec.loadBalancerIP) found.push(...ipWarnings(spec.loadBalancerIP, 'spec.loadBalancerIP'));
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    found.push(...cidrWarnings(range, `spec.loadBalancerSourceRanges[${i}]`));
  }
  if (type === 'ExternalName' && externalIPs.length > 0) {
    found.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== 'ExternalName' && spec.externalName) {
    found.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    found.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return found;
}

/** Where clients outside the cluster reach it. */
function externalAddress(object: KubeObject): string {
  const { type, externalIPs = [], externalName = '' } = specOf(object);
  switch (type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.join(',') || '<none>';
    case 'LoadBalancer': {
      const ingress = statusOf(object).loadBalancer?.ingress ?? [];
      const found = new Set(ingress.map(({ ip, hostname }) => ip || hostname || '').filter(Boolean));
      return [...[...found].sort(), ...externalIPs].join(',') || '<pending>';
    }
    case 'ExternalName':
      return externalName;
    default:
      return '<unknown>';
  }
}

const formatPort = ({ port, nodePort, protocol }: ServicePort): string =>
  nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;

export const services: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Service',
  listKind: 'ServiceList',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'services/specs',
  description: 'One name and address for a set of pods.',
  schema: service,
  strategy,
  subresources: [
    { name: 'proxy', kind: { group: '', version: 'v1', kind: 'ServiceProxyOptions' }, verbs: PROXY_VERBS },
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy },
  ],
  columns: [
    nameColumn,
    column('Type', 'How it is reached.', (o) => specOf(o).type ?? ''),
    column('Cluster-IP', 'Address within the cluster.', (o) => specOf(o).clusterIPs?.[0] ?? '<none>'),
    column('External-IP', 'Addresses from outside.', externalAddress),
    column(
      'Port(s)',
      'Port, node port and protocol.',
      (o) => (specOf(o).ports ?? []).map(formatPort).join(',') || '<none>',
    ),
    ageColumn,
    column('Selector', 'Labels of the pods behind it.', (o) => formatLabels(specOf(o).selector), {
      priority: 1,
    }),
  ],
  selectableFields: {
    'spec.clusterIP': (o) => specOf(o).clusterIP ?? '',
    'spec.type': (o) => specOf(o).type ?? '',
  },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Label,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
  returnsDeletedObject: true,
};
