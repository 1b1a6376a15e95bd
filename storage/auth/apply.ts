import { asBuffer, keyRange } from '../bytes.js';
import { EtcdError } from '../errors.js';
import type { Permission } from '../server/api.js';
import type { AuthChange } from './change.js';
import { ROOT, type AuthState } from './state.js';
import type { Permissions, User } from './tables.js';

type Denied = EtcdError | undefined;
type Of<T extends AuthChange['type']> = Extract<AuthChange, { readonly type: T }>;

/**
 * Carries out a change in etcd's order of checks. The caller has the right to it; what the change itself lacks is
 * answered by the error that its client is told, and nothing is changed then.
 */
export function applyAuthChange(state: AuthState, change: AuthChange): Denied {
  switch (change.type) {
    case 'enable':
      return enable(state);
    case 'disable':
      if (state.enabled) state.disable();
      return undefined;
    case 'user-add':
      return addUser(state, change);
    case 'user-delete':
      return deleteUser(state, change);
    case 'user-change-password':
      return changePassword(state, change);
    case 'user-grant-role':
      return grantRole(state, change);
    case 'user-revoke-role':
      return revokeRole(state, change);
    case 'role-add':
      return addRole(state, change);
    case 'role-delete':
      return deleteRole(state, change);
    case 'role-grant-permission':
      return grantPermission(state, change);
    case 'role-revoke-permission':
      return revokePermission(state, change);
    default:
      return authenticate(state, change);
  }
}

function enable(state: AuthState): Denied {
  if (state.enabled) return undefined;
  const root = state.user(ROOT);
  if (root === undefined) return EtcdError.of('RootUserNotExist');
  if (!root.roles.includes(ROOT)) return EtcdError.of('RootRoleNotExist');
  state.enable();
  return undefined;
}

function addUser(state: AuthState, { name, password, noPassword }: Of<'user-add'>): Denied {
  if (name === '') return EtcdError.of('UserEmpty');
  if (state.user(name) !== undefined) return EtcdError.of('UserAlreadyExist');
  state.putUser(name, { password, noPassword, roles: [] });
  return undefined;
}

/** Without root nobody could turn authentication off again. */
function deleteUser(state: AuthState, { name }: Of<'user-delete'>): Denied {
  if (state.enabled && name === ROOT) return EtcdError.of('InvalidAuthMgmt');
  if (state.user(name) === undefined) return EtcdError.of('UserNotFound');
  state.deleteUser(name);
  return undefined;
}

function changePassword(state: AuthState, { name, password }: Of<'user-change-password'>): Denied {
  const user = state.user(name);
  if (user === undefined) return EtcdError.of('UserNotFound');
  state.putUser(name, user.noPassword ? user : { ...user, password });
  return undefined;
}

/** Role root need not have been added. */
function grantRole(state: AuthState, { name, role }: Of<'user-grant-role'>): Denied {
  const user = state.user(name);
  if (user === undefined) return EtcdError.of('UserNotFound');
  if (role !== ROOT && state.role(role) === undefined) return EtcdError.of('RoleNotFound');
  if (!user.roles.includes(role)) state.putUser(name, { ...user, roles: [...user.roles, role] });
  return undefined;
}

function revokeRole(state: AuthState, { name, role }: Of<'user-revoke-role'>): Denied {
  if (state.enabled && name === ROOT && role === ROOT) return EtcdError.of('InvalidAuthMgmt');
  const user = state.user(name);
  if (user === undefined) return EtcdError.of('UserNotFound');
  if (!user.roles.includes(role)) return EtcdError.of('RoleNotGranted');
  state.putUser(name, { ...user, roles: user.roles.filter((granted) => granted !== role) });
  return undefined;
}

function addRole(state: AuthState, { name }: Of<'role-add'>): Denied {
  if (name === '') return EtcdError.of('RoleEmpty');
  if (state.role(name) !== undefined) return EtcdError.of('RoleAlreadyExist');
  state.putRole(name, []);
  return undefined;
}

function deleteRole(state: AuthState, { name }: Of<'role-delete'>): Denied {
  if (state.enabled && name === ROOT) return EtcdError.of('InvalidAuthMgmt');
  if (state.role(name) === undefined) return EtcdError.of('RoleNotFound');
  state.deleteRole(name);
  return undefined;
}

/** A range that can hold no key is refused as etcd does from 3.5 on; 3.4 keeps it, and nobody can use it. */
function grantPermission(state: AuthState, { name, permission }: Of<'role-grant-permission'>): Denied {
  if (!holdsKeys(permission)) return EtcdError.of('InvalidAuthMgmt');
  const permissions = state.role(name);
  if (permissions === undefined) return EtcdError.of('RoleNotFound');
  state.putRole(name, inOrder([...without(permissions, permission), copyOf(permission)]));
  return undefined;
}

function revokePermission(state: AuthState, change: Of<'role-revoke-permission'>): Denied {
  const permissions = state.role(change.name);
  if (permissions === undefined) return EtcdError.of('RoleNotFound');
  const left = without(permissions, change);
  if (left.length === permissions.length) return EtcdError.of('PermissionNotGranted');
  state.putRole(change.name, left);
  return undefined;
}

/** The password was found right by the proposer: what may have changed since is told by the revision. */
function authenticate(state: AuthState, { name, authRevision }: Of<'authenticate'>): Denied {
  if (!state.enabled) return EtcdError.of('AuthNotEnabled');
  if (authRevision !== state.revision) return EtcdError.of('AuthOldRevision');
  const user: User | undefined = state.user(name);
  return user === undefined || user.noPassword ? EtcdError.of('AuthFailed') : undefined;
}

type Span = Pick<Permission, 'key' | 'rangeEnd'>;

function holdsKeys({ key, rangeEnd }: Span): boolean {
  if (key.length === 0) return false;
  const range = keyRange(key, rangeEnd);
  return range.type !== 'span' || asBuffer(range.start).compare(range.end) < 0;
}

function without(permissions: Permissions, { key, rangeEnd }: Span): Permissions {
  return permissions.filter(
    (one) => !asBuffer(one.key).equals(key) || !asBuffer(one.rangeEnd).equals(rangeEnd),
  );
}

function inOrder(permissions: Permissions): Permissions {
  return permissions.toSorted(
    (a, b) => asBuffer(a.key).compare(b.key) || asBuffer(a.rangeEnd).compare(b.rangeEnd),
  );
}

/** The command's bytes are part of a larger buffer, which the state must not keep. */
function copyOf({ type, key, rangeEnd }: Permission): Permission {
  return { type, key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) };
}
