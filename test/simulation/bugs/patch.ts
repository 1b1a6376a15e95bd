/** Mistakes are planted from outside: methods are replaced while a simulation runs, and put back afterwards. */
import type { Configuration, ChangeRefusal } from '../../../raft/core/configuration.js';
import type { StepLog } from '../../../raft/core/log-reader.js';
import type { Input } from '../../../raft/core/effects.js';
import type { Message, VoteMessage } from '../../../raft/core/messages.js';
import type { Verdict } from '../../../raft/core/quorum.js';
import { Raft, type Role } from '../../../raft/core/raft.js';
import type { LogEntry, RequestId } from '../../../raft/log/log.js';
import type { ProfileChange } from '../profile.js';

export interface PlantedBug {
  readonly name: string;
  /** What it breaks. */
  readonly rule: string;
  /** Introduces it. Returns what takes it out again. */
  plant(): () => void;
  /** Surroundings in which it shows sooner. */
  readonly surroundings?: ProfileChange;
}

type SentMessage = Omit<Message, 'from' | 'term'> & { readonly index?: number };

/** The decisions of the state machine, which it keeps to itself. */
export interface RaftDecisions {
  readonly id: bigint;
  readonly role: Role;
  readonly term: number;
  readonly commit: number;
  readonly configuration: Configuration;
  readonly matches: ReadonlyMap<bigint, number>;
  acceptTerm(this: RaftDecisions, message: Message): boolean;
  agreedIndex(this: RaftDecisions): number;
  agreesAt(this: RaftDecisions, index: number, term: number): boolean;
  becomeCandidate(this: RaftDecisions, transfer: boolean): void;
  becomePreCandidate(this: RaftDecisions): void;
  changedConfiguration(this: RaftDecisions, payload: Uint8Array): Configuration | ChangeRefusal;
  confirmedRound(this: RaftDecisions): number;
  countVote(this: RaftDecisions, from: bigint, granted: boolean): void;
  firstNew(this: RaftDecisions, entries: readonly LogEntry[]): number;
  hasCommittedInTerm(this: RaftDecisions): boolean;
  installed(this: RaftDecisions, input: Input & { readonly type: 'installed' }): void;
  isNewProposal(this: RaftDecisions, requestId: RequestId): boolean;
  isUpToDate(this: RaftDecisions, message: VoteMessage): boolean;
  mayChangeConfiguration(this: RaftDecisions): boolean;
  mayCommit(this: RaftDecisions, index: number): boolean;
  mayVoteFor(this: RaftDecisions, message: VoteMessage): boolean;
  question(this: RaftDecisions, question: { readonly from: bigint; readonly id: number }): void;
  receive(this: RaftDecisions, message: Message): void;
  send(this: RaftDecisions, message: SentMessage): void;
  sendAfterSync(this: RaftDecisions, message: SentMessage): void;
  setTerm(this: RaftDecisions, term: number, vote: bigint): void;
  verdict(this: RaftDecisions, votes: ReadonlyMap<bigint, boolean>): Verdict;
}

export const decisions = Raft.prototype as unknown as RaftDecisions;

/** Replaces a method by what is made of it. Returns what puts it back. */
export function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const original = Object.getOwnPropertyDescriptor(target, name)?.value as T[K] | undefined;
  if (typeof original !== 'function') throw new TypeError(`there is no method ${String(name)} to replace`);
  target[name] = make(original);
  return () => {
    target[name] = original;
  };
}

/** Several at once. */
export function all(...unplant: readonly (() => void)[]): () => void {
  return () => {
    for (const each of unplant) each();
  };
}

/** As `StepLog.prototype.matches`, typed for `replace`. */
export interface LogMatching {
  matches(this: StepLog, index: number, term: number): boolean;
}
