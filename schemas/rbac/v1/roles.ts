/** Role and ClusterRole: named sets of permissions, in one namespace or everywhere. */
import { column, nameColumn } from '../../columns.js';
import type { ResourceDefinition, TableColumn } from '../../definition.js';
import { once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { describedAggregationRule, policyRules, RBAC, rbacResource, validateRules } from './rules.js';

const columns: readonly TableColumn[] = [
  nameColumn,
  column('Created At', 'When it was made.', ({ metadata }) => metadata.creationTimestamp ?? null, {
    type: 'date',
  }),
];

const common = { ...rbacResource, columns };

export const roles: ResourceDefinition = {
  ...common,
  kind: 'Role',
  listKind: 'RoleList',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  etcdPrefix: 'roles',
  description: 'Permissions within one namespace.',
  schema: once(() =>
    kubeObject(
      `${RBAC}.Role`,
      { rules: policyRules() },
      { description: 'Permissions within one namespace.' },
    ),
  ),
  strategy: { validate: (role) => validateRules(role, true) },
};

export const clusterRoles: ResourceDefinition = {
  ...common,
  kind: 'ClusterRole',
  listKind: 'ClusterRoleList',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  etcdPrefix: 'clusterroles',
  description: 'Permissions in all namespaces and on what is in none, or to be bound within one.',
  schema: once(() =>
    kubeObject(
      `${RBAC}.ClusterRole`,
      { rules: policyRules(), aggregationRule: describedAggregationRule() },
      { description: 'Permissions in all namespaces and on what is in none, or to be bound within one.' },
    ),
  ),
  strategy: { validate: (role) => validateRules(role, false) },
};
