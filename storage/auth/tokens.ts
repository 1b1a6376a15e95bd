import type { CallOptions } from '../client/interface.js';

/** A user whose password was right in a state of users and roles. */
export interface Authenticated {
  readonly user: string;
  readonly authRevision: number;
}

/** What a token says: whose it is, and since when if it says that itself. */
export interface TokenClaim {
  readonly user: string;
  /** Undefined: the token is kept up to date by the members, so it counts as of now. */
  readonly authRevision: number | undefined;
}

/** What becomes of users and tokens as the log is applied, for those who remember tokens. */
export type TokenEvent =
  | { readonly type: 'issued'; readonly user: string; readonly token: string }
  /** The user is gone or has another password. */
  | { readonly type: 'user-changed'; readonly user: string }
  | { readonly type: 'disabled' };

/** Makes and reads tokens of one kind. */
export interface TokenProvider {
  /** @throws EtcdError AuthOldRevision when users or roles have changed since */
  issue(authenticated: Authenticated, options?: CallOptions): Promise<string>;
  /** At once where it can be; undefined: no token, or not any more. */
  verify(token: string): TokenClaim | undefined | Promise<TokenClaim | undefined>;
  /** Told within the apply. */
  applied(events: readonly TokenEvent[]): void;
  /** Another state took the place of the one that led to the tokens known. */
  installed(): void;
}
