import { invariant } from '../../raft/invariant.js';
import type { Clock } from '../clock.js';
import type { Counters } from '../metrics/counters.js';
import type { LeaseRecord } from '../mvcc/leases.js';
import { Deadlines } from './deadlines.js';

/** After a revoke that came to nothing (no leader, overload), the next try. */
const RETRY_MS = 500;

/** Revokes in flight, so that a great many leases that end at once do not fill the log's queue. */
const REVOKES_MAX = 64;

interface Lease {
  readonly id: bigint;
  /** Seconds. */
  readonly ttl: number;
  /** On the clock; meaningful on the leader only. */
  deadline: number;
  /** The revoke that was proposed because it expired. */
  revoking: Promise<void> | undefined;
}

export interface LessorOptions {
  readonly clock: Clock;
  /**
   * Proposes the revoke of an expired lease in a term; void if it is applied in another. Resolves when its outcome is
   * known; does not reject.
   */
  readonly expire: (id: bigint, term: number) => Promise<void>;
  readonly counters?: Pick<Counters, 'leasesRenewed'> | undefined;
}

/**
 * When leases end. Members agree on which leases there are (mvcc/leases.ts), but only the leader keeps time: a new leader
 * gives each lease its full TTL again, because it cannot know of the last leader's keep-alives, which do not go through
 * the log. A lease ends when its revoke is applied, not when its time is up.
 */
export class Lessor {
  readonly #options: LessorOptions;
  readonly #leases = new Map<bigint, Lease>();
  readonly #deadlines = new Deadlines<Lease>();
  /** The term that this member leads; 0 while it does not. */
  #term = 0;
  #revokes = 0;
  #timer: { readonly deadline: number; readonly cancel: () => void } | undefined;

  constructor(options: LessorOptions, leases: readonly LeaseRecord[]) {
    this.#options = options;
    for (const lease of leases) this.granted(lease);
  }

  /** This member leads from now on; every lease has its full TTL. */
  promote(term: number): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#deadlines.clear();
    for (const lease of this.#leases.values()) this.#prolong(lease, true);
    this.#arm();
  }

  demote(): void {
    this.#term = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A grant was applied. */
  granted({ id, ttl }: LeaseRecord): void {
    const lease: Lease = { id, ttl, deadline: 0, revoking: undefined };
    this.#leases.set(id, lease);
    this.#prolong(lease, true);
    this.#arm();
  }

  /** A snapshot was installed: these are all the leases there are now. Those that stay keep their time. */
  installed(leases: readonly LeaseRecord[]): void {
    const ids = new Set(leases.map(({ id }) => id));
    for (const id of this.#leases.keys()) if (!ids.has(id)) this.revoked(id);
    for (const lease of leases) if (this.#leases.get(lease.id)?.ttl !== lease.ttl) this.granted(lease);
  }

  /** A revoke was applied. */
  revoked(id: bigint): void {
    this.#leases.delete(id);
  }

  /** Settles when the outcome of a revoke that is under way is known; undefined if there is none. */
  revoking(id: bigint): Promise<void> | undefined {
    return this.#leases.get(id)?.revoking;
  }

  /**
   * Gives a lease its full TTL again, if there is one. Called on the leader, right after it has confirmed that it leads,
   * for a lease that is not being revoked.
   */
  renew(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    invariant(lease.revoking === undefined, 'a lease is renewed while it is revoked');
    this.#prolong(lease, false);
    if (this.#options.counters !== undefined) this.#options.counters.leasesRenewed += 1;
  }

  /** Seconds left and granted, or undefined if there is no such lease. */
  timeToLive(id: bigint): { remaining: number; granted: number } | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const remaining = Math.max(0, Math.floor((lease.deadline - this.#options.clock.now()) / 1000));
    return { remaining, granted: lease.ttl };
  }

  /** The ids of all leases, the one that ends first in front. */
  ids(): bigint[] {
    return [...this.#leases.values()].sort((a, b) => a.deadline - b.deadline).map(({ id }) => id);
  }

  close(): void {
    this.demote();
  }

  #prolong(lease: Lease, isNew: boolean): void {
    lease.deadline = this.#options.clock.now() + lease.ttl * 1000;
    if (isNew) this.#deadlines.add(lease, lease.deadline);
  }

  #arm(): void {
    const deadline = this.#deadlines.earliest;
    if (this.#term === 0 || deadline >= (this.#timer?.deadline ?? Infinity)) return;
    this.#timer?.cancel();
    const wait = Math.max(0, deadline - this.#options.clock.now());
    const cancel = this.#options.clock.after(wait, () => {
      this.#timer = undefined;
      this.#expireDue();
      this.#arm();
    });
    this.#timer = { deadline, cancel };
  }

  #expireDue(): void {
    const now = this.#options.clock.now();
    while (this.#deadlines.earliest <= now) {
      const lease = this.#deadlines.take();
      if (lease === undefined || this.#leases.get(lease.id) !== lease) continue;
      if (lease.deadline > now) this.#deadlines.add(lease, lease.deadline);
      else if (this.#revokes >= REVOKES_MAX) this.#deadlines.add(lease, now + RETRY_MS);
      else this.#expire(lease);
    }
  }

  #expire(lease: Lease): void {
    this.#revokes += 1;
    lease.revoking = this.#options.expire(lease.id, this.#term).finally(() => {
      this.#revokes -= 1;
      lease.revoking = undefined;
      if (this.#leases.get(lease.id) !== lease) return;
      this.#deadlines.add(lease, Math.max(lease.deadline, this.#options.clock.now() + RETRY_MS));
      this.#arm();
    });
  }
}
