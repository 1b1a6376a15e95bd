/** Rules for requests and limits. */
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { compareQuantities, milliValue, quantityOf } from '../../meta/quantity.js';
import { NOT_NEGATIVE } from '../../validation/metadata.js';
import { dns1123Label, qualifiedName } from '../../validation/names.js';
import type { ContainerResizePolicy, ResourceRequirements } from './pod-resources.js';

const HUGE_PAGES = 'hugepages-';
const CONTAINER_RESOURCES: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];
/** What limits and quotas may count without a domain in its name. */
const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);
/** Of those, the ones that are counts of objects. */
const COUNTED_RESOURCES = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES);
/** As quotas may name them too. */
export const isQuotaHugePages = (name: string): boolean =>
  isHugePages(name) || name.startsWith(`requests.${HUGE_PAGES}`);
export const isNativeResource = (name: string): boolean =>
  !name.includes('/') || name.includes('kubernetes.io/');
/** Resources of devices: `example.com/gpu`. */
const isExtended = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

type NameRule = (errors: FieldError[], name: string, field: string) => void;

/** Names that node capacities, limit ranges and quotas may use too. */
export function validateResourceName(errors: FieldError[], name: string, field: string): boolean {
  const problems = qualifiedName(name);
  for (const problem of problems) errors.push(invalid(field, name, problem));
  if (problems.length > 0) return false;
  if (name.includes('/') || STANDARD_RESOURCES.has(name) || isQuotaHugePages(name)) return true;
  errors.push(invalid(field, name, 'must be a standard resource type or fully qualified'));
  return false;
}

export const containerResourceName: NameRule = (errors, name, field) => {
  validateResourceName(errors, name, field);
  if (!name.includes('/')) {
    if (!CONTAINER_RESOURCES.includes(name) && !isHugePages(name)) {
      errors.push(invalid(field, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtended(name)) {
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
};

export const podResourceName: NameRule = (errors, name, field) => {
  if (!validateResourceName(errors, name, field)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) {
    errors.push(notSupported(field, name, ['cpu', HUGE_PAGES, 'memory']));
  }
};

/** Of a resource by this name, wherever it is counted. */
export function validateQuantity(errors: FieldError[], name: string, amount: string, field: string): void {
  const quantity = quantityOf(amount);
  if (quantity.value < 0n) errors.push(invalid(field, amount, NOT_NEGATIVE));
  if ((COUNTED_RESOURCES.has(name) || isExtended(name)) && milliValue(quantity) % 1000n !== 0n) {
    errors.push(invalid(field, amount, 'must be an integer'));
  }
}

function validateHugePages(errors: FieldError[], name: string, amount: string, field: string): void {
  if (!isHugePages(name)) return;
  const size = quantityOf(name.slice(HUGE_PAGES.length));
  const page = milliValue(size);
  if (page <= 0n || milliValue(quantityOf(amount)) % page !== 0n) {
    errors.push(invalid(field, amount, `${amount} is not positive integer multiple of ${name}`));
  }
}

export function validateResources(
  errors: FieldError[],
  resources: ResourceRequirements,
  field: string,
  claims: ReadonlySet<string>,
  nameRule: NameRule = containerResourceName,
): void {
  const { limits = {}, requests = {} } = resources;
  for (const [name, amount] of Object.entries(limits)) {
    const path = `${field}.limits[${name}]`;
    nameRule(errors, name, path);
    validateQuantity(errors, name, amount, path);
    validateHugePages(errors, name, amount, path);
  }
  for (const [name, amount] of Object.entries(requests)) {
    const path = `${field}.requests[${name}]`;
    nameRule(errors, name, path);
    validateQuantity(errors, name, amount, path);
    validateAgainstLimit(errors, name, amount, limits, field);
    validateHugePages(errors, name, amount, path);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(forbidden(field, 'HugePages require cpu or memory'));
  }
  if (resources.claims) validateClaims(errors, resources.claims, `${field}.claims`, claims);
}

function validateAgainstLimit(
  errors: FieldError[],
  name: string,
  amount: string,
  limits: Readonly<Record<string, string>>,
  field: string,
): void {
  if (!Object.hasOwn(limits, name)) {
    if (!isOvercommitAllowed(name)) {
      errors.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
    }
    return;
  }
  const limit = limits[name] ?? '0';
  const order = compareQuantities(quantityOf(amount), quantityOf(limit));
  if (order !== 0 && !isOvercommitAllowed(name)) {
    errors.push(invalid(`${field}.requests`, amount, `must be equal to ${name} limit of ${limit}`));
  } else if (order > 0) {
    errors.push(
      invalid(`${field}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`),
    );
  }
}

/** Uses of the pod's resource claims: each claim whole, or each of its requests once. */
function validateClaims(
  errors: FieldError[],
  uses: NonNullable<ResourceRequirements['claims']>,
  field: string,
  claims: ReadonlySet<string>,
): void {
  const seen = new Set<string>();
  /** Requests of each claim that were seen. */
  const parts = new Map<string, number>();
  for (const [i, { name = '', request = '' }] of uses.entries()) {
    const path = `${field}[${i}]`;
    if (name === '') {
      errors.push(required(path));
      continue;
    }
    if (seen.has(name)) errors.push(duplicate(path, name));
    else {
      const key = request === '' ? name : `${name}/${request}`;
      if (request !== '') {
        for (const problem of dns1123Label(request))
          errors.push(invalid(`${path}.request`, request, problem));
      }
      if (seen.has(key)) errors.push(duplicate(path, key));
      else if (request === '') {
        for (let part = parts.get(name) ?? 0; part > 0; part--) errors.push(duplicate(path, name));
      } else parts.set(name, (parts.get(name) ?? 0) + 1);
      seen.add(key);
    }
    if (!claims.has(name)) {
      const known = claims.size === 0 ? ' which is empty' : `: ${[...claims].sort().join(', ')}`;
      errors.push({
        reason: 'FieldValueNotFound',
        field: path,
        message: `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${known}`,
      });
    }
  }
}

export function validateResizePolicies(
  errors: FieldError[],
  policies: readonly ContainerResizePolicy[],
  field: string,
  podRestartPolicy: string | undefined,
): void {
  const seen = new Set<string>();
  for (const [i, { resourceName = '', restartPolicy = '' }] of policies.entries()) {
    if (seen.has(resourceName)) errors.push(duplicate(`${field}[${i}]`, resourceName));
    seen.add(resourceName);
    if (resourceName === '') errors.push(required(field));
    else if (resourceName !== 'cpu' && resourceName !== 'memory') {
      errors.push(notSupported(field, resourceName, ['cpu', 'memory']));
    }
    if (restartPolicy === '') errors.push(required(field));
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer') {
      errors.push(notSupported(field, restartPolicy, ['NotRequired', 'RestartContainer']));
    }
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(field, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
  }
}
