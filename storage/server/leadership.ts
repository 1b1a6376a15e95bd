import type { Consensus } from '../../raft/node/consensus.js';
import type { Clock } from '../clock.js';
import type { Leadership } from './api.js';

/** As in etcd: so many election time-outs without a leader are not an election any more. */
const LOST_ELECTION_TIMEOUTS = 3;

export interface LeadershipMonitorOptions {
  readonly consensus: Pick<Consensus<unknown>, 'status' | 'onLeadershipChange'>;
  readonly clock: Clock;
  readonly electionTimeoutMs: number;
}

/** Tells when this member's leader is gone for good. */
export class LeadershipMonitor implements Leadership {
  readonly #options: LeadershipMonitorOptions;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LeadershipMonitorOptions) {
    this.#options = options;
    this.#unsubscribe = options.consensus.onLeadershipChange(() => this.#follow());
    this.#follow();
  }

  hasLeader(): boolean {
    return this.#options.consensus.status().leaderId !== 0n;
  }

  isLearner(): boolean {
    return this.#options.consensus.status().isLearner;
  }

  onLost(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
    this.#cancelTimer?.();
  }

  #follow(): void {
    if (this.hasLeader()) {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      return;
    }
    const { clock, electionTimeoutMs } = this.#options;
    this.#cancelTimer ??= clock.after(LOST_ELECTION_TIMEOUTS * electionTimeoutMs, () => {
      this.#cancelTimer = undefined;
      for (const listener of this.#listeners) listener();
    });
  }
}
