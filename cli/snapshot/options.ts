import type { InitialMember } from '../../storage/cluster/bootstrap.js';
import type { ClientFlags } from '../client-flags.js';

export interface SaveOptions extends Partial<ClientFlags> {
  readonly file: string;
  /** In place of a server: the directory of one that does not run. */
  readonly dataDir?: string;
}

export type StatusFormat = 'simple' | 'table' | 'json';
export interface StatusOptions {
  readonly file: string;
  /** Absent: a table on a terminal, else simple. */
  readonly writeOut?: StatusFormat;
}

export interface RestoreOptions {
  readonly file: string;
  readonly dataDir: string;
  readonly name: string;
  readonly initialCluster?: readonly InitialMember[];
  readonly initialClusterToken: string;
  readonly initialAdvertisePeerUrls?: readonly string[];
  readonly bumpRevision: number;
  /** Absent: with a bump. */
  readonly markCompacted?: boolean;
  readonly skipHashCheck: boolean;
}

export interface SnapshotPrograms {
  readonly save: (options: SaveOptions) => Promise<void>;
  readonly status: (options: StatusOptions) => Promise<void>;
  readonly restore: (options: RestoreOptions) => Promise<void>;
}
