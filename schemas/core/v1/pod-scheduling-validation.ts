/** Rules for where a pod may run. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach, validateLabelName, validateLabelSelector } from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from './pod-scheduling.js';
import { TAINT_EFFECTS } from './enums.js';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const WEIGHT = 'must be in the range 1-100';
const NOT_POSITIVE = 'must be greater than zero';
const NO_OPERATOR = 'not a valid selector operator';
/** zod's types say `| undefined` where ours leave fields out; at run time they are the same. */
const selectorOf = (selector: unknown): LabelSelector | undefined => selector as LabelSelector | undefined;

export function validateAffinity(errors: FieldError[], affinity: Affinity, field: string): void {
  const { nodeAffinity: node, podAffinity, podAntiAffinity } = affinity;
  if (node?.[REQUIRED]) validateNodeSelector(errors, node[REQUIRED], `${field}.nodeAffinity.${REQUIRED}`);
  for (const [i, { weight = 0, preference = {} }] of (node?.[PREFERRED] ?? []).entries()) {
    const path = `${field}.nodeAffinity.${PREFERRED}[${i}]`;
    if (weight < 1 || weight > 100) errors.push(invalid(`${path}.weight`, weight, WEIGHT));
    // A preference for a value that no label can have does no harm.
    validateNodeTerm(errors, preference, `${path}.preference`, true);
  }
  if (podAffinity) validatePodAffinity(errors, podAffinity, `${field}.podAffinity`);
  if (podAntiAffinity) validatePodAffinity(errors, podAntiAffinity, `${field}.podAntiAffinity`);
}

export function validateNodeSelector(
  errors: FieldError[],
  selector: NodeSelector,
  field: string,
  allowInvalidValues = false,
): void {
  const terms = selector.nodeSelectorTerms ?? [];
  const path = `${field}.nodeSelectorTerms`;
  if (terms.length === 0) errors.push(required(path, 'must have at least one node selector term'));
  for (const [i, term] of terms.entries()) {
    validateNodeTerm(errors, term, `${path}[${i}]`, allowInvalidValues);
  }
}

function validateNodeTerm(
  errors: FieldError[],
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  field: string,
  allowInvalidValues: boolean,
): void {
  for (const [i, requirement] of matchExpressions.entries()) {
    validateNodeLabel(errors, requirement, `${field}.matchExpressions[${i}]`, allowInvalidValues);
  }
  for (const [i, requirement] of matchFields.entries()) {
    validateNodeField(errors, requirement, `${field}.matchFields[${i}]`);
  }
}

function validateNodeLabel(
  errors: FieldError[],
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  field: string,
  allowInvalidValues: boolean,
): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(
          forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(
          required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        );
      }
      break;
    default:
      errors.push(invalid(`${field}.operator`, operator, NO_OPERATOR));
  }
  errors.push(...validateLabelName(key, `${field}.key`));
  if (allowInvalidValues) return;
  for (const [i, value] of values.entries()) {
    invalidEach(errors, `${field}.values[${i}]`, value, labelValue(value));
  }
}

function validateNodeField(
  errors: FieldError[],
  { key = '', operator = '', values = [] }: NodeSelectorRequirement,
  field: string,
): void {
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalid(`${field}.operator`, operator, NO_OPERATOR));
  } else if (values.length !== 1) {
    const problem = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${field}.values`, problem));
  }
  if (key !== 'metadata.name') {
    errors.push(invalid(`${field}.key`, key, 'not a valid field selector key'));
    return;
  }
  for (const [i, value] of values.entries()) {
    invalidEach(errors, `${field}.values[${i}]`, value, dns1123Subdomain(value));
  }
}

function validatePodAffinity(errors: FieldError[], affinity: PodAffinity, field: string): void {
  for (const [i, term] of (affinity[REQUIRED] ?? []).entries()) {
    validatePodTerm(errors, term, `${field}.${REQUIRED}[${i}]`);
  }
  for (const [i, { weight = 0, podAffinityTerm = {} }] of (affinity[PREFERRED] ?? []).entries()) {
    const path = `${field}.${PREFERRED}[${i}]`;
    if (weight < 1 || weight > 100) errors.push(invalid(`${path}.weight`, weight, WEIGHT));
    validatePodTerm(errors, podAffinityTerm, `${path}.podAffinityTerm`);
  }
}

function validatePodTerm(errors: FieldError[], term: PodAffinityTerm, field: string): void {
  const { topologyKey = '' } = term;
  addAll(
    errors,
    validateLabelSelector(selectorOf(term.labelSelector), `${field}.labelSelector`),
    validateLabelSelector(selectorOf(term.namespaceSelector), `${field}.namespaceSelector`),
  );
  for (const name of term.namespaces ?? [])
    invalidEach(errors, `${field}.namespace`, name, dns1123Label(name));
  validateTermLabelKeys(errors, term, field);
  if (topologyKey === '') errors.push(required(`${field}.topologyKey`, 'can not be empty'));
  errors.push(...validateLabelName(topologyKey, `${field}.topologyKey`));
}

function validateTermLabelKeys(errors: FieldError[], term: PodAffinityTerm, field: string): void {
  const { matchLabelKeys: match = [], mismatchLabelKeys: mismatch = [], labelSelector: selector } = term;
  for (const [name, keys] of [
    ['matchLabelKeys', match],
    ['mismatchLabelKeys', mismatch],
  ] as const) {
    if (keys.length > 0 && !selector) {
      errors.push(forbidden(`${field}.${name}`, 'must not be specified when labelSelector is not set'));
    } else {
      for (const [i, key] of keys.entries()) errors.push(...validateLabelName(key, `${field}.${name}[${i}]`));
    }
  }
  const both = 'exists in both matchLabelKeys and labelSelector';
  // The keys' own requirements have been merged into the selector by now, so a key has to be there twice.
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  const places = new Map(match.map((key, i) => [key, i]));
  for (const { key = '' } of selector?.matchExpressions ?? []) {
    const i = places.get(key);
    if (i !== undefined && seen.has(key)) errors.push(invalid(`${field}[${i}]`, key, both));
    seen.add(key);
  }
  const mismatched = new Set(mismatch);
  for (const [i, key] of match.entries()) {
    if (mismatched.has(key)) {
      const problem = 'exists in both matchLabelKeys and mismatchLabelKeys';
      errors.push(invalid(`${field}.matchLabelKeys[${i}]`, key, problem));
    }
  }
}

export function validateTolerations(
  errors: FieldError[],
  tolerations: readonly Toleration[],
  field: string,
): void {
  for (const [i, toleration] of tolerations.entries()) {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    const path = `${field}[${i}]`;
    if (key !== '') errors.push(...validateLabelName(key, `${path}.key`));
    else if (operator !== 'Exists') {
      const problem =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(`${path}.operator`, operator, problem));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const problem = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalid(`${path}.effect`, effect, problem));
    }
    if (operator === '' || operator === 'Equal') {
      const problems = labelValue(value);
      if (problems.length > 0) errors.push(invalid(`${path}.operator`, value, problems.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '') {
        const problem = "value must be empty when `operator` is 'Exists'";
        errors.push(invalid(`${path}.operator`, internalToleration(toleration), problem));
      }
    } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
    if (effect !== '' && !TAINT_EFFECTS.includes(effect)) {
      errors.push(notSupported(`${path}.effect`, effect, TAINT_EFFECTS));
    }
  }
}

/** Go prints its internal struct here, with Go's field names. */
const internalToleration = ({ key, operator, value, effect, tolerationSeconds }: Toleration) => ({
  Key: key ?? '',
  Operator: operator ?? '',
  Value: value ?? '',
  Effect: effect ?? '',
  TolerationSeconds: tolerationSeconds ?? null,
});

const identity = (constraint: TopologySpreadConstraint): string =>
  JSON.stringify([constraint.topologyKey ?? '', constraint.whenUnsatisfiable ?? '']);

export function validateTopologySpread(
  errors: FieldError[],
  constraints: readonly TopologySpreadConstraint[],
  field: string,
): void {
  const last = new Map(constraints.map((constraint, i) => [identity(constraint), i]));
  for (const [i, constraint] of constraints.entries()) {
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable: action = '', minDomains } = constraint;
    const path = `${field}[${i}]`;
    if (maxSkew <= 0) errors.push(invalid(`${path}.maxSkew`, maxSkew, NOT_POSITIVE));
    if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway') {
      errors.push(notSupported(`${path}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    }
    if ((last.get(identity(constraint)) ?? i) > i) {
      errors.push(duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`));
    }
    if (minDomains !== undefined) validateMinDomains(errors, minDomains, action, `${path}.minDomains`);
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[name];
      if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore') {
        errors.push(notSupported(`${path}.${name}`, policy, ['Honor', 'Ignore']));
      }
    }
    validateSpreadLabelKeys(errors, constraint, `${path}.matchLabelKeys`);
    addAll(errors, validateLabelSelector(selectorOf(constraint.labelSelector), `${path}.labelSelector`));
  }
}

function validateMinDomains(errors: FieldError[], count: number, action: string, field: string): void {
  if (count <= 0) errors.push(invalid(field, count, NOT_POSITIVE));
  if (action !== 'DoNotSchedule') {
    const problem = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
    errors.push(invalid(field, count, problem));
  }
}

function validateSpreadLabelKeys(
  errors: FieldError[],
  { matchLabelKeys: keys = [], labelSelector: selector }: TopologySpreadConstraint,
  field: string,
): void {
  if (keys.length === 0) return;
  if (!selector) errors.push(forbidden(field, 'must not be specified when labelSelector is not set'));
  const uses = new Map<string | undefined, number>();
  for (const { key } of selector?.matchExpressions ?? []) uses.set(key, (uses.get(key) ?? 0) + 1);
  for (const [i, key] of keys.entries()) {
    errors.push(...validateLabelName(key, `${field}[${i}]`));
    // One requirement is the key's own, merged into the selector when the pod was made.
    if (Object.hasOwn(selector?.matchLabels ?? {}, key) || (uses.get(key) ?? 0) > 1) {
      errors.push(invalid(`${field}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
  }
}

export function validateSchedulingGates(
  errors: FieldError[],
  gates: readonly { name?: string | undefined }[],
  field: string,
): void {
  const seen = new Set<string>();
  for (const [i, { name = '' }] of gates.entries()) {
    invalidEach(errors, `${field}[${i}]`, name, qualifiedName(name));
    if (seen.has(name)) errors.push(duplicate(`${field}[${i}]`, name));
    seen.add(name);
  }
}
