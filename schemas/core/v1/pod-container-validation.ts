/** Rules for containers of all three sorts. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooMany,
} from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Label, portName, portNumber } from '../../validation/names.js';
import type { Container, ContainerPort, EphemeralContainer } from './pod-containers.js';
import { validateEnv, validateEnvFrom } from './pod-env-validation.js';
import { validateMounts } from './pod-mount-validation.js';
import { type HookRules, type ProbeKind, validateLifecycle, validateProbe } from './pod-probe-validation.js';
import { isSidecar } from './pod-qos.js';
import { validateResizePolicies, validateResources } from './pod-resource-validation.js';
import { validateSecurityContext } from './pod-security-validation.js';
import type { Volume } from './pod-volumes.js';
import { PROTOCOLS, PULL_POLICIES } from './enums.js';

/** What of the pod the rules for its containers depend on. */
export interface ContainerRules extends HookRules {
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of spec.resourceClaims. */
  readonly claims: ReadonlySet<string>;
  /** The pod shares the node's users. */
  readonly hostUsers: boolean;
  readonly restartPolicy: string | undefined;
}

const PROBES: readonly ProbeKind[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const RESTART_RULES_MAX = 20;

export function validateContainers(
  errors: FieldError[],
  containers: readonly Container[],
  rules: ContainerRules,
  field: string,
): void {
  if (containers.length === 0) {
    errors.push(required(field));
    return;
  }
  const names = new Set<string>();
  for (const [i, container] of containers.entries()) {
    const path = `${field}[${i}]`;
    const { name = '' } = container;
    validateCommon(errors, container, rules, path);
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    validateHooks(errors, container, rules, path);
    validateRestartPolicy(errors, container, path);
  }
  validateHostPorts(errors, containers, field);
}

function validateHooks(
  errors: FieldError[],
  container: Container,
  rules: ContainerRules,
  field: string,
): void {
  const { lifecycle } = container;
  if (lifecycle) validateLifecycle(errors, lifecycle, rules, `${field}.lifecycle`);
  for (const kind of PROBES) {
    const probe = container[kind];
    if (probe) validateProbe(errors, probe, kind, rules, `${field}.${kind}`);
  }
}

export function validateInitContainers(
  errors: FieldError[],
  containers: readonly Container[],
  regular: readonly Container[],
  rules: ContainerRules,
  field: string,
): void {
  const names = new Set(regular.map((container) => container.name));
  for (const [i, container] of containers.entries()) {
    const path = `${field}[${i}]`;
    validateCommon(errors, container, rules, path);
    validateRestartPolicy(errors, container, path);
    if (names.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
    else if (container.name) names.add(container.name);
    // They run one after the other, so each has the ports for itself.
    validateHostPorts(errors, [container], field);
    if (isSidecar(container)) validateHooks(errors, container, rules, path);
    else {
      for (const name of ['lifecycle', ...PROBES] as const) {
        if (container[name] === undefined) continue;
        const problem = 'may not be set for init containers without restartPolicy=Always';
        errors.push(forbidden(`${path}.${name}`, problem));
      }
    }
  }
}

function validateRestartPolicy(errors: FieldError[], container: Container, field: string): void {
  const { restartPolicy: policy, restartPolicyRules: rules = [] } = container;
  if (policy !== undefined && !RESTART_POLICIES.includes(policy)) {
    errors.push(notSupported(`${field}.restartPolicy`, policy, RESTART_POLICIES));
  }
  if (rules.length === 0) return;
  if (policy === undefined) {
    errors.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  }
  const path = `${field}.restartPolicyRules`;
  if (rules.length > RESTART_RULES_MAX) {
    errors.push(tooMany(path, rules.length, RESTART_RULES_MAX));
  }
  for (const [i, { action = '', exitCodes }] of rules.entries()) {
    if (action !== 'Restart' && action !== 'RestartAllContainers') {
      errors.push(notSupported(`${path}[${i}].action`, action, ['Restart', 'RestartAllContainers']));
    }
    if (!exitCodes) errors.push(required(`${path}[${i}].exitCodes`, 'must be specified'));
    else if (exitCodes.operator !== 'In' && exitCodes.operator !== 'NotIn') {
      errors.push(
        notSupported(`${path}[${i}].exitCodes.operator`, exitCodes.operator ?? '', ['In', 'NotIn']),
      );
    }
  }
}

/** Fields that a container added for debugging may have. */
const EPHEMERAL_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'env',
  'envFrom',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);
const NOT_EPHEMERAL = 'cannot be set for an Ephemeral Container';

export function validateEphemeralContainers(
  errors: FieldError[],
  ephemeral: readonly EphemeralContainer[],
  others: readonly Container[],
  rules: ContainerRules,
  field: string,
): void {
  const targets = new Set(others.map((container) => container.name));
  const names = new Set(targets);
  for (const [i, container] of ephemeral.entries()) {
    const path = `${field}[${i}]`;
    validateCommon(errors, container, rules, path);
    validateImagePadding(errors, container, path);
    if (names.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
    names.add(container.name);
    const { targetContainerName: target } = container;
    if (target && !targets.has(target)) errors.push(notFound(`${path}.targetContainerName`, target));
    for (const [name, value] of Object.entries(container)) {
      // Go prints empty resources for every container.
      const isEmpty = name === 'resources' && Object.keys(value as object).length === 0;
      if (!EPHEMERAL_FIELDS.has(name) && !isEmpty) errors.push(forbidden(`${path}.${name}`, NOT_EPHEMERAL));
    }
    for (const [j, mount] of (container.volumeMounts ?? []).entries()) {
      for (const name of ['subPath', 'subPathExpr'] as const) {
        if (mount[name]) errors.push(forbidden(`${path}.volumeMounts[${j}].${name}`, NOT_EPHEMERAL));
      }
    }
  }
}

/** Templates may have padded image names, pods may not. */
export function validateImagePadding(
  errors: FieldError[],
  { image = '' }: { readonly image?: string | undefined },
  field: string,
): void {
  if (image.trim() !== image) {
    errors.push(invalid(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  }
}

function validateCommon(
  errors: FieldError[],
  container: Container | EphemeralContainer,
  rules: ContainerRules,
  field: string,
): void {
  const { name = '', image, terminationMessagePolicy: message = '', imagePullPolicy: pull = '' } = container;
  if (name === '') errors.push(required(`${field}.name`));
  else invalidEach(errors, `${field}.name`, name, dns1123Label(name));
  if (!image) errors.push(required(`${field}.image`));
  if (message === '') errors.push(required(`${field}.terminationMessagePolicy`));
  else if (message !== 'File' && message !== 'FallbackToLogsOnError') {
    const supported = ['File', 'FallbackToLogsOnError'];
    errors.push(notSupported(`${field}.terminationMessagePolicy`, message, supported));
  }
  if (container.ports) validatePorts(errors, container.ports, `${field}.ports`);
  if (container.env) validateEnv(errors, container.env, `${field}.env`);
  if (container.envFrom) validateEnvFrom(errors, container.envFrom, `${field}.envFrom`);
  validateMounts(errors, container, rules.volumes, field);
  if (pull === '') errors.push(required(`${field}.imagePullPolicy`));
  else if (!PULL_POLICIES.includes(pull)) {
    errors.push(notSupported(`${field}.imagePullPolicy`, pull, PULL_POLICIES));
  }
  if (container.resources) validateResources(errors, container.resources, `${field}.resources`, rules.claims);
  if (container.resizePolicy) {
    validateResizePolicies(errors, container.resizePolicy, `${field}.resizePolicy`, rules.restartPolicy);
  }
  if (container.securityContext) {
    validateSecurityContext(errors, container.securityContext, rules.hostUsers, `${field}.securityContext`);
  }
}

function validatePorts(errors: FieldError[], ports: readonly ContainerPort[], field: string): void {
  const names = new Set<string>();
  for (const [i, { name = '', containerPort = 0, hostPort = 0, protocol = '' }] of ports.entries()) {
    const path = `${field}[${i}]`;
    if (name !== '') {
      const problems = portName(name);
      invalidEach(errors, `${path}.name`, name, problems);
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) errors.push(required(`${path}.containerPort`));
    else invalidEach(errors, `${path}.containerPort`, containerPort, portNumber(containerPort));
    if (hostPort !== 0) invalidEach(errors, `${path}.hostPort`, hostPort, portNumber(hostPort));
    if (protocol === '') errors.push(required(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    }
  }
}

/** No two containers that run at once can have the same port of the node. */
function validateHostPorts(errors: FieldError[], containers: readonly Container[], field: string): void {
  const seen = new Set<string>();
  for (const [i, { ports }] of containers.entries()) {
    for (const [j, { protocol = '', hostIP = '', hostPort = 0 }] of (ports ?? []).entries()) {
      if (hostPort === 0) continue;
      const port = `${protocol}/${hostIP}/${hostPort}`;
      if (seen.has(port)) errors.push(duplicate(`${field}[${i}].ports[${j}].hostPort`, port));
      seen.add(port);
    }
  }
}
