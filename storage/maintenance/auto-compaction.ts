import type { Clock } from '../clock.js';

/** How much history to keep. */
export interface AutoCompaction {
  readonly mode: 'periodic' | 'revision';
  /** Milliseconds of it, or revisions; 0: all. */
  readonly retention: number;
}

/** etcd looks at the revision every five minutes. */
const REVISION_INTERVAL_MS = 5 * 60_000;
/** A longer retention is compacted every hour, a shorter one each time it is over. */
const PERIODIC_INTERVAL_MS_MAX = 60 * 60_000;
/** Revisions are noted ten times an interval, which is also when a compaction that failed is tried again. */
const NOTES_PER_INTERVAL = 10;

export interface AutoCompactorOptions {
  /** Absent: everything is kept. */
  readonly keep: AutoCompaction | undefined;
  readonly clock: Clock;
  readonly isLeader: () => boolean;
  readonly revision: () => number;
  /** Resolves true when the revision is compacted, by this or by another. Never rejects. */
  readonly compact: (revision: number) => Promise<boolean>;
}

/** etcd's two ways of compacting by itself, on the leader only. Returns a function that ends it. */
export function compactByItself(options: AutoCompactorOptions): () => void {
  const { keep, clock, compact } = options;
  if (keep === undefined || keep.retention === 0) return () => undefined;
  const { everyMs, due, compacted } =
    keep.mode === 'revision' ? byRevision(options, keep.retention) : byTime(options, keep.retention);
  let done = 0;
  const tryCompact = async (revision: number) => {
    if (revision <= done || !(await compact(revision))) return;
    done = Math.max(done, revision);
    compacted();
  };
  let cancel: () => void;
  const wait = () => {
    cancel = clock.after(everyMs, () => {
      wait();
      void tryCompact(due());
    });
  };
  wait();
  return () => cancel();
}

interface Schedule {
  readonly everyMs: number;
  /** Called so often; the revision to compact, 0 for none. */
  readonly due: () => number;
  /** Told when that was done; else it is due again the next time. */
  readonly compacted: () => void;
}

function byRevision({ isLeader, revision }: AutoCompactorOptions, retention: number): Schedule {
  const due = () => (isLeader() ? Math.max(0, revision() - retention) : 0);
  return { everyMs: REVISION_INTERVAL_MS, due, compacted: () => undefined };
}

/** Keeps the revisions of the last retention, and compacts the oldest of them once an interval. */
function byTime({ clock, isLeader, revision }: AutoCompactorOptions, retentionMs: number): Schedule {
  const intervalMs = Math.min(retentionMs, PERIODIC_INTERVAL_MS_MAX);
  const everyMs = Math.max(1, intervalMs / NOTES_PER_INTERVAL);
  const notesMax = Math.round(retentionMs / everyMs);
  const notes: number[] = [revision()];
  let begun = clock.now();
  const due = () => {
    notes.push(revision());
    if (notes.length > notesMax + 1) notes.shift();
    const [oldest = 0] = notes;
    if (notes.length <= notesMax || clock.now() - begun < intervalMs || !isLeader()) return 0;
    return oldest;
  };
  return { everyMs, due, compacted: () => (begun = clock.now()) };
}
