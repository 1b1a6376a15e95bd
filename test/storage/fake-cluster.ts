/** Consensus as those see it who manage the cluster: a configuration that is changed at once, and a leader. */
import {
  applyChanges,
  type Configuration,
  type ConfigurationChange,
  initialConfiguration,
  leaveJoint,
  type Member,
} from '../../raft/core/configuration.js';
import {
  type Consensus,
  ConsensusError,
  type ConsensusStatus,
  type ProposalOutcome,
  type RejectReason,
} from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import { Questions } from '../../storage/server/questions.js';

export const memberAt = (id: bigint, name: string): Member => ({
  id,
  name,
  peerUrls: [`http://127.0.0.1:${2000 + Number(id)}`],
  clientUrls: name === '' ? [] : [`http://127.0.0.1:${1000 + Number(id)}`],
});

export class FakeCluster {
  present: Configuration;
  leaderId: bigint;
  readonly questions = new Questions();
  /** Every change that was made. */
  readonly changes: ConfigurationChange[] = [];
  readonly transfers: bigint[] = [];
  /** The next proposals end so instead, one after the other. */
  readonly refusals: RejectReason[] = [];
  readonly matches = new Map<bigint, number>();
  readonly unreachable = new Set<bigint>();
  readonly #listeners = new Set<(status: ConsensusStatus) => void>();

  constructor(
    members: readonly Member[],
    readonly memberId = 1n,
  ) {
    this.present = initialConfiguration(members);
    this.leaderId = memberId;
  }

  readonly isReachable = async ({ id }: Member): Promise<boolean> => !this.unreachable.has(id);

  lead(leaderId: bigint): void {
    this.leaderId = leaderId;
    for (const listener of this.#listeners) listener(this.#status());
  }

  #status(): ConsensusStatus {
    const { memberId, leaderId } = this;
    return { clusterId: 7n, memberId, leaderId, term: 1, committed: 100, applied: 100, isLearner: false };
  }

  get consensus(): Consensus<unknown> {
    const unused = (): never => {
      throw new Error('not of this test');
    };
    return {
      status: () => this.#status(),
      configuration: () => this.present,
      readIndex: async () => {
        if (this.leaderId === 0n) throw new ConsensusError('no-leader');
      },
      changeConfiguration: async (changes) => this.#change(changes),
      matches: () => (this.leaderId === this.memberId ? this.matches : new Map()),
      transferLeadership: async (to) => void this.transfers.push(to),
      askLeader: (question, { signal }) => {
        if (this.leaderId === 0n) return Promise.reject(new ConsensusError('no-leader'));
        if (this.unreachable.has(this.leaderId)) {
          return Promise.reject(new TransportError('unreachable', 'the leader does not answer'));
        }
        return this.questions.answer(question, signal ?? new AbortController().signal);
      },
      onLeadershipChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      ask: unused,
      propose: unused,
      answerQuestions: unused,
      stop: unused,
    };
  }

  #change(changes: readonly ConfigurationChange[]): ProposalOutcome<Configuration> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return { type: 'rejected', reason: refusal };
    if (this.leaderId === 0n) return { type: 'rejected', reason: 'no-leader' };
    const next = applyChanges(this.present, changes);
    if (typeof next === 'string') return { type: 'rejected', reason: next };
    this.present = next.outgoing.length > 0 ? leaveJoint(next) : next;
    this.changes.push(...changes);
    return { type: 'applied', result: this.present, index: 1, term: 1 };
  }
}
