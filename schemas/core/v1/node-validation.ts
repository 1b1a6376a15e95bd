/** What a Node must look like, and what of it may not change. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import {
  duplicate,
  type FieldError,
  forbidden,
  internalError,
  invalid,
  notSupported,
  required,
  show,
} from '../../field-error.js';
import { validateLabelName } from '../../validation/metadata.js';
import { labelValue } from '../../validation/names.js';
import { blockOf, validateCidr } from './addresses.js';
import type { NodeAddress, NodeSpec, NodeStatus, Taint } from './node-schema.js';
import { TAINT_EFFECTS } from './enums.js';
import { validateQuantity } from './pod-resource-validation.js';

/** In the order upstream prints them. */
const POD_CIDRS_MAX = 2;

export const specOf = (node: KubeObject): NodeSpec => node['spec'] ?? {};
export const statusOf = (node: KubeObject): NodeStatus => node['status'] ?? {};

/** Rules of create and of every update. */
export function validateNode(node: KubeObject): FieldError[] {
  // Clients know the path of taints below metadata, where they once were an annotation.
  const errors = validateTaints(specOf(node).taints ?? [], 'metadata.taints');
  addAll(errors, validateResources(node), validatePodCidrs(specOf(node).podCIDRs ?? [], 'spec.podCIDRs'));
  return errors;
}

function validateTaints(taints: readonly Taint[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const { key = '', value = '', effect = '' } = taint;
    const path = `${field}[${i}]`;
    errors.push(...validateLabelName(key, `${path}.key`));
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(invalid(`${path}.value`, value, problems.join(';')));
    if (effect === '') errors.push(required(`${path}.effect`));
    else if (!TAINT_EFFECTS.includes(effect)) {
      errors.push(notSupported(`${path}.effect`, effect, TAINT_EFFECTS));
    }
    const identity = `${effect}:${key}`;
    if (seen.has(identity)) errors.push(duplicateTaint(path, taint));
    seen.add(identity);
  }
  return errors;
}

/** Go prints its internal struct here, with Go's field names. */
function duplicateTaint(path: string, { key = '', value = '', effect = '', timeAdded }: Taint): FieldError {
  const taint = { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null };
  return {
    ...duplicate(path, taint),
    message: `Duplicate value: ${show(taint)}: taints must be unique by key and effect pair`,
  };
}

function validateResources(node: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of Object.entries(statusOf(node)[field] ?? {})) {
      validateQuantity(errors, name, amount, `status.${field}.${name}`);
    }
  }
  return errors;
}

const NO_STACKS = 'invalid PodCIDRs. failed to check with dual stack with error:';
const unparsedCidr = (cidr: string): string =>
  `failed to parse cidr value:${show(cidr)} with error:invalid CIDR address: ${cidr}`;

function validatePodCidrs(cidrs: readonly string[], field: string): FieldError[] {
  const errors = cidrs.flatMap((cidr, i) => validateCidr(cidr, `${field}[${i}]`));
  if (cidrs.length < 2) return errors;
  const wrong = cidrs.find((cidr) => blockOf(cidr) === undefined);
  if (wrong !== undefined) errors.push(internalError(field, `${NO_STACKS}${unparsedCidr(wrong)}`));
  const families = new Set(cidrs.map((cidr) => (cidr.includes(':') ? 6 : 4)));
  if (wrong !== undefined || families.size < 2 || cidrs.length > POD_CIDRS_MAX) {
    errors.push(invalid(field, cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  const seen = new Set<string>();
  for (const [i, cidr] of cidrs.entries()) {
    if (seen.has(cidr)) errors.push(duplicate(`${field}[${i}]`, cidr));
    seen.add(cidr);
  }
  return errors;
}

export function validateNodeUpdate(node: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(node);
  const oldSpec = specOf(old);
  const errors = validateAddresses(statusOf(node).addresses ?? []);
  const podCidrs = oldSpec.podCIDRs ?? [];
  const unchanged =
    podCidrs.length === (spec.podCIDRs ?? []).length &&
    podCidrs.every((cidr, i) => cidr === spec.podCIDRs?.[i]);
  if (podCidrs.length > 0 && !unchanged) {
    const problem = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbidden('spec.podCIDRs', problem));
  }
  if (oldSpec.providerID && oldSpec.providerID !== spec.providerID) {
    const problem = 'node updates may not change providerID except from "" to valid';
    errors.push(forbidden('spec.providerID', problem));
  }
  if ((spec.externalID ?? '') !== (oldSpec.externalID ?? '')) {
    errors.push(forbidden('spec.externalID', 'may not be updated'));
  }
  return errors;
}

function validateAddresses(addresses: readonly NodeAddress[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { type = '', address = '' }] of addresses.entries()) {
    const identity = `${type}:${address}`;
    if (seen.has(identity)) {
      errors.push(duplicate(`status.addresses[${i}]`, { Type: type, Address: address }));
    }
    seen.add(identity);
  }
  return errors;
}
