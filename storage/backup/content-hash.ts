import { createHash } from 'node:crypto';
import { invariant } from '../../raft/invariant.js';
import { asBuffer } from '../bytes.js';
import type { KeyValue } from '../client/interface.js';

type Pair = Pick<KeyValue, 'key' | 'value' | 'lease'>;

/** Lengths of key and value, and the lease. */
const FRAME_BYTES = 16;

/**
 * A hash of what a store holds now: keys, values and the leases they are attached to, added in key order. Revisions do not
 * count, so that it is the same for a store and for what was made of it by moving or restoring it.
 */
export class ContentHash {
  readonly #hash = createHash('sha256');
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  #last: Buffer = Buffer.alloc(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ key, value, lease }: Pair): void {
    invariant(Buffer.compare(this.#last, key) < 0, 'keys are hashed out of order');
    this.#frame.writeUInt32LE(key.length, 0);
    this.#frame.writeUInt32LE(value.length, 4);
    this.#frame.writeBigInt64LE(BigInt.asIntN(64, lease), 8);
    this.#hash.update(this.#frame).update(key).update(value);
    this.#last = asBuffer(key);
    this.#count += 1;
  }

  /** Hexadecimal. Nothing can be added any more. */
  finish(): string {
    return this.#hash.digest('hex');
  }
}
