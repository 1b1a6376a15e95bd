import { NUMBERS_PER_ROW, type PackedRows } from '../../mvcc/packed-rows.js';
import { KeyValueTag } from './key-value-tag.js';
import { bigintSize, dataSize, numberSize, Output } from '../codec/output.js';

/** Tag of the field in a RangeResponse. */
const KVS = 0x12;
/** Of the numbers that every version has, and of its key. */
const TAGS_BYTES = 4;

const output = new Output();

/**
 * The field `kvs` of a RangeResponse, made of rows as they come from the database: the message's codec would need an object
 * and two views of each, which cost more than all the rest.
 */
export function encodePackedKvs(rows: PackedRows): Buffer {
  const { numbers, leases, bytes } = rows;
  const sizes = sizesOf(rows);
  output.start();
  output.allocate(
    0,
    sizes.reduce((sum, size) => sum + 1 + dataSize(size), 0),
  );
  let offset = 0;
  for (const [row, size] of sizes.entries()) {
    const at = row * NUMBERS_PER_ROW;
    const keyLength = numbers[at] ?? 0;
    const valueLength = numbers[at + 4] ?? 0;
    output.uint32(KVS);
    output.uint32(size);
    output.uint32(KeyValueTag.key);
    output.slice(bytes, offset, keyLength);
    output.uint32(KeyValueTag.createRevision);
    output.number(numbers[at + 1] ?? 0);
    output.uint32(KeyValueTag.modRevision);
    output.number(numbers[at + 2] ?? 0);
    output.uint32(KeyValueTag.version);
    output.number(numbers[at + 3] ?? 0);
    if (valueLength > 0) {
      output.uint32(KeyValueTag.value);
      output.slice(bytes, offset + keyLength, valueLength);
    }
    const lease = leases.get(row);
    if (lease !== undefined) {
      output.uint32(KeyValueTag.lease);
      output.bigint(lease);
    }
    offset += keyLength + valueLength;
  }
  return output.finish();
}

/** Of each message, without its own tag and length. */
function sizesOf({ numbers, leases }: PackedRows): number[] {
  const sizes: number[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_ROW) {
    const valueLength = numbers[at + 4] ?? 0;
    const lease = leases.get(sizes.length);
    sizes.push(
      TAGS_BYTES +
        dataSize(numbers[at] ?? 0) +
        numberSize(numbers[at + 1] ?? 0) +
        numberSize(numbers[at + 2] ?? 0) +
        numberSize(numbers[at + 3] ?? 0) +
        (valueLength > 0 ? 1 + dataSize(valueLength) : 0) +
        (lease === undefined ? 0 : 1 + bigintSize(lease)),
    );
  }
  return sizes;
}
