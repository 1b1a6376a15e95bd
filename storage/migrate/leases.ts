import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, EtcdClient } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { CALL_MS_MAX, retrying } from './retry.js';

/** Between two looks at which leases of the target must be renewed. */
const LOOK_MS = 500;
/** A lease is renewed when this share of its time is over. */
const RENEW_SHARE = 1 / 3;

/** Leases asked for and granted at a time. */
const MOVES_MAX = 16;

interface MovedLease {
  /** Seconds. */
  readonly ttl: number;
  /** When it was granted or renewed, on `performance.now()`. */
  renewedAt: number;
}

export interface LeaseMoverOptions {
  readonly source: EtcdClient;
  readonly target: EtcdClient;
  readonly signal: AbortSignal;
}

/**
 * Leases keep their ids, and what is left of their time. While a store is moved nothing may end on the target before it
 * does on the source, so they are kept alive there until all is done, or until the source has no such lease any more.
 */
export class LeaseMover {
  readonly #options: LeaseMoverOptions;
  readonly #call: CallOptions;
  readonly #granting = new Map<bigint, Promise<boolean>>();
  readonly #moved = new Map<bigint, MovedLease>();
  #gone = 0;

  constructor(options: LeaseMoverOptions) {
    this.#options = options;
    this.#call = { signal: options.signal, timeout: CALL_MS_MAX };
  }

  get count(): number {
    return this.#moved.size;
  }

  /** How often a lease was asked for that the source had no more: its keys are being deleted there, or were. */
  get gone(): number {
    return this.#gone;
  }

  async moveAll(): Promise<void> {
    const { source, signal } = this.#options;
    const { leases } = await retrying(() => source.leaseLeases(this.#call), signal);
    for (let start = 0; start < leases.length; start += MOVES_MAX) {
      await Promise.all(leases.slice(start, start + MOVES_MAX).map((id) => this.move(id)));
    }
  }

  /** Resolves when the target has the lease; with false if the source has it no more. */
  move(id: bigint): Promise<boolean> {
    let granting = this.#granting.get(id);
    if (granting === undefined) {
      granting = this.#grant(id);
      this.#granting.set(id, granting);
    }
    return granting;
  }

  /** The target says that it has no such lease: whether it is there after another attempt. */
  moveAgain(id: bigint): Promise<boolean> {
    this.#granting.delete(id);
    this.#moved.delete(id);
    return this.move(id);
  }

  /** Runs until the signal aborts. */
  async keepAlive(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const [id, lease] of this.#moved) {
        const age = (performance.now() - lease.renewedAt) / 1000;
        if (age > lease.ttl * RENEW_SHARE) await this.#renew(id, lease);
      }
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Takes those from the target that the source has no more. */
  async revokeGone(): Promise<void> {
    const { source, signal } = this.#options;
    const { leases } = await retrying(() => source.leaseLeases(this.#call), signal);
    const there = new Set(leases);
    for (const id of [...this.#moved.keys()].filter((id) => !there.has(id))) {
      this.#moved.delete(id);
      await this.#revoke(id);
    }
  }

  /** Revokes what the target has, before anything is moved. */
  async clearTarget(): Promise<void> {
    const { target, signal } = this.#options;
    const { leases } = await retrying(() => target.leaseLeases(this.#call), signal);
    for (const id of leases) await this.#revoke(id);
  }

  async #revoke(id: bigint): Promise<void> {
    const { target, signal } = this.#options;
    await retrying(() => target.leaseRevoke(id, this.#call), signal).catch(ignoring('LeaseNotFound'));
  }

  async #grant(id: bigint): Promise<boolean> {
    const { source, target, signal } = this.#options;
    const left = await retrying(() => source.leaseTimeToLive({ id }, this.#call), signal);
    if (left.grantedTtl <= 0) {
      this.#gone += 1;
      return false;
    }
    const request = { id, ttl: Math.max(1, left.ttl) };
    let { ttl } = request;
    try {
      ({ ttl } = await retrying(() => target.leaseGrant(request, this.#call), signal));
    } catch (error) {
      // Granted by an attempt that did not hear of it, or there before.
      ignoring('LeaseExist')(error);
    }
    this.#moved.set(id, { ttl, renewedAt: performance.now() });
    return true;
  }

  async #renew(id: bigint, lease: MovedLease): Promise<void> {
    // One that has ended meanwhile is granted again when a key asks for it.
    await this.#options.target.leaseKeepAlive(id, this.#call).catch(() => undefined);
    lease.renewedAt = performance.now();
  }
}

function ignoring(name: 'LeaseExist' | 'LeaseNotFound'): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof EtcdError && error.is(name))) throw error;
  };
}
