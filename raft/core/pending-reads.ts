/** A question for an index to read at (dissertation §6.4). */
export interface Question {
  readonly from: bigint;
  readonly id: number;
}

interface Pending extends Question {
  /** Of the confirmation that answers it. */
  readonly round: number;
  /** What was committed when the question came. */
  readonly index: number;
}

export interface Answer extends Question {
  readonly index: number;
}

/** A leader's open questions: each waits until a quorum has confirmed a round that began after it. */
export class PendingReads {
  /** By rising round. */
  #pending: Pending[] = [];
  /** Asked before this leader had committed anything in its term. */
  #early: Question[] = [];

  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#early.length === 0;
  }

  add(question: Question, round: number, index: number): void {
    this.#pending.push({ ...question, round, index });
  }

  addEarly(question: Question): void {
    this.#early.push(question);
  }

  takeEarly(): readonly Question[] {
    const early = this.#early;
    this.#early = [];
    return early;
  }

  /** Those that are answered now that `round` is confirmed. */
  confirmed(round: number): readonly Answer[] {
    const open = this.#pending.findIndex((pending) => pending.round > round);
    return this.#pending.splice(0, open < 0 ? this.#pending.length : open);
  }

  clear(): void {
    this.#pending = [];
    this.#early = [];
  }
}
