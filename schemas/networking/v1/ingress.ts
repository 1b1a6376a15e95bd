/** Ingress: which service answers requests from outside, by host and path. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import { ipWarnings } from '../../core/v1/addresses.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { invalid } from '../../field-error.js';
import { keepSpec, keepStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { DESCRIPTION, type IngressSpec, type IngressStatus, ingressSchema } from './ingress-schema.js';
import { validateIngressSpec, validateIngressStatus } from './ingress-validation.js';

/** What named the class before there was a field for it. */
export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
/** Hosts that a table names before it only counts them. */
const HOSTS_SHOWN_MAX = 3;

const specOf = (object: KubeObject): IngressSpec => object['spec'] ?? {};
const statusOf = (object: KubeObject): IngressStatus => object['status'] ?? {};

const strategy: Strategy = {
  prepareForCreate(object) {
    object['status'] = { loadBalancer: {} };
  },
  prepareForUpdate: keepStatus,
  validateCreate(object) {
    const errors = validateIngressSpec(specOf(object), undefined);
    const annotation = object.metadata.annotations?.[CLASS_ANNOTATION];
    const { ingressClassName: name } = specOf(object);
    if (annotation !== undefined && name !== undefined && annotation !== name) {
      const problem = 'must match `ingressClassName` when both are specified';
      errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotation, problem));
    }
    return errors;
  },
  validateUpdate: (object, old) => validateIngressSpec(specOf(object), specOf(old)),
  warnings(object, old) {
    const isNew = old === undefined && specOf(object).ingressClassName === undefined;
    if (!isNew || object.metadata.annotations?.[CLASS_ANNOTATION] === undefined) return [];
    return [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];
  },
};

const ingressOf = (object: KubeObject) => statusOf(object).loadBalancer?.ingress ?? [];

const statusStrategy: Strategy = {
  prepareForUpdate: keepSpec,
  validateUpdate: (object, old) => validateIngressStatus(statusOf(object), statusOf(old)),
  warnings: (object) =>
    ingressOf(object).flatMap(({ ip = '' }, i) => ipWarnings(ip, `status.loadBalancer.ingress[${i}].ip`)),
};

function formatHosts({ rules = [] }: IngressSpec): string {
  const shown: string[] = [];
  for (const { host } of rules) {
    // As upstream, which counts the rules that are left, with a host or without.
    if (shown.length === HOSTS_SHOWN_MAX) {
      return `${shown.join(',')} + ${rules.length - HOSTS_SHOWN_MAX} more...`;
    }
    if (host) shown.push(host);
  }
  return shown.length === 0 ? '*' : shown.join(',');
}

export const ingresses: ResourceDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  listKind: 'IngressList',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'ingress',
  description: DESCRIPTION,
  schema: ingressSchema,
  strategy,
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy }],
  columns: [
    nameColumn,
    column('Class', 'Who makes it come true.', (object) => specOf(object).ingressClassName ?? '<none>'),
    column('Hosts', 'Hosts of its rules.', (object) => formatHosts(specOf(object))),
    column('Address', 'Where it is reached.', (object) =>
      [...new Set(ingressOf(object).map(({ ip, hostname }) => ip || hostname || ''))]
        .filter(Boolean)
        .sort()
        .join(','),
    ),
    column('Ports', 'Ports that it is reached at.', (object) =>
      (specOf(object).tls ?? []).length > 0 ? '80, 443' : '80',
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
