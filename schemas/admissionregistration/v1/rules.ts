/** Which requests a webhook or a policy is about: operations on resources. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { list, once, struct, text } from '../../fields.js';
import { invalidEach } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';

export const PREFIX = 'io.k8s.api.admissionregistration.v1';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const ANY = '*';

const ruleFields = () => ({
  operations: list(text({ enum: OPERATIONS, goType: 'v1.OperationType' }), { listType: 'atomic' }),
  apiGroups: list(text(), { listType: 'atomic', description: '`*` alone is every group.' }),
  apiVersions: list(text(), { listType: 'atomic', description: '`*` alone is every version.' }),
  resources: list(text(), {
    listType: 'atomic',
    description:
      '`pods`, `pods/log`; `*` is every resource, `pods/*` every subresource of one, `*/*` everything.',
  }),
  scope: text({
    enum: SCOPES,
    goType: 'v1.ScopeType',
    description: 'Only of objects in a namespace, only of others, or of both.',
  }),
});

export const ruleWithOperations = once(() =>
  struct(`${PREFIX}.RuleWithOperations`, ruleFields(), { description: 'Operations on resources.' }),
);

export const namedRuleWithOperations = once(() =>
  struct(
    `${PREFIX}.NamedRuleWithOperations`,
    {
      resourceNames: list(text(), {
        listType: 'atomic',
        description: 'Only objects of these names, if any.',
      }),
      ...ruleFields(),
    },
    { description: 'Operations on resources, or on some objects of them.', mapType: 'atomic' },
  ),
);

export interface Rule {
  operations?: readonly string[];
  apiGroups?: readonly string[];
  apiVersions?: readonly string[];
  resources?: readonly string[];
  scope?: string;
}
export interface NamedRule extends Rule {
  resourceNames?: readonly string[];
}

export function defaultRules(rules: readonly Rule[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= ANY;
}

export function validateNamedRule(rule: NamedRule, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    const path = `${field}.resourceNames[${i}]`;
    invalidEach(errors, path, name, nameIs.pathSegment(name, false));
    if (names.has(name)) errors.push(duplicate(path, name));
    names.add(name);
  }
  addAll(errors, validateRule(rule, field));
  return errors;
}

const isMixedWithAny = (values: readonly string[]): boolean => values.length > 1 && values.includes(ANY);

export function validateRule(rule: Rule, field: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const errors: FieldError[] = [];
  const notEmpty = (name: string, values: readonly string[], others: string): void => {
    if (values.length === 0) errors.push(required(`${field}.${name}`));
    if (isMixedWithAny(values)) {
      errors.push(invalid(`${field}.${name}`, values, `if '*' is present, must not specify other ${others}`));
    }
  };
  notEmpty('operations', operations, 'operations');
  for (const [i, operation] of operations.entries()) {
    if (!OPERATIONS.includes(operation)) {
      errors.push(notSupported(`${field}.operations[${i}]`, operation, OPERATIONS));
    }
  }
  notEmpty('apiGroups', apiGroups, 'API groups');
  notEmpty('apiVersions', apiVersions, 'API versions');
  for (const [i, version] of apiVersions.entries()) {
    if (version === '') errors.push(required(`${field}.apiVersions[${i}]`));
  }
  addAll(errors, validateResources(resources, `${field}.resources`));
  if (scope !== undefined && !SCOPES.includes(scope)) {
    errors.push(notSupported(`${field}.scope`, scope, SCOPES));
  }
  return errors;
}

function validateResources(resources: readonly string[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (resources.length === 0) errors.push(required(field));
  /** x of each `x/*` so far, and of each `*` + `/x`. */
  const allSubresourcesOf = new Set<string>();
  const onAllResources = new Set<string>();
  // Upstream only remembers the last one.
  let hasPlainResource = false;
  for (const [i, name] of resources.entries()) {
    const path = `${field}[${i}]`;
    const slash = name.indexOf('/');
    if (name === '') errors.push(required(path));
    else if (slash === -1) hasPlainResource = name !== ANY;
    else {
      const resource = name.slice(0, slash);
      const subresource = name.slice(slash + 1);
      const covered = (by: string) => invalid(path, name, `if '${by}' is present, must not specify ${name}`);
      if (allSubresourcesOf.has(resource)) errors.push(covered(`${resource}/*`));
      if (onAllResources.has(subresource)) errors.push(covered(`*/${subresource}`));
      if (subresource === ANY) allSubresourcesOf.add(resource);
      if (resource === ANY) onAllResources.add(subresource);
    }
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes(ANY) && hasPlainResource) {
    const problem = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(field, resources, problem));
  }
  return errors;
}
