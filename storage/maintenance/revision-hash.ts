import { KeyValueTag } from '../grpc/messages/key-value-tag.js';
import type { HashRow } from '../mvcc/hash-rows.js';
import { crc32c } from './crc32c.js';

const BUCKET = Buffer.from('key');
const SEPARATOR = 0x5f;
const TOMBSTONE = 0x74;

/** What goes before the key, and what goes between key and value, at most. */
const SCRATCH_BYTES = 64;

export interface HashScope {
  /** Rows above it do not count. */
  readonly revision: number;
  /** Of the store when the hash began. */
  readonly compacted: number;
}

/**
 * etcd's HashKV, to the byte: CRC-32C over the name of etcd's bucket, then each row as etcd keeps it. Above the compacted
 * revision every row counts; at or below it only those that are still the newest of their key at the asked revision, as
 * whether the others are gone already differs from member to member. Where nothing lives at the asked revision, etcd has
 * nothing to compare with and counts all that compaction leaves.
 *
 * Settled against etcd 3.4.23. A deletion at the compacted revision itself does not count, as in 3.4.34 and 3.5.16, which
 * keep it, and in those before, which do not.
 */
export class RevisionHash {
  readonly #scope: HashScope;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  #hash = crc32c(0, BUCKET);
  /** Of all that compaction leaves; undefined once something lives at the revision. */
  #hashOfLeft: number | undefined = this.#hash;

  constructor(scope: HashScope) {
    this.#scope = scope;
  }

  /** Whether rows must say what superseded them; `isOld`: those at or below the compacted revision. */
  needsSuperseded(isOld: boolean): boolean {
    return isOld || this.#hashOfLeft !== undefined;
  }

  get value(): number {
    return this.#hashOfLeft ?? this.#hash;
  }

  /** Rows come in their order. */
  add(row: HashRow): void {
    const { revision, compacted } = this.#scope;
    const lives = row.superseded > revision;
    if (lives) this.#hashOfLeft = undefined;
    const isOld = row.revision <= compacted;
    if (!isOld || lives) this.#hash = this.#addTo(this.#hash, row);
    if (this.#hashOfLeft === undefined) return;
    if (!isOld || row.superseded > compacted) this.#hashOfLeft = this.#addTo(this.#hashOfLeft, row);
  }

  #addTo(before: number, row: HashRow): number {
    let hash = crc32c(before, this.#begin(row));
    hash = crc32c(hash, row.key);
    if (row.isDeletion) return hash;
    hash = crc32c(hash, this.#middle(row));
    hash = crc32c(hash, row.value);
    return row.lease === 0n ? hash : crc32c(hash, this.#end(row.lease));
  }

  /** The row's key in etcd's database, and what comes before the key in its value. */
  #begin({ revision, sub, isDeletion, key }: HashRow): Uint8Array {
    const scratch = this.#scratch;
    let at = writeInt64(scratch, 0, revision);
    scratch[at++] = SEPARATOR;
    at = writeInt64(scratch, at, sub);
    if (isDeletion) scratch[at++] = TOMBSTONE;
    scratch[at++] = KeyValueTag.key;
    at = writeVarint(scratch, at, key.length);
    return scratch.subarray(0, at);
  }

  #middle({ revision, createRevision, version, value }: HashRow): Uint8Array {
    const scratch = this.#scratch;
    scratch[0] = KeyValueTag.createRevision;
    let at = writeVarint(scratch, 1, createRevision);
    scratch[at++] = KeyValueTag.modRevision;
    at = writeVarint(scratch, at, revision);
    scratch[at++] = KeyValueTag.version;
    at = writeVarint(scratch, at, version);
    if (value.length > 0) {
      scratch[at++] = KeyValueTag.value;
      at = writeVarint(scratch, at, value.length);
    }
    return scratch.subarray(0, at);
  }

  #end(lease: bigint): Uint8Array {
    const scratch = this.#scratch;
    scratch[0] = KeyValueTag.lease;
    let at = 1;
    let left = BigInt.asUintN(64, lease);
    for (; left >= 0x80n; left >>= 7n) scratch[at++] = Number(left & 0x7fn) | 0x80;
    scratch[at++] = Number(left);
    return scratch.subarray(0, at);
  }
}

/** Big-endian. Returns where the next byte goes. */
function writeInt64(target: Buffer, at: number, value: number): number {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  return target.writeUInt32BE(value % 2 ** 32, at + 4);
}

function writeVarint(target: Buffer, at: number, value: number): number {
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) target[at++] = (left % 0x80) | 0x80;
  target[at++] = left;
  return at;
}
