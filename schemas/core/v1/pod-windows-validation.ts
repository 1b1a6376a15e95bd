/** Rules for pods on Windows, and for what Windows and Linux pods may not have. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { byteLength, dns1123Subdomain } from '../../validation/names.js';
import type { Container, EphemeralContainer } from './pod-containers.js';
import type { WindowsSecurityContextOptions } from './pod-security.js';
import type { PodSpec } from './pod-spec.js';

const CREDENTIAL_SPEC_KIB_MAX = 64;
const DOMAIN_LENGTH_MAX = 256;
const USER_LENGTH_MAX = 104;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const DNS_NAME = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

export function validateWindowsOptions(
  errors: FieldError[],
  options: WindowsSecurityContextOptions | undefined,
  field: string,
): void {
  if (!options) return;
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (name !== undefined)
    invalidEach(errors, `${field}.gmsaCredentialSpecName`, name, dns1123Subdomain(name));
  if (spec === '') {
    errors.push(invalid(`${field}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'));
  } else if (spec !== undefined && byteLength(spec) > CREDENTIAL_SPEC_KIB_MAX * 1024) {
    const problem = `gmsaCredentialSpec size must be under ${CREDENTIAL_SPEC_KIB_MAX} KiB`;
    errors.push(invalid(`${field}.gmsaCredentialSpec`, spec, problem));
  }
  if (user !== undefined) invalidEach(errors, `${field}.runAsUserName`, user, userNameProblems(user));
}

/** `DOMAIN\user`, or a user alone. */
function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (CONTROL.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const problems: string[] = [];
  if (domain !== undefined) {
    if (domain.length >= DOMAIN_LENGTH_MAX) {
      problems.push(`runAsUserName's Domain length must be under ${DOMAIN_LENGTH_MAX} characters`);
    }
    if (!NETBIOS.test(domain) && !DNS_NAME.test(domain)) {
      problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  else if (user.length > USER_LENGTH_MAX) {
    problems.push(`runAsUserName's User length must not be longer than ${USER_LENGTH_MAX} characters`);
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return problems;
}

type AnyContainer = Container | EphemeralContainer;

/** Every container with its path, in the order init, regular, ephemeral. */
function* containersOf(spec: PodSpec, field: string): Generator<[AnyContainer, string]> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) yield [container, `${field}.${list}[${i}]`];
  }
}

/** All containers of a pod run as processes of the node, or none. */
export function validateHostProcess(errors: FieldError[], spec: PodSpec, field: string): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let hostProcesses = 0;
  for (const [container, path] of containersOf(spec, field)) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      errors.push(
        invalid(
          `${path}.securityContext.windowsOptions.hostProcess`,
          own,
          `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
        ),
      );
    }
    all++;
    if (own ?? ofPod) hostProcesses++;
  }
  if (hostProcesses === 0) return;
  if (hostProcesses !== all) {
    errors.push(
      invalid(
        field,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    );
  }
  if (!spec.hostNetwork) {
    errors.push(
      invalid(
        `${field}.hostNetwork`,
        false,
        'hostNetwork must be true if pod contains any hostProcess containers',
      ),
    );
  }
}

const SYSTEMS = ['linux', 'windows'];

export function validateOs(errors: FieldError[], spec: PodSpec, field: string): void {
  if (!spec.os) return;
  const { name = '' } = spec.os;
  if (name === '') errors.push(required(`${field}.os.name`, 'cannot be empty'));
  else if (!SYSTEMS.includes(name)) errors.push(notSupported(`${field}.os`, name, SYSTEMS));
  else if (name === 'linux') validateLinux(errors, spec, field);
  else validateWindows(errors, spec, field);
}

function validateLinux(errors: FieldError[], spec: PodSpec, field: string): void {
  const refuse = (path: string): void => {
    errors.push(
      forbidden(`${path}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod'),
    );
  };
  if (spec.securityContext?.windowsOptions) refuse(field);
  for (const [container, path] of containersOf(spec, field)) {
    if (container.securityContext?.windowsOptions) refuse(path);
  }
}

function validateWindows(errors: FieldError[], spec: PodSpec, field: string): void {
  const refuse = (path: string): void => {
    errors.push(forbidden(path, 'cannot be set for a windows pod'));
  };
  const ofPod = spec.securityContext ?? {};
  const context = `${field}.securityContext`;
  if (ofPod.appArmorProfile) refuse(`${context}.appArmorProfile`);
  if (ofPod.seLinuxOptions) refuse(`${context}.seLinuxOptions`);
  if (spec.hostUsers !== undefined) refuse(`${field}.hostUsers`);
  if (spec.hostPID) refuse(`${field}.hostPID`);
  if (spec.hostIPC) refuse(`${field}.hostIPC`);
  for (const name of ['seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls'] as const) {
    if (ofPod[name] !== undefined) refuse(`${context}.${name}`);
  }
  if (spec.shareProcessNamespace !== undefined) refuse(`${field}.shareProcessNamespace`);
  for (const name of [
    'runAsUser',
    'runAsGroup',
    'supplementalGroups',
    'supplementalGroupsPolicy',
    'seLinuxChangePolicy',
  ] as const) {
    if (ofPod[name] !== undefined) refuse(`${context}.${name}`);
  }
  for (const [container, path] of containersOf(spec, field)) {
    for (const name of [
      'appArmorProfile',
      'seLinuxOptions',
      'seccompProfile',
      'capabilities',
      'readOnlyRootFilesystem',
      'privileged',
      'allowPrivilegeEscalation',
      'procMount',
      'runAsUser',
      'runAsGroup',
    ] as const) {
      if (container.securityContext?.[name] !== undefined) refuse(`${path}.securityContext.${name}`);
    }
  }
}
