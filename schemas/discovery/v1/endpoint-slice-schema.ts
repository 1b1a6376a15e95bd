/** The structs of EndpointSlice. */
import { objectReference } from '../../core/v1/references.js';
import { PROTOCOLS } from '../../core/v1/enums.js';
import { bool, describe, int32, list, map, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';

const DISCOVERY = 'io.k8s.api.discovery.v1';

/** Sorted, as OpenAPI and refusals have them. */
export const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

const endpointConditions = once(() =>
  struct(
    `${DISCOVERY}.EndpointConditions`,
    {
      ready: bool({ description: 'Serving and not terminating; absent means true.' }),
      serving: bool({ description: 'Able to answer; absent means as ready.' }),
      terminating: bool({ description: 'Going away; absent means false.' }),
    },
    { description: 'Whether an endpoint may be used.' },
  ),
);

const forZone = once(() =>
  struct(
    `${DISCOVERY}.ForZone`,
    { name: text({ default: '' }) },
    { description: 'A zone.', required: ['name'] },
  ),
);

const forNode = once(() =>
  struct(
    `${DISCOVERY}.ForNode`,
    { name: text({ default: '' }) },
    { description: 'A node.', required: ['name'] },
  ),
);

const endpointHints = once(() =>
  struct(
    `${DISCOVERY}.EndpointHints`,
    {
      forZones: list(forZone(), { listType: 'atomic', description: 'At most 8.' }),
      forNodes: list(forNode(), { listType: 'atomic', description: 'At most 8.' }),
    },
    { description: 'Where the clients are that should prefer an endpoint.' },
  ),
);

const endpoint = once(() =>
  struct(
    `${DISCOVERY}.Endpoint`,
    {
      addresses: list(text(), {
        listType: 'set',
        printsNull: true,
        description: 'Of the type that the slice has. Clients use the first.',
      }),
      conditions: describe(endpointConditions(), { default: {} }),
      hostname: text(),
      targetRef: describe(objectReference(), { description: 'What is behind the addresses.' }),
      deprecatedTopology: map(text(), { description: 'Of v1beta1, where it was writable.' }),
      nodeName: text({ description: 'Node behind the addresses.' }),
      zone: text({ description: 'Zone of the node.' }),
      hints: endpointHints(),
    },
    { description: 'One of those behind a service.', required: ['addresses'] },
  ),
);

const endpointPort = once(() =>
  struct(
    `${DISCOVERY}.EndpointPort`,
    {
      name: text({ description: 'Unique in the slice, that of the port of the service.' }),
      protocol: text({ enum: PROTOCOLS, description: 'TCP when absent.' }),
      port: int32({ description: 'Absent means that clients must not connect by it.' }),
      appProtocol: text({ description: 'What is spoken on it, such as kubernetes.io/h2c.' }),
    },
    { description: 'A port that all endpoints of the slice have.', mapType: 'atomic' },
  ),
);

export const DESCRIPTION = 'Some of the endpoints of a service.';

export const endpointSliceSchema = once(() =>
  kubeObject(
    `${DISCOVERY}.EndpointSlice`,
    {
      addressType: text({ default: '', enum: ADDRESS_TYPES, description: 'Never changes.' }),
      endpoints: list(endpoint(), { listType: 'atomic', printsNull: true, description: 'At most 1,000.' }),
      ports: list(endpointPort(), { listType: 'atomic', printsNull: true }),
    },
    { description: DESCRIPTION, required: ['addressType'] },
  ),
);

export interface Endpoint {
  addresses?: string[] | null;
  hostname?: string;
  deprecatedTopology?: Record<string, string>;
  nodeName?: string;
  hints?: { forZones?: { name?: string }[]; forNodes?: { name?: string }[] };
}
export interface EndpointPort {
  name?: string;
  protocol?: string;
  port?: number;
  appProtocol?: string;
}
export interface EndpointSlice {
  addressType?: string;
  endpoints?: Endpoint[] | null;
  ports?: EndpointPort[] | null;
}
