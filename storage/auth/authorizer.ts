import type { CallOptions, RangeRequest, TxnRequest } from '../client/interface.js';
import type { Command } from '../command.js';
import { EtcdError } from '../errors.js';
import type { LeaseTable } from '../mvcc/leases.js';
import { checkAdmin, checkCommand, checkRange, checkReadAll, checkTxn, checkUser } from './authorize.js';
import { ANONYMOUS, type Caller } from './caller.js';
import type { AuthChecks } from './checks.js';
import type { AuthState } from './state.js';
import type { TokenClaim, TokenProvider } from './tokens.js';

export interface AuthorizerOptions {
  /** What may be another object at any turn, after a snapshot was installed. */
  readonly state: { readonly auth: AuthState; readonly store: { readonly leases: LeaseTable } };
  readonly tokens: TokenProvider;
}

type MaybeLater<T> = T | Promise<T>;

/** Finds out who calls, and whether they may, in the state of this moment. Each check returns why not. */
export class Authorizer implements AuthChecks {
  readonly #state: AuthorizerOptions['state'];
  readonly #tokens: TokenProvider;

  constructor(options: AuthorizerOptions) {
    this.#state = options.state;
    this.#tokens = options.tokens;
  }

  get enabled(): boolean {
    return this.#state.auth.enabled;
  }

  /**
   * Who calls: the token's user, without a token the one in the verified certificate. While authentication is off
   * nobody is asked, and a token means nothing.
   *
   * @throws EtcdError InvalidAuthToken
   */
  identify(options: CallOptions | undefined): MaybeLater<Caller | undefined> {
    if (!this.enabled) return ANONYMOUS;
    const { token, certificateName = '' } = options ?? {};
    if (token === undefined) return certificateName === '' ? ANONYMOUS : this.#userNow(certificateName);
    const claim = this.#tokens.verify(token);
    return claim instanceof Promise ? claim.then((claim) => this.#callerOf(claim)) : this.#callerOf(claim);
  }

  check(command: Command): EtcdError | undefined {
    return checkCommand(this.#state.auth, this.#state.store.leases, command);
  }

  checkRange(caller: Caller | undefined, request: RangeRequest): EtcdError | undefined {
    return checkRange(this.#state.auth, caller, request);
  }

  checkTxn(caller: Caller | undefined, request: TxnRequest): EtcdError | undefined {
    return checkTxn(this.#state.auth, this.#state.store.leases, caller, request);
  }

  checkReadAll(caller: Caller | undefined, keys: readonly Uint8Array[]): EtcdError | undefined {
    return checkReadAll(this.#state.auth, caller, keys);
  }

  async requireAdmin(options?: CallOptions): Promise<void> {
    if (!this.enabled) return;
    const denied = checkAdmin(this.#state.auth, await this.identify(options));
    if (denied !== undefined) throw denied;
  }

  async requireUser(options?: CallOptions): Promise<void> {
    if (!this.enabled) return;
    const denied = checkUser(this.#state.auth, await this.identify(options));
    if (denied !== undefined) throw denied;
  }

  #callerOf(claim: TokenClaim | undefined): Caller {
    if (claim === undefined) throw EtcdError.of('InvalidAuthToken');
    const { user, authRevision } = claim;
    return authRevision === undefined ? this.#userNow(user) : { type: 'user', user, authRevision };
  }

  #userNow(user: string): Caller {
    return { type: 'user', user, authRevision: this.#state.auth.revision };
  }
}
