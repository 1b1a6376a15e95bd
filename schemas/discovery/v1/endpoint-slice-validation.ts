/** What an EndpointSlice must look like. */
import { isIPv6 } from 'node:net';
import { addAll } from '../../add-all.js';
import { validateIP, validateNonSpecialIP } from '../../core/v1/addresses.js';
import { PROTOCOLS } from '../../core/v1/enums.js';
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../validation/names.js';
import {
  ADDRESS_TYPES,
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
} from './endpoint-slice-schema.js';

const ENDPOINTS_MAX = 1000;
/** Of one endpoint. */
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
/** Zones, and nodes, of one endpoint. */
const HINTS_MAX = 8;

/** All but the endpoints. */
export function validateSlice({ addressType = '', ports }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (addressType === '') errors.push(required('addressType'));
  else if (!ADDRESS_TYPES.includes(addressType)) {
    errors.push(notSupported('addressType', addressType, ADDRESS_TYPES));
  }
  return [...errors, ...validatePorts(ports ?? [])];
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > PORTS_MAX) return [tooMany('ports', ports.length, PORTS_MAX)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, { name = '', protocol, appProtocol }] of ports.entries()) {
    const path = `ports[${i}]`;
    if (name !== '') invalidEach(errors, `${path}.name`, name, dns1123Label(name));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    }
    if (appProtocol !== undefined) {
      invalidEach(errors, `${path}.appProtocol`, appProtocol, qualifiedName(appProtocol));
    }
  }
  return errors;
}

export function validateEndpoints({ addressType = '', endpoints }: EndpointSlice): FieldError[] {
  const all = endpoints ?? [];
  if (all.length > ENDPOINTS_MAX) return [tooMany('endpoints', all.length, ENDPOINTS_MAX)];
  const errors: FieldError[] = [];
  for (const [i, endpoint] of all.entries()) {
    addAll(errors, validateEndpoint(endpoint, addressType, `endpoints[${i}]`));
  }
  return errors;
}

function validateEndpoint(endpoint: Endpoint, addressType: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { addresses, nodeName, hostname, hints } = endpoint;
  const { length } = addresses ?? [];
  if (length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  if (length > ADDRESSES_MAX) errors.push(tooMany(`${path}.addresses`, length, ADDRESSES_MAX));
  for (const [i, address] of (addresses ?? []).entries()) {
    if (addressType === 'FQDN') addAll(errors, validateDomainName(address, `${path}.addresses[${i}]`));
    else if (addressType === 'IPv4' || addressType === 'IPv6') {
      addAll(errors, validateAddress(address, { addressType, path: `${path}.addresses`, i }));
    }
  }
  if (nodeName !== undefined) invalidEach(errors, `${path}.nodeName`, nodeName, dns1123Subdomain(nodeName));
  if (hostname !== undefined) invalidEach(errors, `${path}.hostname`, hostname, dns1123Label(hostname));
  if (hints !== undefined) addAll(errors, validateHints(hints, `${path}.hints`));
  return errors;
}

function validateAddress(
  address: string,
  {
    addressType,
    path,
    i,
  }: { readonly addressType: 'IPv4' | 'IPv6'; readonly path: string; readonly i: number },
): FieldError[] {
  const errors = validateIP(address, `${path}[${i}]`);
  if (errors.length > 0) return errors;
  // Upstream names the list here, not the address in it.
  if (isIPv6(address) !== (addressType === 'IPv6')) {
    errors.push(invalid(path, address, `must be an ${addressType} address`));
  }
  return [...errors, ...validateNonSpecialIP(address, `${path}[${i}]`)];
}

function validateDomainName(address: string, path: string): FieldError[] {
  if (address === '') return [required(path)];
  // A trailing dot marks a name as complete.
  const name = address.replace(/\.$/, '');
  const problems = dns1123Subdomain(name);
  if (problems.length > 0) return [invalid(path, name, problems.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    return [invalid(path, name, 'should be a domain with at least two segments separated by dots')];
  }
  return labels.flatMap((label) => {
    const found = dns1123Label(label);
    return found.length === 0 ? [] : [invalid(path, label, found.join(','))];
  });
}

function validateHints(
  { forZones = [], forNodes = [] }: NonNullable<Endpoint['hints']>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, names, problemsWith] of [
    ['forZones', forZones, labelValue],
    ['forNodes', forNodes, dns1123Subdomain],
  ] as const) {
    if (names.length > HINTS_MAX) return [...errors, tooMany(`${path}.${field}`, names.length, HINTS_MAX)];
    const seen = new Set<string>();
    for (const [i, { name = '' }] of names.entries()) {
      const where = `${path}.${field}[${i}].name`;
      if (seen.has(name)) errors.push(duplicate(where, name));
      seen.add(name);
      invalidEach(errors, where, name, problemsWith(name));
    }
  }
  return errors;
}
