import type { HeaderResponse, Permission, UserAddRequest } from '../../server/api.js';
import { define, mapped } from '../codec/define.js';
import { bool, bytes, enumType, list, message, oneOf, optional, string, uint64 } from '../codec/fields.js';
import { emptyMessage, headerOnly, responseHeader } from './header.js';

const request = (name: string) => `etcdserverpb.Auth${name}Request`;
const response = (name: string) => `etcdserverpb.Auth${name}Response`;

export const authEnableRequest = emptyMessage(request('Enable'));
export const authEnableResponse = headerOnly(response('Enable'));
export const authDisableRequest = emptyMessage(request('Disable'));
export const authDisableResponse = headerOnly(response('Disable'));

export interface AuthStatusResponse extends HeaderResponse {
  readonly enabled: boolean;
  readonly authRevision: number;
}
export const authStatusRequest = emptyMessage(request('Status'));
export const authStatusResponse = define<AuthStatusResponse>(response('Status'), {
  header: message(responseHeader, 1),
  enabled: bool(2),
  authRevision: uint64(3, 'authRevision'),
});

export interface AuthenticateRequest {
  readonly name: string;
  readonly password: string;
}
export interface AuthenticateResponse extends HeaderResponse {
  readonly token: string;
}
export const authenticateRequest = define<AuthenticateRequest>('etcdserverpb.AuthenticateRequest', {
  name: string(1),
  password: string(2),
});
export const authenticateResponse = define<AuthenticateResponse>('etcdserverpb.AuthenticateResponse', {
  header: message(responseHeader, 1),
  token: string(2),
});

interface UserAddOptions {
  readonly noPassword: boolean;
}
interface PlainUserAddRequest extends Omit<UserAddRequest, 'noPassword'> {
  readonly options?: UserAddOptions;
}
const userAddOptions = define<UserAddOptions>('authpb.UserAddOptions', { noPassword: bool(1) });
export const userAddRequest = mapped<UserAddRequest, PlainUserAddRequest>(
  define<PlainUserAddRequest>(request('UserAdd'), {
    name: string(1),
    password: string(2),
    options: optional(message(userAddOptions, 3)),
    hashedPassword: string(4, 'hashedPassword'),
  }),
  {
    from: ({ options, ...user }) => ({ ...user, noPassword: options?.noPassword ?? false }),
    to: ({ noPassword, ...user }) => ({ ...user, options: { noPassword } }),
  },
);
export const userAddResponse = headerOnly(response('UserAdd'));

export interface Named {
  readonly name: string;
}
const named = (name: string) => define<Named>(name, { name: string(1) });
export interface RolesResponse extends HeaderResponse {
  readonly roles: readonly string[];
}
const rolesResponse = (name: string) =>
  define<RolesResponse>(name, { header: message(responseHeader, 1), roles: list(string(2)) });

export const userGetRequest = named(request('UserGet'));
export const userGetResponse = rolesResponse(response('UserGet'));

export interface UserListResponse extends HeaderResponse {
  readonly users: readonly string[];
}
export const userListRequest = emptyMessage(request('UserList'));
export const userListResponse = define<UserListResponse>(response('UserList'), {
  header: message(responseHeader, 1),
  users: list(string(2)),
});

export const userDeleteRequest = named(request('UserDelete'));
export const userDeleteResponse = headerOnly(response('UserDelete'));

export type UserChangePasswordRequest = Pick<UserAddRequest, 'name' | 'password' | 'hashedPassword'>;
export const userChangePasswordRequest = define<UserChangePasswordRequest>(request('UserChangePassword'), {
  name: string(1),
  password: string(2),
  hashedPassword: string(3, 'hashedPassword'),
});
export const userChangePasswordResponse = headerOnly(response('UserChangePassword'));

export interface UserGrantRoleRequest {
  readonly user: string;
  readonly role: string;
}
export const userGrantRoleRequest = define<UserGrantRoleRequest>(request('UserGrantRole'), {
  user: string(1),
  role: string(2),
});
export const userGrantRoleResponse = headerOnly(response('UserGrantRole'));

export interface UserRevokeRoleRequest {
  readonly name: string;
  readonly role: string;
}
export const userRevokeRoleRequest = define<UserRevokeRoleRequest>(request('UserRevokeRole'), {
  name: string(1),
  role: string(2),
});
export const userRevokeRoleResponse = headerOnly(response('UserRevokeRole'));

export const roleAddRequest = named(request('RoleAdd'));
export const roleAddResponse = headerOnly(response('RoleAdd'));

const permissionType = enumType<Permission['type']>('authpb.Permission.Type', ['read', 'write', 'readwrite']);
const permission = define<Permission>('authpb.Permission', {
  type: oneOf(permissionType, 1, 'permType'),
  key: bytes(2),
  rangeEnd: bytes(3),
});

export interface Role {
  readonly role: string;
}
const roleNamed = (name: string) => define<Role>(name, { role: string(1) });
export interface RoleGetResponse extends HeaderResponse {
  readonly permissions: readonly Permission[];
}
export const roleGetRequest = roleNamed(request('RoleGet'));
export const roleGetResponse = define<RoleGetResponse>(response('RoleGet'), {
  header: message(responseHeader, 1),
  permissions: list(message(permission, 2, 'perm')),
});

export const roleListRequest = emptyMessage(request('RoleList'));
export const roleListResponse = rolesResponse(response('RoleList'));

export const roleDeleteRequest = roleNamed(request('RoleDelete'));
export const roleDeleteResponse = headerOnly(response('RoleDelete'));

export interface RoleGrantPermissionRequest {
  readonly name: string;
  readonly permission: Permission | undefined;
}
export const roleGrantPermissionRequest = define<RoleGrantPermissionRequest>(request('RoleGrantPermission'), {
  name: string(1),
  permission: optional(message(permission, 2, 'perm')),
});
export const roleGrantPermissionResponse = headerOnly(response('RoleGrantPermission'));

export interface RoleRevokePermissionRequest {
  readonly role: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}
export const roleRevokePermissionRequest = define<RoleRevokePermissionRequest>(
  request('RoleRevokePermission'),
  { role: string(1), key: bytes(2), rangeEnd: bytes(3) },
);
export const roleRevokePermissionResponse = headerOnly(response('RoleRevokePermission'));
