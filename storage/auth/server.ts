import type { CallOptions, ResponseHeader } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { AuthService, HeaderResponse, Permission, UserAddRequest } from '../server/api.js';
import type { Proposer } from '../server/proposer.js';
import type { Authorizer } from './authorizer.js';
import type { AuthChange } from './change.js';
import type { PasswordHasher } from './password.js';
import type { AuthState } from './state.js';
import type { TokenProvider } from './tokens.js';

export interface AuthServerOptions {
  /** For clients from outside. */
  readonly proposer: Proposer;
  readonly authorizer: Authorizer;
  readonly tokens: TokenProvider;
  readonly passwords: PasswordHasher;
  /** What may be another object at any turn, after a snapshot was installed. */
  readonly state: { readonly auth: AuthState };
  readonly header: () => ResponseHeader;
  readonly isLearner: () => boolean;
}

type Options = CallOptions | undefined;
type Name = { readonly name: string };

/** etcd's Auth service for clients from outside. Changes go through the log, questions are answered by a confirmed read. */
export class AuthServer implements AuthService {
  readonly #options: AuthServerOptions;

  constructor(options: AuthServerOptions) {
    this.#options = options;
  }

  enable(options?: CallOptions): Promise<HeaderResponse> {
    return this.#change({ type: 'enable' }, options);
  }

  disable(options?: CallOptions): Promise<HeaderResponse> {
    return this.#change({ type: 'disable' }, options);
  }

  async status(options?: CallOptions) {
    await this.#requireAdmin(options);
    const { enabled, revision } = this.#state;
    return { header: this.#options.header(), enabled, authRevision: revision };
  }

  /** Again when users or roles change while the password is looked at: it may not be theirs any more. */
  async authenticate(request: Name & { readonly password: string }, options?: CallOptions) {
    const { proposer, authorizer, tokens, header } = this.#options;
    const deadline = proposer.deadline(options);
    for (;;) {
      await this.#confirm(options);
      const authenticated = await proposer.within(this.#checkPassword(request), options);
      // As in etcd, where a token that is no good any more spoils this call too.
      await authorizer.identify(options);
      try {
        const token = await tokens.issue(authenticated, options);
        return { header: header(), token };
      } catch (error) {
        const isStale = error instanceof EtcdError && error.is('AuthOldRevision');
        if (!isStale || performance.now() >= deadline) throw error;
      }
    }
  }

  async userAdd(request: UserAddRequest, options?: CallOptions): Promise<HeaderResponse> {
    const { name, noPassword } = request;
    await this.#requireAdmin(options);
    const password = noPassword ? '' : await this.#hashOf(request, options);
    return this.#change({ type: 'user-add', name, password, noPassword }, options);
  }

  /** Users may ask about themselves. */
  async userGet({ name }: Name, options?: CallOptions) {
    await this.#confirm(options);
    await this.#requireAdminUnless((user) => user === name, options);
    const user = this.#state.user(name);
    if (user === undefined) throw EtcdError.of('UserNotFound');
    return { header: this.#options.header(), roles: user.roles };
  }

  async userList(options?: CallOptions) {
    await this.#requireAdmin(options);
    return { header: this.#options.header(), users: this.#state.userNames() };
  }

  userDelete({ name }: Name, options?: CallOptions): Promise<HeaderResponse> {
    return this.#change({ type: 'user-delete', name }, options);
  }

  async userChangePassword(
    request: Pick<UserAddRequest, 'name' | 'password' | 'hashedPassword'>,
    options?: CallOptions,
  ): Promise<HeaderResponse> {
    await this.#requireAdmin(options);
    const password = await this.#hashOf(request, options);
    return this.#change({ type: 'user-change-password', name: request.name, password }, options);
  }

  userGrantRole(request: { readonly user: string; readonly role: string }, options?: CallOptions) {
    return this.#change({ type: 'user-grant-role', name: request.user, role: request.role }, options);
  }

  userRevokeRole({ name, role }: Name & { readonly role: string }, options?: CallOptions) {
    return this.#change({ type: 'user-revoke-role', name, role }, options);
  }

  roleAdd({ name }: Name, options?: CallOptions): Promise<HeaderResponse> {
    return this.#change({ type: 'role-add', name }, options);
  }

  /** Users may ask about roles that they have. */
  async roleGet({ role }: { readonly role: string }, options?: CallOptions) {
    await this.#confirm(options);
    const hasRole = (name: string) => this.#state.user(name)?.roles.includes(role) === true;
    await this.#requireAdminUnless(hasRole, options);
    const permissions = this.#state.role(role);
    if (permissions === undefined) throw EtcdError.of('RoleNotFound');
    return { header: this.#options.header(), permissions };
  }

  async roleList(options?: CallOptions) {
    await this.#requireAdmin(options);
    return { header: this.#options.header(), roles: this.#state.roleNames() };
  }

  roleDelete({ role }: { readonly role: string }, options?: CallOptions): Promise<HeaderResponse> {
    return this.#change({ type: 'role-delete', name: role }, options);
  }

  async roleGrantPermission(
    { name, permission }: Name & { readonly permission: Permission | undefined },
    options?: CallOptions,
  ): Promise<HeaderResponse> {
    if (permission === undefined) {
      await this.#requireAdmin(options);
      throw EtcdError.of('PermissionNotGiven');
    }
    return this.#change({ type: 'role-grant-permission', name, permission }, options);
  }

  roleRevokePermission(
    request: { readonly role: string; readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
    options?: CallOptions,
  ): Promise<HeaderResponse> {
    const { role, key, rangeEnd } = request;
    return this.#change({ type: 'role-revoke-permission', name: role, key, rangeEnd }, options);
  }

  get #state(): AuthState {
    return this.#options.state.auth;
  }

  async #change(change: AuthChange, options: Options): Promise<HeaderResponse> {
    if (this.#options.isLearner()) throw EtcdError.of('NotSupportedForLearner');
    return this.#options.proposer.propose({ type: 'auth', change }, options);
  }

  async #confirm(options: Options): Promise<void> {
    if (this.#options.isLearner()) throw EtcdError.of('NotSupportedForLearner');
    await this.#options.proposer.confirmRead(options);
  }

  /** In the state of this moment: what only reads is answered by it, and nobody else's password costs a hash. */
  async #requireAdmin(options: Options): Promise<void> {
    await this.#confirm(options);
    await this.#options.authorizer.requireAdmin(options);
  }

  async #requireAdminUnless(mayAnyway: (user: string) => boolean, options: Options): Promise<void> {
    const { authorizer } = this.#options;
    const caller = await authorizer.identify(options);
    if (caller?.type === 'user' && mayAnyway(caller.user)) return;
    await authorizer.requireAdmin(options);
  }

  /** A hash that the client has made is kept as it is; only one of our format can be verified. */
  #hashOf(request: Pick<UserAddRequest, 'password' | 'hashedPassword'>, options: Options): Promise<string> {
    const { password, hashedPassword } = request;
    if (password === '' && hashedPassword !== '') return Promise.resolve(hashedPassword);
    return this.#options.proposer.within(this.#options.passwords.hash(password), options);
  }

  async #checkPassword({ name, password }: Name & { readonly password: string }) {
    const { enabled, revision } = this.#state;
    const user = this.#state.user(name);
    if (!enabled) throw EtcdError.of('AuthNotEnabled');
    if (user === undefined) throw EtcdError.of('AuthFailed');
    if (user.noPassword) throw EtcdError.of('NoPasswordUser');
    if (!(await this.#options.passwords.verify(password, user.password))) throw EtcdError.of('AuthFailed');
    return { user: name, authRevision: revision };
  }
}
