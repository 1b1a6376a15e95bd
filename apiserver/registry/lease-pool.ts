/** Store leases for objects that expire: many keys share one, since a lease costs the store more than a key does. */
import type { EtcdClient } from '../../storage/client/interface.js';

/** Keys attached to one lease. */
const LEASE_KEYS_MAX = 1000;
/** How long a lease is given to new keys, in seconds, but no more than a twentieth of their time to live. */
const LEASE_REUSE_SECONDS_MAX = 60;

interface Lease {
  readonly id: Promise<bigint>;
  readonly reuseUntil: number;
  keys: number;
}

export class LeasePool {
  private readonly byTtl = new Map<number, Lease>();

  constructor(
    private readonly client: EtcdClient,
    private readonly now: () => number,
  ) {}

  /** A lease that keeps a key for `ttl` seconds or somewhat longer. Rejects with EtcdError. */
  take(ttl: number): Promise<bigint> {
    const now = this.now();
    const current = this.byTtl.get(ttl);
    if (current !== undefined && now < current.reuseUntil && current.keys < LEASE_KEYS_MAX) {
      current.keys += 1;
      return current.id;
    }
    const reuseSeconds = Math.min(Math.floor(ttl / 20), LEASE_REUSE_SECONDS_MAX);
    const id = this.client.leaseGrant({ ttl: ttl + reuseSeconds }).then((lease) => lease.id);
    const lease = { id, reuseUntil: now + reuseSeconds * 1000, keys: 1 };
    this.byTtl.set(ttl, lease);
    id.catch(() => this.forget(ttl, lease));
    return id;
  }

  /** The store does not know the current lease any more. */
  drop(ttl: number): void {
    this.byTtl.delete(ttl);
  }

  private forget(ttl: number, lease: Lease): void {
    if (this.byTtl.get(ttl) === lease) this.byTtl.delete(ttl);
  }
}
