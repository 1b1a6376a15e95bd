/** The structs of Endpoints. */
import { describe, int32, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { PROTOCOLS } from './enums.js';
import { objectReference } from './references.js';

const CORE = 'io.k8s.api.core.v1';

const endpointAddress = once(() =>
  struct(
    `${CORE}.EndpointAddress`,
    {
      ip: text({ default: '', description: 'Of neither the loopback nor a link-local range.' }),
      hostname: text({ omitEmpty: true }),
      nodeName: text({ description: 'Node behind the address.' }),
      targetRef: describe(objectReference(), { description: 'What is behind the address.' }),
    },
    { description: 'One address.', required: ['ip'], mapType: 'atomic' },
  ),
);

const endpointPort = once(() =>
  struct(
    `${CORE}.EndpointPort`,
    {
      name: text({ omitEmpty: true, description: 'That of the port of the service.' }),
      port: int32({ default: 0 }),
      protocol: text({ omitEmpty: true, enum: PROTOCOLS }),
      appProtocol: text({ description: 'What is spoken on it, such as kubernetes.io/h2c.' }),
    },
    { description: 'One port.', required: ['port'], mapType: 'atomic' },
  ),
);

const endpointSubset = once(() =>
  struct(
    `${CORE}.EndpointSubset`,
    {
      addresses: list(endpointAddress(), { listType: 'atomic', description: 'Those that are ready.' }),
      notReadyAddresses: list(endpointAddress(), { listType: 'atomic' }),
      ports: list(endpointPort(), { listType: 'atomic' }),
    },
    { description: 'Each address with each port.' },
  ),
);

export const DESCRIPTION = 'Addresses and ports behind a service. Deprecated: EndpointSlice has them.';

export const endpointsSchema = once(() =>
  kubeObject(
    `${CORE}.Endpoints`,
    { subsets: list(endpointSubset(), { listType: 'atomic' }) },
    { description: DESCRIPTION },
  ),
);

export interface EndpointAddress {
  ip?: string;
  hostname?: string;
  nodeName?: string;
}
export interface EndpointPort {
  name?: string;
  port?: number;
  protocol?: string;
  appProtocol?: string;
}
export interface EndpointSubset {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: EndpointPort[];
}
