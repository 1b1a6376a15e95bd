/** etcd's flags that keep a store well: its quota, compaction by itself, and checks that the members agree. */
import { InvalidArgumentError } from 'commander';
import type { AutoCompaction } from '../storage/maintenance/auto-compaction.js';
import type { StoreOptions } from '../storage/open.js';
import { duration } from './etcd/values.js';
import { UsageError } from './startup-error.js';

export type AutoCompactionMode = AutoCompaction['mode'];

/** As the command line gives them. */
export interface UpkeepFlags {
  /** Bytes; 0: 2 GiB, negative: none. */
  readonly quotaBackendBytes: number;
  readonly autoCompactionMode: AutoCompactionMode;
  /** A duration, or a number: of hours, or of revisions. */
  readonly autoCompactionRetention: string;
  /** Milliseconds; 0: never. */
  readonly corruptCheckTime: number;
  /** Milliseconds. */
  readonly compactHashCheckTime: number;
  /** By etcd's names. */
  readonly featureGates: ReadonlyMap<string, boolean>;
}

const HOUR_MS = 3_600_000;

/** Milliseconds, or a count of revisions; 0: everything is kept. Throws UsageError. */
export function autoCompactionOf({
  autoCompactionMode: mode,
  autoCompactionRetention: given,
}: Pick<UpkeepFlags, 'autoCompactionMode' | 'autoCompactionRetention'>): AutoCompaction {
  if (/^\d{1,15}$/.test(given)) {
    return { mode, retention: mode === 'periodic' ? Number(given) * HOUR_MS : Number(given) };
  }
  const retention = mode === 'periodic' ? durationOf(given) : -1;
  if (retention >= 0) return { mode, retention };
  throw new UsageError(`--auto-compaction-retention ${given} is none for --auto-compaction-mode ${mode}`);
}

/** −1: it is none. */
function durationOf(text: string): number {
  try {
    return duration(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return -1;
    throw error;
  }
}

/** The flags as one would write them, for a command line. */
export function upkeepArguments(flags: UpkeepFlags): Readonly<Record<string, string | number>> {
  return {
    'quota-backend-bytes': flags.quotaBackendBytes,
    'auto-compaction-mode': flags.autoCompactionMode,
    'auto-compaction-retention': flags.autoCompactionRetention,
    'corrupt-check-time': `${flags.corruptCheckTime}ms`,
    'compact-hash-check-time': `${flags.compactHashCheckTime}ms`,
    'feature-gates': [...flags.featureGates].map(([name, on]) => `${name}=${on}`).join(','),
  };
}

/**
 * As the store takes them. etcd compares members after compactions only if CompactHashCheck says so; here it is on unless
 * that says no, because it costs little and nothing else tells that a member has gone astray.
 */
export function upkeepOf(flags: UpkeepFlags): UpkeepStoreOptions {
  const checksCompactions = flags.featureGates.get('CompactHashCheck') !== false;
  return {
    quotaBackendBytes: flags.quotaBackendBytes,
    autoCompaction: autoCompactionOf(flags),
    corruptCheckMs: flags.corruptCheckTime,
    compactHashCheckMs: checksCompactions ? flags.compactHashCheckTime : 0,
    initialCorruptCheck: flags.featureGates.get('InitialCorruptCheck') === true,
  };
}

export type UpkeepStoreOptions = Pick<
  StoreOptions,
  'quotaBackendBytes' | 'autoCompaction' | 'corruptCheckMs' | 'compactHashCheckMs' | 'initialCorruptCheck'
>;
