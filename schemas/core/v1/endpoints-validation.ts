/** What Endpoints must look like. */
import { addAll } from '../../add-all.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '../../validation/names.js';
import { validateIP, validateNonSpecialIP } from './addresses.js';
import type { EndpointAddress, EndpointPort, EndpointSubset } from './endpoints-schema.js';
import { PROTOCOLS } from './enums.js';

export function validateSubsets(subsets: readonly EndpointSubset[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const path = `subsets[${i}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [j, address] of addresses.entries()) {
      addAll(errors, validateAddress(address, `${path}.addresses[${j}]`));
    }
    for (const [j, address] of notReadyAddresses.entries()) {
      addAll(errors, validateAddress(address, `${path}.notReadyAddresses[${j}]`));
    }
    for (const [j, port] of ports.entries()) {
      addAll(errors, validatePort(port, { path: `${path}.ports[${j}]`, needsName: ports.length > 1 }));
    }
  }
  return errors;
}

function validateAddress({ ip = '', hostname = '', nodeName }: EndpointAddress, path: string): FieldError[] {
  const errors = validateIP(ip, `${path}.ip`);
  if (hostname !== '') invalidEach(errors, `${path}.hostname`, hostname, dns1123Label(hostname));
  if (nodeName !== undefined) invalidEach(errors, `${path}.nodeName`, nodeName, dns1123Subdomain(nodeName));
  return [...errors, ...validateNonSpecialIP(ip, `${path}.ip`)];
}

function validatePort(
  { name = '', port = 0, protocol = '', appProtocol }: EndpointPort,
  { path, needsName }: { readonly path: string; readonly needsName: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  if (name !== '') invalidEach(errors, `${path}.name`, name, dns1123Label(name));
  else if (needsName) errors.push(required(`${path}.name`));
  for (const problem of portNumber(port)) errors.push(invalid(`${path}.port`, port, problem));
  if (protocol === '') errors.push(required(`${path}.protocol`));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  if (appProtocol !== undefined) {
    invalidEach(errors, `${path}.appProtocol`, appProtocol, qualifiedName(appProtocol));
  }
  return errors;
}
