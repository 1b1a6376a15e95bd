/** RoleBinding and ClusterRoleBinding: who has the permissions of a role. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy, TableColumn } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { invalidEach } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { RBAC, RBAC_GROUP, rbacResource } from './rules.js';

const subject = once(() =>
  struct(
    `${RBAC}.Subject`,
    {
      kind: text({ default: '', description: 'User, Group or ServiceAccount.' }),
      apiGroup: text({ omitEmpty: true }),
      name: text({ default: '' }),
      namespace: text({ omitEmpty: true, description: 'Of a ServiceAccount.' }),
    },
    { description: 'Who is meant.', required: ['kind', 'name'], mapType: 'atomic' },
  ),
);

const roleRef = once(() =>
  struct(
    `${RBAC}.RoleRef`,
    {
      apiGroup: text({ default: '' }),
      kind: text({ default: '', description: 'Role or ClusterRole.' }),
      name: text({ default: '' }),
    },
    { description: 'The role that is given.', required: ['kind', 'name'], mapType: 'atomic' },
  ),
);

const fields = () => ({
  subjects: list(subject(), { listType: 'atomic', description: 'Who gets the permissions.' }),
  roleRef: describe(roleRef(), { default: {}, description: 'The role. Never changes.' }),
});

interface Subject {
  kind?: string;
  apiGroup?: string;
  name?: string;
  namespace?: string;
}
interface RoleRef {
  apiGroup?: string;
  kind?: string;
  name?: string;
}
const subjectsOf = (binding: KubeObject): Subject[] => (binding['subjects'] as Subject[] | undefined) ?? [];
const roleRefOf = (binding: KubeObject): RoleRef => binding['roleRef'] ?? {};

function defaults(binding: KubeObject): void {
  const role = roleRefOf(binding);
  role.apiGroup ||= RBAC_GROUP;
  binding['roleRef'] = role;
  for (const subject of subjectsOf(binding)) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP;
  }
}

function validateSubject(subject: Subject, namespaced: boolean, path: string): FieldError[] {
  const { kind = '', apiGroup = '', name = '', namespace = '' } = subject;
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${path}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') invalidEach(errors, `${path}.name`, name, nameIs.dns1123Subdomain(name, false));
    if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (!namespaced && namespace === '') errors.push(required(`${path}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]));
  } else {
    errors.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

function validate(binding: KubeObject, namespaced: boolean): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = roleRefOf(binding);
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const errors: FieldError[] = [];
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else invalidEach(errors, 'roleRef.name', name, nameIs.pathSegment(name, false));
  const subjects = subjectsOf(binding).flatMap((subject, i) =>
    validateSubject(subject, namespaced, `subjects[${i}]`),
  );
  return [...errors, ...subjects];
}

function validateUpdate(binding: KubeObject, old: KubeObject): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = roleRefOf(binding);
  const before = roleRefOf(old);
  if (apiGroup === before.apiGroup && kind === before.kind && name === before.name) return [];
  // Printed as Go prints a struct that has no names for JSON.
  return [invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef')];
}

const strategyOf = (namespaced: boolean): Strategy => ({
  defaults,
  validate: (binding) => validate(binding, namespaced),
  validateUpdate,
});

const namesOf = (binding: KubeObject, wanted: string): string =>
  subjectsOf(binding)
    .filter(({ kind }) => kind === wanted)
    .map(({ name = '', namespace = '' }) => (wanted === 'ServiceAccount' ? `${namespace}/${name}` : name))
    .join(', ');

const columns: readonly TableColumn[] = [
  nameColumn,
  column('Role', 'The role that is given.', (binding) => {
    const { kind = '', name = '' } = roleRefOf(binding);
    return `${kind}/${name}`;
  }),
  ageColumn,
  column('Users', 'Users who have it.', (binding) => namesOf(binding, 'User'), { priority: 1 }),
  column('Groups', 'Groups that have it.', (binding) => namesOf(binding, 'Group'), { priority: 1 }),
  column(
    'ServiceAccounts',
    'Service accounts that have it.',
    (binding) => namesOf(binding, 'ServiceAccount'),
    { priority: 1 },
  ),
];

const common = { ...rbacResource, columns };

export const roleBindings: ResourceDefinition = {
  ...common,
  kind: 'RoleBinding',
  listKind: 'RoleBindingList',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  etcdPrefix: 'rolebindings',
  description: 'Gives the permissions of a role within one namespace.',
  schema: once(() =>
    kubeObject(`${RBAC}.RoleBinding`, fields(), {
      description: 'Gives the permissions of a role within one namespace.',
      required: ['roleRef'],
    }),
  ),
  strategy: strategyOf(true),
};

export const clusterRoleBindings: ResourceDefinition = {
  ...common,
  kind: 'ClusterRoleBinding',
  listKind: 'ClusterRoleBindingList',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  etcdPrefix: 'clusterrolebindings',
  description: 'Gives the permissions of a ClusterRole everywhere.',
  schema: once(() =>
    kubeObject(`${RBAC}.ClusterRoleBinding`, fields(), {
      description: 'Gives the permissions of a ClusterRole everywhere.',
      required: ['roleRef'],
    }),
  ),
  strategy: strategyOf(false),
};
