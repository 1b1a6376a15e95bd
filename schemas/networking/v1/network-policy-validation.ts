/** What a NetworkPolicy must look like. */
import { addAll } from '../../add-all.js';
import { blockOf, contains, validateCidr } from '../../core/v1/addresses.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach, validateLabelSelector } from '../../validation/metadata.js';
import { portName, portNumber } from '../../validation/names.js';
import type { LabelSelector } from '../../validation/selectors.js';
import type {
  IPBlock,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from './network-policy-schema.js';

/** In the order of refusals. */
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const POLICY_TYPES = ['Ingress', 'Egress'];

interface Rules {
  readonly allowInvalidValues: boolean;
  /** Ranges that are not looked at: the stored policy has them, from an older server. */
  readonly known: ReadonlySet<string>;
}

/** `old`: what is stored, of an update. */
export function validatePolicySpec(
  spec: NetworkPolicySpec,
  old: NetworkPolicySpec | undefined,
): FieldError[] {
  const rules = rulesOf(old);
  const errors = validateSelector(spec.podSelector, 'spec.podSelector', rules);
  for (const [i, { ports, from }] of (spec.ingress ?? []).entries()) {
    const path = `spec.ingress[${i}]`;
    addAll(errors, validatePorts(ports ?? [], path), validatePeers(from ?? [], `${path}.from`, rules));
  }
  for (const [i, { ports, to }] of (spec.egress ?? []).entries()) {
    const path = `spec.egress[${i}]`;
    addAll(errors, validatePorts(ports ?? [], path), validatePeers(to ?? [], `${path}.to`, rules));
  }
  const { policyTypes = [] } = spec;
  if (policyTypes.length > POLICY_TYPES.length) {
    errors.push(invalid('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes'));
    return errors;
  }
  for (const [i, type] of policyTypes.entries()) {
    if (!POLICY_TYPES.includes(type)) {
      errors.push(notSupported(`spec.policyTypes[${i}]`, type, POLICY_TYPES));
    }
  }
  return errors;
}

function rulesOf(old: NetworkPolicySpec | undefined): Rules {
  const strict = { allowInvalidValues: false, known: new Set<string>() };
  if (old === undefined) return strict;
  return {
    allowInvalidValues: validateSelector(old.podSelector, '', strict).length > 0,
    known: new Set(rangesOf(old).map(({ cidr }) => cidr)),
  };
}

/** Every range that a policy names, and where. */
export function rangesOf({ ingress = [], egress = [] }: NetworkPolicySpec): { cidr: string; path: string }[] {
  const found: { cidr: string; path: string }[] = [];
  const add = (peers: readonly NetworkPolicyPeer[], path: string) => {
    for (const [i, { ipBlock }] of peers.entries()) {
      if (ipBlock === undefined) continue;
      const { cidr = '', except = [] } = ipBlock;
      found.push({ cidr, path: `${path}[${i}].ipBlock.cidr` });
      for (const [j, range] of except.entries()) {
        found.push({ cidr: range, path: `${path}[${i}].ipBlock.except[${j}]` });
      }
    }
  };
  for (const [i, { from = [] }] of ingress.entries()) add(from, `spec.ingress[${i}].from`);
  for (const [i, { to = [] }] of egress.entries()) add(to, `spec.egress[${i}].to`);
  return found;
}

const validateSelector = (selector: LabelSelector | undefined, path: string, { allowInvalidValues }: Rules) =>
  validateLabelSelector(selector, path, { allowInvalidValues });

function validatePorts(ports: readonly NetworkPolicyPort[], path: string): FieldError[] {
  return ports.flatMap((port, i) => validatePort(port, `${path}.ports[${i}]`));
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const wrongEnd = (problem: string) => errors.push(invalid(`${path}.endPort`, endPort, problem));
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  }
  if (port === undefined) {
    if (endPort !== undefined) wrongEnd('may not be specified when `port` is not specified');
  } else if (typeof port === 'string') {
    if (endPort !== undefined) wrongEnd('may not be specified when `port` is non-numeric');
    invalidEach(errors, `${path}.port`, port, portName(port));
  } else {
    for (const problem of portNumber(port)) errors.push(invalid(`${path}.port`, port, problem));
    if (endPort === undefined) return errors;
    if (endPort < port) wrongEnd('must be greater than or equal to `port`');
    for (const problem of portNumber(endPort)) wrongEnd(problem);
  }
  return errors;
}

function validatePeers(peers: readonly NetworkPolicyPeer[], path: string, rules: Rules): FieldError[] {
  return peers.flatMap((peer, i) => validatePeer(peer, `${path}[${i}]`, rules));
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  path: string,
  rules: Rules,
): FieldError[] {
  const errors: FieldError[] = [];
  if (podSelector) addAll(errors, validateSelector(podSelector, `${path}.podSelector`, rules));
  if (namespaceSelector) {
    addAll(errors, validateSelector(namespaceSelector, `${path}.namespaceSelector`, rules));
  }
  if (ipBlock) addAll(errors, validateBlock(ipBlock, `${path}.ipBlock`, rules));
  const count = [podSelector, namespaceSelector, ipBlock].filter((peer) => peer !== undefined).length;
  if (count === 0) errors.push(required(path, 'must specify a peer'));
  else if (count > 1 && ipBlock) {
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

function validateBlock({ cidr = '', except = [] }: IPBlock, path: string, { known }: Rules): FieldError[] {
  if (cidr === '') return [required(`${path}.cidr`)];
  const check = (range: string, field: string) => (known.has(range) ? [] : validateCidr(range, field));
  const errors = check(cidr, `${path}.cidr`);
  const block = blockOf(cidr);
  if (block === undefined) return errors;
  for (const [i, range] of except.entries()) {
    addAll(errors, check(range, `${path}.except[${i}]`));
    const inner = blockOf(range);
    if (inner === undefined || (contains(block, inner) && block.bits < inner.bits)) continue;
    errors.push(invalid(`${path}.except[${i}]`, range, 'must be a strict subset of `cidr`'));
  }
  return errors;
}
