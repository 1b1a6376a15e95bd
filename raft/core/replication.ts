import { invariant } from '../invariant.js';
import type { LogEntry } from '../log/log.js';
import type { Member } from './configuration.js';
import type { Effects } from './effects.js';
import { FollowerProgress } from './follower-progress.js';
import type { StepLog } from './log-reader.js';
import type { AppendMessage, CommitMessage, HeartbeatMessage } from './messages.js';
import type { RaftLimits } from './options.js';

type Sent = AppendMessage | HeartbeatMessage | CommitMessage;
/** A message but for what its sender adds. */
export type Unsigned<M extends { type: string }> = M extends unknown ? Omit<M, 'from' | 'term'> : never;

export interface ReplicationOptions {
  /** The leader itself: followed like the others, but not sent to. */
  readonly id: bigint;
  readonly log: StepLog;
  readonly limits: RaftLimits;
  readonly commit: () => number;
  readonly send: (message: Unsigned<Sent>) => void;
  /** Of the present step. */
  readonly effects: () => Pick<Effects, 'fetches' | 'snapshots'>;
}

/** A leader's work of bringing its log to the others (Raft §5.3). Empty on a member that does not lead. */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #log: StepLog;
  readonly #progress = new Map<bigint, FollowerProgress>();
  /** Reads of this step, so that followers at the same place share one array. */
  readonly #shared = new Map<number, LogEntry[] | undefined>();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** A step begins. */
  begin(): void {
    this.#shared.clear();
  }

  clear(): void {
    this.#progress.clear();
  }

  /** These are the members now. A leader that removes itself goes on until that is committed, but does not count. */
  setMembers(members: readonly Member[]): void {
    const { id: self, limits } = this.#options;
    for (const id of this.#progress.keys()) {
      if (id !== self && !members.some((member) => member.id === id)) this.#progress.delete(id);
    }
    for (const id of [self, ...members.map((member) => member.id)]) {
      if (!this.#progress.has(id)) {
        this.#progress.set(id, new FollowerProgress(this.#log.lastIndex + 1, limits));
      }
    }
  }

  get(id: bigint): FollowerProgress | undefined {
    return this.#progress.get(id);
  }

  /** Highest index known to be durable there; 0 while nothing is known. */
  matchOf(id: bigint): number {
    return this.#progress.get(id)?.match ?? 0;
  }

  /** Who of these but the leader has the most of its log; of several, one that has answered lately. */
  mostUpToDate(ids: readonly bigint[]): bigint | undefined {
    const rank = (id: bigint) => this.matchOf(id) + (this.#progress.get(id)?.active === true ? 0.5 : 0);
    const [best] = ids
      .filter((id) => id !== this.#options.id && this.matchOf(id) > 0)
      .toSorted((a, b) => rank(b) - rank(a));
    return best;
  }

  get matches(): ReadonlyMap<bigint, number> {
    return new Map([...this.#progress].map(([id, { match }]) => [id, match]));
  }

  /** Lowest index that a follower which is being brought up to date still needs; Infinity if none does. */
  get neededFrom(): number {
    let needed = Infinity;
    for (const [, progress] of this.#others()) {
      if (progress.active && progress.state !== 'snapshot') needed = Math.min(needed, progress.match + 1);
    }
    return needed;
  }

  /** Who has answered since the last call, the leader always. */
  takeActive(): ReadonlyMap<bigint, boolean> {
    const active = new Map([...this.#progress].map(([id, progress]) => [id, progress.active]));
    active.set(this.#options.id, true);
    for (const [, progress] of this.#others()) progress.active = false;
    return active;
  }

  /** A sign of life to everyone; false if there is nobody. */
  heartbeat(round: number): boolean {
    for (const [to, progress] of this.#others()) {
      const commit = Math.min(progress.match, this.#options.commit());
      progress.commitTold = Math.max(progress.commitTold, commit);
      this.#options.send({ type: 'heartbeat', to, commit, round });
    }
    return this.#progress.size > 1;
  }

  /** What is new, to everyone. */
  sendAll(): void {
    for (const [to, progress] of this.#others()) this.#send(to, progress, false);
  }

  /** As much as the limits let through; one append at least, to learn whether the logs agree. */
  probe(to: bigint): void {
    const progress = this.#progress.get(to);
    if (progress !== undefined) this.#send(to, progress, true);
  }

  markUnreachable(member: bigint): void {
    const progress = this.#progress.get(member);
    if (member !== this.#options.id && progress?.state === 'replicate') progress.probe();
  }

  /** It has the leader's entries through `index`. False if that is neither news nor the end of a probe. */
  acknowledged(from: bigint, index: number): boolean {
    const progress = this.#progress.get(from);
    if (progress === undefined) return false;
    invariant(index <= this.#log.lastIndex, `member ${from} acknowledges ${index}, which is not in the log`);
    if (!progress.acknowledged(index) && progress.state !== 'probe') return false;
    if (progress.state === 'probe') progress.replicate();
    // It has found another way to what the snapshot would have brought.
    else if (progress.state === 'snapshot' && this.#log.term(progress.match) !== undefined)
      progress.replicate();
    return true;
  }

  /** What there is to send to a follower that has answered. */
  continue(to: bigint): void {
    const progress = this.#progress.get(to);
    if (progress === undefined || to === this.#options.id) return;
    this.#send(to, progress, false);
    this.#tellCommit(to, progress);
  }

  /** It refused an append behind `index`. The leader's own terms may let it skip further than the hint. */
  refused(from: bigint, index: number, hint: { readonly index: number; readonly term: number }): void {
    const progress = this.#progress.get(from);
    const next = this.#log.newestWithTermAtMost(hint.index, hint.term);
    if (progress?.refused(index, next) === true) this.#send(from, progress, true);
  }

  /** Without it followers would wait for the next append or heartbeat. */
  tellCommit(): void {
    for (const [to, progress] of this.#others()) this.#tellCommit(to, progress);
  }

  /** What `Effects.fetches` asked for was read. */
  fetched(member: bigint, entries: readonly LogEntry[]): void {
    const progress = this.#progress.get(member);
    if (progress?.fetching !== true) return;
    progress.fetching = false;
    // It may have been compacted, or asked for by another leader, meanwhile.
    const wanted = entries[0]?.index === progress.next && this.#log.term(progress.next - 1) !== undefined;
    const whole = entries.every(({ index, term }) => this.#log.matches(index, term));
    if (wanted && whole && !progress.paused) this.#sendEntries(member, progress, entries);
    this.#send(member, progress, false);
  }

  /** What `Effects.snapshots` asked for is installed there, with all through `index`, or has failed. */
  snapshotSent(member: bigint, index: number | undefined): void {
    const progress = this.#progress.get(member);
    if (progress?.state !== 'snapshot') return;
    progress.probe(index === undefined ? undefined : index + 1);
    if (index === undefined) progress.pause();
    else this.#send(member, progress, true);
  }

  *#others(): Generator<[bigint, FollowerProgress]> {
    for (const entry of this.#progress) if (entry[0] !== this.#options.id) yield entry;
  }

  #send(to: bigint, progress: FollowerProgress, evenEmpty: boolean): void {
    let empty = evenEmpty;
    while (!progress.paused && (empty || progress.next <= this.#log.lastIndex)) {
      empty = false;
      if (this.#log.term(progress.next - 1) === undefined) return this.#needSnapshot(to, progress);
      const entries = this.#entriesFrom(progress.next);
      if (entries === undefined) return this.#fetch(to, progress);
      this.#sendEntries(to, progress, entries);
    }
  }

  #sendEntries(to: bigint, progress: FollowerProgress, entries: readonly LogEntry[]): void {
    const previousIndex = progress.next - 1;
    const previousTerm = this.#log.term(previousIndex);
    invariant(previousTerm !== undefined, 'entries sent whose beginning is gone');
    const commit = this.#options.commit();
    const last = previousIndex + entries.length;
    progress.commitTold = Math.max(progress.commitTold, Math.min(commit, last));
    progress.sent(last, payloadBytes(entries));
    this.#options.send({ type: 'append', to, previousIndex, previousTerm, entries, commit });
  }

  #entriesFrom(from: number): LogEntry[] | undefined {
    if (from > this.#log.lastIndex) return [];
    if (!this.#shared.has(from)) {
      this.#shared.set(from, this.#log.read(from, this.#options.limits.appendBytesMax));
    }
    return this.#shared.get(from);
  }

  #fetch(member: bigint, progress: FollowerProgress): void {
    progress.fetching = true;
    const through = Math.min(this.#log.residentIndex - 1, this.#log.lastIndex);
    const { appendBytesMax: maxBytes } = this.#options.limits;
    this.#options.effects().fetches.push({ member, from: progress.next, through, maxBytes });
  }

  #needSnapshot(member: bigint, progress: FollowerProgress): void {
    if (!progress.active) {
      progress.pause();
      return;
    }
    progress.awaitSnapshot();
    this.#options.effects().snapshots.push({ member });
  }

  #tellCommit(to: bigint, progress: FollowerProgress): void {
    const commit = Math.min(progress.match, this.#options.commit());
    if (commit <= progress.commitTold) return;
    progress.commitTold = commit;
    this.#options.send({ type: 'commit', to, commit });
  }
}

function payloadBytes(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const { payload } of entries) bytes += payload.length;
  return bytes;
}
