/** Who a command is carried out for, as the log tells each member that applies it. */
export type Caller =
  | {
      readonly type: 'user';
      /** Never empty. */
      readonly user: string;
      /** The state of users and permissions that the user was recognised in. */
      readonly authRevision: number;
    }
  /** What runs in a member's own process: the API server, the leader's expiry of leases. It may everything. */
  | { readonly type: 'trusted' };

export const TRUSTED: Caller = { type: 'trusted' };

/** Nobody in particular: a client without token and certificate, or one that was served while authentication was off. */
export const ANONYMOUS = undefined;
