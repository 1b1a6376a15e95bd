/** Which requests a policy, or one binding of it, is about. */
import { addAll } from '../../add-all.js';
import { type FieldError, notSupported, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { labelSelector } from '../../meta/v1.js';
import { validateLabelSelector } from '../../validation/metadata.js';
import type { LabelSelector } from '../../validation/selectors.js';
import { defaultRules, type NamedRule, namedRuleWithOperations, PREFIX, validateNamedRule } from './rules.js';
import { MATCH_POLICIES } from './webhook-schema.js';

const MUTABLE_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

export const matchResources = once(() =>
  struct(
    `${PREFIX}.MatchResources`,
    {
      namespaceSelector: describe(labelSelector(), { description: 'Only objects of namespaces like this.' }),
      objectSelector: describe(labelSelector(), { description: 'Only objects like this.' }),
      resourceRules: list(namedRuleWithOperations(), { listType: 'atomic' }),
      excludeResourceRules: list(namedRuleWithOperations(), {
        listType: 'atomic',
        description: 'What of these it is not about.',
      }),
      matchPolicy: text({
        enum: MATCH_POLICIES,
        goType: 'v1.MatchPolicyType',
        description: 'Whether a rule also means other versions of the same resource.',
      }),
    },
    { description: 'Requests, by operation, resource and labels.', mapType: 'atomic' },
  ),
);

export interface MatchResources {
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  resourceRules?: readonly NamedRule[];
  excludeResourceRules?: readonly NamedRule[];
  matchPolicy?: string;
}

export function defaultMatchResources(resources: MatchResources | undefined): void {
  if (resources === undefined) return;
  resources.matchPolicy ??= 'Equivalent';
  resources.namespaceSelector ??= {};
  resources.objectSelector ??= {};
  defaultRules(resources.resourceRules);
  defaultRules(resources.excludeResourceRules);
}

export function validateMatchResources(resources: MatchResources, field: string): FieldError[] {
  const { matchPolicy } = resources;
  const errors: FieldError[] = [];
  if (matchPolicy === undefined) errors.push(required(`${field}.matchPolicy`));
  else if (!MATCH_POLICIES.includes(matchPolicy)) {
    errors.push(notSupported(`${field}.matchPolicy`, matchPolicy, MATCH_POLICIES));
  }
  for (const name of ['namespaceSelector', 'objectSelector'] as const) {
    if (resources[name] === undefined) errors.push(required(`${field}.${name}`));
    else addAll(errors, validateLabelSelector(resources[name], `${field}.${name}`));
  }
  for (const name of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [i, rule] of (resources[name] ?? []).entries()) {
      addAll(errors, validateNamedRule(rule, `${field}.${name}[${i}]`));
    }
  }
  return errors;
}

/** Of a policy, which must name resources: expressions are checked against their types. */
export function validateMatchConstraints(
  constraints: MatchResources | undefined,
  field: string,
): FieldError[] {
  if (constraints === undefined) return [required(field)];
  const errors = validateMatchResources(constraints, field);
  if ((constraints.resourceRules ?? []).length === 0) errors.push(required(`${field}.resourceRules`));
  return errors;
}

/** What is deleted cannot be changed. */
export function validateMutable(resources: MatchResources | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const { operations = [] } of resources?.resourceRules ?? []) {
    for (const operation of operations) {
      if (MUTABLE_OPERATIONS.includes(operation)) continue;
      errors.push(notSupported(`${field}.resourceRules.operations`, operation, MUTABLE_OPERATIONS));
    }
  }
  return errors;
}
