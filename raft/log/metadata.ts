import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { LogError } from './errors.js';
import type { HardState } from './log.js';

/** What the log knows beside its entries: one row, written in the transaction that it belongs to. */
export interface LogMetadata extends HardState {
  readonly firstIndex: number;
  /** Term of entry firstIndex - 1. */
  readonly baseTerm: number;
}

/** Version of the log as a whole: of the row below, the entries' bodies, and what they mean together. */
const FORMAT = 1n;

/** As SQLite gives it: integers are bigint, for a vote is any 64 bits. */
interface MetadataRow {
  readonly format: bigint;
  readonly term: bigint;
  readonly vote: bigint;
  readonly committed: bigint;
  readonly first_index: bigint;
  readonly base_term: bigint;
  readonly checksum: bigint;
}

export function emptyMetadata(): LogMetadata {
  return { term: 0, vote: 0n, commit: 0, firstIndex: 1, baseTerm: 0 };
}

export function writeMetadata(db: Database.Database, metadata: LogMetadata): void {
  const row = {
    format: FORMAT,
    term: BigInt(metadata.term),
    vote: BigInt.asIntN(64, metadata.vote),
    committed: BigInt(metadata.commit),
    first_index: BigInt(metadata.firstIndex),
    base_term: BigInt(metadata.baseTerm),
  };
  db.prepare(
    `INSERT OR REPLACE INTO metadata (id, format, term, vote, committed, first_index, base_term, checksum)
     VALUES (0, @format, @term, @vote, @committed, @first_index, @base_term, @checksum)`,
  ).run({ ...row, checksum: BigInt(checksum(row)) });
}

/** @throws LogError if the row is missing, damaged, or of a later format */
export function readMetadata(db: Database.Database, path: string): LogMetadata {
  const row = db.prepare('SELECT * FROM metadata').safeIntegers(true).get() as MetadataRow | undefined;
  if (row === undefined) throw new LogError('corrupt', path, 'its metadata is missing');
  if (BigInt(checksum(row)) !== row.checksum) {
    throw new LogError('corrupt', path, 'the checksum of its metadata does not match');
  }
  if (row.format !== FORMAT) throw new LogError('incompatible', path, `its format is ${row.format}`);
  return {
    term: Number(row.term),
    vote: BigInt.asUintN(64, row.vote),
    commit: Number(row.committed),
    firstIndex: Number(row.first_index),
    baseTerm: Number(row.base_term),
  };
}

function checksum(row: Omit<MetadataRow, 'checksum'>): number {
  return crc32([row.format, row.term, row.vote, row.committed, row.first_index, row.base_term].join(' '));
}
