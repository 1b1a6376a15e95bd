import type Database from 'better-sqlite3';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import type { Generation } from '../mvcc/generation.js';

/** Who takes a snapshot in: its cluster id must be the same, its member id is put into the database. */
export interface Owner {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

export interface CopyOptions {
  /** A follower takes a copy of a moment ago, because the log has what follows; a backup does not. */
  readonly newest?: boolean;
}

/** Copies the live database for other members, and takes theirs in: in a folder (folder.ts) or in memory (memory.ts). */
export interface SnapshotStore {
  /**
   * A consistent copy, as of the call or a little later; with `newest` never of before the call. The generation may be
   * replaced meanwhile.
   */
  copy(generation: Generation, options?: CopyOptions): Promise<OutgoingSnapshot>;
  /** Rejects with SnapshotError, and leaves nothing behind, if it is not whole or not what its header says. */
  stage(incoming: IncomingSnapshot, owner: Owner): Promise<StagedDatabase>;
  /** Takes no more. Resolves when nothing reads the live database any more and the copies are removed. */
  close(): Promise<void>;
}

/** Another member's copy, verified, durable beside the live database, and now this member's. */
export interface StagedDatabase {
  /** The live one stays what it is. */
  open(): Database.Database;
  /** A restart opens it from here on. Durable when it returns. */
  makeLive(): void;
  /** Removes the database that was live before, once it is closed. */
  removeOld(): Promise<void>;
  /** In place of all of that. */
  discard(): Promise<void>;
}

export type SnapshotErrorReason =
  /** More or fewer bytes than announced, or the sender failed. */
  | 'incomplete'
  /** Not a database of this cluster in the state that its header says. */
  | 'unfit'
  /** Something on this member: the disk, or it is closing. */
  | 'failed';

/** Why a snapshot was not made or not taken in; the live state is untouched. */
export class SnapshotError extends Error {
  override name = 'SnapshotError';
  constructor(
    readonly reason: SnapshotErrorReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
