/** NetworkPolicy: what may connect to some pods, and what they may connect to. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import { cidrWarnings } from '../../core/v1/addresses.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { nameIs } from '../../validation/names.js';
import { formatLabelSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { DESCRIPTION, type NetworkPolicySpec, networkPolicySchema } from './network-policy-schema.js';
import { rangesOf, validatePolicySpec } from './network-policy-validation.js';

const specOf = (object: KubeObject): NetworkPolicySpec => object['spec'] ?? {};

const strategy: Strategy = {
  defaults(object) {
    const spec = specOf(object);
    const { ingress = [], egress = [] } = spec;
    for (const { ports = [] } of [...ingress, ...egress]) for (const port of ports) port.protocol ??= 'TCP';
    if ((spec.policyTypes ?? []).length > 0) return;
    spec.policyTypes = egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  validateCreate: (object) => validatePolicySpec(specOf(object), undefined),
  validateUpdate: (object, old) => validatePolicySpec(specOf(object), specOf(old)),
  warnings: (object) => rangesOf(specOf(object)).flatMap(({ cidr, path }) => cidrWarnings(cidr, path)),
};

export const networkPolicies: ResourceDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  listKind: 'NetworkPolicyList',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'networkpolicies',
  description: DESCRIPTION,
  schema: networkPolicySchema,
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column(
      'Pod-Selector',
      'Labels of the pods that it is about.',
      (object) => formatLabelSelector(specOf(object).podSelector) || '<none>',
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
