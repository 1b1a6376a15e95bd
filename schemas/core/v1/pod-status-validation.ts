/** What may be said of a pod through its status subresource. */
import { isIPv6 } from 'node:net';
import type { KubeObject } from '../../definition.js';
import { duplicate, type FieldError, forbidden, invalid } from '../../field-error.js';
import { FIELD_IMMUTABLE, invalidEach } from '../../validation/metadata.js';
import { dns1123Subdomain, qualifiedName, userId } from '../../validation/names.js';
import { validateIP } from './addresses.js';
import { validatePodAnnotationsUpdate } from './pod-annotation-validation.js';
import { specOf, statusOf } from './pod-object.js';
import { isSidecar } from './pod-qos.js';
import type { PodSpec } from './pod-spec.js';
import type { ContainerStatus, PodStatus } from './pod-status.js';

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized']);

export function validatePodStatusUpdate(pod: KubeObject, oldPod: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const status = statusOf(pod);
  const old = statusOf(oldPod);
  const spec = specOf(pod);
  validatePodAnnotationsUpdate(
    errors,
    pod.metadata.annotations,
    oldPod.metadata.annotations,
    'metadata.annotations',
  );
  for (const [i, { type = '' }] of (status.conditions ?? []).entries()) {
    if (SYSTEM_CONDITIONS.has(type)) continue;
    // Upstream's path, and its capital letter.
    invalidEach(errors, `metadata.conditions[${i}].Type`, type, qualifiedName(type));
  }
  if (specOf(oldPod).nodeName !== spec.nodeName) {
    errors.push(forbidden('status.nodeName', 'may not be changed directly'));
  }
  const { nominatedNodeName: nominated } = status;
  if (nominated && nominated !== old.nominatedNodeName) {
    invalidEach(errors, 'status.nominatedNodeName', nominated, dns1123Subdomain(nominated));
  }
  if ((status.qosClass ?? '') !== (old.qosClass ?? '')) {
    errors.push(invalid('status.qosClass', status.qosClass ?? '', FIELD_IMMUTABLE));
  }
  validateTransitions(errors, status, old, specOf(oldPod));
  validateClaimStatuses(errors, status, spec);
  validatePodIPs(errors, status);
  validateHostIPs(errors, status);
  for (const name of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    validateUsers(errors, status[name] ?? [], spec, `status.${name}`);
  }
  return errors;
}

function firstByName(statuses: readonly ContainerStatus[]): Map<string | undefined, ContainerStatus> {
  const byName = new Map<string | undefined, ContainerStatus>();
  for (const status of statuses) if (!byName.has(status.name)) byName.set(status.name, status);
  return byName;
}

/** A container that will not be restarted stays as it ended. */
function validateTransitions(errors: FieldError[], status: PodStatus, old: PodStatus, spec: PodSpec): void {
  const { restartPolicy = 'Always' } = spec;
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map((container) => container.name));
  for (const [name, policy] of [
    ['containerStatuses', restartPolicy],
    ['initContainerStatuses', restartPolicy],
    // The kubelet never restarts those.
    ['ephemeralContainerStatuses', 'Never'],
  ] as const) {
    if (policy === 'Always') continue;
    const now = firstByName(status[name] ?? []);
    for (const [i, before] of (old[name] ?? []).entries()) {
      const ended = before.state?.terminated;
      if (!ended || (ended.exitCode !== 0 && policy === 'OnFailure')) continue;
      if (name === 'initContainerStatuses' && sidecars.has(before.name)) continue;
      const after = now.get(before.name);
      if (after && !after.state?.terminated) {
        errors.push(
          forbidden(`status.${name}[${i}].state`, 'may not be transitioned to non-terminated state'),
        );
      }
    }
  }
}

function validateClaimStatuses(errors: FieldError[], status: PodStatus, spec: PodSpec): void {
  const claims = new Set(spec.resourceClaims?.map((claim) => claim.name));
  const seen = new Set<string>();
  for (const [i, { name = '', resourceClaimName }] of (status.resourceClaimStatuses ?? []).entries()) {
    const field = `status.resourceClaimStatuses[${i}].name`;
    if (!claims.has(name)) {
      errors.push(invalid(field, name, 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (seen.has(name)) errors.push(duplicate(field, name));
    seen.add(name);
    if (resourceClaimName !== undefined) {
      invalidEach(errors, field, resourceClaimName, dns1123Subdomain(resourceClaimName));
    }
  }
}

interface Address {
  readonly ip?: string | undefined;
}

/** At most one address of each family. */
const isOneOfEach = (addresses: readonly Address[]): boolean =>
  addresses.length === 2 && isIPv6(addresses[0]?.ip ?? '') !== isIPv6(addresses[1]?.ip ?? '');

function validateDuplicates(errors: FieldError[], addresses: readonly Address[], field: string): void {
  const seen = new Set<string | undefined>();
  for (const [i, address] of addresses.entries()) {
    if (seen.has(address.ip)) errors.push(duplicate(`${field}[${i}]`, address));
    seen.add(address.ip);
  }
}

const ONE_OF_EACH = 'may specify no more than one IP for each IP family';

function validatePodIPs(errors: FieldError[], { podIPs = [] }: PodStatus): void {
  const field = 'status.podIPs';
  for (const [i, { ip = '' }] of podIPs.entries()) errors.push(...validateIP(ip, `${field}[${i}]`));
  if (podIPs.length < 2) return;
  if (!isOneOfEach(podIPs)) errors.push(invalid(field, podIPs, ONE_OF_EACH));
  validateDuplicates(errors, podIPs, field);
}

function validateHostIPs(errors: FieldError[], { hostIP = '', hostIPs = [] }: PodStatus): void {
  const field = 'status.hostIPs';
  const first = hostIPs[0]?.ip ?? '';
  if (hostIPs.length > 0 && hostIP !== first) {
    errors.push(invalid(`${field}[0].ip`, first, 'must be equal to `hostIP`'));
  }
  for (const [i, { ip = '' }] of hostIPs.entries()) errors.push(...validateIP(ip, `${field}[${i}]`));
  if (hostIPs.length < 2) return;
  validateDuplicates(errors, hostIPs, field);
  if (!isOneOfEach(hostIPs)) errors.push(invalid(field, hostIPs, ONE_OF_EACH));
}

function validateUsers(
  errors: FieldError[],
  statuses: readonly ContainerStatus[],
  spec: PodSpec,
  field: string,
): void {
  for (const [i, { user }] of statuses.entries()) {
    const linux = user?.linux;
    if (!linux) continue;
    const path = `${field}[${i}].linux`;
    if (spec.os?.name === 'windows') {
      errors.push(forbidden(path, 'cannot be set for a windows pod'));
      continue;
    }
    invalidEach(errors, `${path}.uid`, linux.uid ?? 0, userId(linux.uid ?? 0));
    invalidEach(errors, `${path}.gid`, linux.gid ?? 0, userId(linux.gid ?? 0));
    for (const [j, id] of (linux.supplementalGroups ?? []).entries()) {
      invalidEach(errors, `${path}.supplementalGroups[${j}]`, id, userId(id));
    }
  }
}
