import { invariant } from '../invariant.js';
import type { EntryType, HardState, LogEntry, RequestId } from '../log/log.js';
import { Configurations } from './configurations.js';
import {
  applyChanges,
  decodeChanges,
  decodeConfiguration,
  encodeConfiguration,
  isJoint,
  isVoter,
  leaveJoint,
  type ChangeRefusal,
  type Configuration,
} from './configuration.js';
import type { Effects, Input } from './effects.js';
import { StepLog } from './log-reader.js';
import type {
  AppendMessage,
  AppendedMessage,
  HeartbeatResponseMessage,
  Message,
  ProposalRefusal,
  ProposeMessage,
  ProposedEntry,
  VoteMessage,
  VoteResponseMessage,
} from './messages.js';
import { RAFT_LIMITS, RAFT_TIMES, type RaftOptions, type RaftTimes } from './options.js';
import { PendingReads, type Question } from './pending-reads.js';
import { ProposalWindow } from './proposal-window.js';
import { Replication, type Unsigned } from './replication.js';
import { agreedValue, tally, type Verdict } from './quorum.js';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

const NOBODY = 0n;
const NO_PAYLOAD = new Uint8Array();
/** Of entries that nobody waits for. */
const NO_REQUEST: RequestId = { session: 0n, counter: 0 };

type Outgoing = Unsigned<Message> & { readonly term?: number };

/**
 * The state machine of Raft: one member's part in it, without a clock, a file, a socket or a random number of its own.
 * `step` takes one input and says what is to be done; the driver does it before the next step.
 *
 * After Ongaro and Ousterhout's paper ("Raft §…") and Ongaro's dissertation. Decisions that safety rests on are methods
 * of their own, so that tests can plant mistakes in their place and see that they are found.
 */
export class Raft {
  readonly id: bigint;
  readonly #log: StepLog;
  readonly #times: RaftTimes;
  readonly #random: () => number;
  readonly #configurations: Configurations;

  #role: Role = 'follower';
  #term: number;
  /** Whom this member has voted for in this term. */
  #vote: bigint;
  #leader = NOBODY;
  /** Invariant: commit ≤ lastIndex; never falls. */
  #commit: number;

  #now: number;
  /** Of a follower or candidate: when it stands for election. Of a leader: when it next checks its quorum. */
  #electionDeadline = Infinity;
  #heartbeatDeadline = Infinity;
  /** When the present leader was last heard of; −∞ if it never was. */
  #leaderHeardAt = -Infinity;

  /** Answers to the present candidacy. */
  readonly #votes = new Map<bigint, boolean>();
  /** The leader's, of all members, itself included. */
  readonly #replication: Replication;
  readonly #reads = new PendingReads();
  #round = 0;
  /** The term that this member led last, of which `#proposals` knows everything. */
  #ledTerm = 0;
  readonly #proposals = new ProposalWindow();
  /** Whom the leadership is being handed to, and until when. */
  #transferee = NOBODY;
  #transferDeadline = Infinity;

  #effects = emptyEffects();
  #hardStateChanged = false;

  constructor(options: RaftOptions) {
    const { hardState, applied } = options;
    this.id = options.id;
    this.#log = new StepLog(options.log);
    this.#times = options.times ?? RAFT_TIMES;
    this.#random = options.random;
    this.#now = options.now;
    this.#term = Math.max(hardState.term, this.#log.lastTerm);
    this.#vote = this.#term === hardState.term ? hardState.vote : NOBODY;
    this.#commit = Math.max(hardState.commit, applied);
    invariant(this.#commit <= this.#log.lastIndex, 'what is committed is not in the log');
    this.#configurations = new Configurations({ index: applied, configuration: options.configuration });
    for (const { index, configuration } of options.laterConfigurations) {
      this.#configurations.append(index, configuration);
    }
    this.#configurations.committed(this.#commit);
    this.#replication = new Replication({
      id: this.id,
      log: this.#log,
      limits: options.limits ?? RAFT_LIMITS,
      commit: () => this.#commit,
      send: (message) => this.send(message),
      effects: () => this.#effects,
    });
    this.#standSoon();
  }

  get role(): Role {
    return this.#role;
  }

  get term(): number {
    return this.#term;
  }

  /** Id of the leader of this term, 0n while it is not known. */
  get leader(): bigint {
    return this.#leader;
  }

  get commit(): number {
    return this.#commit;
  }

  /** The newest in the log, committed or not. */
  get configuration(): Configuration {
    return this.#configurations.latest.configuration;
  }

  get vote(): bigint {
    return this.#vote;
  }

  get hardState(): HardState {
    return { term: this.#term, vote: this.#vote, commit: this.#commit };
  }

  /** When the next tick is due, on the clock of the steps; Infinity if time changes nothing. */
  get deadline(): number {
    return Math.min(this.#electionDeadline, this.#heartbeatDeadline, this.#transferDeadline);
  }

  /** Durable index of each member's log, as a leader knows it; empty on others. */
  get matches(): ReadonlyMap<bigint, number> {
    return this.#replication.matches;
  }

  /** The voter that a leader leaves the leadership to best; undefined on others, and if nobody has answered. */
  get heir(): bigint | undefined {
    return this.#replication.mostUpToDate(this.configuration.voters);
  }

  /** Lowest index from which a follower that is being brought up to date still needs the log; Infinity if none does. */
  get neededFrom(): number {
    return this.#replication.neededFrom;
  }

  /** @param now milliseconds; never falls. */
  step(input: Input, now: number): Effects {
    this.#now = Math.max(this.#now, now);
    this.#log.begin();
    this.#effects = emptyEffects();
    this.#hardStateChanged = false;
    this.#replication.begin();
    this.dispatch(input);
    const effects = Object.assign(this.#effects, this.#log.end());
    if (this.#hardStateChanged) effects.hardState = this.hardState;
    return effects;
  }

  protected dispatch(input: Input): void {
    switch (input.type) {
      case 'tick':
        return this.tick();
      case 'message':
        return this.receive(input.message);
      case 'propose':
        return this.propose(input.proposals);
      case 'read':
        return this.read(input.id);
      case 'transfer':
        return this.transfer(input.to);
      case 'campaign':
        return this.campaign(false);
      case 'unreachable':
        return this.#replication.markUnreachable(input.member);
      case 'fetched':
        return this.#replication.fetched(input.member, input.entries);
      case 'snapshot-sent':
        return this.#replication.snapshotSent(input.member, input.index);
      case 'installed':
        return this.installed(input);
    }
  }

  // ---- Time

  protected tick(): void {
    if (this.#role !== 'leader') {
      if (this.#now >= this.#electionDeadline) this.campaign(false);
      return;
    }
    if (this.#now >= this.#electionDeadline) this.checkQuorum();
    if (this.#now >= this.#transferDeadline) this.#endTransfer();
    if (this.#role === 'leader' && this.#now >= this.#heartbeatDeadline) this.heartbeat();
  }

  /** A leader that a quorum does not answer may be the only one who takes it for one (dissertation §6.2). */
  protected checkQuorum(): void {
    if (this.verdict(this.#replication.takeActive()) !== 'won') {
      this.becomeFollower(this.#term, NOBODY);
      return;
    }
    this.#restartQuorumTimer();
  }

  /** The only voter has nobody to ask. */
  #restartQuorumTimer(): void {
    const { voters, outgoing } = this.configuration;
    const isAlone = [...voters, ...outgoing].every((id) => id === this.id);
    this.#electionDeadline = isAlone ? Infinity : this.#now + this.#times.electionTimeoutMs;
  }

  protected heartbeat(): void {
    const more = this.#replication.heartbeat(this.#round);
    this.#heartbeatDeadline = more ? this.#now + this.#times.heartbeatMs : Infinity;
  }

  /** The chance spreads candidates, so that two rarely stand in the same moment (Raft §5.2). */
  #restartElectionTimer(): void {
    this.#standBetween(this.#times.electionTimeoutMs, 2 * this.#times.electionTimeoutMs);
  }

  /** Asking for pre-votes disturbs nobody, so that who finds itself without a leader need not wait for long. */
  #standSoon(): void {
    this.#standBetween(2 * this.#times.heartbeatMs, 0.7 * this.#times.electionTimeoutMs);
  }

  #standBetween(fromMs: number, toMs: number): void {
    const wait = fromMs + (toMs - fromMs) * this.#random();
    this.#electionDeadline = this.mayStand() ? this.#now + wait : Infinity;
  }

  // ---- Elections (Raft §5.2, §5.4.1; dissertation §9.6)

  /**
   * Whoever loses its vote by an entry that is not committed yet may be the only one that has the entry and that a
   * majority votes for (dissertation §4.2.2): it stands until then, without counting itself.
   */
  protected mayStand(): boolean {
    return this.#configurations.mayNeed(this.id);
  }

  /** Asks first whether anyone would vote for it, so that a member that was cut off disturbs nobody on its return. */
  protected campaign(transfer: boolean): void {
    if (this.#role === 'leader' || !this.mayStand()) return;
    if (transfer) {
      this.becomeCandidate(true);
      return;
    }
    this.becomePreCandidate();
    if (this.verdict(this.#votes) === 'won') this.becomeCandidate(false);
  }

  protected becomePreCandidate(): void {
    this.#role = 'pre-candidate';
    this.#leader = NOBODY;
    this.#votes.clear();
    this.#votes.set(this.id, true);
    this.#standSoon();
    this.#requestVotes(true, false);
  }

  protected becomeCandidate(transfer: boolean): void {
    this.#role = 'candidate';
    this.#leader = NOBODY;
    this.#votes.clear();
    this.setTerm(this.#term + 1, this.id);
    this.#restartElectionTimer();
    this.#requestVotes(false, transfer);
    // Its own vote counts once it is durable.
    this.sendAfterSync({ type: 'vote-response', to: this.id, preVote: false, granted: true });
  }

  #requestVotes(preVote: boolean, transfer: boolean): void {
    const { lastIndex, lastTerm } = this.#log;
    const term = preVote ? this.#term + 1 : this.#term;
    for (const { id: to } of this.configuration.members) {
      if (to === this.id || !isVoter(this.configuration, to)) continue;
      this.send({ type: 'vote', to, term, preVote, lastIndex, lastTerm, transfer });
    }
  }

  protected receiveVote(message: VoteMessage): void {
    const { from, term, preVote } = message;
    const granted = this.mayVoteFor(message) && this.isUpToDate(message);
    if (!granted) {
      this.send({ type: 'vote-response', to: from, preVote, granted });
      return;
    }
    if (preVote) {
      this.send({ type: 'vote-response', to: from, term, preVote, granted });
      return;
    }
    this.setTerm(this.#term, from);
    this.#restartElectionTimer();
    this.sendAfterSync({ type: 'vote-response', to: from, preVote, granted });
  }

  /** One vote a term. A pre-vote is for a later term and binds nobody. */
  protected mayVoteFor({ from, term, preVote }: VoteMessage): boolean {
    if (preVote && term > this.#term) return true;
    return this.#vote === from || (this.#vote === NOBODY && this.#leader === NOBODY);
  }

  /** Whoever lacks an entry that may be committed must not lead (Raft §5.4.1). */
  protected isUpToDate({ lastIndex, lastTerm }: VoteMessage): boolean {
    if (lastTerm !== this.#log.lastTerm) return lastTerm > this.#log.lastTerm;
    return lastIndex >= this.#log.lastIndex;
  }

  protected receiveVoteResponse({ from, preVote, granted }: VoteResponseMessage): void {
    if (this.#role !== (preVote ? 'pre-candidate' : 'candidate')) return;
    this.countVote(from, granted);
    const verdict = this.verdict(this.#votes);
    if (verdict === 'lost') this.becomeFollower(this.#term, NOBODY);
    else if (verdict === 'won' && preVote) this.becomeCandidate(false);
    else if (verdict === 'won') this.becomeLeader();
  }

  protected countVote(from: bigint, granted: boolean): void {
    if (!this.#votes.has(from)) this.#votes.set(from, granted);
  }

  protected verdict(votes: ReadonlyMap<bigint, boolean>): Verdict {
    return tally(this.configuration, votes);
  }

  protected becomeLeader(): void {
    invariant(this.#role === 'candidate', `a ${this.#role} became the leader`);
    this.#role = 'leader';
    this.#leader = this.id;
    this.#ledTerm = this.#term;
    this.#proposals.clear();
    this.#round = 0;
    this.#replication.clear();
    this.#followConfiguration();
    // Nothing of earlier terms is committed by counting; this entry commits it (Raft §5.4.2).
    this.append('noop', NO_REQUEST, NO_PAYLOAD);
    this.#bringOut();
    this.heartbeat();
  }

  protected becomeFollower(term: number, leader: bigint): void {
    if (term > this.#term) this.setTerm(term, NOBODY);
    this.#role = 'follower';
    this.#leader = leader;
    this.#votes.clear();
    this.#replication.clear();
    this.#reads.clear();
    this.#endTransfer();
    this.#heartbeatDeadline = Infinity;
    if (leader === NOBODY) this.#leaderHeardAt = -Infinity;
    this.#restartElectionTimer();
  }

  /** Durable before anything that depends on it is said. */
  protected setTerm(term: number, vote: bigint): void {
    invariant(term >= this.#term, `term ${term} after ${this.#term}`);
    if (term === this.#term && vote === this.#vote) return;
    this.#term = term;
    this.#vote = vote;
    this.#hardStateChanged = true;
  }

  // ---- Messages

  protected receive(message: Message): void {
    if (message.to !== this.id) return;
    if (message.term > this.#term && !this.acceptTerm(message)) return;
    if (message.term < this.#term) {
      this.receiveStale(message);
      return;
    }
    switch (message.type) {
      case 'append':
        this.followLeader(message.from);
        return this.receiveAppend(message);
      case 'heartbeat':
        this.followLeader(message.from);
        this.commitTo(Math.min(message.commit, this.#log.lastIndex));
        return this.send({ type: 'heartbeat-response', to: message.from, round: message.round });
      case 'commit':
        this.followLeader(message.from);
        return this.commitTo(Math.min(message.commit, this.#log.lastIndex));
      case 'append-response':
        return this.receiveAppended(message);
      case 'heartbeat-response':
        return this.receiveHeartbeatResponse(message);
      case 'vote':
        return this.receiveVote(message);
      case 'vote-response':
        return this.receiveVoteResponse(message);
      case 'propose':
        return this.receiveProposals(message);
      case 'proposal-refused':
        for (const requestId of message.requestIds)
          this.#effects.refused.push({ requestId, reason: message.reason });
        return;
      case 'read':
        if (this.#role === 'leader') this.question({ from: message.from, id: message.id });
        return;
      case 'read-response':
        this.#effects.reads.push({ id: message.id, index: message.index });
        return;
      case 'timeout-now':
        return this.campaign(true);
    }
  }

  /** Goes over to a message's higher term. False where the message is to be passed over. */
  protected acceptTerm(message: Message): boolean {
    if (message.type === 'vote') {
      if (!message.transfer && this.hearsFromLeader()) return false;
      if (message.preVote) return true;
    }
    // The term that this member would stand in, of one who would vote for it.
    if (message.type === 'vote-response' && message.preVote && message.granted) {
      if (message.term !== this.#term + 1) return false;
      this.receiveVoteResponse(message);
      return false;
    }
    const isLeader = message.type === 'append' || message.type === 'heartbeat' || message.type === 'commit';
    this.becomeFollower(message.term, isLeader ? message.from : NOBODY);
    return true;
  }

  /** While a leader is there nobody needs another: a member that was removed must not disturb (dissertation §4.2.3). */
  protected hearsFromLeader(): boolean {
    if (this.#role === 'leader') return true;
    return this.#leader !== NOBODY && this.#now - this.#leaderHeardAt < this.#times.electionTimeoutMs;
  }

  /** Tells a leader or a candidate of the past what term it is. */
  protected receiveStale(message: Message): void {
    switch (message.type) {
      case 'append':
      case 'heartbeat':
        return this.send({ type: 'append-response', to: message.from, index: 0 });
      case 'vote':
        return this.send({
          type: 'vote-response',
          to: message.from,
          preVote: message.preVote,
          granted: false,
        });
      default:
    }
  }

  protected followLeader(leader: bigint): void {
    invariant(this.#role !== 'leader', `two leaders in term ${this.#term}: ${this.id} and ${leader}`);
    if (this.#role !== 'follower' || this.#leader !== leader) this.becomeFollower(this.#term, leader);
    this.#leaderHeardAt = this.#now;
    this.#restartElectionTimer();
  }

  protected send(message: Outgoing): void {
    // What is said in a new term waits until the term is durable, as the term may be all that the message says.
    if (this.#hardStateChanged) this.sendAfterSync(message);
    else this.#effects.messages.push(this.#whole(message));
  }

  /** For what promises that something is on disk. */
  protected sendAfterSync(message: Outgoing): void {
    this.#effects.messagesAfterSync.push(this.#whole(message));
  }

  /** Signs it in place: a copy of each message costs as much as all else that is done for it. */
  #whole(message: Outgoing): Message {
    return Object.assign(message, { from: this.id, term: message.term ?? this.#term });
  }

  // ---- The follower's log (Raft §5.3)

  protected receiveAppend({ from, previousIndex, previousTerm, entries, commit }: AppendMessage): void {
    if (previousIndex < this.#commit) {
      this.sendAfterSync({ type: 'append-response', to: from, index: this.#commit });
      return;
    }
    if (!this.agreesAt(previousIndex, previousTerm)) {
      const index = this.#log.newestWithTermAtMost(previousIndex, previousTerm);
      const hint = { index, term: this.#log.term(index) ?? 0 };
      this.send({ type: 'append-response', to: from, index: previousIndex, hint });
      return;
    }
    this.takeEntries(entries);
    const last = previousIndex + entries.length;
    this.commitTo(this.boundCommit(commit, last));
    this.sendAfterSync({ type: 'append-response', to: from, index: last });
  }

  protected agreesAt(index: number, term: number): boolean {
    return this.#log.matches(index, term);
  }

  /** Of what the leader has committed this member knows only as far as its log is known to be the leader's. */
  protected boundCommit(leaderCommit: number, lastMatching: number): number {
    return Math.min(leaderCommit, lastMatching);
  }

  /** Cuts off only at a real conflict: the message may be an old one, and more may have come since. */
  protected takeEntries(entries: readonly LogEntry[]): void {
    const from = this.firstNew(entries);
    const first = entries[from];
    if (first === undefined) return;
    if (first.index <= this.#log.lastIndex) this.#truncate(first.index);
    for (const entry of entries.slice(from)) this.#take(entry);
  }

  /** Position in `entries` of the first that the log does not have. */
  protected firstNew(entries: readonly LogEntry[]): number {
    const position = entries.findIndex(({ index, term }) => !this.#log.matches(index, term));
    return position < 0 ? entries.length : position;
  }

  #truncate(from: number): void {
    invariant(from > this.#commit, `entry ${from} is committed and would be cut off`);
    this.#log.truncate(from);
    if (this.#configurations.truncate(from)) this.#followConfiguration();
  }

  #take(entry: LogEntry): void {
    this.#log.append(entry);
    if (entry.type !== 'configuration') return;
    this.#configurations.append(entry.index, decodeConfiguration(entry.payload));
    this.#followConfiguration();
  }

  protected commitTo(index: number): void {
    if (index <= this.#commit) return;
    invariant(index <= this.#log.lastIndex, `committed to ${index}, the log ends at ${this.#log.lastIndex}`);
    this.#commit = index;
    this.#configurations.committed(index);
    if (this.#role !== 'leader') this.#followVote();
  }

  protected installed({ index, term, configuration }: Input & { readonly type: 'installed' }): void {
    if (!this.#log.matches(index, term)) {
      // One that won its election during the installation has all that is committed.
      invariant(this.#role !== 'leader', 'a leader lacked a committed entry');
      invariant(index > this.#commit, 'a snapshot of the past was installed');
      this.#log.reset(index, term);
      this.#configurations.reset({ index, configuration });
      // The commit index must not lie before the log's first entry.
      this.#hardStateChanged = true;
    }
    this.commitTo(index);
    this.#followConfiguration();
    if (this.#leader === NOBODY || this.#leader === this.id) return;
    this.sendAfterSync({ type: 'append-response', to: this.#leader, index });
  }

  // ---- The leader's log (Raft §5.3)

  protected append(type: EntryType, requestId: RequestId, payload: Uint8Array): void {
    const index = this.#log.lastIndex + 1;
    this.#take({ format: 1, index, term: this.#term, type, requestId, payload });
  }

  /** What was appended goes to everyone. The leader's own log counts like any other: when it is durable. */
  #bringOut(): void {
    this.sendAfterSync({ type: 'append-response', to: this.id, index: this.#log.lastIndex });
    this.#replication.sendAll();
  }

  protected receiveAppended({ from, index, hint }: AppendedMessage): void {
    const progress = this.#replication.get(from);
    if (this.#role !== 'leader' || progress === undefined) return;
    progress.active = true;
    if (hint !== undefined) {
      this.#replication.refused(from, index, hint);
      return;
    }
    if (!this.#replication.acknowledged(from, index)) return;
    this.advanceCommit();
    this.#replication.continue(from);
    if (from === this.#transferee && progress.match === this.#log.lastIndex) {
      this.send({ type: 'timeout-now', to: from });
    }
  }

  /** What a majority has on disk is committed, if it is of this term (Raft §5.4.2, figure 8). */
  protected advanceCommit(): void {
    const index = this.agreedIndex();
    if (index <= this.#commit || !this.mayCommit(index)) return;
    const isFirst = !this.hasCommittedInTerm();
    this.commitTo(index);
    if (isFirst) for (const question of this.#reads.takeEarly()) this.question(question);
    this.#advanceConfiguration();
    if (this.#role !== 'leader') return;
    this.#replication.tellCommit();
  }

  protected agreedIndex(): number {
    return agreedValue(this.configuration, (id) => this.#replication.matchOf(id));
  }

  protected mayCommit(index: number): boolean {
    return this.#log.term(index) === this.#term;
  }

  protected hasCommittedInTerm(): boolean {
    return this.#log.term(this.#commit) === this.#term;
  }

  protected receiveHeartbeatResponse({ from, round }: HeartbeatResponseMessage): void {
    const progress = this.#replication.get(from);
    if (this.#role !== 'leader' || progress === undefined) return;
    progress.active = true;
    progress.nudge();
    progress.round = Math.max(progress.round, round);
    this.answerReads();
    if (progress.match < this.#log.lastIndex) this.#replication.probe(from);
  }

  // ---- Proposals

  protected propose(proposals: readonly ProposedEntry[]): void {
    if (this.#role === 'leader') {
      this.#takeProposals(proposals, this.id);
    } else if (this.#leader !== NOBODY) {
      this.send({ type: 'propose', to: this.#leader, proposals });
    } else {
      this.#refuse(
        proposals.map(({ requestId }) => requestId),
        'not-leader',
        this.id,
      );
    }
  }

  protected receiveProposals({ from, proposals }: ProposeMessage): void {
    // Only who has led this whole term, without a restart, knows whether a proposal is in the log already.
    if (this.#ledTerm === this.#term) this.#takeProposals(proposals, from);
  }

  #takeProposals(proposals: readonly ProposedEntry[], from: bigint): void {
    const before = this.#log.lastIndex;
    const refused = new Map<ProposalRefusal, RequestId[]>();
    for (const proposal of proposals) {
      // What this member proposes itself comes to it once.
      const reason = from === this.id ? this.#takeProposal(proposal) : this.#refusalOf(proposal);
      if (reason === undefined) continue;
      const requestIds = refused.get(reason) ?? [];
      refused.set(reason, requestIds);
      requestIds.push(proposal.requestId);
    }
    for (const [reason, requestIds] of refused) this.#refuse(requestIds, reason, from);
    if (this.#log.lastIndex === before) return;
    this.#bringOut();
  }

  protected isNewProposal(requestId: RequestId): boolean {
    return this.#proposals.isNew(requestId);
  }

  /** Refused once, taken never, and refused again whenever a copy comes: the first refusal may be lost. */
  #refusalOf(proposal: ProposedEntry): ProposalRefusal | undefined {
    const { requestId } = proposal;
    if (!this.isNewProposal(requestId)) return this.#proposals.refusal(requestId);
    const reason = this.#takeProposal(proposal);
    if (reason !== undefined) this.#proposals.refuse(requestId, reason);
    return reason;
  }

  /** Puts it in the log, or says why not. */
  #takeProposal({ type, requestId, payload }: ProposedEntry): ProposalRefusal | undefined {
    if (this.#role !== 'leader' || this.#transferee !== NOBODY) return 'not-leader';
    if (type === 'normal') {
      this.append(type, requestId, payload);
      return undefined;
    }
    const next = this.changedConfiguration(payload);
    if (typeof next === 'string') return next;
    this.append(type, requestId, encodeConfiguration(next));
    return undefined;
  }

  #refuse(requestIds: readonly RequestId[], reason: ProposalRefusal, to: bigint): void {
    if (requestIds.length === 0) return;
    if (to !== this.id) this.send({ type: 'proposal-refused', to, requestIds, reason });
    else for (const requestId of requestIds) this.#effects.refused.push({ requestId, reason });
  }

  // ---- Reads (dissertation §6.4)

  protected read(id: number): void {
    if (this.#role === 'leader') this.question({ from: this.id, id });
    else if (this.#leader !== NOBODY) this.send({ type: 'read', to: this.#leader, id });
  }

  /** What is committed now, once a quorum confirms that this member still leads. */
  protected question(question: Question): void {
    if (!this.hasCommittedInTerm()) {
      this.#reads.addEarly(question);
      return;
    }
    this.#round += 1;
    this.#reads.add(question, this.#round, this.#commit);
    this.answerReads();
    if (!this.#reads.isEmpty) this.heartbeat();
  }

  protected answerReads(): void {
    if (this.#reads.isEmpty) return;
    for (const { from, id, index } of this.#reads.confirmed(this.confirmedRound())) {
      if (from === this.id) this.#effects.reads.push({ id, index });
      else this.send({ type: 'read-response', to: from, id, index });
    }
  }

  protected confirmedRound(): number {
    return agreedValue(this.configuration, (id) =>
      id === this.id ? this.#round : (this.#replication.get(id)?.round ?? 0),
    );
  }

  // ---- Configurations (Raft §6, dissertation §4)

  /** What the leader makes of wishes; a reason if it may not. */
  protected changedConfiguration(payload: Uint8Array): Configuration | ChangeRefusal {
    if (!this.mayChangeConfiguration()) return 'change-pending';
    return applyChanges(this.configuration, decodeChanges(payload));
  }

  /**
   * One change at a time, and only once something of this term is committed: otherwise two leaders could each make a
   * change of their own to the same configuration, whose majorities need not meet.
   */
  protected mayChangeConfiguration(): boolean {
    const { index, configuration } = this.#configurations.latest;
    return index <= this.#commit && !isJoint(configuration) && this.hasCommittedInTerm();
  }

  /** A committed joint configuration is left; a leader that is no longer in the cluster steps down. */
  #advanceConfiguration(): void {
    const { index, configuration } = this.#configurations.latest;
    if (index > this.#commit) return;
    if (isJoint(configuration)) {
      this.append('configuration', NO_REQUEST, encodeConfiguration(leaveJoint(configuration)));
      this.#bringOut();
    } else if (!isVoter(configuration, this.id)) {
      // First the heir: whoever knows that this member has left may not listen to it any more.
      const { heir } = this;
      if (heir !== undefined) this.send({ type: 'timeout-now', to: heir });
      this.#replication.tellCommit();
      this.becomeFollower(this.#term, NOBODY);
    }
  }

  /** The configuration in force has changed. */
  #followConfiguration(): void {
    if (this.#role !== 'leader') {
      this.#followVote();
      return;
    }
    this.#replication.setMembers(this.configuration.members);
    if (this.#transferee !== NOBODY && !isVoter(this.configuration, this.#transferee)) this.#endTransfer();
    this.#restartQuorumTimer();
    this.#heartbeatDeadline = Math.min(this.#heartbeatDeadline, this.#now + this.#times.heartbeatMs);
  }

  /** Whoever has got a vote may stand from now on, whoever has lost it no longer. */
  #followVote(): void {
    if (this.mayStand() !== this.#electionDeadline < Infinity) this.#restartElectionTimer();
  }

  // ---- Handing over (dissertation §3.10)

  protected transfer(to: bigint): void {
    const progress = this.#replication.get(to);
    if (
      this.#role !== 'leader' ||
      to === this.id ||
      progress === undefined ||
      !isVoter(this.configuration, to)
    )
      return;
    this.#transferee = to;
    this.#transferDeadline = this.#now + this.#times.electionTimeoutMs;
    if (progress.match === this.#log.lastIndex) this.send({ type: 'timeout-now', to });
    else this.#replication.probe(to);
  }

  #endTransfer(): void {
    this.#transferee = NOBODY;
    this.#transferDeadline = Infinity;
  }
}

function emptyEffects(): Effects {
  return {
    reset: undefined,
    truncateFrom: undefined,
    entries: [],
    hardState: undefined,
    messages: [],
    messagesAfterSync: [],
    reads: [],
    refused: [],
    fetches: [],
    snapshots: [],
  };
}
