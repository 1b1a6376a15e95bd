/** Rules of `conditions` in the form of meta/v1, which the status of several kinds has. */
import { addAll } from '../add-all.js';
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from '../field-error.js';
import { invalidEach, validateLabelName } from './metadata.js';
import { byteLength, conditionReason } from './names.js';

const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;
const STATUSES = ['False', 'True', 'Unknown'];

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
  const seen = new Set<string>();
  for (const [i, condition] of conditions.entries()) {
    const { type = '' } = condition;
    if (seen.has(type)) errors.push(duplicate(`${field}[${i}].type`, type));
    seen.add(type);
    validateCondition(errors, condition, `${field}[${i}]`);
  }
  return errors;
}

function validateCondition(errors: FieldError[], condition: Condition, field: string): void {
  const { type = '', status = '', observedGeneration = 0, reason = '', message = '' } = condition;
  addAll(errors, validateLabelName(type, `${field}.type`));
  if (!STATUSES.includes(status)) errors.push(notSupported(`${field}.status`, status, STATUSES));
  if (observedGeneration < 0) {
    const problem = 'must be greater than or equal to zero';
    errors.push(invalid(`${field}.observedGeneration`, observedGeneration, problem));
  }
  if (!condition.lastTransitionTime) errors.push(required(`${field}.lastTransitionTime`, 'must be set'));
  if (reason === '') errors.push(required(`${field}.reason`, 'must be set'));
  else {
    invalidEach(errors, `${field}.reason`, reason, conditionReason(reason));
    if (byteLength(reason) > REASON_BYTES_MAX) errors.push(tooLong(`${field}.reason`, REASON_BYTES_MAX));
  }
  if (byteLength(message) > MESSAGE_BYTES_MAX) errors.push(tooLong(`${field}.message`, MESSAGE_BYTES_MAX));
}
