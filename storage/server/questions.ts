/**
 * What members ask the leader, or each other, past the log (Consensus.askLeader and ask): the first byte says what kind of
 * question it is.
 */
import { invariant } from '../../raft/invariant.js';
import { NO_BYTES } from '../bytes.js';

export const QuestionKind = {
  /** storage/server/lease-question.ts */
  lease: 1,
  /** storage/cluster/learner-question.ts */
  learnerInSync: 2,
  /** storage/maintenance/corruption-question.ts */
  hash: 3,
  /** How long an answer takes. */
  nothing: 255,
} as const;
export type QuestionKind = (typeof QuestionKind)[keyof typeof QuestionKind];

/** Answers with bytes that only the asking side of this kind reads. A rejection reaches it as a TransportError. */
export type AnswerQuestion = (body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

export function questionOf(kind: QuestionKind, body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(kind), body]);
}

/** Gives each question to whoever has said that it answers that kind. */
export class Questions {
  readonly #answers = new Map<number, AnswerQuestion>([[QuestionKind.nothing, async () => NO_BYTES]]);

  on(kind: QuestionKind, answer: AnswerQuestion): void {
    invariant(!this.#answers.has(kind), 'one answers a kind of question');
    this.#answers.set(kind, answer);
  }

  async answer(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const answer = this.#answers.get(question[0] ?? 0);
    // A newer member may ask what this one does not know.
    if (answer === undefined) throw new Error(`nobody answers questions of kind ${question[0]}`);
    return answer(question.subarray(1), signal);
  }
}
