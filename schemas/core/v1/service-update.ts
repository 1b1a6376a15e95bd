/** What of a Service may not change, and the rules of its status. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { dns1123Subdomain } from '../../validation/names.js';
import { validateIP } from './addresses.js';
import {
  hasClusterIP,
  hasHealthCheckNodePort,
  isHeadless,
  type LoadBalancerIngress,
  type ServiceSpec,
  specOf,
  statusOf,
} from './service-fields.js';

const ONCE_SET = 'may not change once set';
const IP_MODES = ['Proxy', 'VIP'];

export function validateServiceUpdate(service: KubeObject, oldService: KubeObject): FieldError[] {
  const spec = specOf(service);
  const old = specOf(oldService);
  const errors: FieldError[] = [];
  if (hasClusterIP(spec) && hasClusterIP(old) && !(isHeadless(spec) && isHeadless(old))) {
    addAll(errors, validateSameClusterIPs(spec, old));
    if (!isHeadless(spec) && !isHeadless(old)) addAll(errors, validateSameFamilies(spec, old));
  }
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer') {
    if (spec.loadBalancerClass !== old.loadBalancerClass) {
      errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, ONCE_SET));
    }
  }
  if (hasHealthCheckNodePort(spec) && hasHealthCheckNodePort(old)) {
    if (spec.healthCheckNodePort !== old.healthCheckNodePort) {
      errors.push(forbidden('spec.healthCheckNodePort', FIELD_IMMUTABLE));
    }
  }
  return errors;
}

function validateSameClusterIPs(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const { clusterIPs: ips = [] } = spec;
  const { clusterIPs: oldIPs = [] } = old;
  const changed = (i: number) => invalid(`spec.clusterIPs[${i}]`, ips, ONCE_SET);
  if (oldIPs.length === ips.length) {
    return oldIPs.flatMap((ip, i) => (ip === ips[i] ? [] : [changed(i)]));
  }
  const errors: FieldError[] = [];
  if (ips.length === 0)
    errors.push(invalid('spec.clusterIPs[0]', null, 'primary clusterIP can not be unset'));
  if (ips.length > 0 && oldIPs.length > 0 && ips[0] !== oldIPs[0]) errors.push(changed(0));
  if (oldIPs.length > ips.length && ips.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const problem = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, problem));
  }
  return errors;
}

function validateSameFamilies(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const { ipFamilies: families = [] } = spec;
  const { ipFamilies: oldFamilies = [] } = old;
  const changed = invalid('spec.ipFamilies[0]', families, ONCE_SET);
  if (families.length === oldFamilies.length) {
    return oldFamilies.flatMap((family, i) => (family === families[i] ? [] : [changed]));
  }
  const errors: FieldError[] = [];
  if (families.length > 0 && oldFamilies.length > 0 && families[0] !== oldFamilies[0]) errors.push(changed);
  if (
    oldFamilies.length > families.length &&
    families.length === 1 &&
    spec.ipFamilyPolicy !== 'SingleStack'
  ) {
    const problem = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, problem));
  }
  return errors;
}

export function validateServiceStatus(service: KubeObject): FieldError[] {
  const field = 'status.loadBalancer.ingress';
  const ingress = statusOf(service).loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && specOf(service).type !== 'LoadBalancer') {
    return [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap((entry, i) => validateIngress(entry, `${field}[${i}]`));
}

function validateIngress(
  { ip = '', ipMode, hostname = '' }: LoadBalancerIngress,
  path: string,
): FieldError[] {
  const errors = ip === '' ? [] : validateIP(ip, `${path}.ip`);
  if (ipMode === undefined) {
    if (ip !== '') errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'));
  } else if (ip === '') {
    errors.push(forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set'));
  } else if (!IP_MODES.includes(ipMode)) {
    errors.push(notSupported(`${path}.ipMode`, ipMode, IP_MODES));
  }
  if (hostname === '') return errors;
  for (const problem of dns1123Subdomain(hostname))
    errors.push(invalid(`${path}.hostname`, hostname, problem));
  if (validateIP(hostname, path).length === 0) {
    errors.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
  return errors;
}
