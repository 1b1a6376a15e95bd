/** Rules of meta/v1 Conditions. */
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from '../field-error.js';
import { validateLabelName } from './metadata.js';
import { byteLength, regexProblem } from './names.js';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;

const REASON_FORMAT = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON = new RegExp(`^${REASON_FORMAT}$`);
const reasonProblem = (): string =>
  regexProblem(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    REASON_FORMAT,
    'my_name',
    'MY_NAME',
    'MyName',
    'ReasonA,ReasonB',
    'ReasonA:ReasonB',
  );

export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

export function validateConditions(conditions: readonly Condition[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [i, condition] of conditions.entries()) {
    const path = `${field}[${i}]`;
    const { type = '' } = condition;
    if (types.has(type)) errors.push(duplicate(`${path}.type`, type));
    types.add(type);
    errors.push(...validateCondition(condition, path));
  }
  return errors;
}

function validateCondition(condition: Condition, path: string): FieldError[] {
  const { type = '', status = '', observedGeneration = 0, reason = '', message = '' } = condition;
  const errors = validateLabelName(type, `${path}.type`);
  if (!STATUSES.includes(status)) errors.push(notSupported(`${path}.status`, status, STATUSES));
  if (observedGeneration < 0) {
    const problem = 'must be greater than or equal to zero';
    errors.push(invalid(`${path}.observedGeneration`, observedGeneration, problem));
  }
  if (!condition.lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`, 'must be set'));
  if (reason === '') errors.push(required(`${path}.reason`, 'must be set'));
  else {
    if (!REASON.test(reason)) errors.push(invalid(`${path}.reason`, reason, reasonProblem()));
    if (byteLength(reason) > REASON_BYTES_MAX) errors.push(tooLong(`${path}.reason`, REASON_BYTES_MAX));
  }
  if (byteLength(message) > MESSAGE_BYTES_MAX) errors.push(tooLong(`${path}.message`, MESSAGE_BYTES_MAX));
  return errors;
}
