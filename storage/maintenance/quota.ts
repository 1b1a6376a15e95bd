import type { CallOptions, PutRequest, RequestOp, TxnRequest } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { AppliedBatch } from '../mvcc/machine.js';

/** etcd's `--quota-backend-bytes` when it is 0. */
export const QUOTA_BYTES_DEFAULT = 2 * 2 ** 30;
/** Above it etcd warns. */
export const QUOTA_BYTES_SUGGESTED_MAX = 8 * 2 ** 30;

/** What etcd takes a key and a lease to cost beside their own bytes. */
const KEY_OVERHEAD_BYTES = 256;
const LEASE_COST_BYTES = 64;

/** What is applied makes the database grow by so many times its bytes and overheads at most. */
const GROWTH_MAX = 3;

/** Bytes; Infinity where a negative `quota-backend-bytes` turns the quota off. */
export function quotaOf(quotaBackendBytes = 0): number {
  if (quotaBackendBytes < 0) return Infinity;
  return quotaBackendBytes === 0 ? QUOTA_BYTES_DEFAULT : quotaBackendBytes;
}

export interface QuotaOptions {
  /** As `quotaOf` gives it. */
  readonly bytesMax: number;
  /** Bytes of the database that hold something; it costs 5 µs. */
  readonly sizeInUse: () => number;
  /** Whether this member's NOSPACE alarm is on. */
  readonly isAlarmOn: () => boolean;
  /** Turns it on, in the log. Rejects with EtcdError. */
  readonly raise: (options?: CallOptions) => Promise<void>;
}

/**
 * Keeps the database below a size: what would make it larger is refused before it is proposed, and raises the NOSPACE
 * alarm, which has every member refuse it until somebody has made room and disarms it.
 *
 * etcd counts its file, which only a defragmentation makes smaller. Here pages that hold nothing are filled again or
 * given back by themselves, so only those in use count: after a compaction there is room at once. The WAL does not count;
 * its pages are the database's, and it is bounded by itself.
 */
export class Quota {
  readonly #options: QuotaOptions;
  /** As it was last looked at. */
  #size: number;
  /** Bytes and overheads that were applied since. */
  #applied = 0;
  #raising: Promise<void> | undefined;

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#size = options.sizeInUse();
  }

  get bytesMax(): number {
    return this.#options.bytesMax;
  }

  applied({ bytes, changes, granted }: Pick<AppliedBatch, 'bytes' | 'changes' | 'granted'>): void {
    this.#applied += bytes + changes.length * KEY_OVERHEAD_BYTES + granted.length * LEASE_COST_BYTES;
  }

  /** Another database has taken the place of the one that was looked at. */
  installed(): void {
    this.#applied = Infinity;
  }

  /** Looks at the size only where it could matter. */
  hasRoomFor(cost: number): boolean {
    const { bytesMax, sizeInUse } = this.#options;
    if (cost === 0 || this.#size + GROWTH_MAX * this.#applied + cost < bytesMax) return true;
    this.#size = sizeInUse();
    this.#applied = 0;
    return this.#size + cost < bytesMax;
  }

  /** The error for a request without room, once the alarm is on; whoever comes meanwhile waits for the same. */
  async exceeded(options?: CallOptions): Promise<EtcdError> {
    if (!this.#options.isAlarmOn()) {
      this.#raising ??= this.#options.raise(options).finally(() => {
        this.#raising = undefined;
      });
      // The request has no room, whether everybody can be told or not.
      await this.#raising.catch((error: unknown) => {
        if (!(error instanceof EtcdError)) throw error;
      });
    }
    return EtcdError.of('NoSpace');
  }
}

/** What etcd takes requests to cost, in bytes. */
export function costOfPut({ key, value }: Pick<PutRequest, 'key' | 'value'>): number {
  return KEY_OVERHEAD_BYTES + key.length + value.length;
}

export const costOfGrant = (): number => LEASE_COST_BYTES;

/** Of the branch that costs more. Nested transactions count, which etcd overlooks. */
export function costOfTxn({ success, failure }: TxnRequest): number {
  return Math.max(costOfOps(success), costOfOps(failure));
}

function costOfOps(ops: readonly RequestOp[]): number {
  let cost = 0;
  for (const op of ops) {
    if (op.type === 'put') cost += costOfPut(op);
    else if (op.type === 'txn') cost += costOfTxn(op);
  }
  return cost;
}
