/** The structs of Ingress. */
import type * as z from 'zod';
import { PROTOCOLS } from '../../core/v1/enums.js';
import { typedLocalObjectReference } from '../../core/v1/references.js';
import { describe, int32, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';

const NETWORKING = 'io.k8s.api.networking.v1';

/** Sorted, as OpenAPI and refusals have them. */
export const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

const serviceBackendPort = once(() =>
  struct(
    `${NETWORKING}.ServiceBackendPort`,
    {
      name: text({ omitEmpty: true }),
      number: int32({ omitEmpty: true }),
    },
    { description: 'A port of a service, by its name or its number.', mapType: 'atomic' },
  ),
);

const ingressServiceBackend = once(() =>
  struct(
    `${NETWORKING}.IngressServiceBackend`,
    {
      name: text({ default: '' }),
      port: describe(serviceBackendPort(), { default: {} }),
    },
    { description: 'A service of the namespace.', required: ['name'] },
  ),
);

const ingressBackend = once(() =>
  struct(
    `${NETWORKING}.IngressBackend`,
    {
      service: describe(ingressServiceBackend(), { description: 'A service that answers.' }),
      resource: describe(typedLocalObjectReference(), { description: 'Something else that answers.' }),
    },
    { description: 'Who answers: one of the two.' },
  ),
);

const httpIngressPath = once(() =>
  struct(
    `${NETWORKING}.HTTPIngressPath`,
    {
      path: text({ omitEmpty: true, description: 'Begins with a slash.' }),
      pathType: text({
        enum: PATH_TYPES,
        goType: 'v1.PathType',
        description: 'Whether all of the path must be equal, or its first segments.',
      }),
      backend: describe(ingressBackend(), { default: {}, description: 'Who answers.' }),
    },
    { description: 'Who answers for a path.', required: ['pathType', 'backend'] },
  ),
);

const httpIngressRuleValue = once(() =>
  struct(
    `${NETWORKING}.HTTPIngressRuleValue`,
    { paths: list(httpIngressPath(), { listType: 'atomic', printsNull: true }) },
    { description: 'Who answers for which paths.', required: ['paths'] },
  ),
);

const ingressRule = once(() =>
  struct(
    `${NETWORKING}.IngressRule`,
    {
      host: text({ omitEmpty: true, description: 'A name, or *.name; every host when absent.' }),
      http: describe(httpIngressRuleValue(), { bareReference: true }),
    },
    { description: 'What is asked of one host.' },
  ),
);

const ingressTls = once(() =>
  struct(
    `${NETWORKING}.IngressTLS`,
    {
      hosts: list(text(), { listType: 'atomic', description: 'Names in the certificate.' }),
      secretName: text({ omitEmpty: true, description: 'Secret with certificate and key.' }),
    },
    { description: 'A certificate, and the hosts that it is for.' },
  ),
);

const ingressSpec = once(() =>
  struct(
    `${NETWORKING}.IngressSpec`,
    {
      ingressClassName: text({ description: 'Who makes it come true; the default class when absent.' }),
      defaultBackend: describe(ingressBackend(), { description: 'Who answers what no rule is about.' }),
      tls: list(ingressTls(), { listType: 'atomic' }),
      rules: list(ingressRule(), { listType: 'atomic' }),
    },
    { description: 'Who answers what.' },
  ),
);

const ingressPortStatus = once(() =>
  struct(
    `${NETWORKING}.IngressPortStatus`,
    {
      port: int32({ default: 0 }),
      protocol: text({ default: '', enum: PROTOCOLS }),
      error: text({ description: 'Why the port could not be opened.' }),
    },
    { description: 'State of one port.', required: ['port', 'protocol'] },
  ),
);

const ingressLoadBalancerIngress = once(() =>
  struct(
    `${NETWORKING}.IngressLoadBalancerIngress`,
    {
      ip: text({ omitEmpty: true }),
      hostname: text({ omitEmpty: true }),
      ports: list(ingressPortStatus(), { listType: 'atomic' }),
    },
    { description: 'A way in.' },
  ),
);

const ingressLoadBalancerStatus = once(() =>
  struct(
    `${NETWORKING}.IngressLoadBalancerStatus`,
    { ingress: list(ingressLoadBalancerIngress(), { listType: 'atomic' }) },
    { description: 'State of a load balancer.' },
  ),
);

const ingressStatus = once(() =>
  struct(
    `${NETWORKING}.IngressStatus`,
    { loadBalancer: describe(ingressLoadBalancerStatus(), { default: {} }) },
    { description: 'Where it is reached.' },
  ),
);

export const DESCRIPTION = 'Which service answers requests from outside, by host and path.';

export const ingressSchema = once(() =>
  kubeObject(
    `${NETWORKING}.Ingress`,
    {
      spec: describe(ingressSpec(), { default: {} }),
      status: describe(ingressStatus(), { default: {} }),
    },
    { description: DESCRIPTION },
  ),
);

export type IngressSpec = z.infer<ReturnType<typeof ingressSpec>>;
export type IngressStatus = z.infer<ReturnType<typeof ingressStatus>>;
export type IngressBackend = z.infer<ReturnType<typeof ingressBackend>>;
export type IngressRule = z.infer<ReturnType<typeof ingressRule>>;
export type IngressTLS = z.infer<ReturnType<typeof ingressTls>>;
export type HTTPIngressPath = z.infer<ReturnType<typeof httpIngressPath>>;
