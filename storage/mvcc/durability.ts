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

/** What is in memory is as durable as it gets. */
export function inMemory(applied: () => LogPosition): Durability {
  return {
    get position() {
      return applied();
    },
    committed: () => undefined,
    hold: undefined,
    readers: 0,
    onDurable: () => () => undefined,
    reading: () => () => undefined,
  };
}
