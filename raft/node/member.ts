import { systemClock, type Clock } from '../clock.js';
import {
  decodeConfiguration,
  encodeChanges,
  isVoter,
  memberOf,
  type Configuration,
  type ConfigurationChange,
} from '../core/configuration.js';
import type { Effects, Input } from '../core/effects.js';
import type { Message } from '../core/messages.js';
import { RAFT_TIMES, type RaftTimes } from '../core/options.js';
import { Raft } from '../core/raft.js';
import { invariant } from '../invariant.js';
import type { LogEntry, RaftLog } from '../log/log.js';
import {
  NO_TRANSPORT,
  TransportError,
  type AskOptions,
  type IncomingSnapshot,
  type Transport,
} from '../transport/transport.js';
import { Applier } from './applier.js';
import {
  ConsensusError,
  type Consensus,
  type ConsensusStatus,
  type ProposalOutcome,
  type ProposeOptions,
  type RejectReason,
  type StateMachine,
} from './consensus.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { MemberOptions } from './options.js';
import { ProposalSender, type Standing } from './proposal-sender.js';
import { PROPOSAL_LIMITS, Proposals } from './proposals.js';
import { Reads } from './reads.js';
import { SnapshotReceiver } from './snapshot-receiver.js';
import { SnapshotSender } from './snapshot-sender.js';
import { laterConfigurations, matchLogToMachine } from './start.js';
import { SyncQueue } from './sync-queue.js';
import { Tail, TAIL_LIMITS } from './tail.js';

/** Payload bytes in the log and not applied past which a follower takes no more until it has caught up. */
const BACKLOG_BYTES_MAX = 64 * 2 ** 20;

/** A leader that stops waits so long for another to take over. Milliseconds. */
const HAND_OVER_MS_MAX = 300;

/** A member that stops waits so long for its proposals in flight. Milliseconds. */
const DRAIN_MS_MAX = 300;
const DRAIN_CHECK_MS = 2;

/** The numbers of reads start at one of so many places, so far apart: all below 2^53. */
const READ_STARTS = 2n ** 32n;
const READS_PER_START = 2 ** 20;

const RESOLVED = Promise.resolve();

/**
 * One member of the cluster: Raft's state machine (core/raft.ts) with a log, a transport and a clock. The loop is that of
 * every driver: an input is stepped, what comes out is written to the log, sent, and once durable answered (`#carryOut`);
 * what is committed is applied beside it (applier.ts).
 */
export class Member<R> implements Consensus<R> {
  readonly #options: MemberOptions<R>;
  readonly #log: RaftLog;
  readonly #machine: StateMachine<R>;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #times: RaftTimes;
  readonly #raft: Raft;
  readonly #syncs: SyncQueue;
  readonly #applier: Applier<R>;
  readonly #proposals: Proposals<R | Configuration>;
  readonly #sender: ProposalSender;
  readonly #reads: Reads;
  readonly #outgoing: SnapshotSender;
  readonly #incoming: SnapshotReceiver;
  readonly #tail: Tail;
  readonly #timer: DeadlineTimer;
  readonly #listeners = new Set<(status: ConsensusStatus) => void>();

  /** Inputs that came while one was being stepped. */
  readonly #inputs: Input[] = [];
  #stepping = false;

  #accepting = false;
  #stopped: Promise<void> | undefined;
  #ended = false;
  #appliedTerm: number;
  #appliedConfiguration: Configuration;
  /** From this index on the state says who is in the cluster: who has joined learns it from the log or a snapshot. */
  #configuredFrom: number;
  /** What status listeners and the transport were told last. */
  #told: { readonly term: number; readonly leader: bigint };
  #toldMembers: { readonly configuration: Configuration; readonly applied: Configuration } | undefined;
  #backlogBytes = 0;
  #removed = false;
  #startFailed: ((error: unknown) => void) | undefined;
  #answer: (question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array> = () =>
    Promise.reject(new TransportError('refused', 'nobody answers questions here'));
  #unsubscribe: () => void = () => undefined;

  /**
   * Resolves when the member takes part. The only voter of a cluster leads by then and has applied its whole log; with
   * others it may take until a majority is there.
   *
   * @throws StartRefusedError, and what the log, the state machine or the transport throws
   */
  static async start<R>(options: MemberOptions<R>): Promise<Member<R>> {
    const { log, stateMachine, transport } = options;
    try {
      await matchLogToMachine(log, stateMachine);
      const member = new Member(options, await laterConfigurations(log, stateMachine.applied.index));
      await member.#start();
      return member;
    } catch (error) {
      await transport?.close();
      await log.close();
      throw error;
    }
  }

  private constructor(
    options: MemberOptions<R>,
    later: readonly { readonly index: number; readonly configuration: Configuration }[],
  ) {
    this.#options = options;
    this.#log = options.log;
    this.#machine = options.stateMachine;
    this.#transport = options.transport ?? NO_TRANSPORT;
    this.#clock = options.clock ?? systemClock;
    this.#times = options.times ?? RAFT_TIMES;
    this.#tail = new Tail(options.tailLimits ?? TAIL_LIMITS);
    this.#appliedTerm = this.#machine.applied.term;
    this.#appliedConfiguration = decodeConfiguration(this.#machine.configuration);
    this.#configuredFrom = this.#appliedConfiguration.voters.length > 0 ? 0 : Infinity;
    this.#raft = new Raft({
      id: options.memberId,
      log: this.#log,
      hardState: this.#log.hardState,
      applied: this.#machine.applied.index,
      configuration: this.#appliedConfiguration,
      laterConfigurations: later,
      times: this.#times,
      ...(options.raftLimits && { limits: options.raftLimits }),
      random: options.random ?? Math.random,
      now: this.#clock.now(),
    });
    this.#told = { term: this.#raft.term, leader: this.#raft.leader };
    this.#syncs = new SyncQueue(
      this.#log,
      () => this.#applier.wake(),
      (error) => this.#fail(error),
    );
    this.#applier = new Applier({
      log: this.#log,
      machine: this.#machine,
      clock: this.#clock,
      committed: () => this.#raft.commit,
      onApplied: (entries, results) => this.#afterApply(entries, results),
      onFailure: (error) => this.#fail(error),
    });
    const limits = options.proposalLimits ?? PROPOSAL_LIMITS;
    const endedWaiting = () => (this.#raft.leader === 0n ? 'no-leader' : 'deadline');
    this.#proposals = new Proposals(options.session, limits, this.#clock, endedWaiting);
    this.#sender = new ProposalSender({
      proposals: this.#proposals,
      clock: this.#clock,
      heartbeatMs: this.#times.heartbeatMs,
      standing: () => this.#standing(),
      isDiskIdle: () => this.#log.durableIndex === this.#log.lastIndex,
      propose: (proposals) => this.#step({ type: 'propose', proposals }),
    });
    this.#reads = new Reads(
      this.#clock,
      Number(options.session % READ_STARTS) * READS_PER_START,
      (id) => this.#step({ type: 'read', id }),
      () => this.#machine.applied.index,
      endedWaiting,
    );
    this.#outgoing = new SnapshotSender({
      machine: this.#machine,
      transport: this.#transport,
      term: () => this.#raft.term,
      onEnd: (member, index, error) => this.#afterSnapshot(member, index, error),
    });
    this.#incoming = new SnapshotReceiver({
      machine: this.#machine,
      applier: this.#applier,
      refusal: (snapshot) => this.#snapshotRefusal(snapshot),
      onInstalled: (snapshot) => this.#installed(snapshot),
    });
    this.#timer = new DeadlineTimer(this.#clock, (now) => this.#tick(now));
  }

  async #start(): Promise<void> {
    this.#tellConfiguration();
    await this.#transport.start({
      receive: (message) => this.#receive(message),
      receiveSnapshot: (snapshot) => this.#incoming.receive(snapshot),
      answer: (question, signal) => this.#answer(question, signal),
      unreachable: (member) => this.#step({ type: 'unreachable', member }),
      removed: () => this.#leave(),
      configuration: () => this.#appliedConfiguration,
    });
    this.#accepting = true;
    this.#unsubscribe = this.#machine.onDurable(({ index }) => this.#cut(index));
    this.#timer.arm(this.#raft.deadline);
    this.#applier.wake();
    if (this.#isOnlyVoter()) await this.#leadAlone();
    this.#cut(this.#machine.durable.index);
    // It may have ended, after it was removed, before it said so.
    if (this.#isRemoved()) this.#leave();
  }

  /** Nobody else can lead, so that there is nothing to wait for; what is in the log is committed by that. */
  async #leadAlone(): Promise<void> {
    const failure = new Promise<never>((_resolve, reject) => (this.#startFailed = reject));
    const leading = async () => {
      this.#step({ type: 'campaign' });
      while (!this.#ended && this.#isOnlyVoter() && !this.#hasCommittedAll) {
        await this.#syncs.synced;
        // Whoever was removed and does not know it may have got in between: then it stands again in time.
        if (!this.#hasCommittedAll) await new Promise<void>((resolve) => this.#clock.nextTurn(resolve));
      }
      await this.#applier.idle();
    };
    await Promise.race([leading(), failure]);
    this.#startFailed = undefined;
  }

  #standing(): Standing {
    const { term, leader } = this.#raft;
    return { term, leader, leads: this.#leads, hasEnded: this.#ended };
  }

  get #leads(): boolean {
    return this.#raft.role === 'leader';
  }

  get #hasCommittedAll(): boolean {
    return this.#leads && this.#raft.commit === this.#log.lastIndex;
  }

  #isOnlyVoter(): boolean {
    const { voters, outgoing } = this.#raft.configuration;
    return voters.length === 1 && voters[0] === this.#options.memberId && outgoing.length === 0;
  }

  // ---- What callers ask for

  propose(payload: Uint8Array, options: ProposeOptions): Promise<ProposalOutcome<R>> {
    return this.#propose('normal', payload, options) as Promise<ProposalOutcome<R>>;
  }

  changeConfiguration(
    changes: readonly ConfigurationChange[],
    options: ProposeOptions,
  ): Promise<ProposalOutcome<Configuration>> {
    const outcome = this.#propose('configuration', encodeChanges(changes), options);
    return outcome as Promise<ProposalOutcome<Configuration>>;
  }

  #propose(
    type: 'normal' | 'configuration',
    payload: Uint8Array,
    options: ProposeOptions,
  ): Promise<ProposalOutcome<R | Configuration>> {
    const refusal = this.#refusal(payload, options);
    if (refusal !== undefined) return Promise.resolve({ type: 'rejected', reason: refusal });
    const outcome = this.#proposals.add(type, payload, options);
    this.#sender.schedule();
    return outcome;
  }

  #refusal(payload: Uint8Array, options: ProposeOptions): RejectReason | undefined {
    if (!this.#accepting) return 'stopped';
    if (options.forward === false && !this.#leads) return 'not-leader';
    return this.#proposals.refusal(payload, options);
  }

  readIndex(options: ProposeOptions): Promise<void> {
    if (!this.#accepting) return Promise.reject(new ConsensusError('stopped'));
    return this.#hasAppliedAll() ? RESOLVED : this.#reads.read(options);
  }

  /** The only voter is a majority. What is committed it knows once it has committed something in its term. */
  #hasAppliedAll(): boolean {
    const { commit, term } = this.#raft;
    return (
      this.#isOnlyVoter() &&
      this.#leads &&
      this.#log.term(commit) === term &&
      commit === this.#machine.applied.index
    );
  }

  status(): ConsensusStatus {
    const { clusterId, memberId } = this.#options;
    const { term, leader, commit: committed, configuration } = this.#raft;
    const leaderId = this.#ended ? 0n : leader;
    const isLearner = !isVoter(configuration, memberId) && configuration.learners.includes(memberId);
    return {
      clusterId,
      memberId,
      leaderId,
      term,
      committed,
      applied: this.#machine.applied.index,
      isLearner,
    };
  }

  onLeadershipChange(listener: (status: ConsensusStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configuration(): Configuration {
    return this.#raft.configuration;
  }

  matches(): ReadonlyMap<bigint, number> {
    return this.#raft.matches;
  }

  transferLeadership(to: bigint, { deadline, signal }: ProposeOptions): Promise<void> {
    if (!this.#leads) return Promise.reject(new ConsensusError('no-leader'));
    if (signal?.aborted === true) return Promise.reject(new ConsensusError('aborted'));
    if (to === this.#options.memberId) return RESOLVED;
    return new Promise((resolve, reject) => {
      const end = (error?: ConsensusError) => {
        cancel();
        unsubscribe();
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = () => end(new ConsensusError('aborted'));
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancel = this.#clock.after(deadline - this.#clock.now(), () =>
        end(new ConsensusError('deadline')),
      );
      const unsubscribe = this.onLeadershipChange(({ leaderId, memberId }) => {
        if (this.#ended) end(new ConsensusError('stopped'));
        else if (leaderId !== 0n && leaderId !== memberId) end();
      });
      this.#step({ type: 'transfer', to });
    });
  }

  askLeader(question: Uint8Array, options: AskOptions): Promise<Uint8Array> {
    const { leader } = this.#raft;
    if (leader === 0n) return Promise.reject(new ConsensusError('no-leader'));
    if (leader !== this.#options.memberId) return this.ask(leader, question, options);
    return this.#answer(question, options.signal ?? new AbortController().signal);
  }

  ask(member: bigint, question: Uint8Array, options: AskOptions): Promise<Uint8Array> {
    return this.#transport.ask(member, question, options);
  }

  answerQuestions(answer: (question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>): void {
    this.#answer = answer;
  }

  /** Waits for what is in flight, so that its callers learn the truth; only what cannot be finished ends `unknown`. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#accepting = false;
    this.#proposals.rejectQueued('stopped');
    await this.#handOver();
    await this.#drain();
    await this.#syncs.synced;
    await this.#applier.idle();
    this.#end();
    await this.#transport.close();
    await Promise.all([this.#incoming.idle(), this.#outgoing.idle()]);
    await this.#log.close();
  }

  /** The others would have to wait for an election time-out. */
  async #handOver(): Promise<void> {
    const { heir } = this.#raft;
    if (!this.#leads || this.#ended || heir === undefined) return;
    const deadline = this.#clock.now() + HAND_OVER_MS_MAX;
    await this.transferLeadership(heir, { deadline }).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    const deadline = this.#clock.now() + DRAIN_MS_MAX;
    while (!this.#ended && this.#proposals.inFlightCount > 0 && this.#clock.now() < deadline) {
      await new Promise<void>((resolve) => void this.#clock.after(DRAIN_CHECK_MS, resolve));
    }
  }

  // ---- The loop: step → persist → send → answer

  #step(input: Input): void {
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        if (this.#ended) break;
        this.#carryOut(this.#raft.step(next, this.#clock.now()));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#inputs.length = 0;
      this.#stepping = false;
    }
    if (!this.#ended) this.#afterStep();
  }

  #carryOut(effects: Effects): void {
    this.#persist(effects);
    if (effects.messages.length > 0) this.#transport.send(effects.messages);
    const { messagesAfterSync } = effects;
    if (messagesAfterSync.length > 0) this.#syncs.afterSync(() => this.#sendNow(messagesAfterSync));
    for (const { id, index } of effects.reads) this.#reads.answered(id, index);
    for (const { requestId, reason } of effects.refused) this.#proposals.refused(requestId, reason);
    if (effects.refused.length > 0) this.#sender.refused();
    for (const fetch of effects.fetches) void this.#fetch(fetch);
    for (const { member } of effects.snapshots) this.#outgoing.send(member, this.#machine.applied.index);
  }

  #persist(effects: Effects): void {
    if (effects.truncateFrom !== undefined) this.#tail.truncated(effects.truncateFrom);
    for (const { index, payload } of effects.entries) {
      this.#tail.appended(index, payload.length);
      this.#backlogBytes += payload.length;
    }
    this.#syncs.write(effects);
    // The log did not follow, so that an entry that was to be cut off could be taken for the one that is committed.
    const { failure } = this.#log;
    if (failure !== undefined) throw failure;
  }

  /** What this member says to itself comes back as input. */
  #sendNow(messages: readonly Message[]): void {
    const { memberId } = this.#options;
    const others = messages.filter(({ to }) => to !== memberId);
    if (others.length > 0) this.#transport.send(others);
    for (const message of messages) if (message.to === memberId) this.#step({ type: 'message', message });
  }

  #afterStep(): void {
    this.#applier.wake();
    this.#timer.arm(this.#raft.deadline);
    this.#tellConfiguration();
    const { term, leader } = this.#raft;
    if (term === this.#told.term && leader === this.#told.leader) return;
    this.#told = { term, leader };
    if (leader !== 0n) {
      this.#reads.leaderChanged();
      this.#sender.schedule();
    }
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }

  /** Whoever leaves is spoken to until that is applied: it may be the leader, who commits it by what others answer. */
  #tellConfiguration(): void {
    const { configuration } = this.#raft;
    const applied = this.#appliedConfiguration;
    const told = this.#toldMembers;
    if (configuration === told?.configuration && applied === told.applied) return;
    this.#toldMembers = { configuration, applied };
    const leaving = applied.members.filter(({ id }) => memberOf(configuration, id) === undefined);
    this.#transport.setMembers([...configuration.members, ...leaving]);
  }

  /** Called when the earliest deadline has come; gives the next. */
  #tick(now: number): number {
    const { deadline } = this.#raft;
    if (this.#ended || now < deadline) return deadline;
    // After a stall, what has come in meanwhile speaks first: a leader that was there all the time is no reason to stand.
    if (now - deadline > this.#times.heartbeatMs) {
      if (this.#leads) this.#options.observer?.heartbeatLate();
      this.#clock.nextTurn(() => this.#step({ type: 'tick' }));
      return now + this.#times.heartbeatMs;
    }
    this.#step({ type: 'tick' });
    return this.#raft.deadline;
  }

  #receive(message: Message): void {
    if (this.#ended) return;
    if (message.type === 'append' && this.#isOverfull(message.entries.length)) return;
    this.#step({ type: 'message', message });
  }

  /**
   * What is passed over comes again: the leader takes it for lost. With nothing left to apply there is nothing to wait
   * for: what fills the log is not committed, and only an append can cut it off.
   */
  #isOverfull(count: number): boolean {
    if (this.#incoming.isBusy) return true;
    const isBehind = this.#machine.applied.index < this.#raft.commit;
    return count > 0 && isBehind && this.#backlogBytes > BACKLOG_BYTES_MAX;
  }

  async #fetch({ member, from, through, maxBytes }: Effects['fetches'][number]): Promise<void> {
    let entries: LogEntry[] = [];
    try {
      if (from >= this.#log.firstIndex) entries = await this.#log.readOld(from, through, maxBytes);
    } catch (error) {
      // It may have been cut meanwhile; anything else has failed the log.
      if (from >= this.#log.firstIndex) return this.#fail(error);
    }
    this.#step({ type: 'fetched', member, entries });
  }

  // ---- Apply

  #afterApply(entries: readonly LogEntry[], results: readonly (R | undefined)[]): void {
    for (const [position, entry] of entries.entries()) {
      this.#backlogBytes -= entry.payload.length;
      if (entry.type === 'configuration')
        this.#applyConfiguration(entry.index, decodeConfiguration(entry.payload));
      this.#answerProposal(entry, results[position]);
    }
    const last = entries.at(-1);
    invariant(last !== undefined, 'nothing was applied');
    if (last.index === this.#log.lastIndex) this.#backlogBytes = 0;
    if (last.term > this.#appliedTerm) {
      this.#appliedTerm = last.term;
      this.#proposals.passedTerm(last.term);
      if (this.#proposals.queuedCount > 0) this.#sender.schedule();
    }
    this.#reads.appliedThrough(last.index);
  }

  #answerProposal({ index, term, type, requestId }: LogEntry, result: R | undefined): void {
    if (requestId.session !== this.#options.session) return;
    const value = type === 'configuration' ? this.#appliedConfiguration : (result as R);
    this.#proposals.applied(requestId.counter, { type: 'applied', result: value, index, term });
  }

  #applyConfiguration(index: number, configuration: Configuration): void {
    this.#appliedConfiguration = configuration;
    this.#configuredFrom = Math.min(this.#configuredFrom, index);
    this.#tellConfiguration();
    if (this.#isRemoved()) this.#leave();
  }

  #isRemoved(): boolean {
    return this.#appliedConfiguration.removed.includes(this.#options.memberId);
  }

  /** Shortens the log once the state machine needs less of it. The commit index is recorded beside. */
  #cut(durable: number): void {
    if (this.#ended || !this.#accepting) return;
    invariant(
      durable <= this.#machine.applied.index,
      'more of the state machine is durable than was applied',
    );
    // Without what comes before, others would be sent the state, which does not say who is in the cluster.
    if (durable < this.#configuredFrom) return;
    const neededFrom = Math.min(this.#raft.neededFrom, this.#outgoing.neededFrom);
    // A snapshot that is just being installed is ahead of the log.
    const within = Math.min(durable, this.#raft.commit, this.#log.durableIndex);
    const through = this.#tail.cutThrough(this.#log.firstIndex, within, neededFrom);
    if (through === 0) return;
    this.#syncs.follow([this.#log.append([], this.#raft.hardState), this.#log.compactPrefix(through)]);
  }

  // ---- Snapshots

  #afterSnapshot(member: bigint, index: number | undefined, error: unknown): void {
    if (this.#ended || !this.#accepting) return;
    if (index !== undefined) {
      this.#step({ type: 'snapshot-sent', member, index });
      return;
    }
    const reason = error instanceof Error ? error.message : 'unknown';
    this.#options.logger?.warn({ member: member.toString(16), reason }, 'a snapshot could not be sent');
    // Told later: a copy of the database for each heartbeat would be too much.
    this.#clock.after(this.#times.electionTimeoutMs, () =>
      this.#step({ type: 'snapshot-sent', member, index }),
    );
  }

  #snapshotRefusal({ senderTerm }: IncomingSnapshot): string | undefined {
    if (!this.#accepting) return 'the member has stopped';
    return this.#leads || senderTerm < this.#raft.term ? 'it is of an earlier term' : undefined;
  }

  #installed({ index, term }: IncomingSnapshot): void {
    invariant(this.#machine.applied.index === index, 'the snapshot that was installed is another one');
    const configuration = decodeConfiguration(this.#machine.configuration);
    this.#step({ type: 'installed', index, term, configuration });
    this.#options.logger?.info({ index, term }, 'a snapshot was installed');
    this.#backlogBytes = 0;
    this.#appliedTerm = Math.max(this.#appliedTerm, term);
    this.#proposals.passedOver(term);
    this.#applyConfiguration(index, configuration);
    this.#reads.appliedThrough(index);
  }

  // ---- The end

  #leave(): void {
    if (this.#removed) return;
    this.#removed = true;
    // After the answers of this turn.
    this.#clock.nextTurn(() => this.#options.onRemoved?.());
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#accepting = false;
    this.#end();
    void this.#transport.close();
    if (this.#startFailed === undefined) this.#options.onFatal(error);
    else this.#startFailed(error);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#syncs.end();
    this.#applier.stop();
    this.#proposals.rejectQueued('stopped');
    this.#proposals.abandon('stopped');
    this.#reads.stop();
    this.#outgoing.stop();
    this.#timer.stop();
    this.#sender.stop();
    this.#unsubscribe();
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
    this.#listeners.clear();
  }
}
