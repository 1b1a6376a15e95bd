import type { Consensus } from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import type { CallOptions } from '../client/interface.js';
import type { Clock } from '../clock.js';
import { EtcdError } from '../errors.js';
import { QuestionKind, questionOf, type Questions } from '../server/questions.js';
import { WireError } from '../wire.js';
import {
  decodeHashAnswer,
  decodeHashQuestion,
  encodeHashAnswer,
  encodeHashQuestion,
  type HashAnswer,
} from './corruption-question.js';
import type { Hasher } from './hasher.js';
import { differing, UNKNOWN_MEMBER, type Finding } from './verdict.js';

/** A hash of a million keys takes half a minute in the background. */
const ANSWER_TIMEOUT_MS = 5 * 60_000;
/** So long a member that starts waits to have what the others have. */
const CATCH_UP_MS = 3000;

export interface CorruptionCheckOptions {
  readonly consensus: Pick<Consensus<unknown>, 'status' | 'configuration' | 'ask'>;
  readonly questions: Pick<Questions, 'on'>;
  readonly hasher: Pick<Hasher, 'hashKv'>;
  readonly clock: Clock;
  readonly revision: () => number;
  /** Waits until this member has applied what was committed. Rejects with EtcdError. */
  readonly confirmRead: (options?: CallOptions) => Promise<void>;
  /** Whether somebody has raised CORRUPT already. */
  readonly isAlarmOn: () => boolean;
  /** Raises CORRUPT for a member, or for nobody in particular. Rejects with EtcdError. */
  readonly raise: (memberId: bigint) => Promise<void>;
  /** Milliseconds between two checks; 0: none. */
  readonly everyMs: number;
  /** Milliseconds between two checks that compactions bring about, at least; 0: they bring about none. */
  readonly afterCompactionMs: number;
  readonly onFound: (memberIds: readonly bigint[]) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The leader has the members hash what they hold at its revision, and raises CORRUPT for those that differ. Compactions
 * bring it about because they come as often as there is much to check; a member without others has nobody to compare
 * itself with and hashes nothing.
 */
export class CorruptionCheck {
  readonly #options: CorruptionCheckOptions;
  #cancel: (() => void)[] = [];
  #scheduled = false;
  #last = -Infinity;
  #closed = false;

  constructor(options: CorruptionCheckOptions) {
    this.#options = options;
    options.questions.on(QuestionKind.hash, async (body, signal) =>
      encodeHashAnswer(await this.#answer(decodeHashQuestion(body), signal)),
    );
    if (options.everyMs > 0) this.#repeat();
  }

  /** A compaction was applied. */
  compacted(): void {
    const { afterCompactionMs, clock } = this.#options;
    if (afterCompactionMs === 0 || this.#scheduled || !this.#isConcerned) return;
    this.#scheduled = true;
    const wait = Math.max(0, this.#last + afterCompactionMs - clock.now());
    this.#after(wait, () => {
      this.#scheduled = false;
      void this.#tryCheck();
    });
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancel) cancel();
  }

  /** One check, on the leader; tells whom it has raised CORRUPT for. Rejects with EtcdError where it cannot be made. */
  async check(): Promise<readonly bigint[]> {
    if (!this.#isConcerned) return [];
    this.#last = this.#options.clock.now();
    await this.#options.confirmRead();
    const found = await this.#compare(this.#options.revision());
    if (found.length === 0) return found;
    this.#options.onFound(found);
    for (const memberId of found) await this.#options.raise(memberId);
    return found;
  }

  /** Whether this member, which has just started, holds something else than the others that answer. Rejects: EtcdError. */
  async differsFromOthers(): Promise<boolean> {
    if (this.#others.length === 0) return false;
    try {
      await this.#options.confirmRead({ timeout: CATCH_UP_MS });
    } catch (error) {
      // Those that are there may be asked all the same.
      if (!(error instanceof EtcdError)) throw error;
    }
    const found = await this.#compare(this.#options.revision());
    const { memberId } = this.#options.consensus.status();
    return found.some((id) => id === memberId || id === UNKNOWN_MEMBER);
  }

  get #others(): readonly bigint[] {
    const { consensus } = this.#options;
    const { memberId } = consensus.status();
    return consensus
      .configuration()
      .members.map(({ id }) => id)
      .filter((id) => id !== memberId);
  }

  get #isConcerned(): boolean {
    const { leaderId, memberId } = this.#options.consensus.status();
    return leaderId === memberId && this.#others.length > 0 && !this.#options.isAlarmOn();
  }

  async #compare(revision: number): Promise<readonly bigint[]> {
    const { hasher, consensus } = this.#options;
    const { memberId } = consensus.status();
    const others = this.#others;
    const [own, ...answers] = await Promise.all([
      hasher.hashKv(revision, { inBackground: true }),
      ...others.map((id) => this.#ask(id, revision)),
    ]);
    const findings = answers.filter((finding) => finding !== undefined);
    return differing([{ memberId, ...own }, ...findings], others.length + 1);
  }

  /** Undefined where a member cannot be asked, or cannot say. */
  async #ask(memberId: bigint, revision: number): Promise<Finding | undefined> {
    const question = questionOf(QuestionKind.hash, encodeHashQuestion(revision));
    try {
      const bytes = await this.#options.consensus.ask(memberId, question, { timeoutMs: ANSWER_TIMEOUT_MS });
      const answer = decodeHashAnswer(bytes);
      return answer.type === 'hash' ? { memberId, ...answer } : undefined;
    } catch (error) {
      if (error instanceof TransportError || error instanceof WireError) return undefined;
      throw error;
    }
  }

  async #answer(revision: number, signal: AbortSignal): Promise<HashAnswer> {
    const { hasher, confirmRead } = this.#options;
    try {
      // Applies what the leader has, compactions too: hashes of different ones cannot be compared.
      await confirmRead({ signal });
      const { hash, compactRevision } = await hasher.hashKv(revision, { signal, inBackground: true });
      return { type: 'hash', hash, compactRevision };
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return { type: error.is('Compacted') ? 'compacted' : 'behind' };
    }
  }

  #repeat(): void {
    this.#after(this.#options.everyMs, () => {
      void this.#tryCheck().finally(() => this.#repeat());
    });
  }

  /** What cannot be checked now is checked the next time. */
  async #tryCheck(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      if (!(error instanceof EtcdError)) this.#options.onFailure(error);
    }
  }

  #after(ms: number, callback: () => void): void {
    if (this.#closed) return;
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancel = this.#cancel.filter((other) => other !== cancel);
      callback();
    });
    this.#cancel.push(cancel);
  }
}
