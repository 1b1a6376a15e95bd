/** Rules of resource quotas: names that can be counted, and scopes that go with them. */
import { type FieldError, invalid, required } from '../../field-error.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { isQuotaHugePages, validateQuantity, validateResourceName } from './pod-resource-validation.js';
import { type ResourceQuotaSpec, type ResourceQuotaStatus, SCOPES } from './resource-quota-schema.js';

const POD_RESOURCES = new Set([
  'pods',
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
]);
const CLAIM_RESOURCES = new Set(['persistentvolumeclaims', 'requests.storage']);
const STANDARD_RESOURCES = new Set([
  ...POD_RESOURCES,
  ...CLAIM_RESOURCES,
  'ephemeral-storage',
  'limits.ephemeral-storage',
  'requests.ephemeral-storage',
  'configmaps',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
]);
const isStandard = (name: string): boolean => STANDARD_RESOURCES.has(name) || isQuotaHugePages(name);

/** Scopes that either hold or do not. */
const PLAIN_SCOPES = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

type Amounts = Readonly<Record<string, string>>;

function validateAmounts(errors: FieldError[], amounts: Amounts | undefined, field: string): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const path = `${field}[${name}]`;
    validateResourceName(errors, name, path);
    if (!name.includes('/') && !isStandard(name)) {
      errors.push(invalid(path, name, 'must be a standard resource for quota'));
    }
    validateQuantity(errors, name, amount, path);
  }
}

/** Whether objects in the scope can use the resource. */
function isInScope(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') return CLAIM_RESOURCES.has(resource);
  return !SCOPES.includes(scope) || POD_RESOURCES.has(resource);
}

const outOfScope = (scope: string, { hard = {} }: ResourceQuotaSpec): readonly string[] =>
  Object.keys(hard).filter((name) => isStandard(name) && !isInScope(scope, name));

const areInConflict = (scopes: ReadonlySet<string>) =>
  CONFLICTS.filter(([one, other]) => scopes.has(one) && scopes.has(other));

export function validateQuotaSpec(spec: ResourceQuotaSpec): FieldError[] {
  const errors: FieldError[] = [];
  validateAmounts(errors, spec.hard, 'spec.hard');
  const { scopes = [] } = spec;
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
    for (const _ of outOfScope(scope, spec)) {
      errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'));
    }
  }
  for (const _ of areInConflict(new Set(scopes))) {
    errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
  }
  validateSelector(errors, spec);
  return errors;
}

/** Upstream names the list's path without an index. */
function validateSelector(errors: FieldError[], spec: ResourceQuotaSpec): void {
  const field = 'spec.scopeSelector.matchExpressions';
  const requirements = spec.scopeSelector?.matchExpressions ?? [];
  for (const { scopeName = '', operator = '', values = [] } of requirements) {
    if (!SCOPES.includes(scopeName))
      errors.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
    for (const _ of outOfScope(scopeName, spec)) {
      errors.push(invalid(field, internalSelector(requirements), 'unsupported scope applied to resource'));
    }
    if (PLAIN_SCOPES.has(scopeName) && operator !== 'Exists') {
      const problem =
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(`${field}.operator`, operator, problem));
    }
    validateValues(errors, operator, values, field);
  }
  const scopes = new Set(requirements.map(({ scopeName = '' }) => scopeName));
  for (const _ of areInConflict(scopes)) {
    // Of the other way to name scopes, which is what upstream shows.
    errors.push(invalid(field, spec.scopes, 'conflicting scopes'));
  }
}

function validateValues(
  errors: FieldError[],
  operator: string,
  values: readonly string[],
  field: string,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return;
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    errors.push(required(`${field}.values`, detail));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return;
    const problem = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.push(invalid(`${field}.values`, values, problem));
  } else errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
}

/** As upstream holds it, which errors show. */
const internalSelector = (
  requirements: NonNullable<NonNullable<ResourceQuotaSpec['scopeSelector']>['matchExpressions']>,
) => ({
  MatchExpressions: requirements.map(({ scopeName = '', operator = '', values }) => ({
    ScopeName: scopeName,
    Operator: operator,
    Values: values ?? null,
  })),
});

export function validateQuotaUpdate({ scopes }: ResourceQuotaSpec, old: ResourceQuotaSpec): FieldError[] {
  const now = new Set(scopes);
  const before = new Set(old.scopes);
  const isSame = now.size === before.size && [...now].every((scope) => before.has(scope));
  return isSame ? [] : [invalid('spec.scopes', scopes, FIELD_IMMUTABLE)];
}

export function validateQuotaStatus({ hard, used }: ResourceQuotaStatus): FieldError[] {
  const errors: FieldError[] = [];
  validateAmounts(errors, hard, 'status.hard');
  validateAmounts(errors, used, 'status.used');
  return errors;
}
