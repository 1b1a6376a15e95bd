/** What `wherry cluster` is told. */
import type { LogLevel } from '../flags.js';
import type { ServiceAccountFlags } from '../service-account-flags.js';
import type { ServiceFlags } from '../service-flags.js';
import type { UpkeepFlags } from '../upkeep-flags.js';

/** Undefined: as the data directory has it, and where that is new the usual. */
export interface PlaceOptions {
  readonly size?: number;
  /** Of the first member, the next one above of the second, and so on; 0: off. */
  readonly port?: number;
  readonly securePort?: number;
  readonly peerPort?: number;
  readonly clientPort?: number;
}

/** Passed on to every member as they are. */
export interface SharedOptions extends UpkeepFlags, ServiceAccountFlags, ServiceFlags {
  readonly controllers: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
  readonly etcdCompactionInterval: number;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  readonly heartbeatInterval: number;
  readonly electionTimeout: number;
  readonly snapshotCount: number;
  readonly logLevel: LogLevel;
}

export interface ClusterOptions extends PlaceOptions, SharedOptions {
  readonly dataDir: string;
}
