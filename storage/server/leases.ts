import { setTimeout as pause } from 'node:timers/promises';
import { ConsensusError, type Consensus } from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import type {
  CallOptions,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
  ResponseHeader,
} from '../client/interface.js';
import type { Lessor } from '../lease/lessor.js';
import { costOfGrant, type Quota } from '../maintenance/quota.js';
import type { LeaseTable } from '../mvcc/leases.js';
import {
  decodeLeaseAnswer,
  decodeLeaseQuestion,
  encodeLeaseAnswer,
  encodeLeaseQuestion,
  type LeaseAnswer,
  type LeaseQuestion,
} from './lease-question.js';
import { errorOf } from './failures.js';
import type { Proposer } from './proposer.js';
import { QuestionKind, questionOf, type Questions } from './questions.js';

/** Between two tries to reach a leader. */
const RETRY_MS = 50;

export interface LeaseServerOptions {
  readonly proposer: Proposer;
  readonly consensus: Pick<Consensus<unknown>, 'askLeader'>;
  readonly lessor: Lessor;
  readonly state: { readonly store: { readonly leases: LeaseTable } };
  readonly header: () => ResponseHeader;
  readonly isLeader: () => boolean;
  /** False once the store is closed. */
  readonly isOpen: () => boolean;
  readonly quota: Pick<Quota, 'hasRoomFor' | 'exceeded'>;
  /** 63 random bits, not 0: the id of a lease whose client leaves the choice to the store. */
  readonly randomId: () => bigint;
}

/** etcd's Lease service, through any member. Ids are 64-bit signed integers. */
export class LeaseServer {
  readonly #options: LeaseServerOptions;

  constructor(options: LeaseServerOptions) {
    this.#options = options;
  }

  /** Answers what other members ask of the leader. */
  answerQuestions(questions: Questions): void {
    questions.on(QuestionKind.lease, async (body, signal) =>
      encodeLeaseAnswer(await this.#answer(decodeLeaseQuestion(body), { signal })),
    );
  }

  async grant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse> {
    const asked = BigInt.asIntN(64, request.id ?? 0n);
    const id = asked === 0n ? this.#options.randomId() : asked;
    const { proposer, quota } = this.#options;
    if (!quota.hasRoomFor(costOfGrant())) throw await quota.exceeded(options);
    return proposer.propose({ type: 'lease-grant', id, ttl: request.ttl }, options);
  }

  async revoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse> {
    return this.#options.proposer.propose(
      { type: 'lease-revoke', id: BigInt.asIntN(64, id), term: 0 },
      options,
    );
  }

  /** Goes through no log: only the leader knows when leases end, once it is certain that it still leads. */
  async keepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    await this.#requireUser(options);
    const answer = await this.#ask({ type: 'renew', id: BigInt.asIntN(64, id) }, options);
    const ttl = answer.type === 'times' ? answer.granted : 0;
    return { header: this.#options.header(), id, ttl };
  }

  async timeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse> {
    await this.#requireUser(options);
    const id = BigInt.asIntN(64, request.id);
    const answer = await this.#ask({ type: 'read', id }, options);
    const isKnown = answer.type === 'times';
    const keys = isKnown && request.keys === true ? await this.#keys(id, options) : [];
    const header = this.#options.header();
    if (!isKnown) return { header, id, ttl: -1, grantedTtl: 0, keys };
    return { header, id, ttl: answer.remaining, grantedTtl: answer.granted, keys };
  }

  async leases(options?: CallOptions): Promise<LeaseLeasesResponse> {
    await this.#options.proposer.confirmRead(options);
    await this.#requireUser(options);
    return { header: this.#options.header(), leases: this.#options.lessor.ids() };
  }

  /** Every member has them: only times are the leader's own, so that no answer of its grows with the keys. */
  async #keys(id: bigint, options: CallOptions | undefined): Promise<readonly Uint8Array[]> {
    const { proposer, state, isLeader } = this.#options;
    if (!isLeader()) await proposer.confirmRead(options);
    const { guard } = proposer;
    if (guard === undefined) return state.store.leases.keys(id);
    const caller = await guard.identify(options);
    const keys = state.store.leases.keys(id);
    const denied = guard.checkReadAll(caller, keys);
    if (denied !== undefined) throw denied;
    return keys;
  }

  async #requireUser(options: CallOptions | undefined): Promise<void> {
    await this.#options.proposer.guard?.requireUser(options);
  }

  /** Asks whoever leads until the caller's time is over: a new leader may come within it, as in etcd. */
  async #ask(question: LeaseQuestion, options?: CallOptions): Promise<LeaseAnswer> {
    const { proposer } = this.#options;
    const deadline = proposer.deadline(options);
    for (;;) {
      if (!this.#options.isOpen()) throw errorOf('stopped', options);
      const answer = this.#options.isLeader()
        ? await this.#answer(question, options)
        : await this.#askLeader(question, deadline, options);
      if (answer.type !== 'not-leader') return answer;
      if (performance.now() + RETRY_MS >= deadline) throw proposer.unanswered(options);
      await proposer.within(pause(RETRY_MS), options);
    }
  }

  /** `not-leader`: whoever was asked did not answer; a question may be asked twice, it changes nothing that matters. */
  async #askLeader(question: LeaseQuestion, deadline: number, options?: CallOptions): Promise<LeaseAnswer> {
    const { consensus } = this.#options;
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    const signal = options?.signal;
    try {
      const bytes = questionOf(QuestionKind.lease, encodeLeaseQuestion(question));
      return decodeLeaseAnswer(
        await consensus.askLeader(bytes, signal ? { timeoutMs, signal } : { timeoutMs }),
      );
    } catch (error) {
      if (!(error instanceof TransportError || error instanceof ConsensusError)) throw error;
      const { reason } = error;
      if (reason === 'unreachable' || reason === 'refused' || reason === 'no-leader')
        return { type: 'not-leader' };
      throw errorOf(reason, options);
    }
  }

  /** Answers as the leader, or says that this member cannot. */
  async #answer({ type, id }: LeaseQuestion, options?: CallOptions): Promise<LeaseAnswer> {
    const { proposer, lessor, isLeader } = this.#options;
    for (;;) {
      await proposer.confirmRead(options);
      if (!isLeader()) return { type: 'not-leader' };
      const revoking = type === 'renew' ? lessor.revoking(id) : undefined;
      if (revoking === undefined) break;
      // It may survive. Who leads then is another question.
      await proposer.within(revoking, options);
    }
    if (type === 'renew') lessor.renew(id);
    const times = lessor.timeToLive(id);
    return times === undefined ? { type: 'unknown-lease' } : { type: 'times', ...times };
  }
}
