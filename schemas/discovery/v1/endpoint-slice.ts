/** EndpointSlice: some of the endpoints of a service, so that a change of one does not rewrite them all. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import { ipWarnings } from '../../core/v1/addresses.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { invalid } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import {
  DESCRIPTION,
  type Endpoint,
  type EndpointSlice,
  endpointSliceSchema,
} from './endpoint-slice-schema.js';
import { validateEndpoints, validateSlice } from './endpoint-slice-validation.js';

/** Items that a table names before it only counts them. */
const SHOWN_MAX = 3;
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** Take their addresses from objects in which they have been checked. */
const CONTROLLERS: readonly (string | undefined)[] = [
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
];

const read = (object: KubeObject) => object as EndpointSlice;
const endpointsOf = (object: KubeObject): Endpoint[] => read(object).endpoints ?? [];
const sameEndpoints = (a: KubeObject, b: KubeObject): boolean =>
  JSON.stringify(endpointsOf(a)) === JSON.stringify(endpointsOf(b));

function dropTopology(object: KubeObject): void {
  for (const endpoint of endpointsOf(object)) delete endpoint.deprecatedTopology;
}

const strategy: Strategy = {
  defaults(object) {
    for (const port of read(object).ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate: dropTopology,
  prepareForUpdate(object, old) {
    if (!sameEndpoints(object, old)) dropTopology(object);
  },
  validateCreate: (object) => [...validateSlice(read(object)), ...validateEndpoints(read(object))],
  validateUpdate(object, old) {
    const errors = validateSlice(read(object));
    // Endpoints that stay as they are may be as older servers took them.
    if (!sameEndpoints(object, old)) errors.push(...validateEndpoints(read(object)));
    const { addressType } = read(object);
    if (addressType !== read(old).addressType) {
      errors.push(invalid('addressType', addressType, FIELD_IMMUTABLE));
    }
    return errors;
  },
  warnings(object) {
    const warnings: string[] = [];
    if (read(object).addressType === 'FQDN') {
      warnings.push('spec.addressType: FQDN endpoints are deprecated');
    }
    if (CONTROLLERS.includes(object.metadata.labels?.[MANAGED_BY])) return warnings;
    for (const [i, { addresses }] of endpointsOf(object).entries()) {
      for (const [j, address] of (addresses ?? []).entries()) {
        warnings.push(...ipWarnings(address, `endpoints[${i}].addresses[${j}]`));
      }
    }
    return warnings;
  },
};

function some(items: readonly string[]): string {
  const shown = items.slice(0, SHOWN_MAX).join(',');
  return items.length > SHOWN_MAX ? `${shown} + ${items.length - SHOWN_MAX} more...` : shown || '<unset>';
}

export const endpointSlices: ResourceDefinition = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  listKind: 'EndpointSliceList',
  plural: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'endpointslices',
  description: DESCRIPTION,
  schema: endpointSliceSchema,
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('AddressType', 'What its addresses are.', (object) => read(object).addressType ?? ''),
    column('Ports', 'Ports of its endpoints.', (object) =>
      some((read(object).ports ?? []).map(({ name, port }) => String(port ?? name ?? '*'))),
    ),
    column('Endpoints', 'Addresses of its endpoints.', (object) =>
      some(endpointsOf(object).flatMap(({ addresses }) => addresses ?? [])),
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  generationCounts: 'labels',
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
