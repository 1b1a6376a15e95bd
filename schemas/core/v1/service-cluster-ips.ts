/** Rules of a Service's cluster IPs and IP families, which go together. */
import { isIPv6 } from 'node:net';
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { familyOf, validateIP } from './addresses.js';
import {
  CLUSTER_IP_FAMILIES,
  HEADLESS,
  hasClusterIP,
  hasForeignEndpoints,
  isHeadless,
  type ServiceSpec,
} from './service-fields.js';

const IP_FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const CLUSTER_IPS_MAX = 2;

const FIELD = 'spec.clusterIPs';
const FAMILIES = 'spec.ipFamilies';
const POLICY = 'spec.ipFamilyPolicy';

/** Of all types but ExternalName, which may have neither. */
export function validateClusterIPs(spec: ServiceSpec): FieldError[] {
  if (!hasClusterIP(spec)) return [];
  const errors = [...validateFirst(spec), ...validateFamilies(spec)];
  const addresses = validateEach(spec);
  addAll(errors, addresses);
  // With a bad address the rest would only confuse.
  if (addresses.length > 0) return errors;
  return [...errors, ...validatePairs(spec), ...validateConfigured(spec)];
}

function validateFirst({ clusterIP = '', clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIP === '') {
    return clusterIPs.length === 0
      ? []
      : [invalid(FIELD, clusterIPs, 'must be empty when `clusterIP` is not specified')];
  }
  if (clusterIPs.length === 0) return [required(FIELD)];
  return clusterIPs[0] === clusterIP
    ? []
    : [invalid(FIELD, clusterIPs, 'first value must match `clusterIP`')];
}

function validateFamilies({ ipFamilies = [], ipFamilyPolicy: policy }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, family] of ipFamilies.entries()) {
    if (!IP_FAMILIES.includes(family)) errors.push(notSupported(`${FAMILIES}[${i}]`, family, IP_FAMILIES));
    if (seen.has(family)) errors.push(duplicate(`${FAMILIES}[${i}]`, family));
    seen.add(family);
  }
  if (policy !== undefined && !POLICIES.includes(policy)) errors.push(notSupported(POLICY, policy, POLICIES));
  return errors;
}

function validateEach({ clusterIPs = [] }: ServiceSpec): FieldError[] {
  return clusterIPs.flatMap((ip, i) => {
    if (i > 0 || ip !== HEADLESS) return validateIP(ip, `${FIELD}[${i}]`);
    return clusterIPs.length === 1
      ? []
      : [invalid(FIELD, clusterIPs, "'None' must be the first and only value")];
  });
}

function validatePairs(spec: ServiceSpec): FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = spec;
  const errors: FieldError[] = [];
  if (clusterIPs.length > CLUSTER_IPS_MAX) {
    errors.push(invalid(FIELD, clusterIPs, 'may only hold up to 2 values'));
  }
  if (clusterIPs.length > new Set(clusterIPs.map(isIPv6)).size) {
    errors.push(invalid(FIELD, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  for (const [i, ip] of clusterIPs.entries()) {
    const family = ipFamilies[i];
    if (family === undefined || family === familyOf(ip)) continue;
    const problem = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(invalid(`${FIELD}[${i}]`, ip, problem));
  }
  return errors;
}

/** What one configured family allows. */
function validateConfigured(spec: ServiceSpec): FieldError[] {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (policy === 'SingleStack') {
    const problem = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (clusterIPs.length > 1) errors.push(invalid(POLICY, policy, `${problem} cluster IPs are specified`));
    if (ipFamilies.length > 1) errors.push(invalid(POLICY, policy, `${problem} IP families are specified`));
  }
  for (const [i, ip] of clusterIPs.entries()) {
    if (ip === HEADLESS || i < ipFamilies.length) continue;
    errors.push(invalid(`${FIELD}[${i}]`, clusterIPs, `${familyOf(ip)} is not configured on this cluster`));
  }
  if (errors.length > 0 || hasForeignEndpoints(spec)) return errors;
  const configured: readonly string[] = CLUSTER_IP_FAMILIES;
  if (policy === 'RequireDualStack' && configured.length < 2) {
    errors.push(invalid(POLICY, policy, 'this cluster is not configured for dual-stack services'));
  }
  for (const [i, family] of ipFamilies.entries()) {
    if (IP_FAMILIES.includes(family) && !configured.includes(family)) {
      errors.push(invalid(`${FAMILIES}[${i}]`, family, 'not configured on this cluster'));
    }
  }
  return errors;
}
