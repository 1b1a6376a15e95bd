/** What a Service must look like. service-update.ts has what may not change. */
import type { KubeObject } from '../../definition.js';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { validateLabels } from '../../validation/metadata.js';
import {
  dns1123Label,
  dns1123Subdomain,
  portName,
  portNumber,
  qualifiedName,
} from '../../validation/names.js';
import { validateCidr, validateIP, validateNonSpecialIP } from './addresses.js';
import { validateClusterIPs } from './service-cluster-ips.js';
import {
  hasHealthCheckNodePort,
  hasNodePorts,
  isExternallyAccessible,
  isHeadless,
  type ServicePort,
  type ServiceSpec,
  specOf,
} from './service-fields.js';
import { PROTOCOLS } from './enums.js';

/** The port on which the kubelet answers: exposing it would open every node. */
const KUBELET_PORT = 10_250;
const CLIENT_AFFINITY_SECONDS_MAX = 86_400;

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const SESSION_AFFINITIES = ['ClientIP', 'None'];
const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];

const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
export const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';

const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

export function validateService(service: KubeObject): FieldError[] {
  const spec = specOf(service);
  return [
    ...validateTopology(service),
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateSessionAffinity(spec),
    ...validateClusterIPs(spec),
    ...validateExternalIPs(spec),
    ...validateTypeName(spec),
    ...validateUniquePorts(spec),
    ...validateLoadBalancer(service),
    ...validateTrafficPolicies(spec),
  ];
}

function validateTopology({ metadata: { annotations = {} } }: KubeObject): FieldError[] {
  const mode = annotations[TOPOLOGY_MODE];
  const hints = annotations[TOPOLOGY_HINTS];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const problem = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  return [invalid(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, problem)];
}

/** What each type asks for. */
function validateType(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { ports = [], type } = spec;
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'));
  if (type === 'LoadBalancer') {
    for (const [i, { port }] of ports.entries()) {
      if (port !== KUBELET_PORT) continue;
      const problem = `may not expose port ${port} externally since it is used by kubelet`;
      errors.push(invalid(`spec.ports[${i}]`, port, problem));
    }
  }
  if (hasNodePorts(spec) && isHeadless(spec)) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  }
  if (type === 'ExternalName') errors.push(...validateExternalName(spec));
  return errors;
}

function validateExternalName({ clusterIPs = [], ipFamilies = [], ...spec }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const problem = 'may not be set for ExternalName services';
  if (clusterIPs.length > 0) errors.push(forbidden('spec.clusterIPs', problem));
  if (ipFamilies.length > 0) errors.push(forbidden('spec.ipFamilies', problem));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', problem));
  // A trailing dot marks a name as complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') errors.push(required('spec.externalName'));
  else for (const text of dns1123Subdomain(name)) errors.push(invalid('spec.externalName', name, text));
  return errors;
}

function validatePorts({ ports = [] }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const path = `spec.ports[${i}]`;
    const { name = '' } = port;
    if (name === '' && ports.length > 1) errors.push(required(`${path}.name`));
    if (name !== '') {
      for (const problem of dns1123Label(name)) errors.push(invalid(`${path}.name`, name, problem));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    errors.push(...validatePort(port, path));
  }
  return errors;
}

function validatePort(
  { port = 0, protocol = '', targetPort = 0, appProtocol }: ServicePort,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const problem of portNumber(port)) errors.push(invalid(`${path}.port`, port, problem));
  if (protocol === '') errors.push(required(`${path}.protocol`));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  const problems = typeof targetPort === 'string' ? portName(targetPort) : portNumber(targetPort);
  for (const problem of problems) errors.push(invalid(`${path}.targetPort`, targetPort, problem));
  if (appProtocol !== undefined) {
    for (const problem of qualifiedName(appProtocol)) {
      errors.push(invalid(`${path}.appProtocol`, appProtocol, problem));
    }
  }
  return errors;
}

function validateSessionAffinity({
  sessionAffinity = '',
  sessionAffinityConfig: config,
}: ServiceSpec): FieldError[] {
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity === '') return [required('spec.sessionAffinity')];
  if (sessionAffinity === 'None') {
    return config === undefined ? [] : [forbidden(field, 'must not be set when session affinity is None')];
  }
  if (sessionAffinity !== 'ClientIP') {
    return [notSupported('spec.sessionAffinity', sessionAffinity, SESSION_AFFINITIES)];
  }
  const seconds = config?.clientIP?.timeoutSeconds ?? 0;
  return seconds > 0 && seconds <= CLIENT_AFFINITY_SECONDS_MAX
    ? []
    : [
        invalid(
          `${field}.clientIP.timeoutSeconds`,
          seconds,
          `must be greater than 0 and less than ${CLIENT_AFFINITY_SECONDS_MAX}`,
        ),
      ];
}

function validateExternalIPs({ externalIPs = [] }: ServiceSpec): FieldError[] {
  return externalIPs.flatMap((ip, i) => {
    const errors = validateIP(ip, `spec.externalIPs[${i}]`);
    return errors.length > 0 ? errors : validateNonSpecialIP(ip, `spec.externalIPs[${i}]`);
  });
}

function validateTypeName({ type = '', ports = [] }: ServiceSpec): FieldError[] {
  if (type === '') return [required('spec.type')];
  if (!TYPES.includes(type)) return [notSupported('spec.type', type, TYPES)];
  if (type !== 'ClusterIP') return [];
  return ports.flatMap(({ nodePort }, i) =>
    nodePort ? [forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'")] : [],
  );
}

/** A node port, and a port, may be there once for each protocol. */
function validateUniquePorts({ ports = [] }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const nodePorts = new Set<string>();
  for (const [i, { protocol = '', nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    if (nodePorts.has(`${protocol}:${nodePort}`))
      errors.push(duplicate(`spec.ports[${i}].nodePort`, nodePort));
    nodePorts.add(`${protocol}:${nodePort}`);
  }
  const seen = new Set<string>();
  for (const [i, { protocol = '', port = 0 }] of ports.entries()) {
    if (seen.has(`${protocol}:${port}`)) errors.push(duplicate(`spec.ports[${i}]`, portKey(protocol, port)));
    seen.add(`${protocol}:${port}`);
  }
  return errors;
}

/** Go prints its internal struct here, with Go's field names and nothing but what makes ports differ. */
const portKey = (protocol: string, port: number) => ({
  Name: '',
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});

function validateLoadBalancer(service: KubeObject): FieldError[] {
  const spec = specOf(service);
  const errors = validateSourceRanges(service);
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer') {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', ONLY_LOAD_BALANCER));
  }
  return [...errors, ...validateLoadBalancerClass(spec)];
}

export function validateLoadBalancerClass({ loadBalancerClass: name, type }: ServiceSpec): FieldError[] {
  if (name === undefined) return [];
  if (type !== 'LoadBalancer') return [forbidden('spec.loadBalancerClass', ONLY_LOAD_BALANCER)];
  return qualifiedName(name).map((problem) => invalid('spec.loadBalancerClass', name, problem));
}

/** In the field, or in the annotation that came before it. */
function validateSourceRanges(service: KubeObject): FieldError[] {
  const { loadBalancerSourceRanges: ranges = [], type } = specOf(service);
  const annotation = service.metadata.annotations?.[SOURCE_RANGES];
  const errors: FieldError[] = [];
  const field =
    ranges.length > 0 ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${SOURCE_RANGES}]`;
  if (ranges.length === 0 && annotation === undefined) return errors;
  if (type !== 'LoadBalancer') errors.push(forbidden(field, ONLY_LOAD_BALANCER));
  if (ranges.length > 0) {
    for (const [i, range] of ranges.entries()) errors.push(...validateCidr(range.trim(), `${field}[${i}]`));
  } else if (annotation?.trim()) {
    for (const range of annotation.split(',')) errors.push(...validateCidr(range.trim(), field));
  }
  return errors;
}

function validateTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const errors = validateExternalTraffic(spec);
  const { internalTrafficPolicy: internal, trafficDistribution: distribution } = spec;
  if (internal !== undefined && !TRAFFIC_POLICIES.includes(internal)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, TRAFFIC_POLICIES));
  }
  if (distribution !== undefined && !TRAFFIC_DISTRIBUTIONS.includes(distribution)) {
    errors.push(notSupported('spec.trafficDistribution', distribution, TRAFFIC_DISTRIBUTIONS));
  }
  return errors;
}

function validateExternalTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: policy = '', healthCheckNodePort: port = 0 } = spec;
  const errors: FieldError[] = [];
  const field = 'spec.externalTrafficPolicy';
  if (!isExternallyAccessible(spec)) {
    if (policy !== '')
      errors.push(invalid(field, policy, 'may only be set for externally-accessible services'));
  } else if (!TRAFFIC_POLICIES.includes(policy)) {
    errors.push(notSupported(field, policy, TRAFFIC_POLICIES));
  }
  if (port === 0) return errors;
  const problems = hasHealthCheckNodePort(spec)
    ? portNumber(port)
    : ["may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"];
  for (const problem of problems) errors.push(invalid('spec.healthCheckNodePort', port, problem));
  return errors;
}
