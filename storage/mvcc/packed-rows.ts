import { invariant } from '../../raft/invariant.js';
import { asBuffer, NO_BYTES } from '../bytes.js';
import type { KeyValue } from '../client/interface.js';

const COMMA = 44;
const DIGIT_0 = 48;

/** What a row's numbers are, in their order; its lease is apart, as it has 64 bits and mostly is 0. */
export const NUMBERS_PER_ROW = 5;

/**
 * Versions of keys as SQLite joins them: keys and values one after the other, and of each row the length of the key, create
 * revision, mod revision, version and the length of the value.
 */
export class PackedRows {
  readonly numbers: readonly number[];
  /** By row, where there is one. */
  readonly leases: ReadonlyMap<number, bigint>;
  readonly bytes: Buffer;

  /** @param text `keyLength,create,mod,version,valueLength,lease` of each row, with semicolons between; null: no rows */
  constructor(text: string | null, bytes: Uint8Array | null) {
    const numbers: number[] = [];
    const leases = new Map<number, bigint>();
    if (text !== null) parse(text, numbers, leases);
    this.numbers = numbers;
    this.leases = leases;
    this.bytes = asBuffer(bytes ?? NO_BYTES);
  }

  get count(): number {
    return this.numbers.length / NUMBERS_PER_ROW;
  }

  /** They share the memory of the whole. */
  toKeyValues(): KeyValue[] {
    const { numbers, leases, bytes } = this;
    const kvs: KeyValue[] = [];
    let offset = 0;
    for (let at = 0; at < numbers.length; at += NUMBERS_PER_ROW) {
      const keyEnd = offset + (numbers[at] ?? 0);
      const valueEnd = keyEnd + (numbers[at + 4] ?? 0);
      kvs.push({
        key: bytes.subarray(offset, keyEnd),
        value: bytes.subarray(keyEnd, valueEnd),
        createRevision: numbers[at + 1] ?? 0,
        modRevision: numbers[at + 2] ?? 0,
        version: numbers[at + 3] ?? 0,
        lease: leases.get(kvs.length) ?? 0n,
      });
      offset = valueEnd;
    }
    invariant(offset === bytes.length, 'rows and their bytes belong together');
    return kvs;
  }

  /** Undefined when there are no rows. */
  get lastKey(): Uint8Array | undefined {
    const { numbers, bytes } = this;
    if (numbers.length === 0) return undefined;
    const end = bytes.length - (numbers.at(-1) ?? 0);
    return bytes.subarray(end - (numbers.at(-NUMBERS_PER_ROW) ?? 0), end);
  }
}

/** Decimal numbers: but for leases, none is negative or beyond 2^53. */
function parse(text: string, numbers: number[], leases: Map<number, bigint>): void {
  const { length } = text;
  let number = 0;
  let column = 0;
  for (let position = 0; position < length; position++) {
    const code = text.charCodeAt(position);
    if (code !== COMMA) {
      number = number * 10 + code - DIGIT_0;
      continue;
    }
    numbers.push(number);
    number = 0;
    column += 1;
    if (column < NUMBERS_PER_ROW) continue;
    column = 0;
    const start = position + 1;
    position = endOfRow(text, start);
    const isNone = position === start + 1 && text.charCodeAt(start) === DIGIT_0;
    if (!isNone) leases.set(numbers.length / NUMBERS_PER_ROW - 1, BigInt(text.slice(start, position)));
  }
}

function endOfRow(text: string, start: number): number {
  const end = text.indexOf(';', start);
  return end < 0 ? text.length : end;
}
