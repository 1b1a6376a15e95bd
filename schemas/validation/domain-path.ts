/** Names of programs that belong to somebody: a path below a domain, `example.com/queue`. */
import { type FieldError, invalid, required } from '../field-error.js';
import { invalidEach } from './metadata.js';
import { dns1123Subdomain } from './names.js';

const PATH_FORMAT = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const PATH = new RegExp(`^${PATH_FORMAT}$`);

export function validateDomainPrefixedPath(value: string, field: string): FieldError[] {
  if (value === '') return [required(field)];
  const slash = value.indexOf('/');
  const host = value.slice(0, Math.max(slash, 0));
  const path = value.slice(slash + 1);
  if (host === '' || path === '') {
    return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors: FieldError[] = [];
  invalidEach(errors, field, host, dns1123Subdomain(host));
  if (!PATH.test(path)) {
    errors.push(invalid(field, path, `Invalid path (regex used for validation is '${PATH_FORMAT}')`));
  }
  return errors;
}
