/** Rules for environment variables and for the fields of a pod that they and volumes may show. */
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { quantityOf } from '../../meta/quantity.js';
import { invalidEach } from '../../validation/metadata.js';
import { configMapKey, dns1123Subdomain, envVarName, nameIs, qualifiedName } from '../../validation/names.js';
import type { EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from './pod-env.js';

/** Fields that a variable may show; sorted, as the message lists them. */
const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields that a file may show. */
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const CONTAINER_RESOURCE_FIELDS: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const HUGE_PAGES_FIELD = /^(?:limits|requests)\.hugepages-/;

export function validateEnv(errors: FieldError[], variables: readonly EnvVar[], field: string): void {
  for (const [i, variable] of variables.entries()) {
    const path = `${field}[${i}]`;
    const { name = '' } = variable;
    if (name === '') errors.push(required(`${path}.name`));
    else invalidEach(errors, `${path}.name`, name, envVarName(name));
    if (variable.valueFrom) validateValueFrom(errors, variable, `${path}.valueFrom`);
  }
}

function validateValueFrom(errors: FieldError[], { value, valueFrom = {} }: EnvVar, field: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef) validateFieldSelector(errors, fieldRef, ENV_FIELDS, `${field}.fieldRef`);
  if (resourceFieldRef) {
    validateResourceFieldSelector(errors, resourceFieldRef, `${field}.resourceFieldRef`, false);
  }
  if (configMapKeyRef) validateKeySelector(errors, configMapKeyRef, `${field}.configMapKeyRef`);
  if (secretKeyRef) validateKeySelector(errors, secretKeyRef, `${field}.secretKeyRef`);
  if (fileKeyRef) validateFileKeySelector(errors, fileKeyRef, `${field}.fileKeyRef`);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean);
  if (sources.length === 0) {
    errors.push(
      invalid(
        field,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  } else if (value) {
    errors.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  } else if (sources.length > 1) {
    errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
  }
}

function validateKeySelector(
  errors: FieldError[],
  { name = '', key = '' }: { name?: string | undefined; key?: string | undefined },
  field: string,
): void {
  invalidEach(errors, `${field}.name`, name, dns1123Subdomain(name));
  if (key === '') errors.push(required(`${field}.key`));
  else invalidEach(errors, `${field}.key`, key, configMapKey(key));
}

function validateFileKeySelector(
  errors: FieldError[],
  selector: {
    key?: string | undefined;
    path?: string | undefined;
    volumeName?: string | undefined;
  },
  field: string,
): void {
  const { key = '', path = '', volumeName = '' } = selector;
  if (key === '') errors.push(required(`${field}.key`));
  else invalidEach(errors, `${field}.key`, key, envVarName(key));
  if (volumeName === '') errors.push(required(`${field}.volumeName`));
  if (path === '') errors.push(required(`${field}.path`));
}

export function validateEnvFrom(
  errors: FieldError[],
  sources: readonly EnvFromSource[],
  field: string,
): void {
  for (const [i, { prefix, configMapRef, secretRef }] of sources.entries()) {
    const path = `${field}[${i}]`;
    if (prefix) invalidEach(errors, `${path}.prefix`, prefix, envVarName(prefix));
    if (configMapRef) validateObjectName(errors, configMapRef.name, `${path}.configMapRef.name`);
    if (secretRef) validateObjectName(errors, secretRef.name, `${path}.secretRef.name`);
    if (!configMapRef && !secretRef) {
      errors.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
    }
  }
}

/** Checked as a prefix, so a trailing dash passes. */
function validateObjectName(errors: FieldError[], name: string | undefined, field: string): void {
  if (!name) errors.push(required(field));
  else invalidEach(errors, field, name, nameIs.dns1123Subdomain(name, true));
}

/** `metadata.labels['key']` is a field too. */
const SUBSCRIPT = /^(.+)\['(.+)'\]$/s;
const CONVERTIBLE_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'status.nominatedNodeName',
]);

export function validateFieldSelector(
  errors: FieldError[],
  { apiVersion = '', fieldPath = '' }: ObjectFieldSelector,
  supported: readonly string[],
  field: string,
): void {
  if (apiVersion === '') {
    errors.push(required(`${field}.apiVersion`));
    return;
  }
  if (fieldPath === '') {
    errors.push(required(`${field}.fieldPath`));
    return;
  }
  const problem = conversionProblem(apiVersion, fieldPath);
  if (problem !== undefined) {
    errors.push(invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${problem}`));
    return;
  }
  const [, path = fieldPath, key] = SUBSCRIPT.exec(fieldPath) ?? [];
  if (key !== undefined) {
    const label = path === 'metadata.annotations' ? key.toLowerCase() : key;
    invalidEach(errors, field, label, qualifiedName(label));
  } else if (!supported.includes(path)) {
    errors.push(notSupported(`${field}.fieldPath`, path, supported));
  }
}

function conversionProblem(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  const match = SUBSCRIPT.exec(fieldPath);
  if (match === null) {
    return CONVERTIBLE_FIELDS.has(fieldPath) ? undefined : `field label not supported: ${fieldPath}`;
  }
  return match[1] === 'metadata.annotations' || match[1] === 'metadata.labels'
    ? undefined
    : `field label does not support subscript: ${fieldPath}`;
}

const UNITS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function validateResourceFieldSelector(
  errors: FieldError[],
  { containerName, resource = '', divisor }: ResourceFieldSelector,
  field: string,
  ofVolume: boolean,
): void {
  if (ofVolume && !containerName) errors.push(required(`${field}.containerName`));
  else if (resource === '') errors.push(required(`${field}.resource`));
  else if (!CONTAINER_RESOURCE_FIELDS.includes(resource) && !HUGE_PAGES_FIELD.test(resource)) {
    errors.push(notSupported(`${field}.resource`, resource, CONTAINER_RESOURCE_FIELDS));
  }
  if (divisor === undefined || quantityOf(divisor).value === 0n) return;
  const kind = divisorKind(resource);
  if (kind === undefined) return;
  const allowed = kind === 'cpu' ? ['1m', '1'] : UNITS;
  if (!allowed.includes(divisor)) {
    const values = kind === 'cpu' ? '1m and 1' : UNITS.join(', ');
    errors.push(
      invalid(
        `${field}.divisor`,
        resource,
        `only divisor's values ${values} are supported with the ${kind} resource`,
      ),
    );
  }
}

function divisorKind(resource: string): string | undefined {
  if (HUGE_PAGES_FIELD.test(resource)) return 'hugepages';
  switch (resource.slice(resource.indexOf('.') + 1)) {
    case 'cpu':
      return 'cpu';
    case 'memory':
      return 'memory';
    case 'ephemeral-storage':
      return 'local ephemeral storage';
    default:
      return undefined;
  }
}
