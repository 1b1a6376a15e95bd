/** The rules of references to objects of any kind that these kinds share. */
import { type FieldError, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Subdomain, nameIs } from '../../validation/names.js';

/** Adds what is wrong with a part of a path that may not be left out. */
export function validateSegment(errors: FieldError[], field: string, value: string | undefined): void {
  if (!value) errors.push(required(field));
  else invalidEach(errors, field, value, nameIs.pathSegment(value, false));
}

interface Reference {
  /** Null is what some references print where it is absent. */
  readonly apiGroup?: string | null | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

export function validateReference({ apiGroup, kind, name }: Reference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (typeof apiGroup === 'string')
    invalidEach(errors, `${path}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup));
  validateSegment(errors, `${path}.kind`, kind);
  validateSegment(errors, `${path}.name`, name);
  return errors;
}
