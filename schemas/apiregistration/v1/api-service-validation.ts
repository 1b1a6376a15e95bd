/** Rules of an APIService and its status. */
import { decodedLength } from '../../core/v1/key-values.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1035Label, dns1123Subdomain, nameIs } from '../../validation/names.js';

const GROUP_PRIORITY_MAX = 20_000;
const VERSION_PRIORITY_MAX = 1000;
const STATUSES = ['True', 'False', 'Unknown'];

interface Spec {
  service?: { namespace?: string; name?: string; port?: number };
  group?: string;
  version?: string;
  insecureSkipTLSVerify?: boolean;
  caBundle?: string;
  groupPriorityMinimum?: number;
  versionPriority?: number;
}
export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}
export const specOf = (object: KubeObject): Spec => object['spec'] ?? {};
export const conditionsOf = (object: KubeObject): readonly Condition[] =>
  (object['status'] as { conditions?: readonly Condition[] } | undefined)?.conditions ?? [];

export function validate(object: KubeObject): FieldError[] {
  const { service, group = '', version = '', caBundle = '', insecureSkipTLSVerify = false } = specOf(object);
  const { groupPriorityMinimum = 0, versionPriority = 0 } = specOf(object);
  const errors = validateName(object.metadata.name ?? '', `${version}.${group}`);
  if (group !== '') invalidEach(errors, 'spec.group', group, dns1123Subdomain(group));
  else if (version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  invalidEach(errors, 'spec.version', version, dns1035Label(version));
  const priority = (field: string, value: number, max: number): void => {
    if (value > 0 && value <= max) return;
    errors.push(invalid(field, value, `must be positive and less than ${max}`));
  };
  priority('spec.groupPriorityMinimum', groupPriorityMinimum, GROUP_PRIORITY_MAX);
  priority('spec.versionPriority', versionPriority, VERSION_PRIORITY_MAX);
  if (service === undefined) {
    if (caBundle !== '') {
      const shown = `${decodedLength(caBundle)} bytes`;
      errors.push(invalid('spec.caBundle', shown, 'local APIServices may not have a caBundle'));
    }
    if (insecureSkipTLSVerify) {
      errors.push(insecure('local APIServices may not have insecureSkipTLSVerify'));
    }
    return errors;
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'));
  if (!service.name) errors.push(required('spec.service.name'));
  if (insecureSkipTLSVerify && caBundle !== '') {
    errors.push(insecure('may not be true if caBundle is present'));
  }
  return errors;
}

const insecure = (problem: string): FieldError => invalid('spec.insecureSkipTLSVerify', true, problem);

/** Beside what holds of every name in a path, which is checked with the rest of metadata. */
function validateName(name: string, needed: string): FieldError[] {
  if (name === '' || name === needed || nameIs.pathSegment(name, false).length > 0) return [];
  const problem = `must be \`spec.version+"."+spec.group\`: "${needed}"`;
  return [invalid('metadata.name', name, problem)];
}

export function validateStatus(object: KubeObject): FieldError[] {
  return conditionsOf(object).flatMap(({ status = '' }, i) =>
    STATUSES.includes(status) ? [] : [notSupported(`status.conditions[${i}].status`, status, STATUSES)],
  );
}
