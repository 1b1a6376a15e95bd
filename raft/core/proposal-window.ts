import type { RequestId } from '../log/log.js';
import type { ProposalRefusal } from './messages.js';

/** Proposals remembered for each session; what is older counts as known. */
export const COUNTERS_MAX = 65_536;
/** Sessions remembered: each start of a member is one. */
export const SESSIONS_MAX = 1024;
/** Refusals remembered. */
export const REFUSALS_MAX = 4096;

interface Known {
  /** Every counter through this one counts as known. */
  floor: number;
  /** Known above the floor. */
  readonly counters: Set<number>;
}

/**
 * Which proposals the leader of a term has seen, so that one that is sent again, by the network or on purpose, is taken
 * once. It need not outlive the term: a proposal is for the leader of one term, and no other takes it.
 */
export class ProposalWindow {
  /** By the time of last use. */
  readonly #sessions = new Map<bigint, Known>();
  /** By session and counter, the oldest first. */
  readonly #refusals = new Map<string, ProposalRefusal>();

  /** True the first time. */
  isNew({ session, counter }: RequestId): boolean {
    const known = this.#known(session);
    if (counter <= known.floor || known.counters.has(counter)) return false;
    known.counters.add(counter);
    while (known.counters.delete(known.floor + 1)) known.floor += 1;
    if (known.counters.size > COUNTERS_MAX) this.#raiseFloor(known);
    return true;
  }

  /** It was new, and is not taken. */
  refuse(requestId: RequestId, reason: ProposalRefusal): void {
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size >= REFUSALS_MAX && oldest !== undefined) this.#refusals.delete(oldest);
    this.#refusals.set(keyOf(requestId), reason);
  }

  /** Why it was refused; undefined if it was not, or too long ago. */
  refusal(requestId: RequestId): ProposalRefusal | undefined {
    return this.#refusals.size === 0 ? undefined : this.#refusals.get(keyOf(requestId));
  }

  clear(): void {
    this.#sessions.clear();
    this.#refusals.clear();
  }

  #known(session: bigint): Known {
    const known = this.#sessions.get(session) ?? { floor: 0, counters: new Set() };
    this.#sessions.delete(session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(session, known);
    return known;
  }

  /** A proposal that was lost leaves a gap for ever. */
  #raiseFloor(known: Known): void {
    let newest = 0;
    for (const counter of known.counters) newest = Math.max(newest, counter);
    known.floor = newest - COUNTERS_MAX / 2;
    for (const counter of known.counters) if (counter <= known.floor) known.counters.delete(counter);
  }
}

function keyOf({ session, counter }: RequestId): string {
  return `${session}/${counter}`;
}
