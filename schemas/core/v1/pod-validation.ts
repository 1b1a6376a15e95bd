/** Rules for pods and pod templates, in upstream's order. */
import { addAll } from '../../add-all.js';
import { compareQuantities, quantityOf } from '../../meta/quantity.js';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach, validateLabels } from '../../validation/metadata.js';
import {
  byteLength,
  dns1123Label,
  dns1123Subdomain,
  dns1123SubdomainWithUnderscore,
  qualifiedName,
  rangeProblem,
} from '../../validation/names.js';
import { validateIP } from './addresses.js';
import {
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from './pod-container-validation.js';
import { aggregateRequests } from './pod-qos.js';
import { podResourceName, validateResources } from './pod-resource-validation.js';
import {
  validateAffinity,
  validateSchedulingGates,
  validateTolerations,
  validateTopologySpread,
} from './pod-scheduling-validation.js';
import { validateHostUsers, validatePodSecurityContext } from './pod-security-validation.js';
import type { PodDNSConfig, PodResourceClaim, PodSpec } from './pod-spec.js';
import { validateVolumes } from './pod-volume-validation.js';
import { validateHostProcess, validateOs } from './pod-windows-validation.js';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const INT32_MAX = 2 ** 31 - 1;
/** Limits of the C library's resolver. */
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCHES_LENGTH_MAX = 2048;

export interface PodRules {
  /** Of a pod, not of a template. */
  readonly ofPod?: boolean;
  readonly podName?: string | undefined;
}

export function validatePodSpec(spec: PodSpec, field: string, rules: PodRules = {}): FieldError[] {
  const errors: FieldError[] = [];
  const { ofPod = false, podName } = rules;
  const { containers = [], initContainers = [], ephemeralContainers = [], resourceClaims = [] } = spec;
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(`${field}.terminationGracePeriodSeconds`));
  }
  const containerRules = {
    gracePeriodSeconds: spec.terminationGracePeriodSeconds,
    os: spec.os?.name,
    hostUsers: spec.hostUsers !== false,
    restartPolicy: spec.restartPolicy,
    volumes: validateVolumes(errors, spec.volumes ?? [], { podName, ofPod }, `${field}.volumes`),
    claims: new Set(resourceClaims.map((claim) => claim.name ?? '').filter((name) => name !== '')),
  };
  validateClaims(errors, resourceClaims, `${field}.resourceClaims`);
  validateContainers(errors, containers, containerRules, `${field}.containers`);
  validateInitContainers(errors, initContainers, containers, containerRules, `${field}.initContainers`);
  validateEphemeralContainers(
    errors,
    ephemeralContainers,
    [...containers, ...initContainers],
    containerRules,
    `${field}.ephemeralContainers`,
  );
  if (spec.resources) validatePodResources(errors, spec, containerRules.claims, `${field}.resources`);
  if (spec.hostNetwork) validateHostNetworkPorts(errors, spec, ofPod, `${field}.containers`);
  validateRunning(errors, spec, field);
  validatePlace(errors, spec, field);
  validateNames(errors, spec, field);
  validateOs(errors, spec, field);
  return errors;
}

/** How the pod runs: policies, users, name resolution. */
function validateRunning(errors: FieldError[], spec: PodSpec, field: string): void {
  const { restartPolicy = '', dnsPolicy = '', imagePullSecrets = [] } = spec;
  if (restartPolicy === '') errors.push(required(`${field}.restartPolicy`));
  else if (!RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(notSupported(`${field}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  }
  if (dnsPolicy === '') errors.push(required(`${field}.dnsPolicy`));
  else if (!DNS_POLICIES.includes(dnsPolicy)) {
    errors.push(notSupported(`${field}.dnsPolicy`, dnsPolicy, DNS_POLICIES));
  }
  if (spec.nodeSelector) addAll(errors, validateLabels(spec.nodeSelector, `${field}.nodeSelector`));
  if (spec.securityContext) {
    validatePodSecurityContext(errors, spec.securityContext, spec, `${field}.securityContext`);
  }
  for (const [i, secret] of imagePullSecrets.entries()) {
    if (Object.keys(secret).some((key) => key !== 'name')) {
      errors.push(invalid(`${field}.imagePullSecrets[${i}]`, secret, 'only name may be set'));
    }
  }
  if (spec.affinity) validateAffinity(errors, spec.affinity, `${field}.affinity`);
  validateDnsConfig(errors, spec.dnsConfig, dnsPolicy, `${field}.dnsConfig`);
}

function validatePlace(errors: FieldError[], spec: PodSpec, field: string): void {
  for (const [i, { conditionType = '' }] of (spec.readinessGates ?? []).entries()) {
    const path = `${field}.readinessGates[${i}].conditionType`;
    invalidEach(errors, path, conditionType, qualifiedName(conditionType));
  }
  validateSchedulingGates(errors, spec.schedulingGates ?? [], `${field}.schedulingGates`);
  validateTopologySpread(errors, spec.topologySpreadConstraints ?? [], `${field}.topologySpreadConstraints`);
  validateHostProcess(errors, spec, field);
  validateHostUsers(errors, spec, field);
  for (const name of ['serviceAccountName', 'nodeName'] as const) {
    const value = spec[name];
    if (value) invalidEach(errors, `${field}.${name}`, value, dns1123Subdomain(value));
  }
}

function validateNames(errors: FieldError[], spec: PodSpec, field: string): void {
  const { activeDeadlineSeconds: deadline, hostnameOverride: override } = spec;
  if (deadline !== undefined && (deadline < 1 || deadline > INT32_MAX)) {
    errors.push(invalid(`${field}.activeDeadlineSeconds`, deadline, rangeProblem(1, INT32_MAX)));
  }
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name];
    if (value) invalidEach(errors, `${field}.${name}`, value, dns1123Label(value));
  }
  if (override !== undefined) validateHostnameOverride(errors, spec, override, field);
  if (spec.tolerations) validateTolerations(errors, spec.tolerations, `${field}.tolerations`);
  for (const [i, { ip = '', hostnames = [] }] of (spec.hostAliases ?? []).entries()) {
    const path = `${field}.hostAliases[${i}]`;
    errors.push(...validateIP(ip, `${path}.ip`));
    for (const [j, hostname] of hostnames.entries()) {
      invalidEach(errors, `${path}.hostnames[${j}]`, hostname, dns1123Subdomain(hostname));
    }
  }
  const { priorityClassName, runtimeClassName, preemptionPolicy } = spec;
  if (priorityClassName) {
    invalidEach(errors, `${field}.priorityClassName`, priorityClassName, dns1123Subdomain(priorityClassName));
  }
  if (runtimeClassName !== undefined) {
    invalidEach(errors, `${field}.runtimeClassName`, runtimeClassName, dns1123Subdomain(runtimeClassName));
  }
  if (preemptionPolicy === '') errors.push(required(`${field}.preemptionPolicy`));
  else if (preemptionPolicy !== undefined && !PREEMPTION_POLICIES.includes(preemptionPolicy)) {
    errors.push(notSupported(`${field}.preemptionPolicy`, preemptionPolicy, PREEMPTION_POLICIES));
  }
  if (spec.overhead) {
    validateResources(errors, { limits: spec.overhead }, `${field}.overhead`, new Set());
  }
}

const HOST_NAME_LENGTH_MAX = 64;

function validateHostnameOverride(errors: FieldError[], spec: PodSpec, name: string, field: string): void {
  const path = `${field}.hostnameOverride`;
  invalidEach(errors, path, name, dns1123Subdomain(name));
  if (byteLength(name) > HOST_NAME_LENGTH_MAX) {
    errors.push(invalid(path, name, `must be no more than ${HOST_NAME_LENGTH_MAX} characters`));
  }
  if (spec.hostNetwork) errors.push(forbidden(path, 'may not be specified when hostNetwork is true'));
  if (spec.setHostnameAsFQDN)
    errors.push(forbidden(path, 'may not be specified when setHostnameAsFQDN is true'));
}

function validateDnsConfig(
  errors: FieldError[],
  config: PodDNSConfig | undefined,
  policy: string,
  field: string,
): void {
  if (policy === 'None' && !config) {
    errors.push(required(field, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    return;
  }
  if (!config) return;
  const { nameservers = [], searches = [], options = [] } = config;
  if (policy === 'None' && nameservers.length === 0) {
    const problem = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(required(`${field}.nameservers`, problem));
    return;
  }
  if (nameservers.length > NAMESERVERS_MAX) {
    const problem = `must not have more than ${NAMESERVERS_MAX} nameservers`;
    errors.push(invalid(`${field}.nameservers`, nameservers, problem));
  }
  for (const [i, server] of nameservers.entries())
    errors.push(...validateIP(server, `${field}.nameservers[${i}]`));
  if (searches.length > SEARCHES_MAX) {
    errors.push(
      invalid(`${field}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`),
    );
  }
  if (byteLength(searches.join(' ')) > SEARCHES_LENGTH_MAX) {
    const problem = `must not have more than ${SEARCHES_LENGTH_MAX} characters (including spaces) in the search list`;
    errors.push(invalid(`${field}.searches`, searches, problem));
  }
  for (const [i, search] of searches.entries()) {
    if (search === '.') continue;
    const name = search.replace(/\.$/, '');
    invalidEach(errors, `${field}.searches[${i}]`, name, dns1123SubdomainWithUnderscore(name));
  }
  for (const [i, { name }] of options.entries()) {
    if (!name) errors.push(required(`${field}.options[${i}]`, 'must not be empty'));
  }
}

function validateClaims(errors: FieldError[], claims: readonly PodResourceClaim[], field: string): void {
  const names = new Set<string>();
  for (const [i, claim] of claims.entries()) {
    const path = `${field}[${i}]`;
    const { name = '', resourceClaimName: claimName, resourceClaimTemplateName: templateName } = claim;
    if (name === '') errors.push(required(`${path}.name`));
    else if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    else invalidEach(errors, `${path}.name`, name, dns1123Label(name));
    names.add(name);
    if (claimName !== undefined && templateName !== undefined) {
      const problem = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      errors.push(invalid(path, claim, problem));
    }
    if (claimName === undefined && templateName === undefined) {
      const problem = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(invalid(path, claim, problem));
    }
    for (const key of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[key];
      if (value !== undefined) invalidEach(errors, `${path}.${key}`, value, dns1123Subdomain(value));
    }
  }
}

/** What the pod as a whole asks for has to hold what its containers ask for. */
function validatePodResources(
  errors: FieldError[],
  spec: PodSpec,
  claims: ReadonlySet<string>,
  field: string,
): void {
  const { resources = {} } = spec;
  if (resources.claims) {
    errors.push(forbidden(`${field}.claims`, 'claims cannot be set for Resources at pod-level'));
  }
  validateResources(errors, resources, field, claims, podResourceName);
  for (const [name, total] of Object.entries(aggregateRequests(spec))) {
    const own = resources.requests?.[name] ?? '0';
    if (compareQuantities(quantityOf(total), quantityOf(own)) > 0) {
      const problem = `must be greater than or equal to aggregate container requests of ${total}`;
      errors.push(invalid(`${field}.requests[${name}]`, own, problem));
    }
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const own = resources.limits?.[name];
      if (own !== undefined && compareQuantities(quantityOf(limit), quantityOf(own)) > 0) {
        const problem = `must be less than or equal to pod limits of ${own}`;
        errors.push(invalid(`${field}.containers[${i}][${name}].limits`, limit, problem));
      }
    }
  }
}

/** On the node's network a port of the container is that port of the node. */
function validateHostNetworkPorts(errors: FieldError[], spec: PodSpec, ofPod: boolean, field: string): void {
  for (const [i, { ports }] of (spec.containers ?? []).entries()) {
    for (const [j, { hostPort = 0, containerPort = 0 }] of (ports ?? []).entries()) {
      if ((ofPod || hostPort !== 0) && hostPort !== containerPort) {
        const problem = 'must match `containerPort` when `hostNetwork` is true';
        errors.push(invalid(`${field}[${i}].ports[${j}].hostPort`, hostPort, problem));
      }
    }
  }
}
