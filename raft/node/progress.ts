import { invariant } from '../invariant.js';

/**
 * How far the only member of a cluster has come. Pure: it decides, the driver does.
 * Invariant: applied ≤ committed ≤ durable in the log.
 */
export class Progress {
  #committed: number;
  #applied: number;

  /** @param applied what the state machine had applied at the start; it was committed then. */
  constructor(
    readonly term: number,
    applied: number,
  ) {
    this.#committed = applied;
    this.#applied = applied;
  }

  get committed(): number {
    return this.#committed;
  }

  get applied(): number {
    return this.#applied;
  }

  /**
   * The log is durable through `index`. One member is a quorum, so that all of it is committed, provided that the
   * newest of it is of this term (Raft §5.4.2).
   */
  persisted(index: number, term: number): void {
    invariant(
      index >= this.#committed,
      `the log is durable to ${index} only, ${this.#committed} is committed`,
    );
    invariant(term === this.term, `entry ${index} of term ${term} cannot commit in term ${this.term}`);
    this.#committed = index;
  }

  appliedThrough(index: number): void {
    invariant(index > this.#applied, `entry ${index} is applied after ${this.#applied}`);
    invariant(index <= this.#committed, `entry ${index} is applied and not committed`);
    this.#applied = index;
  }
}
