/** How much history is kept, from etcd's two flags of it. */
import { InvalidArgumentError } from 'commander';
import { duration } from './etcd/values.js';
import { UsageError } from './startup-error.js';

export type AutoCompactionMode = 'periodic' | 'revision';

export type AutoCompaction =
  | { readonly mode: 'periodic'; readonly retentionMs: number }
  | { readonly mode: 'revision'; readonly retention: number };

const HOUR_MS = 3_600_000;

/** A bare number counts hours or revisions. Undefined: everything is kept. Throws UsageError. */
export function autoCompactionOf(mode: AutoCompactionMode, retention: string): AutoCompaction | undefined {
  const count = /^\d{1,15}$/.test(retention) ? Number(retention) : undefined;
  if (mode === 'revision') {
    if (count === undefined) {
      throw new UsageError(
        `--auto-compaction-retention ${JSON.stringify(retention)} is invalid. It must be a count of revisions.`,
      );
    }
    return count === 0 ? undefined : { mode, retention: count };
  }
  const retentionMs = count === undefined ? durationOf(retention) : count * HOUR_MS;
  return retentionMs === 0 ? undefined : { mode, retentionMs };
}

function durationOf(retention: string): number {
  let ms: number;
  try {
    ms = duration(retention);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`error parsing --auto-compaction-retention: ${error.message}`);
  }
  if (ms < 0) throw new UsageError('--auto-compaction-retention must not be negative');
  return ms;
}
