/** Endpoints: the addresses behind a service, in the form that came before EndpointSlice. */
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { joinHostPort } from '../../host-port.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { ipWarnings } from './addresses.js';
import { DESCRIPTION, type EndpointSubset, endpointsSchema } from './endpoints-schema.js';
import { validateSubsets } from './endpoints-validation.js';

/** Endpoints that a table names before it only counts them. */
const SHOWN_MAX = 3;
const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
/** Takes its addresses from pods, where they have been checked. */
const CONTROLLER = 'endpoint-controller';

const subsetsOf = (object: KubeObject): readonly EndpointSubset[] =>
  (object['subsets'] as EndpointSubset[] | undefined) ?? [];

const strategy: Strategy = {
  defaults(object) {
    for (const { ports = [] } of subsetsOf(object)) for (const port of ports) port.protocol ||= 'TCP';
  },
  validateCreate: (object) => validateSubsets(subsetsOf(object)),
  /** Subsets that stay as they are may be as older servers took them. */
  validateUpdate: (object, old) =>
    JSON.stringify(subsetsOf(object)) === JSON.stringify(subsetsOf(old))
      ? []
      : validateSubsets(subsetsOf(object)),
  warnings(object) {
    const warnings: string[] = [];
    if (object.metadata.labels?.[MANAGED_BY] === CONTROLLER) return warnings;
    for (const [i, subset] of subsetsOf(object).entries()) {
      for (const list of ['addresses', 'notReadyAddresses'] as const) {
        for (const [j, { ip = '' }] of (subset[list] ?? []).entries()) {
          addAll(warnings, ipWarnings(ip, `subsets[${i}].${list}[${j}].ip`));
        }
      }
    }
    return warnings;
  },
};

function formatEndpoints(object: KubeObject): string {
  const subsets = subsetsOf(object);
  if (subsets.length === 0) return '<none>';
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    // A headless service may have none.
    for (const port of ports.length === 0 ? [undefined] : ports) {
      for (const { ip = '' } of addresses) {
        if (++count <= SHOWN_MAX) shown.push(port === undefined ? ip : joinHostPort(ip, port.port ?? 0));
      }
    }
  }
  return `${shown.join(',')}${count > SHOWN_MAX ? ` + ${count - SHOWN_MAX} more...` : ''}`;
}

export const endpoints: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  listKind: 'EndpointsList',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'services/endpoints',
  description: DESCRIPTION,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  schema: endpointsSchema,
  strategy,
  subresources: [],
  columns: [nameColumn, column('Endpoints', 'Addresses with ports.', formatEndpoints), ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
};
