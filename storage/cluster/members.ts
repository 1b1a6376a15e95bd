/** etcd's Cluster service: who is in the cluster, and its changes, with etcd's checks before they are proposed. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isVoter,
  memberOf,
  type Configuration,
  type ConfigurationChange,
  type Member,
} from '../../raft/core/configuration.js';
import { RAFT_TIMES } from '../../raft/core/options.js';
import { ConsensusError, type Consensus, type ProposeOptions } from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import type { CallOptions } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { Counters } from '../metrics/counters.js';
import { errorOf } from '../server/failures.js';
import { requestTimeoutMs } from '../server/proposer.js';
import { QuestionKind, type Questions } from '../server/questions.js';
import { addedMemberId } from './bootstrap.js';
import { answerLearnerInSync, isLearnerInSync } from './learner-question.js';
import { mayAddVoter, mayLoseReachable, mayPromote, mayRemoveVoter } from './strict.js';
import { UrlError, checkedUrls } from './urls.js';

/** As in etcd, whose `--max-learners` is this when it is not given. */
const LEARNERS_MAX = 1;
/** Between two attempts while another change is under way, in milliseconds. */
const PENDING_PAUSE_MS = 50;

export interface MemberView extends Member {
  readonly isLearner: boolean;
}

export interface MembersOptions<R> {
  readonly consensus: Consensus<R>;
  /** Whether that other member answers now. Never rejects. */
  readonly isReachable: (member: Member) => Promise<boolean>;
  /** Where other members ask this one, which answers for the leader when it is that. */
  readonly questions: Pick<Questions, 'on'>;
  /** Milliseconds; etcd's default when absent. A call waits as long as one to the store. */
  readonly electionTimeoutMs?: number;
  /** Learners that may be there at once; 1 as in etcd when absent. */
  readonly learnersMax?: number;
  readonly counters?: Pick<Counters, 'learnerPromoted' | 'learnerPromotionFailed'>;
}

/** Every call rejects with EtcdError and nothing else. */
export class Members<R> {
  readonly #consensus: Consensus<R>;
  readonly #isReachable: MembersOptions<R>['isReachable'];
  readonly #requestTimeoutMs: number;
  readonly #learnersMax: number;
  readonly #counters: MembersOptions<R>['counters'];

  constructor(options: MembersOptions<R>) {
    const { consensus, isReachable, questions, electionTimeoutMs } = options;
    this.#learnersMax = options.learnersMax ?? LEARNERS_MAX;
    this.#counters = options.counters;
    this.#consensus = consensus;
    this.#isReachable = isReachable;
    this.#requestTimeoutMs = requestTimeoutMs(electionTimeoutMs ?? RAFT_TIMES.electionTimeoutMs);
    questions.on(QuestionKind.learnerInSync, answerLearnerInSync(consensus));
  }

  /** In the order of ids. Not linearizable: as this member knows it, also where there is no leader. */
  async list(
    request: { readonly linearizable?: boolean } = {},
    options?: CallOptions,
  ): Promise<MemberView[]> {
    if (request.linearizable !== false) await this.#confirm(this.#proposeOptions(options));
    return viewsOf(this.#consensus.configuration());
  }

  async add(
    request: { readonly peerUrls: readonly string[]; readonly isLearner?: boolean },
    options?: CallOptions,
  ): Promise<{ readonly member: MemberView; readonly members: MemberView[] }> {
    const peerUrls = urlsOf(request.peerUrls);
    const { isLearner = false } = request;
    const member = { id: addedMemberId(peerUrls), name: '', peerUrls, clientUrls: [] };
    const configuration = await this.#change(options, async (present) => {
      if (!isLearner && !mayAddVoter(present)) throw EtcdError.of('MemberNotEnoughStarted');
      if ((await this.#reachable(present)) < present.voters.length) throw EtcdError.of('Unhealthy');
      if (isLearner && present.learners.length >= this.#learnersMax) throw EtcdError.of('TooManyLearners');
      return { type: 'add', member, learner: isLearner };
    });
    return { member: { ...member, isLearner }, members: viewsOf(configuration) };
  }

  async remove(id: bigint, options?: CallOptions): Promise<MemberView[]> {
    const configuration = await this.#change(options, async (present) => {
      const member = existing(present, id);
      if (isVoter(present, id)) {
        if (!mayRemoveVoter(present, id)) throw EtcdError.of('MemberNotEnoughStarted');
        await this.#checkHealthWithout(present, member);
      }
      return { type: 'remove', id };
    });
    return viewsOf(configuration);
  }

  async promote(id: bigint, options?: CallOptions): Promise<MemberView[]> {
    try {
      const members = await this.#promote(id, options);
      this.#counters?.learnerPromoted();
      return members;
    } catch (error) {
      this.#counters?.learnerPromotionFailed(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  async #promote(id: bigint, options?: CallOptions): Promise<MemberView[]> {
    const configuration = await this.#change(options, async (present, deadline) => {
      existing(present, id);
      if (!present.learners.includes(id)) throw EtcdError.of('MemberNotLearner');
      await this.#checkInSync(id, deadline, options);
      if (!mayPromote(present)) throw EtcdError.of('MemberNotEnoughStarted');
      return { type: 'promote', id };
    });
    return viewsOf(configuration);
  }

  async update(id: bigint, urls: readonly string[], options?: CallOptions): Promise<MemberView[]> {
    const peerUrls = urlsOf(urls);
    const configuration = await this.#change(options, async (present) => {
      existing(present, id);
      return { type: 'update', id, peerUrls };
    });
    return viewsOf(configuration);
  }

  /** etcd's MoveLeader: only the leader takes it. */
  async moveLeader(to: bigint, options?: CallOptions): Promise<void> {
    const { leaderId, memberId } = this.#consensus.status();
    if (leaderId !== memberId) throw EtcdError.of('NotLeader');
    if (!this.#consensus.configuration().voters.includes(to)) throw EtcdError.of('BadLeaderTransferee');
    if (to === memberId) return;
    await translating(this.#consensus.transferLeadership(to, this.#proposeOptions(options)));
  }

  /**
   * Proposes what `plan` makes of the newest configuration, again while another change is under way, and gives the
   * configuration that came of it.
   */
  async #change(
    options: CallOptions | undefined,
    plan: (present: Configuration, deadline: number) => Promise<ConfigurationChange>,
  ): Promise<Configuration> {
    const proposal = this.#proposeOptions(options);
    for (;;) {
      await this.#confirm(proposal);
      const change = await plan(this.#consensus.configuration(), proposal.deadline);
      const outcome = await this.#consensus.changeConfiguration([change], proposal);
      if (outcome.type === 'applied') return outcome.result;
      if (outcome.reason !== 'change-pending') throw errorOf(outcome.reason, options);
      if (performance.now() + PENDING_PAUSE_MS > proposal.deadline) throw errorOf('deadline', options);
      await sleep(PENDING_PAUSE_MS);
    }
  }

  #proposeOptions(options: CallOptions | undefined): ProposeOptions {
    const deadline = performance.now() + (options?.timeout ?? this.#requestTimeoutMs);
    return options?.signal === undefined ? { deadline } : { deadline, signal: options.signal };
  }

  #confirm(options: ProposeOptions): Promise<void> {
    return translating(this.#consensus.readIndex(options));
  }

  async #checkInSync(id: bigint, deadline: number, options: CallOptions | undefined): Promise<void> {
    const timeoutMs = Math.max(0, deadline - performance.now());
    const signal = options?.signal;
    const ask = { timeoutMs, ...(signal && { signal }) };
    if (!(await translating(isLearnerInSync(this.#consensus, id, ask))))
      throw EtcdError.of('LearnerNotReady');
  }

  /** A voter that is down already takes nothing away from the present majority. */
  async #checkHealthWithout(present: Configuration, leaving: Member): Promise<void> {
    const { memberId } = this.#consensus.status();
    if (leaving.id !== memberId && !(await this.#isReachable(leaving))) return;
    if (!mayLoseReachable(present.voters.length, await this.#reachable(present)))
      throw EtcdError.of('Unhealthy');
  }

  /** How many voters answer, this member among them. */
  async #reachable(present: Configuration): Promise<number> {
    const { memberId } = this.#consensus.status();
    const voters = present.members.filter(({ id }) => present.voters.includes(id));
    const answers = await Promise.all(
      voters.map(async (voter) => voter.id === memberId || (await this.#isReachable(voter))),
    );
    return answers.filter(Boolean).length;
  }
}

function viewsOf(configuration: Configuration): MemberView[] {
  return configuration.members.map((member) => ({
    ...member,
    isLearner: configuration.learners.includes(member.id),
  }));
}

/** @throws EtcdError */
function existing(configuration: Configuration, id: bigint): Member {
  const member = memberOf(configuration, id);
  if (member === undefined) throw EtcdError.of('MemberNotFound');
  return member;
}

/** @throws EtcdError */
function urlsOf(urls: readonly string[]): string[] {
  try {
    return checkedUrls(urls);
  } catch (error) {
    if (error instanceof UrlError) throw EtcdError.of('MemberBadURLs');
    throw error;
  }
}

async function translating<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ConsensusError || error instanceof TransportError) throw errorOf(error.reason);
    throw error;
  }
}
