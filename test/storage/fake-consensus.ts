import { invariant } from '../../raft/invariant.js';
import type { LogEntry } from '../../raft/log/log.js';
import type {
  Consensus,
  ConsensusStatus,
  ProposalOutcome,
  ProposeOptions,
  RejectReason,
  StateMachine,
  UnknownReason,
} from '../../raft/node/consensus.js';

/** Consensus with itself, in memory, that a test can make fail. All that is proposed in one turn is one batch. */
export class FakeConsensus<R> implements Consensus<R> {
  /** Everything committed, in order. */
  readonly entries: LogEntry[] = [];
  term = 1;
  leading = true;
  /** The next proposals end so instead. */
  nextOutcome:
    | { type: 'rejected'; reason: RejectReason }
    | { type: 'unknown'; reason: UnknownReason }
    | undefined;
  /** Commands are accepted but not applied until `release`. */
  #held: (() => void) | undefined;
  #hold = Promise.resolve();
  readonly #queue: {
    payload: Uint8Array;
    deadline: number;
    resolve: (outcome: ProposalOutcome<R>) => void;
  }[] = [];
  readonly #listeners = new Set<(status: ConsensusStatus) => void>();

  constructor(
    private readonly machine: StateMachine<R>,
    private readonly ids = { clusterId: 1n, memberId: 1n },
  ) {}

  propose(payload: Uint8Array, { deadline }: ProposeOptions): Promise<ProposalOutcome<R>> {
    if (this.nextOutcome !== undefined) return Promise.resolve(this.nextOutcome);
    if (this.#queue.length === 0) void Promise.resolve().then(() => this.#apply());
    return new Promise((resolve) => this.#queue.push({ payload, deadline, resolve }));
  }

  readIndex(): Promise<void> {
    return Promise.resolve();
  }

  status(): ConsensusStatus {
    const { index } = this.machine.applied;
    const leaderId = this.leading ? this.ids.memberId : 0n;
    return { ...this.ids, leaderId, term: this.term, committed: index, applied: index };
  }

  onLeadershipChange(listener: (status: ConsensusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lead(term: number, leading = true): void {
    this.term = term;
    this.leading = leading;
    for (const listener of this.#listeners) listener(this.status());
  }

  hold(): void {
    this.#hold = new Promise((resolve) => {
      this.#held = resolve;
    });
  }

  release(): void {
    this.#held?.();
  }

  /** Callers with a deadline wait no longer; what they proposed is applied all the same. */
  passDeadlines(): void {
    for (const { deadline, resolve } of this.#queue) {
      if (deadline < Infinity) resolve({ type: 'unknown', reason: 'deadline' });
    }
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async #apply(): Promise<void> {
    await this.#hold;
    await this.machine.ready();
    const batch = this.#queue.splice(0);
    const first = this.machine.applied.index + 1;
    const entries = batch.map(({ payload }, position): LogEntry => {
      const index = first + position;
      const requestId = { session: this.ids.memberId, counter: index };
      return { format: 1, index, term: this.term, type: 'normal', requestId, payload };
    });
    this.entries.push(...entries);
    const results = this.machine.apply(entries);
    invariant(results.length === batch.length, 'a result for each entry');
    batch.forEach(({ resolve }, position) => {
      const entry = entries[position] as LogEntry;
      resolve({ type: 'applied', result: results[position] as R, index: entry.index, term: entry.term });
    });
  }
}
