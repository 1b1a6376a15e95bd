/** What a Service gets where its author left it open, on create and on update. */
import { isIP } from 'node:net';
import type { KubeObject } from '../../definition.js';
import { familyOf } from './addresses.js';
import {
  CLUSTER_IP_FAMILIES,
  HEADLESS,
  hasClusterIP,
  hasForeignEndpoints,
  hasHealthCheckNodePort,
  hasNodePorts,
  isExternallyAccessible,
  type ServicePort,
  type ServiceSpec,
  specOf,
  statusOf,
} from './service-fields.js';

const CLIENT_AFFINITY_SECONDS_DEFAULT = 10_800;

export function defaultService(service: KubeObject): void {
  const spec = specOf(service);
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: CLIENT_AFFINITY_SECONDS_DEFAULT } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (hasNodePorts(spec) || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of statusOf(service).loadBalancer?.ingress ?? []) {
      if (ingress.ip) ingress.ipMode ??= 'VIP';
    }
  }
}

export function prepareServiceForCreate(service: KubeObject): void {
  service['status'] = { loadBalancer: {} };
  const spec = specOf(service);
  // Older clients know clusterIP only.
  if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
  completeFamilies(spec, {});
}

export function prepareServiceForUpdate(service: KubeObject, oldService: KubeObject): void {
  const spec = specOf(service);
  const old = specOf(oldService);
  keepAllocated(spec, old);
  alignClusterIPs(spec, old);
  dropOfOtherTypes(spec, old);
  completeFamilies(spec, old);
  service['status'] =
    spec.type === 'LoadBalancer' ? oldService['status'] : { ...statusOf(oldService), loadBalancer: {} };
}

/** Clients that replace a service need not repeat what the server picked for it. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(old) && hasClusterIP(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.clusterIP && old.clusterIPs) {
      spec.clusterIPs = [...old.clusterIPs];
    }
  }
  if (hasNodePorts(old) && hasNodePorts(spec)) keepNodePorts(spec.ports ?? [], old.ports ?? []);
  if (hasHealthCheckNodePort(old) && hasHealthCheckNodePort(spec) && old.healthCheckNodePort) {
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

/** A port keeps the node port of the old port of its name, unless another port asks for the same. */
function keepNodePorts(ports: readonly ServicePort[], oldPorts: readonly ServicePort[]): void {
  const held = new Set(oldPorts.map((port) => port.nodePort));
  const used = new Set(ports.map((port) => port.nodePort).filter((nodePort) => held.has(nodePort)));
  const byName = new Map(oldPorts.map((port) => [port.name ?? '', port.nodePort]));
  for (const port of ports) {
    if (port.nodePort) continue;
    const nodePort = byName.get(port.name ?? '');
    if (!nodePort || used.has(nodePort)) continue;
    port.nodePort = nodePort;
    used.add(nodePort);
  }
}

const same = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** clusterIP follows its first client, clusterIPs the newer ones: where only one was changed, the other follows. */
function alignClusterIPs(spec: ServiceSpec, old: ServiceSpec): void {
  if ((spec.clusterIP ?? '') === (old.clusterIP ?? '')) return;
  if (!same(spec.clusterIPs, old.clusterIPs)) return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else delete spec.clusterIPs;
}

/** A service that changes its type loses what only its old type had, unless the client changed that as well. */
function dropOfOtherTypes(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(old) && !hasClusterIP(spec)) {
    if (spec.clusterIP === old.clusterIP && same(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (same(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const held = new Set((old.ports ?? []).map((port) => port.nodePort));
    const ports = spec.ports ?? [];
    if (ports.every(({ nodePort }) => !nodePort || held.has(nodePort))) {
      for (const port of ports) delete port.nodePort;
    }
    if (spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
  if (hasHealthCheckNodePort(old) && !hasHealthCheckNodePort(spec)) {
    if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
}

/**
 * Sets the IP families and their policy. One family is configured, so two of them only make sense for a headless service
 * without a selector, whose endpoints come from elsewhere; validation refuses the rest.
 */
function completeFamilies(spec: ServiceSpec, old: ServiceSpec): void {
  if (!hasClusterIP(spec)) return;
  spec.ipFamilyPolicy ??=
    old.ipFamilyPolicy ?? (hasForeignEndpoints(spec) ? 'RequireDualStack' : 'SingleStack');
  const families: string[] = [...(spec.ipFamilies ?? [])];
  const ips = (spec.clusterIPs ?? []).filter((ip) => ip !== HEADLESS && isIP(ip) !== 0);
  for (const ip of ips.slice(families.length)) {
    const family = familyOf(ip);
    if (CLUSTER_IP_FAMILIES.includes(family)) families.push(family);
  }
  if (families.length === 0 && ips.length === 0) families.push(...CLUSTER_IP_FAMILIES);
  if (hasForeignEndpoints(spec) && families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  }
  spec.ipFamilies = families;
}
