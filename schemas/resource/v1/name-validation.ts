/** Names of drivers, pools, devices, attributes and shares, and what drivers may be told. */
import { addAll } from '../../add-all.js';
import { type FieldError, invalid, required, tooLong } from '../../field-error.js';
import { byteLength, dns1123Label, dns1123Subdomain } from '../../validation/names.js';
import { ATTRIBUTE_ID_BYTES_MAX, DRIVER_NAME_BYTES_MAX, POOL_NAME_BYTES_MAX } from './limits.js';

const eachProblem = (path: string, value: string, problems: readonly string[]): FieldError[] =>
  problems.map((problem) => invalid(path, value, problem));

export const validateLabelLike = (name: string, path: string): FieldError[] =>
  eachProblem(path, name, dns1123Label(name));

export const validateSubdomain = (name: string, path: string): FieldError[] =>
  eachProblem(path, name, dns1123Subdomain(name));

/** As the names of CSI drivers. */
export function validateDriver(name: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(path));
  if (byteLength(name) > DRIVER_NAME_BYTES_MAX) errors.push(tooLong(path, DRIVER_NAME_BYTES_MAX));
  addAll(errors, eachProblem(path, name, dns1123Subdomain(name.toLowerCase())));
  return errors;
}

/** Subdomains with slashes between. */
export function validatePool(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const errors = byteLength(name) > POOL_NAME_BYTES_MAX ? [tooLong(path, POOL_NAME_BYTES_MAX)] : [];
  for (const part of name.split('/')) addAll(errors, validateSubdomain(part, path));
  return errors;
}

const IDENTIFIER_FORMAT = '[A-Za-z_][A-Za-z0-9_]*';
const IDENTIFIER = new RegExp(`^${IDENTIFIER_FORMAT}$`);
const IDENTIFIER_PROBLEM = `a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '${IDENTIFIER_FORMAT}')`;

function validateIdentifier(id: string, path: string): FieldError[] {
  const errors = byteLength(id) > ATTRIBUTE_ID_BYTES_MAX ? [tooLong(path, ATTRIBUTE_ID_BYTES_MAX)] : [];
  if (!IDENTIFIER.test(id)) errors.push(invalid(path, id, IDENTIFIER_PROBLEM));
  return errors;
}

/** `id` or `domain/id`. Upstream lets through what has more than one slash. */
export function validateAttributeName(name: string, path: string): FieldError[] {
  const [first = '', second, ...more] = name.split('/');
  if (second === undefined) return validateIdentifier(first, path);
  if (more.length > 0) return [];
  return [
    ...(first === '' ? [invalid(path, '', 'the domain must not be empty')] : validateDriver(first, path)),
    ...(second === '' ? [invalid(path, '', 'the name must not be empty')] : validateIdentifier(second, path)),
  ];
}

/** `domain/id` */
export function validateFullAttributeName(name: string, path: string): FieldError[] {
  const errors = validateAttributeName(name, path);
  if (!name.includes('/')) {
    const why = 'a fully qualified name must be a domain and a name separated by a slash';
    errors.push(invalid(path, name, why));
  }
  return errors;
}

const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function validateShareId(id: string, path: string): FieldError[] {
  if (id.length !== UUID_LENGTH) {
    return [invalid(path, id, `error validating uid: invalid UUID length: ${byteLength(id)}`)];
  }
  if (!UUID.test(id)) return [invalid(path, id, 'error validating uid: invalid UUID format')];
  if (id === id.toLowerCase()) return [];
  const why =
    'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
  return [invalid(path, id, why)];
}

/** An object for a driver. `isStored`: it was there already, however long it is. */
export function validateParameters(
  value: unknown,
  bytesMax: number,
  path: string,
  isStored: boolean,
): FieldError[] {
  if (value === undefined || value === null) return [required(path)];
  if (!isStored && byteLength(JSON.stringify(value)) > bytesMax) return [tooLong(path, bytesMax)];
  if (typeof value === 'object' && !Array.isArray(value)) return [];
  return [invalid(path, '<value omitted>', 'must be a valid JSON object')];
}
