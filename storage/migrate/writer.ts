import { BackupError } from '../backup/errors.js';
import type { EtcdClient, KeyValue, RequestOp } from '../client/interface.js';
import { EtcdError, GrpcCode } from '../errors.js';
import type { LeaseMover } from './leases.js';
import { pairBytes } from './pages.js';
import { CALL_MS_MAX, retrying } from './retry.js';

/** etcd's default limit of a request is 1.5 MiB; one pair alone may be as large as that. */
export const BATCH_BYTES_MAX = 2 ** 20;
/** Transactions under way at a time. */
const BATCHES_MAX = 8;
/** A lease may end again between being granted and being used, but not for ever. */
const LEASE_ATTEMPTS_MAX = 5;

export interface WriterOptions {
  readonly target: EtcdClient;
  readonly leases: LeaseMover;
  /** Operations of one transaction. */
  readonly opsMax: number;
  readonly signal: AbortSignal;
}

export type Write =
  | { readonly type: 'put'; readonly kv: KeyValue }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** Writes to the target in transactions as large as they may be. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Writes in any order, several transactions at a time: of keys that differ. Resolves when there is room for more. */
  async spread(writes: readonly Write[]): Promise<void> {
    for (const batch of batches(writes, this.#options.opsMax)) {
      while (this.#running.size >= BATCHES_MAX) await Promise.race(this.#running);
      this.#check();
      const running = this.#write(batch)
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  /** Resolves when all that was spread is written. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  /** Writes in order, one transaction after the other. */
  async inOrder(writes: readonly Write[]): Promise<void> {
    for (const batch of batches(writes, this.#options.opsMax)) await this.#write(batch);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #write(batch: readonly Write[]): Promise<void> {
    const { target, signal } = this.#options;
    const call = { signal, timeout: CALL_MS_MAX };
    let lost: Promise<ReadonlySet<bigint>> = this.#lostLeases(batch, false);
    for (let attempt = 1; ; attempt++) {
      const gone = await lost;
      const success = batch.flatMap((write) => operation(write, gone));
      if (success.length === 0) return;
      try {
        await retrying(() => target.txn({ compare: [], success, failure: [] }, call), signal);
        return;
      } catch (error) {
        if (isTooMuch(error)) return this.#writeHalves(batch, error);
        const mayHelp = error instanceof EtcdError && error.is('LeaseNotFound');
        if (!mayHelp || attempt === LEASE_ATTEMPTS_MAX) throw error;
        lost = this.#lostLeases(batch, true);
      }
    }
  }

  /** The target's limits are not known before. */
  async #writeHalves(batch: readonly Write[], error: EtcdError): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      throw new BackupError(
        `the target refuses the key ${JSON.stringify(Buffer.from(keyOf(only)).toString())} and its value: ${error.message}; its --max-request-bytes must be larger`,
      );
    }
    const half = Math.ceil(batch.length / 2);
    await this.#write(batch.slice(0, half));
    await this.#write(batch.slice(half));
  }

  /** Those of the batch's leases that the source has no more; the others are on the target. */
  async #lostLeases(batch: readonly Write[], again: boolean): Promise<ReadonlySet<bigint>> {
    const { leases } = this.#options;
    const ids = new Set(batch.flatMap((write) => (write.type === 'put' ? [write.kv.lease] : [])));
    ids.delete(0n);
    const lost = new Set<bigint>();
    for (const id of ids) {
      const isThere = await (again ? leases.moveAgain(id) : leases.move(id));
      if (!isThere) lost.add(id);
    }
    return lost;
  }
}

/** Of operations, or of bytes: the second is what a gRPC server says before the store is asked. */
function isTooMuch(error: unknown): error is EtcdError {
  if (!(error instanceof EtcdError)) return false;
  if (error.is('TooManyOps') || error.is('RequestTooLarge')) return true;
  return error.code === GrpcCode.ResourceExhausted && error.message.includes('larger than max');
}

/** What a key is whose lease has ended follows: the source deletes it, or has already. */
function operation(write: Write, gone: ReadonlySet<bigint>): RequestOp[] {
  if (write.type === 'delete') return [{ type: 'delete', key: write.key }];
  const { key, value, lease } = write.kv;
  return gone.has(lease) ? [] : [{ type: 'put', key, value, lease }];
}

/** In order; no key comes twice in a batch, which etcd does not allow. */
function* batches(writes: readonly Write[], opsMax: number): Generator<readonly Write[]> {
  let batch: Write[] = [];
  let keys = new Set<string>();
  let bytes = 0;
  for (const write of writes) {
    const key = Buffer.from(keyOf(write)).toString('latin1');
    const size = write.type === 'put' ? pairBytes(write.kv) : write.key.length;
    const isFull = batch.length >= opsMax || bytes + size > BATCH_BYTES_MAX || keys.has(key);
    if (isFull && batch.length > 0) {
      yield batch;
      [batch, keys, bytes] = [[], new Set(), 0];
    }
    batch.push(write);
    keys.add(key);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function keyOf(write: Write): Uint8Array {
  return write.type === 'put' ? write.kv.key : write.key;
}
