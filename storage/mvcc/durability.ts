import type { LogPosition } from '../../raft/node/consensus.js';

/** Holds the next apply back, and knows what a power cut cannot take (checkpoint.ts). */
export interface Durability {
  readonly position: LogPosition;
  /** Called after each commit, with the payload bytes that it carried. */
  committed(bytes: number): void;
  /** Defined while applies must wait. */
  readonly hold: Promise<void> | undefined;
  onDurable(listener: (position: LogPosition) => void): () => void;
  /** Long reads that are under way. */
  readonly readers: number;
  /** Called before a long read of the database by another connection; what it returns, after it. */
  reading(): () => void;
}

/** Commits after which is told how far they have come. */
const TELL_EVERY_COMMITS = 64;

/** What is in memory is as durable as it gets: who cuts the log by it must be told all the same. */
export function inMemory(applied: () => LogPosition): Durability {
  const listeners = new Set<(position: LogPosition) => void>();
  let commits = 0;
  return {
    get position() {
      return applied();
    },
    committed() {
      commits += 1;
      if (commits % TELL_EVERY_COMMITS > 0) return;
      for (const listener of listeners) listener(applied());
    },
    hold: undefined,
    readers: 0,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reading: () => () => undefined,
  };
}
