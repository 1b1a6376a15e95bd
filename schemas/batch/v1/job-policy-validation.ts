/** Rules for a job's policies: what failures do, and what counts as success. */
import {
  duplicate,
  type FieldError,
  invalid,
  invalidUnshown,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../field-error.js';
import { invalidEach, validateNotNegative } from '../../validation/metadata.js';
import { byteLength, qualifiedName } from '../../validation/names.js';
import { countIndexes } from './job-indexes.js';
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from './job-schema.js';

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const CONDITIONS_MAX = 20;
const INDEXES_BYTES_MAX = 64 * 1024;

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** As Go prints a list of strings. */
const validValues = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

export function validatePodFailurePolicy(
  errors: FieldError[],
  { rules }: PodFailurePolicy,
  spec: JobSpec,
  field: string,
): void {
  const list = rules ?? [];
  if (list.length > RULES_MAX) errors.push(tooMany(`${field}.rules`, list.length, RULES_MAX));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name = '' }) => name));
  for (const [i, rule] of list.entries()) validateRule(errors, rule, spec, names, `${field}.rules[${i}]`);
}

function validateRule(
  errors: FieldError[],
  { action = '', onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  spec: JobSpec,
  names: ReadonlySet<string>,
  field: string,
): void {
  if (action === '') errors.push(required(`${field}.action`, validValues(ACTIONS)));
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) {
      errors.push(invalid(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'));
    }
  } else if (!ACTIONS.includes(action)) errors.push(notSupported(`${field}.action`, action, ACTIONS));
  if (onExitCodes) validateExitCodes(errors, onExitCodes, names, `${field}.onExitCodes`);
  validateConditions(errors, onPodConditions, `${field}.onPodConditions`);
  if (onExitCodes && onPodConditions.length > 0) {
    const problem = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(invalidUnshown(field, problem));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    errors.push(invalidUnshown(field, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

function validateExitCodes(
  errors: FieldError[],
  { containerName, operator = '', values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  names: ReadonlySet<string>,
  field: string,
): void {
  if (operator === '') errors.push(required(`${field}.operator`, validValues(OPERATORS)));
  else if (!OPERATORS.includes(operator)) {
    errors.push(notSupported(`${field}.operator`, operator, OPERATORS));
  }
  if (containerName !== undefined && !names.has(containerName)) {
    const problem = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${field}.containerName`, containerName, problem));
  }
  const path = `${field}.values`;
  const codes = values ?? [];
  if (codes.length === 0) errors.push(invalid(path, values ?? null, 'at least one value is required'));
  else if (codes.length > EXIT_CODES_MAX) errors.push(tooMany(path, codes.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  for (const [i, code] of codes.entries()) {
    if (operator === 'In' && code === 0) {
      errors.push(invalid(`${path}[${i}]`, code, 'must not be 0 for the In operator'));
    }
    if (seen.has(code)) errors.push(duplicate(`${path}[${i}]`, code));
    seen.add(code);
  }
  if (codes.some((code, i) => code < (codes[i - 1] ?? code))) {
    errors.push(invalid(path, codes, 'must be ordered'));
  }
}

function validateConditions(
  errors: FieldError[],
  conditions: NonNullable<PodFailurePolicyRule['onPodConditions']>,
  field: string,
): void {
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(field, conditions.length, CONDITIONS_MAX));
  for (const [i, { type = '', status = '' }] of conditions.entries()) {
    const path = `${field}[${i}]`;
    invalidEach(errors, `${path}.type`, type, qualifiedName(type));
    if (status === '') errors.push(required(`${path}.status`, validValues(STATUSES)));
    else if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
  }
}

export function validateSuccessPolicy(
  errors: FieldError[],
  { rules }: SuccessPolicy,
  completions: number,
  field: string,
): void {
  const list = rules ?? [];
  if (list.length === 0) {
    const problem = 'at least one rules must be specified when the successPolicy is specified';
    errors.push(required(`${field}.rules`, problem));
  }
  if (list.length > RULES_MAX) errors.push(tooMany(`${field}.rules`, list.length, RULES_MAX));
  for (const [i, rule] of list.entries()) {
    validateSuccessRule(errors, rule, completions, `${field}.rules[${i}]`);
  }
}

function validateSuccessRule(
  errors: FieldError[],
  { succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule,
  completions: number,
  field: string,
): void {
  if (count === undefined && indexes === undefined) {
    const problem = 'at least one of succeededCount or succeededIndexes must be specified';
    errors.push(required(field, problem));
  }
  let total = 0;
  if (indexes !== undefined) {
    const path = `${field}.succeededIndexes`;
    if (byteLength(indexes) > INDEXES_BYTES_MAX) errors.push(tooLong(path, INDEXES_BYTES_MAX));
    const counted = countIndexes(indexes, completions);
    if (typeof counted === 'number') total = counted;
    else errors.push(invalid(path, indexes, `error parsing succeededIndexes: ${counted}`));
  }
  if (count === undefined) return;
  const path = `${field}.succeededCount`;
  validateNotNegative(errors, path, count);
  if (count > completions) {
    const problem = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalid(path, count, problem));
  }
  if (indexes !== undefined && count > total) {
    const problem = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalid(path, count, problem));
  }
}
