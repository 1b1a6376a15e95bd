/**
 * Leadership by a Lease in kube-system, by the rules of client-go's leader election: whoever holds it renews it, others
 * take it when it has not changed for as long as it is good for, as their own clock measures that. Clocks of different
 * machines are never compared, and every write compares what it began from.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { KubeObject } from '../../schemas/definition.js';
import { conflict } from '../errors.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import { systemContext } from './context.js';
import type { Leadership } from './manager.js';
import { getCached, hasReason } from './registries.js';

const NAMESPACE = 'kube-system';
const NAME = 'wherry-controller-manager';
const RESOURCE = { group: 'coordination.k8s.io', name: 'leases' };
const USER = 'system:kube-controller-manager';

/** How long a lease is good that is not renewed. client-go's values, these three. */
export const LEASE_DURATION_MS = 15_000;
/** Who has not renewed for so long stops leading, well before anybody else may begin. */
export const RENEW_DEADLINE_MS = 10_000;
/** Between two attempts to take or renew it. */
export const RETRY_MS = 2000;
/** What giving the lease back may take of the time that a server has to stop. */
const RELEASE_MS_MAX = 150;

export interface LeaseClock {
  /** Milliseconds that never go back. */
  now(): number;
  /** For the times written down, which nobody reckons with. */
  date(): Date;
  /** Resolves after so many milliseconds, or when the signal aborts. Keeps no process alive. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface LeaseLeadershipOptions {
  readonly table: ResourceTable;
  /** Of this process: no two may have the same, nor one after a restart. */
  readonly identity: string;
  readonly logger: Logger;
  readonly clock?: LeaseClock;
}

const systemClock: LeaseClock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined),
};

export function leaseLeadership(options: LeaseLeadershipOptions): Leadership {
  return async (lead, stop) => {
    const candidate = new Candidate(options);
    while (!stop.aborted) {
      if (await candidate.tryOnce(stop)) await candidate.hold(lead, stop);
      await candidate.pause(stop);
    }
  };
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

const specOf = (lease: KubeObject | undefined): LeaseSpec => lease?.['spec'] ?? {};

class Candidate {
  readonly #options: LeaseLeadershipOptions;
  readonly #clock: LeaseClock;
  readonly #leases: Registry;
  /** The lease as it was seen last, and when it was first seen so. */
  #seen: { readonly version: string; readonly at: number } | undefined;
  /** When the attempt began that renewed it last. */
  #renewedAt = 0;

  constructor(options: LeaseLeadershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const leases = options.table.find(RESOURCE.group, 'v1', RESOURCE.name);
    if (leases === undefined) throw new Error('leases are not served, which leader election needs');
    this.#leases = leases;
  }

  pause(signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(RETRY_MS, signal);
  }

  /** Takes or renews the lease. False when somebody else holds it or the store does not answer. */
  async tryOnce(signal: AbortSignal): Promise<boolean> {
    const begun = this.#clock.now();
    try {
      if (!(await this.#takeOrRenew(signal))) return false;
      // One that hung may end after a later one.
      this.#renewedAt = Math.max(this.#renewedAt, begun);
      return true;
    } catch (error) {
      if (!signal.aborted && !hasReason(error, 'Conflict', 'AlreadyExists')) {
        this.#options.logger.debug({ err: error }, 'cannot take or renew the lease of the controllers');
      }
      return false;
    }
  }

  /** Leads until the lease is lost, `lead` ends by itself, or `stop` aborts; then nothing of it runs any more. */
  async hold(lead: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    const { logger, identity } = this.#options;
    logger.info({ identity }, 'this member runs the controllers');
    const leading = new AbortController();
    const signal = AbortSignal.any([leading.signal, stop]);
    const renewing = this.#renewWhileHeld(signal).finally(() => leading.abort());
    try {
      await lead(signal);
    } finally {
      leading.abort();
    }
    const held = await renewing;
    if (held) await this.#release();
    else
      logger.warn(
        { identity },
        'this member no longer runs the controllers: the lease was not renewed in time',
      );
  }

  /** Resolves with true when the signal aborts while the lease is held, with false when it is lost. */
  async #renewWhileHeld(signal: AbortSignal): Promise<boolean> {
    const left = () => this.#renewedAt + RENEW_DEADLINE_MS - this.#clock.now();
    while (!signal.aborted && left() > 0) {
      await this.#clock.sleep(Math.min(RETRY_MS, left()), signal);
      // An attempt that hangs must not hold up the end of the time.
      if (!signal.aborted) await Promise.race([this.tryOnce(signal), this.#clock.sleep(left(), signal)]);
    }
    return signal.aborted;
  }

  async #takeOrRenew(signal: AbortSignal): Promise<boolean> {
    const lease = await this.#read(signal);
    if (lease === undefined) return this.#create(signal);
    const { holderIdentity = '' } = specOf(lease);
    const { identity } = this.#options;
    if (holderIdentity !== '' && holderIdentity !== identity && this.#isGood(lease)) return false;
    await this.#replace(signal, lease, this.#renewed(specOf(lease)));
    return true;
  }

  #read(signal: AbortSignal): Promise<KubeObject | undefined> {
    // The cache's: an old one only delays, since it cannot be replaced.
    return getCached(this.#leases, contextOf(signal), NAMESPACE, NAME);
  }

  /** Whether it changed within its duration, by this member's clock. */
  #isGood(lease: KubeObject): boolean {
    const version = lease.metadata.resourceVersion ?? '';
    const now = this.#clock.now();
    if (this.#seen?.version !== version) this.#seen = { version, at: now };
    const { leaseDurationSeconds } = specOf(lease);
    const durationMs = leaseDurationSeconds === undefined ? LEASE_DURATION_MS : leaseDurationSeconds * 1000;
    return now < this.#seen.at + durationMs;
  }

  async #create(signal: AbortSignal): Promise<boolean> {
    const metadata = { name: NAME, namespace: NAMESPACE };
    const lease = { kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', metadata, spec: this.#renewed({}) };
    await this.#leases.create(contextOf(signal), lease);
    return true;
  }

  /** Rejects with a conflict when the lease is no longer `from`. */
  async #replace(signal: AbortSignal, from: KubeObject, spec: LeaseSpec): Promise<void> {
    await this.#leases.update(contextOf(signal), NAMESPACE, NAME, (present) => {
      if (present === undefined || present.metadata.resourceVersion !== from.metadata.resourceVersion) {
        throw conflict(RESOURCE, NAME);
      }
      return { ...present, spec };
    });
  }

  #renewed(before: LeaseSpec): LeaseSpec {
    const { identity } = this.#options;
    const renewTime = microTime(this.#clock.date());
    const isOurs = before.holderIdentity === identity;
    const { leaseTransitions = -1 } = before;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_DURATION_MS / 1000,
      acquireTime: isOurs ? (before.acquireTime ?? renewTime) : renewTime,
      renewTime,
      leaseTransitions: isOurs ? leaseTransitions : leaseTransitions + 1,
    };
  }

  /** Lets another take it at once. Where that fails, it has to wait for the end of the lease. */
  async #release(): Promise<void> {
    const { logger } = this.#options;
    const late = new AbortController();
    const release = async () => {
      const lease = await this.#read(late.signal);
      if (lease === undefined || specOf(lease).holderIdentity !== this.#options.identity) return;
      const { acquireTime: _acquireTime, holderIdentity: _holderIdentity, ...rest } = specOf(lease);
      const renewTime = microTime(this.#clock.date());
      await this.#replace(late.signal, lease, { ...rest, renewTime, leaseDurationSeconds: 1 });
    };
    const ignore = (error: unknown) => logger.debug({ err: error }, 'cannot give the lease back');
    const over = new AbortController();
    await Promise.race([release().catch(ignore), this.#clock.sleep(RELEASE_MS_MAX, over.signal)]);
    over.abort();
    late.abort();
  }
}

const contextOf = (signal: AbortSignal) => systemContext(USER, [], signal, 'kube-controller-manager');

/** As Kubernetes writes a MicroTime. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
