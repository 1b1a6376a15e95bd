import type { CallOptions } from '../client/interface.js';

/**
 * What a service asks before it answers a client from outside, where no key is at stake: the cluster's, maintenance.
 * The store gives it to them as `checks`. Who runs in this process is trusted and asks nobody.
 *
 *     await checks.requireAdmin(options);   // change members, alarms; defragment, snapshot, hashes, move leader
 *     await checks.requireUser(options);    // list members, list alarms, status
 *
 * `options` are those of the call, with its token or the name in its certificate. While authentication is off both
 * resolve at once. Both reject with EtcdError: UserEmpty without an identity, InvalidAuthToken, PermissionDenied, and
 * requireUser with AuthOldRevision.
 */
export interface AuthChecks {
  /** Resolves for who holds role root. */
  requireAdmin(options?: CallOptions): Promise<void>;
  /** Resolves for any user that exists. */
  requireUser(options?: CallOptions): Promise<void>;
}
