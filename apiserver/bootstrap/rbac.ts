/** The default roles and their bindings, as kube-apiserver 1.36 makes them with the features that are on by default. */
import { RBAC_GROUP } from '../../schemas/rbac/v1/rules.js';
import type { KubeObject } from '../../schemas/definition.js';
import type { BootstrapList, BootstrapObject } from './list.js';
import { componentRoles } from './rbac-component-roles.js';
import { controllerRoles } from './rbac-controller-roles.js';
import { namespaceRoles } from './rbac-namespace-roles.js';
import { reconcileBinding, reconcileRole } from './rbac-reconcile.js';
import { rbacObject, type RolesByName } from './rbac-rules.js';
import { account, clusterRoleSubjects, type Subject } from './rbac-subjects.js';
import { aggregatedParts, aggregatedRoles, marked, userRoles } from './rbac-user-roles.js';

const CONTROLLER = 'system:controller:';

const made = (
  plural: string,
  reconcile: BootstrapObject['reconcile'],
  object: KubeObject,
): BootstrapObject => ({
  group: RBAC_GROUP,
  plural,
  object,
  ...(reconcile && { reconcile }),
});

const clusterRole = (name: string, fields: object, labels: Record<string, string> = {}): BootstrapObject =>
  made('clusterroles', reconcileRole, rbacObject('ClusterRole', { name, labels }, fields));

const clusterRolesOf = (roles: RolesByName, prefix = ''): BootstrapObject[] =>
  Object.entries(roles).map(([name, rules]) => clusterRole(`${prefix}${name}`, { rules }));

const clusterRoles = (): BootstrapObject[] => [
  ...clusterRolesOf(userRoles()),
  ...Object.entries(aggregatedRoles).map(([name, labels]) =>
    clusterRole(
      name,
      { rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: marked(name) }] } },
      labels,
    ),
  ),
  ...Object.entries(aggregatedParts()).map(([name, rules]) =>
    clusterRole(`system:aggregate-to-${name}`, { rules }, marked(name)),
  ),
  ...clusterRolesOf(componentRoles()),
  ...clusterRolesOf(controllerRoles(), CONTROLLER),
];

const roleRef = (kind: 'ClusterRole' | 'Role', name: string) => ({ apiGroup: RBAC_GROUP, kind, name });

const clusterRoleBinding = (name: string, subjects: readonly Subject[]): BootstrapObject =>
  made(
    'clusterrolebindings',
    reconcileBinding,
    rbacObject(
      'ClusterRoleBinding',
      { name },
      { ...(subjects.length > 0 && { subjects }), roleRef: roleRef('ClusterRole', name) },
    ),
  );

const clusterRoleBindings = (): BootstrapObject[] => [
  ...Object.entries(clusterRoleSubjects).map(([name, subjects]) => clusterRoleBinding(name, subjects)),
  ...Object.keys(controllerRoles()).map((name) =>
    clusterRoleBinding(`${CONTROLLER}${name}`, [account(name)]),
  ),
];

const namespaced = (): BootstrapObject[] =>
  namespaceRoles().flatMap(({ namespace, name, rules, bindingName = name, subjects }) => [
    made('roles', reconcileRole, rbacObject('Role', { name, namespace }, { rules })),
    made(
      'rolebindings',
      reconcileBinding,
      rbacObject(
        'RoleBinding',
        { name: bindingName, namespace },
        { subjects, roleRef: roleRef('Role', name) },
      ),
    ),
  ]);

export const rbacList: BootstrapList = {
  name: 'rbac/bootstrap-roles',
  objects: () => [...clusterRoles(), ...clusterRoleBindings(), ...namespaced()],
};
