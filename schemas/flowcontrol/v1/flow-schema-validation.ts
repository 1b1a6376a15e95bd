/** Rules of FlowSchema. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { invalidEach } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import {
  type FlowSchemaSpec,
  flowSchemaSpec,
  type NonResourceRule,
  type ResourceRule,
  type Rules,
  specOf,
  type Subject,
} from './flow-schema-schema.js';
import { EXEMPT, mandatoryFlowSchemas } from './mandatory.js';

const PRECEDENCE_MAX = 10_000;
const DISTINGUISHERS = ['ByNamespace', 'ByUser'];
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User'];
const ALL = '*';

/** The field of a subject that goes with its kind. */
const SUBJECT_FIELDS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;
type SubjectKind = keyof typeof SUBJECT_FIELDS;

export function validateFlowSchema(object: KubeObject): FieldError[] {
  const { name = '' } = object.metadata;
  const spec = specOf(object);
  const errors = validateSpec(name, spec);
  const fixed = mandatoryFlowSchemas.get(name);
  if (fixed !== undefined) {
    const printed = internalSpec(spec);
    // Both in the schema's order of fields.
    if (JSON.stringify(printed) !== JSON.stringify(internalSpec(fixed))) {
      errors.push(invalid('spec', printed, `spec of '${name}' must equal the fixed value`));
    }
  }
  return errors;
}

const internalSpec = (spec: FlowSchemaSpec) => internalStruct(flowSchemaSpec(), { ...spec });

function validateSpec(name: string, spec: FlowSchemaSpec): FieldError[] {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const errors: FieldError[] = [];
  const refusePrecedence = (why: string) =>
    errors.push(invalid('spec.matchingPrecedence', matchingPrecedence, why));
  if (matchingPrecedence <= 0) refusePrecedence('must be a positive value');
  if (matchingPrecedence > PRECEDENCE_MAX) refusePrecedence(`must not be greater than ${PRECEDENCE_MAX}`);
  if (matchingPrecedence === 1 && name !== EXEMPT) {
    refusePrecedence("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (distinguisherMethod !== undefined) {
    const { type = '' } = distinguisherMethod;
    if (!DISTINGUISHERS.includes(type)) {
      errors.push(notSupported('spec.distinguisherMethod.type', { Type: type }, DISTINGUISHERS));
    }
  }
  const { name: level = '' } = priorityLevelConfiguration ?? {};
  const path = 'spec.priorityLevelConfiguration.name';
  if (level === '') errors.push(required(path, 'must reference a priority level'));
  else invalidEach(errors, path, level, nameIs.dns1123Subdomain(level, false));
  for (const [i, rule] of rules.entries()) addAll(errors, validateRules(rule, `spec.rules[${i}]`));
  return errors;
}

function validateRules(rules: Rules, path: string): FieldError[] {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rules;
  const errors: FieldError[] = [];
  if (isEmpty(subjects)) {
    errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'));
  }
  for (const [i, subject] of (subjects ?? []).entries()) {
    addAll(errors, validateSubject(subject, `${path}.subjects[${i}]`));
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  for (const [i, rule] of resourceRules.entries()) {
    addAll(errors, validateResourceRule(rule, `${path}.resourceRules[${i}]`));
  }
  for (const [i, rule] of nonResourceRules.entries()) {
    addAll(errors, validateNonResourceRule(rule, `${path}.nonResourceRules[${i}]`));
  }
  return errors;
}

function validateSubject(subject: Subject, path: string): FieldError[] {
  const { kind = '' } = subject;
  if (!Object.hasOwn(SUBJECT_FIELDS, kind)) return [notSupported(`${path}.kind`, kind, SUBJECT_KINDS)];
  const own = SUBJECT_FIELDS[kind as SubjectKind];
  const errors: FieldError[] = [];
  if (subject[own] === undefined) {
    errors.push(required(`${path}.${own}`, `${own} is required when subject kind is '${kind}'`));
  } else if (own === 'serviceAccount') {
    addAll(errors, validateAccount(subject.serviceAccount, `${path}.serviceAccount`));
  } else if ((subject[own]?.name ?? '') === '') {
    errors.push(required(`${path}.${own}.name`));
  }
  for (const [otherKind, field] of Object.entries(SUBJECT_FIELDS)) {
    if (field !== own && subject[field] !== undefined) {
      const why = `${field} is forbidden when subject kind is not '${otherKind}'`;
      errors.push(forbidden(`${path}.${field}`, why));
    }
  }
  return errors;
}

function validateAccount(account: Subject['serviceAccount'], path: string): FieldError[] {
  const { name = '', namespace = '' } = account ?? {};
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${path}.name`));
  else if (name !== ALL) invalidEach(errors, `${path}.name`, name, nameIs.dns1123Subdomain(name, false));
  if (namespace === '') {
    errors.push(required(`${path}.namespace`, 'must specify namespace for service account'));
  } else invalidEach(errors, `${path}.namespace`, namespace, nameIs.dns1123Label(namespace, false));
  return errors;
}

type Names = readonly string[] | null | undefined;
const isEmpty = (values: readonly unknown[] | null | undefined): boolean => (values ?? []).length === 0;
const hasAll = (values: Names): boolean => values?.includes(ALL) ?? false;

/** `*` stands alone. */
function validateAlone(errors: FieldError[], path: string, values: Names, what: string): void {
  if (hasAll(values) && (values ?? []).length > 1) {
    errors.push(invalid(path, values, `if '*' is present, must not specify other ${what}`));
  }
}

function validateVerbs(errors: FieldError[], verbs: Names, path: string): void {
  if (isEmpty(verbs)) errors.push(required(path, 'verbs must contain at least one value'));
  else if (hasAll(verbs)) validateAlone(errors, path, verbs, 'verbs');
  else if (!verbs?.every((verb) => VERBS.includes(verb))) errors.push(notSupported(path, verbs, VERBS));
}

function validateResourceRule(rule: ResourceRule, path: string): FieldError[] {
  const { verbs, apiGroups, resources, clusterScope = false, namespaces } = rule;
  const errors: FieldError[] = [];
  validateVerbs(errors, verbs, `${path}.verbs`);
  if (isEmpty(apiGroups)) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  validateAlone(errors, `${path}.apiGroups`, apiGroups, 'api groups');
  if (isEmpty(resources)) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  validateAlone(errors, `${path}.resources`, resources, 'resources');
  if (isEmpty(namespaces) && !clusterScope) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(required(`${path}.namespaces`, why));
  } else if (hasAll(namespaces)) validateAlone(errors, `${path}.namespaces`, namespaces, 'namespaces');
  else {
    for (const [i, namespace] of (namespaces ?? []).entries()) {
      for (const problem of nameIs.dns1123Label(namespace, false)) {
        const why = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
        errors.push(invalid(`${path}.namespaces[${i}]`, namespace, why));
      }
    }
  }
  return errors;
}

function validateNonResourceRule({ verbs, nonResourceURLs }: NonResourceRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  validateVerbs(errors, verbs, `${path}.verbs`);
  const urls = `${path}.nonResourceURLs`;
  if (isEmpty(nonResourceURLs)) {
    errors.push(required(urls, 'nonResourceURLs must contain at least one value'));
  } else if (hasAll(nonResourceURLs)) {
    validateAlone(errors, urls, nonResourceURLs, 'non-resource URLs');
  } else {
    for (const [i, url] of (nonResourceURLs ?? []).entries()) {
      const problem = urlProblem(url);
      if (problem !== undefined) errors.push(invalid(`${urls}[${i}]`, url, problem));
    }
  }
  return errors;
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const first = url.indexOf(ALL);
  if (first === -1 || (first === url.length - 1 && url.endsWith('/*'))) return undefined;
  return 'wildcard can only do suffix matching';
}
