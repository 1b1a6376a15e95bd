/** How many pods may be missing or too many during an update: a number or a percentage. */
import { type FieldError, invalid } from '../../field-error.js';
import { NOT_NEGATIVE } from '../../validation/metadata.js';
import { percent } from '../../validation/names.js';

/** A number or a percentage, not below 0. */
export function validateCount(errors: FieldError[], field: string, value: number | string): void {
  if (typeof value === 'string') {
    for (const problem of percent(value)) errors.push(invalid(field, value, problem));
  } else if (value < 0) errors.push(invalid(field, value, NOT_NEGATIVE));
}

/** The number itself, or how many per cent; 0 for what is neither. */
export function countOf(value: number | string): number {
  if (typeof value === 'number') return value;
  return /^\d+%?$/.test(value) ? Number.parseInt(value, 10) : 0;
}

export function validateAtMostAll(errors: FieldError[], field: string, value: number | string): void {
  if (typeof value === 'string' && value.endsWith('%') && countOf(value) > 100) {
    errors.push(invalid(field, value, 'must not be greater than 100%'));
  }
}
