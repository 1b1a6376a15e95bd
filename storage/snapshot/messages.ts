import type { SnapshotHeader } from '../../raft/transport/transport.js';
import type { Expected } from './adopt.js';

/** What a thread is started for (worker.ts); it ends when it is done. */
export type SnapshotTask =
  /** Copies the live database `from` into the new file `to`. */
  | { readonly type: 'copy'; readonly from: string; readonly to: string }
  /** Verifies the database that another member sent, makes it this member's, and syncs it and its folder. */
  | { readonly type: 'adopt'; readonly path: string; readonly expected: Expected };

export interface CopyOutcome extends SnapshotHeader {
  /** Bytes of the copy. */
  readonly size: number;
}

/** `refused` is the sender's fault, `failed` is ours. */
export type SnapshotOutcome =
  | ({ readonly type: 'copied' } & CopyOutcome)
  | { readonly type: 'adopted' }
  | { readonly type: 'refused' | 'failed'; readonly message: string };
