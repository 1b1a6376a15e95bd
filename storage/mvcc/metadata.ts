import type Database from 'better-sqlite3';
import { decodeConfiguration } from '../../raft/core/configuration.js';
import { asBuffer } from '../bytes.js';
import { DataDirCorruptError } from './errors.js';

/** What the database knows of itself, changed in the same transaction as what it describes. */
export interface Metadata {
  /** 64 bits, unsigned. */
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Encoded (raft/core/configuration.ts), as of the last configuration entry applied. */
  readonly configuration: Uint8Array;
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** 1 when nothing was ever written. */
  readonly revision: number;
  /** The newest row's number in `history`, also when that row was removed since. */
  readonly lastSequence: number;
  /** Revisions below are not readable. −1 when nothing was ever compacted, as in etcd, where 0 can then be. */
  readonly compacted: number;
  /** Rows that compaction leaves behind are gone for all revisions below. Invariant: removed ≤ compacted. */
  readonly removed: number;
  /** The state at (appliedIndex, appliedTerm) came from a snapshot, so the log may lack that entry. */
  readonly installedSnapshot: boolean;
}

/** What a new store must be told of itself. */
export type Identity = Pick<Metadata, 'clusterId' | 'memberId' | 'configuration'>;

interface MetadataRow {
  readonly cluster_id: bigint;
  readonly member_id: bigint;
  readonly membership: string;
  readonly applied_index: bigint;
  readonly applied_term: bigint;
  readonly revision: bigint;
  readonly last_sequence: bigint;
  readonly compacted: bigint;
  readonly removed: bigint;
  readonly installed_snapshot: bigint;
}

/** Metadata of an empty store. */
export function newMetadata(identity: Identity): Metadata {
  return {
    ...identity,
    appliedIndex: 0,
    appliedTerm: 0,
    revision: 1,
    lastSequence: 0,
    compacted: -1,
    removed: -1,
    installedSnapshot: false,
  };
}

export function insertMetadata(db: Database.Database, metadata: Metadata): void {
  db.prepare(
    `INSERT INTO metadata (id, cluster_id, member_id, membership, applied_index, applied_term, revision,
       last_sequence, compacted, removed, installed_snapshot) VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    BigInt.asIntN(64, metadata.clusterId),
    BigInt.asIntN(64, metadata.memberId),
    textOf(metadata.configuration),
    metadata.appliedIndex,
    metadata.appliedTerm,
    metadata.revision,
    metadata.lastSequence,
    metadata.compacted,
    metadata.removed,
    metadata.installedSnapshot ? 1 : 0,
  );
}

/** @throws DataDirCorruptError */
export function readMetadata(db: Database.Database): Metadata {
  const row = db.prepare('SELECT * FROM metadata').safeIntegers().get() as MetadataRow | undefined;
  if (row === undefined) throw new DataDirCorruptError(db.name, 'the database is corrupt (no metadata)');
  const metadata: Metadata = {
    clusterId: BigInt.asUintN(64, row.cluster_id),
    memberId: BigInt.asUintN(64, row.member_id),
    configuration: Buffer.from(row.membership),
    appliedIndex: Number(row.applied_index),
    appliedTerm: Number(row.applied_term),
    revision: Number(row.revision),
    lastSequence: Number(row.last_sequence),
    compacted: Number(row.compacted),
    removed: Number(row.removed),
    installedSnapshot: row.installed_snapshot !== 0n,
  };
  verify(metadata, db.name);
  return metadata;
}

/** A configuration as the column keeps it: it is JSON. */
export function textOf(configuration: Uint8Array): string {
  return asBuffer(configuration).toString();
}

function verify(metadata: Metadata, path: string): void {
  const { revision, compacted, removed, lastSequence, appliedIndex, appliedTerm } = metadata;
  const sound =
    [revision, compacted, removed, lastSequence, appliedIndex, appliedTerm].every(Number.isSafeInteger) &&
    revision >= 1 &&
    lastSequence >= 0 &&
    appliedIndex >= 0 &&
    appliedTerm >= 0 &&
    compacted <= revision &&
    removed <= compacted;
  if (!sound) throw new DataDirCorruptError(path, 'the database is corrupt (metadata that cannot be)');
  try {
    decodeConfiguration(metadata.configuration);
  } catch (error) {
    throw new DataDirCorruptError(path, 'the database is corrupt (membership)', { cause: error });
  }
}
