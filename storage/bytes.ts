/**
 * Keys as bytes, and the key ranges of etcd's API.
 *
 * JavaScript orders strings by UTF-16 unit, etcd orders keys by byte. A latin1 string has one unit for each byte, so
 * that both orders agree: wherever order matters in memory, keys are latin1 strings.
 */

export const NO_BYTES: Uint8Array = Buffer.alloc(0);

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** `point`: the one key. `from`: every key ≥ start. `span`: start ≤ key < end. */
export type KeyRange =
  | { readonly type: 'point'; readonly start: Uint8Array }
  | { readonly type: 'from'; readonly start: Uint8Array }
  | { readonly type: 'span'; readonly start: Uint8Array; readonly end: Uint8Array };

/** What `key` and `range_end` of a request mean: an absent or empty end is the one key, [0] is no upper bound. */
export function keyRange(key: Uint8Array, rangeEnd: Uint8Array | undefined): KeyRange {
  if (rangeEnd === undefined || rangeEnd.length === 0) return { type: 'point', start: key };
  if (isUnbounded(rangeEnd)) return { type: 'from', start: key };
  return { type: 'span', start: key, end: rangeEnd };
}

function isUnbounded(rangeEnd: Uint8Array): boolean {
  return rangeEnd.length === 1 && rangeEnd[0] === 0;
}
