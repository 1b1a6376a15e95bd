import type { AuthService } from '../../server/api.js';
import { unary, type Route } from '../server/handlers.js';
import { Auth } from '../services.js';

export function authRoutes(auth: AuthService): Route[] {
  return [
    unary(Auth.AuthEnable, (_request, context) => auth.enable(context)),
    unary(Auth.AuthDisable, (_request, context) => auth.disable(context)),
    unary(Auth.AuthStatus, (_request, context) => auth.status(context)),
    unary(Auth.Authenticate, (request, context) => auth.authenticate(request, context)),
    unary(Auth.UserAdd, (request, context) => auth.userAdd(request, context)),
    unary(Auth.UserGet, (request, context) => auth.userGet(request, context)),
    unary(Auth.UserList, (_request, context) => auth.userList(context)),
    unary(Auth.UserDelete, (request, context) => auth.userDelete(request, context)),
    unary(Auth.UserChangePassword, (request, context) => auth.userChangePassword(request, context)),
    unary(Auth.UserGrantRole, (request, context) => auth.userGrantRole(request, context)),
    unary(Auth.UserRevokeRole, (request, context) => auth.userRevokeRole(request, context)),
    unary(Auth.RoleAdd, (request, context) => auth.roleAdd(request, context)),
    unary(Auth.RoleGet, (request, context) => auth.roleGet(request, context)),
    unary(Auth.RoleList, (_request, context) => auth.roleList(context)),
    unary(Auth.RoleDelete, (request, context) => auth.roleDelete(request, context)),
    unary(Auth.RoleGrantPermission, (request, context) => auth.roleGrantPermission(request, context)),
    unary(Auth.RoleRevokePermission, (request, context) => auth.roleRevokePermission(request, context)),
  ];
}
