/** Rules of a resource's names, group and approval. */
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { parseGoUrl } from '../../validation/go-url.js';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.js';
import { type Names, specOf } from './custom-resource-definition-schema.js';

const APPROVED = 'api-approved.kubernetes.io';
const PROPOSAL = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** Of the spec, or of the names accepted, of which each may be missing. */
export function validateNames(names: Names, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const label = (path: string, value: string, checked: string, hint = ''): void => {
    const problems = value === '' ? [] : dns1035Label(checked);
    if (problems.length > 0) errors.push(invalid(path, value, hint + problems.join(',')));
  };
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  const mixed = 'may have mixed case, but should otherwise match: ';
  label(`${field}.plural`, plural, plural);
  label(`${field}.singular`, singular, singular);
  label(`${field}.kind`, kind, kind.toLowerCase(), mixed);
  label(`${field}.listKind`, listKind, listKind.toLowerCase(), mixed);
  const each = (name: string, values: readonly string[]): void => {
    for (const [i, value] of values.entries()) {
      const problems = dns1035Label(value);
      if (problems.length > 0) errors.push(invalid(`${field}.${name}[${i}]`, value, problems.join(',')));
    }
  };
  each('shortNames', shortNames);
  if (kind !== '' && kind === listKind) {
    errors.push(invalid(`${field}.listKind`, listKind, 'kind and listKind may not be the same'));
  }
  each('categories', categories);
  return errors;
}

export function validateGroup(group: string): FieldError[] {
  if (group === '') return [required('spec.group')];
  const problems = dns1123Subdomain(group);
  if (problems.length > 0) return [invalid('spec.group', group, problems.join(','))];
  if (group.includes('.')) return [];
  return [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

/** Beside what holds of all names, which is checked with the rest of metadata. */
export function validateName(object: KubeObject): FieldError[] {
  const { name = '' } = object.metadata;
  const { names, group = '' } = specOf(object);
  if (name === '' || name === `${names?.plural ?? ''}.${group}`) return [];
  return [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')];
}

const isCommunityGroup = (group: string): boolean =>
  ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));

type Approval = 'missing' | 'bypassed' | 'approved' | 'invalid';

function approvalOf({ metadata }: KubeObject): Approval {
  const annotation = metadata.annotations?.[APPROVED] ?? '';
  if (annotation === '') return 'missing';
  if (annotation.startsWith('unapproved')) return 'bypassed';
  const url = parseGoUrl(annotation);
  return typeof url !== 'string' && url.host !== '' && url.scheme !== '' ? 'approved' : 'invalid';
}

/** Groups of the Kubernetes project need to say who approved. What is stored may stay as it is. */
export function validateApproval(object: KubeObject, old?: KubeObject): FieldError[] {
  if (!isCommunityGroup(specOf(object).group ?? '')) return [];
  const approval = approvalOf(object);
  if (old !== undefined && approvalOf(old) === approval) return [];
  const field = `metadata.annotations[${APPROVED}]`;
  const needed = `protected groups must have approval annotation "${APPROVED}"`;
  if (approval === 'missing') return [required(field, `${needed}, ${PROPOSAL}`)];
  if (approval !== 'invalid') return [];
  const problem = `${needed} with either a URL or a reason starting with "unapproved", ${PROPOSAL}`;
  return [invalid(field, object.metadata.annotations?.[APPROVED], problem)];
}
