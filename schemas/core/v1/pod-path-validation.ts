/** Rules for paths inside volumes. */
import { type FieldError, invalid } from '../../field-error.js';

export function validateNoBacksteps(errors: FieldError[], path: string, field: string): void {
  if (path.split('/').includes('..')) errors.push(invalid(field, path, "must not contain '..'"));
}

/** Relative, and never upwards. */
export function validateDescendingPath(errors: FieldError[], path: string, field: string): void {
  if (path.startsWith('/')) errors.push(invalid(field, path, 'must be a relative path'));
  validateNoBacksteps(errors, path, field);
}

/** As a descending path, without names that start with two dots: those are the kubelet's. */
export function validateUnreservedPath(errors: FieldError[], path: string, field: string): void {
  validateDescendingPath(errors, path, field);
  if (path.startsWith('..') && !path.startsWith('../')) {
    errors.push(invalid(field, path, "must not start with '..'"));
  }
}
