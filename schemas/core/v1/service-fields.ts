/** What a Service holds, and the questions that defaults, rules and allocators ask of it. */
import type { KubeObject } from '../../definition.js';
import type { IPFamily } from './addresses.js';

export interface ServicePort {
  name?: string;
  protocol?: string;
  appProtocol?: string;
  port?: number;
  targetPort?: number | string;
  nodePort?: number;
}

export interface ServiceSpec {
  ports?: ServicePort[];
  selector?: Record<string, string>;
  clusterIP?: string;
  clusterIPs?: string[];
  type?: string;
  externalIPs?: string[];
  sessionAffinity?: string;
  loadBalancerIP?: string;
  loadBalancerSourceRanges?: string[];
  externalName?: string;
  externalTrafficPolicy?: string;
  healthCheckNodePort?: number;
  publishNotReadyAddresses?: boolean;
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
  allocateLoadBalancerNodePorts?: boolean;
  loadBalancerClass?: string;
  internalTrafficPolicy?: string;
  trafficDistribution?: string;
}

export interface LoadBalancerIngress {
  ip?: string;
  hostname?: string;
  ipMode?: string;
}

export interface ServiceStatus {
  loadBalancer?: { ingress?: LoadBalancerIngress[] };
}

export const specOf = (service: KubeObject): ServiceSpec => service['spec'] ?? {};
export const statusOf = (service: KubeObject): ServiceStatus => service['status'] ?? {};

/** Addresses are given out of one IPv4 range. */
export const CLUSTER_IP_FAMILIES: readonly IPFamily[] = ['IPv4'];

/** The cluster IP of a service that has none: clients get the addresses of its pods. */
export const HEADLESS = 'None';

export function isHeadless({ clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === HEADLESS;
}

export const hasClusterIP = ({ type }: ServiceSpec): boolean => type !== 'ExternalName';

/** Headless and without a selector: someone else writes its endpoints, of any family. */
export const hasForeignEndpoints = ({ clusterIP, selector = {} }: ServiceSpec): boolean =>
  clusterIP === HEADLESS && Object.keys(selector).length === 0;

export const hasNodePorts = ({ type }: ServiceSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer';

export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  hasNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);

export const hasHealthCheckNodePort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** The service must have a cluster IP and names none: one is to be picked for `clusterIP` and `clusterIPs[0]`. */
export function needsClusterIP(service: KubeObject): boolean {
  const spec = specOf(service);
  return hasClusterIP(spec) && (spec.clusterIPs ?? []).length === 0 && !spec.clusterIP;
}

/** The cluster IPs that are the service's own while it exists, asked for or picked. */
export function heldClusterIPs(service: KubeObject): string[] {
  const spec = specOf(service);
  return hasClusterIP(spec) && !isHeadless(spec) ? (spec.clusterIPs ?? []) : [];
}

/** A node port is to be picked for this port. */
export function needsNodePort(service: KubeObject, port: ServicePort): boolean {
  const spec = specOf(service);
  if (!hasNodePorts(spec) || port.nodePort) return false;
  return spec.type !== 'LoadBalancer' || spec.allocateLoadBalancerNodePorts !== false;
}

/** A node port is to be picked for `healthCheckNodePort`. */
export function needsHealthCheckNodePort(service: KubeObject): boolean {
  const spec = specOf(service);
  return hasHealthCheckNodePort(spec) && !spec.healthCheckNodePort;
}

/** The node ports that are the service's own while it exists. TCP and UDP on one number share it, so each is listed once. */
export function heldNodePorts(service: KubeObject): number[] {
  const spec = specOf(service);
  const held = new Set<number>();
  if (hasNodePorts(spec)) for (const { nodePort } of spec.ports ?? []) if (nodePort) held.add(nodePort);
  if (hasHealthCheckNodePort(spec) && spec.healthCheckNodePort) held.add(spec.healthCheckNodePort);
  return [...held];
}
