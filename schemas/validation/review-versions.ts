/** Versions of the reviews that a webhook is sent, admission's and conversion's alike. */
import { type FieldError, invalid, required } from '../field-error.js';
import { invalidEach } from './metadata.js';
import { dns1035Label } from './names.js';

/** Versions that this server and the one before it can send. */
export const REVIEW_VERSIONS = ['v1', 'v1beta1'];

export const hasKnownVersion = (versions: readonly string[]): boolean =>
  versions.some((version) => REVIEW_VERSIONS.includes(version));

/** `missing`: what is said of an empty list. `known`: one of them must be known. */
export function validateReviewVersions(
  versions: readonly string[],
  field: string,
  { missing = '', known }: { readonly missing?: string; readonly known: boolean },
): FieldError[] {
  if (versions.length === 0) return [required(field, missing)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) errors.push(invalid(`${field}[${i}]`, version, 'duplicate version'));
    else invalidEach(errors, `${field}[${i}]`, version, dns1035Label(version));
    seen.add(version);
  }
  if (known && !hasKnownVersion(versions)) {
    errors.push(invalid(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  }
  return errors;
}
