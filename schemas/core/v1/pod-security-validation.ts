/** Rules for security contexts. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { byteLength, userId } from '../../validation/names.js';
import { validateDescendingPath } from './pod-path-validation.js';
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from './pod-security.js';
import type { PodSpec } from './pod-spec.js';
import { validateWindowsOptions } from './pod-windows-validation.js';

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
/** PATH_MAX less the terminating zero. */
const LOCALHOST_PROFILE_BYTES_MAX = 4095;
const SYSCTL_BYTES_MAX = 253;
const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_FORMAT = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const SYSCTL = new RegExp(SYSCTL_FORMAT);

export function validatePodSecurityContext(
  errors: FieldError[],
  context: PodSecurityContext,
  spec: PodSpec,
  field: string,
): void {
  for (const name of ['fsGroup', 'runAsUser', 'runAsGroup'] as const) {
    validateId(errors, context[name], `${field}.${name}`);
  }
  for (const [i, id] of (context.supplementalGroups ?? []).entries()) {
    validateId(errors, id, `${field}.supplementalGroups[${i}]`);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      invalid(
        `${field}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  }
  validateSysctls(errors, context.sysctls ?? [], spec, `${field}.sysctls`);
  oneOf(errors, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${field}.fsGroupChangePolicy`);
  validateSeccomp(errors, context.seccompProfile, `${field}.seccompProfile`);
  validateWindowsOptions(errors, context.windowsOptions, `${field}.windowsOptions`);
  validateAppArmor(errors, context.appArmorProfile, `${field}.appArmorProfile`);
  oneOf(errors, context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${field}.supplementalGroupsPolicy`);
  oneOf(errors, context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${field}.seLinuxChangePolicy`);
}

function oneOf(
  errors: FieldError[],
  value: string | undefined,
  supported: readonly string[],
  field: string,
): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(field, value, supported));
}

function validateId(errors: FieldError[], id: number | undefined, field: string): void {
  if (id !== undefined) invalidEach(errors, field, id, userId(id));
}

/** Sysctls that belong to a namespace which the pod shares with the node when it asks for the node's. */
const NET_SYSCTL = /^net[./]/;
const IPC_SYSCTL = /^(?:kernel[./](?:shm|msg|sem)|fs[./]mqueue[./])/;

function validateSysctls(
  errors: FieldError[],
  sysctls: NonNullable<PodSecurityContext['sysctls']>,
  { hostNetwork, hostIPC }: PodSpec,
  field: string,
): void {
  const seen = new Set<string>();
  for (const [i, { name = '' }] of sysctls.entries()) {
    const path = `${field}[${i}].name`;
    if (name === '') errors.push(required(path));
    else if (name.length > SYSCTL_BYTES_MAX || !SYSCTL.test(name)) {
      errors.push(
        invalid(
          path,
          name,
          `must have at most ${SYSCTL_BYTES_MAX} characters and match regex ${SYSCTL_FORMAT}`,
        ),
      );
    } else if (seen.has(name)) errors.push(duplicate(path, name));
    if (hostNetwork && NET_SYSCTL.test(name)) {
      errors.push(invalid(path, name, "may not be specified when 'hostNetwork' is true"));
    } else if (hostIPC && IPC_SYSCTL.test(name)) {
      errors.push(invalid(path, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  }
}

function validateSeccomp(errors: FieldError[], profile: SeccompProfile | undefined, field: string): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') errors.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else oneOf(errors, type, PROFILE_TYPES, `${field}.type`);
  const path = `${field}.localhostProfile`;
  if (type === 'Localhost') {
    if (localhostProfile === undefined) {
      errors.push(required(path, 'must be set when seccomp type is Localhost'));
    } else validateDescendingPath(errors, localhostProfile, path);
  } else if (localhostProfile !== undefined) {
    errors.push(invalid(path, profile, 'can only be set when seccomp type is Localhost'));
  }
}

function validateAppArmor(errors: FieldError[], profile: AppArmorProfile | undefined, field: string): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  const path = `${field}.localhostProfile`;
  if (type === '') errors.push(required(`${field}.type`, 'type is required when appArmorProfile is set'));
  else if (!PROFILE_TYPES.includes(type)) errors.push(notSupported(`${field}.type`, type, PROFILE_TYPES));
  else if (type !== 'Localhost') {
    if (localhostProfile !== undefined) {
      errors.push(invalid(path, localhostProfile, 'can only be set when AppArmor type is Localhost'));
    }
  } else if (localhostProfile === undefined || localhostProfile === '') {
    errors.push(required(path, 'must be set when AppArmor type is Localhost'));
  } else {
    if (localhostProfile.trim() !== localhostProfile) {
      errors.push(invalid(path, localhostProfile, 'must not be padded with whitespace'));
    }
    if (byteLength(localhostProfile) > LOCALHOST_PROFILE_BYTES_MAX) {
      errors.push(tooLong(path, LOCALHOST_PROFILE_BYTES_MAX));
    }
  }
}

export function validateSecurityContext(
  errors: FieldError[],
  context: SecurityContext,
  hostUsers: boolean,
  field: string,
): void {
  validateId(errors, context.runAsUser, `${field}.runAsUser`);
  validateId(errors, context.runAsGroup, `${field}.runAsGroup`);
  oneOf(errors, context.procMount, ['Default', 'Unmasked'], `${field}.procMount`);
  if (hostUsers && context.procMount === 'Unmasked') {
    errors.push(invalid(`${field}.procMount`, 'Unmasked', '`hostUsers` must be false to use `Unmasked`'));
  }
  validateSeccomp(errors, context.seccompProfile, `${field}.seccompProfile`);
  if (context.allowPrivilegeEscalation === false) {
    const contradiction = (what: string): FieldError =>
      invalid(field, context, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
    if (context.privileged) errors.push(contradiction('`privileged` to true'));
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(contradiction('`capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  validateWindowsOptions(errors, context.windowsOptions, `${field}.windowsOptions`);
  validateAppArmor(errors, context.appArmorProfile, `${field}.appArmorProfile`);
}

/** A pod with users of its own cannot share the node's other namespaces. */
export function validateHostUsers(errors: FieldError[], spec: PodSpec, field: string): void {
  if (spec.hostUsers !== false) return;
  const why = 'when `pod.Spec.HostUsers` is false';
  if (spec.hostNetwork) errors.push(forbidden(`${field}.hostNetwork`, why));
  if (spec.hostPID) errors.push(forbidden(`${field}.HostPID`, why));
  if (spec.hostIPC) errors.push(forbidden(`${field}.HostIPC`, why));
}
