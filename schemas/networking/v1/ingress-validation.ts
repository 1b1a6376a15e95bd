/** What an Ingress must look like. */
import { addAll } from '../../add-all.js';
import { isAddress, validateIP } from '../../core/v1/addresses.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import {
  dns1123Label,
  dns1123Subdomain,
  portName,
  portNumber,
  wildcardSubdomain,
} from '../../validation/names.js';
import {
  type HTTPIngressPath,
  type IngressBackend,
  type IngressRule,
  type IngressSpec,
  type IngressStatus,
  type IngressTLS,
  PATH_TYPES,
} from './ingress-schema.js';
import { validateReference } from './object-reference.js';

const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];
const NOT_AN_IP = 'must be a DNS name, not an IP address';

/** What older servers took and the stored object has. */
interface Leniency {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

const isWildcard = ({ host = '' }: IngressRule): boolean => host.includes('*');

/** `old`: what is stored, of an update. */
export function validateIngressSpec(spec: IngressSpec, old: IngressSpec | undefined): FieldError[] {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec;
  const lenient = leniencyOf(old);
  const errors: FieldError[] = [];
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalid('spec', undefined, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) addAll(errors, validateBackend(defaultBackend, 'spec.defaultBackend'));
  for (const [i, rule] of rules.entries()) {
    const path = `spec.rules[${i}]`;
    addAll(errors, validateHost(rule, `${path}.host`));
    if (!isWildcard(rule) || !lenient.wildcardRules) addAll(errors, validatePaths(rule, `${path}.http`));
  }
  for (const [i, item] of tls.entries()) addAll(errors, validateTls(item, `spec.tls[${i}]`, lenient));
  if (ingressClassName !== undefined) {
    invalidEach(errors, 'spec.ingressClassName', ingressClassName, dns1123Subdomain(ingressClassName));
  }
  return errors;
}

function leniencyOf(old: IngressSpec | undefined): Leniency {
  const { tls = [], rules = [] } = old ?? {};
  return {
    secretNames: tls.some(({ secretName }) => secretName && dns1123Subdomain(secretName).length > 0),
    wildcardRules: rules.some((rule) => isWildcard(rule) && validatePaths(rule, '').length > 0),
  };
}

const hostProblems = (host: string): string[] =>
  host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host);

function validateHost({ host = '' }: IngressRule, path: string): FieldError[] {
  if (host === '') return [];
  const errors = isAddress(host) ? [invalid(path, host, NOT_AN_IP)] : [];
  invalidEach(errors, path, host, hostProblems(host));
  return errors;
}

function validatePaths({ http }: IngressRule, path: string): FieldError[] {
  if (http === undefined) return [];
  const paths = http.paths ?? [];
  if (paths.length === 0) return [required(`${path}.paths`)];
  return paths.flatMap((item, i) => validatePath(item, `${path}.paths[${i}]`));
}

function validatePath({ path = '', pathType, backend = {} }: HTTPIngressPath, field: string): FieldError[] {
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  const wrong = (problem: string) => errors.push(invalid(`${field}.path`, path, problem));
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${field}.pathType`, pathType, PATH_TYPES));
  else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) wrong('must be an absolute path');
  } else {
    if (!path.startsWith('/')) wrong('must be an absolute path');
    for (const part of BAD_SEQUENCES) if (path.includes(part)) wrong(`must not contain '${part}'`);
    for (const end of BAD_ENDS) if (path.endsWith(end)) wrong(`cannot end with '${end}'`);
  }
  return [...errors, ...validateBackend(backend, `${field}.backend`)];
}

function validateBackend({ service, resource }: IngressBackend, field: string): FieldError[] {
  if (service === undefined) {
    return resource === undefined
      ? [invalid(field, '', 'resource or service backend is required')]
      : validateReference(resource, `${field}.resource`);
  }
  if (resource !== undefined) return [invalid(field, '', 'cannot set both resource and service backends')];
  const { name = '', port: { name: port = '', number = 0 } = {} } = service;
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${field}.service.name`));
  else invalidEach(errors, `${field}.service.name`, name, dns1123Label(name));
  if (port !== '' && number !== 0) {
    errors.push(invalid(field, '', 'cannot set both port name & port number'));
  } else if (port !== '') invalidEach(errors, `${field}.service.port.name`, port, portName(port));
  else if (number !== 0) {
    for (const problem of portNumber(number)) {
      errors.push(invalid(`${field}.service.port.number`, number, problem));
    }
  } else errors.push(required(field, 'port name or number is required'));
  return errors;
}

function validateTls(
  { hosts = [], secretName = '' }: IngressTLS,
  path: string,
  lenient: Leniency,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, host] of hosts.entries())
    invalidEach(errors, `${path}.hosts[${i}]`, host, hostProblems(host));
  if (!lenient.secretNames && secretName !== '') {
    invalidEach(errors, `${path}.secretName`, secretName, dns1123Subdomain(secretName));
  }
  return errors;
}

export function validateIngressStatus(status: IngressStatus, old: IngressStatus): FieldError[] {
  const known = new Set(old.loadBalancer?.ingress?.map(({ ip }) => ip));
  const errors: FieldError[] = [];
  for (const [i, { ip = '', hostname = '' }] of (status.loadBalancer?.ingress ?? []).entries()) {
    const path = `status.loadBalancer.ingress[${i}]`;
    if (ip !== '' && !known.has(ip)) addAll(errors, validateIP(ip, `${path}.ip`));
    if (hostname === '') continue;
    invalidEach(errors, `${path}.hostname`, hostname, dns1123Subdomain(hostname));
    if (isAddress(hostname)) errors.push(invalid(`${path}.hostname`, hostname, NOT_AN_IP));
  }
  return errors;
}
