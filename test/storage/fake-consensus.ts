import { invariant } from '../../raft/invariant.js';
import type { LogEntry } from '../../raft/log/log.js';
import { decodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import {
  ConsensusError,
  type Consensus,
  type ConsensusStatus,
  type ProposalOutcome,
  type ProposeOptions,
  type RejectReason,
  type StateMachine,
  type UnknownReason,
} from '../../raft/node/consensus.js';
import { TransportError, type AskOptions } from '../../raft/transport/transport.js';

type Answer = (question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/** Consensus with itself, in memory, that a test can make fail. All that is proposed in one turn is one batch. */
export class FakeConsensus<R> implements Consensus<R> {
  /** Everything committed, in order. */
  readonly entries: LogEntry[] = [];
  term = 1;
  leading = true;
  isLearner = false;
  /** The present leader's answer, while this member does not lead. */
  answerAsLeader: Answer = () => Promise.reject(new ConsensusError('no-leader'));
  #answerHere: Answer = () => Promise.reject(new TransportError('refused', 'nobody answers'));
  /** The next proposals end so instead. */
  nextOutcome:
    | { type: 'rejected'; reason: RejectReason }
    | { type: 'unknown'; reason: UnknownReason }
    | undefined;
  /** Why reads cannot be confirmed. */
  readFailure: ConsensusError['reason'] | undefined;
  /** Of each proposal. */
  readonly proposed: ProposeOptions[] = [];
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

  propose(payload: Uint8Array, options: ProposeOptions): Promise<ProposalOutcome<R>> {
    const { deadline } = options;
    this.proposed.push(options);
    if (this.nextOutcome !== undefined) return Promise.resolve(this.nextOutcome);
    if (this.#queue.length === 0) void Promise.resolve().then(() => this.#apply());
    return new Promise((resolve) => this.#queue.push({ payload, deadline, resolve }));
  }

  readIndex(): Promise<void> {
    return this.readFailure === undefined
      ? Promise.resolve()
      : Promise.reject(new ConsensusError(this.readFailure));
  }

  status(): ConsensusStatus {
    const { index } = this.machine.applied;
    const leaderId = this.leading ? this.ids.memberId : 0n;
    const { term, isLearner } = this;
    return { ...this.ids, leaderId, term, committed: index, applied: index, isLearner };
  }

  onLeadershipChange(listener: (status: ConsensusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configuration(): Configuration {
    return decodeConfiguration(this.machine.configuration);
  }

  changeConfiguration(): Promise<ProposalOutcome<Configuration>> {
    return Promise.resolve({ type: 'rejected', reason: 'change-pending' });
  }

  matches(): ReadonlyMap<bigint, number> {
    return new Map();
  }

  transferLeadership(): Promise<void> {
    return Promise.reject(new ConsensusError('no-leader'));
  }

  askLeader(question: Uint8Array, { signal, timeoutMs }: AskOptions): Promise<Uint8Array> {
    const answer = this.leading ? this.#answerHere : this.answerAsLeader;
    return answer(question, signal ?? AbortSignal.timeout(timeoutMs));
  }

  /** What each other member answers. */
  readonly others = new Map<bigint, Answer>();

  ask(member: bigint, question: Uint8Array, { signal, timeoutMs }: AskOptions): Promise<Uint8Array> {
    const answer = this.others.get(member);
    if (answer === undefined) return Promise.reject(new TransportError('unreachable', 'nobody is there'));
    return answer(question, signal ?? AbortSignal.timeout(timeoutMs));
  }

  answerQuestions(answer: Answer): void {
    this.#answerHere = answer;
  }

  /** As another member would ask it. */
  answer(question: Uint8Array): Promise<Uint8Array> {
    return this.#answerHere(question, new AbortController().signal);
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
