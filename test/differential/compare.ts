import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Random } from '../simulation/random.js';
import type { Message, MethodName } from '../tools/etcd-definitions.js';
import type { Outcome } from '../tools/etcd-wire.js';
import { Generator } from './generator.js';
import { Knowledge } from './knowledge.js';
import { normalise } from './normalise.js';
import { FENCE_KEY, FENCE_WATCH_ID, type Operation, show, STREAMS } from './operations.js';
import type { Side } from './side.js';

/** Operations that a failure shows, the last one first to blame. */
const OPERATIONS_SHOWN = 12;

/** Operations between two comparisons of the watches. */
const SYNC_EVERY = 100;

/** Milliseconds in which an event that is one too many would have come. */
const SILENCE_MS = 300;

export interface ComparisonOptions {
  readonly seed: number;
  readonly operations: number;
  readonly progress?: (done: number) => void;
  /** A name of an operation's kind → how often it was done and how often it failed, for those who want to see. */
  readonly counts?: Map<string, { done: number; failed: number }>;
}

/** The two stores differ. The message says how, and how to come to it again. */
export class DifferenceError extends Error {
  override name = 'DifferenceError';
}

/** Does the same to both and compares what comes of it, until the first difference. @throws DifferenceError */
export async function compare(reference: Side, subject: Side, options: ComparisonOptions): Promise<void> {
  await new Comparison(reference, subject, options).run();
}

class Comparison {
  readonly #reference: Side;
  readonly #subject: Side;
  readonly #options: ComparisonOptions;
  readonly #known = new Knowledge();
  readonly #generator: Generator;
  readonly #recent: string[] = [];
  #done = 0;

  constructor(reference: Side, subject: Side, options: ComparisonOptions) {
    this.#reference = reference;
    this.#subject = subject;
    this.#options = options;
    this.#generator = new Generator(new Random(options.seed), this.#known);
  }

  async run(): Promise<void> {
    const { operations, progress } = this.#options;
    await Promise.all([this.#reference.openAll(), this.#subject.openAll()]);
    for (; this.#done < operations; this.#done += 1) {
      if (this.#done % SYNC_EVERY === SYNC_EVERY - 1) await this.#sync();
      await this.#do(this.#generator.next()).catch((error: unknown) => this.#failWith(error));
      progress?.(this.#done + 1);
    }
    await this.#sync();
    await delay(SILENCE_MS);
    this.#compareWatches();
  }

  async #do(operation: Operation): Promise<void> {
    this.#remember(show(operation));
    switch (operation.type) {
      case 'call':
        // What is being read from history must not be compacted before both have read it.
        if (operation.method === 'Compact') await this.#sync();
        await this.#call(operation.method, operation.request);
        return;
      case 'unnamed-lease':
        return this.#unnamedLease(operation.ttl);
      case 'watch':
        return this.#watch(operation.stream, operation.request);
      case 'unwatch':
        return this.#unwatch(operation.stream, operation.watchId);
      case 'progress':
        return this.#progress(operation.stream);
      case 'reopen':
        await this.#sync();
        await this.#both((side) => side.reopen(operation.stream));
        this.#known.reopened(operation.stream);
        return;
      case 'sync':
        return this.#sync();
    }
  }

  #both<T>(work: (side: Side) => Promise<T>): Promise<[T, T]> {
    return Promise.all([work(this.#reference), work(this.#subject)]);
  }

  async #call(method: MethodName, request: Message): Promise<Message | undefined> {
    const [expected, actual] = await this.#both((side) => side.call(method, request));
    this.#expectEqual(method, expected, actual);
    this.#count(method, expected);
    if (!('answer' in expected)) return undefined;
    this.#known.learn(method, request, expected.answer);
    return expected.answer;
  }

  #expectEqual(method: MethodName, expected: Outcome, actual: Outcome): void {
    const [a, b] = [normalise(method, expected), normalise(method, actual)];
    if (!isDeepStrictEqual(a, b)) this.#fail(method, show(a), show(b));
  }

  /** Each side has an id of its own for it. */
  async #unnamedLease(ttl: string): Promise<void> {
    const work = async (side: Side) => {
      const granted = await side.call('LeaseGrant', { ttl });
      if (!('answer' in granted)) return [granted];
      const { id } = granted.answer;
      const rest = [await side.call('LeaseKeepAlive', { id }), await side.call('LeaseRevoke', { id })];
      return [granted, ...rest].map((outcome) => withoutLeaseId(outcome));
    };
    const [expected, actual] = await this.#both(work);
    const outcomes = Math.max(expected.length, actual.length);
    for (let i = 0; i < outcomes; i += 1) {
      this.#expectEqual('LeaseGrant', expected[i] as Outcome, actual[i] as Outcome);
    }
  }

  async #watch(index: number, request: Message): Promise<void> {
    const [expected, actual] = await this.#both((side) => side.watch(index, request));
    const [a, b] = [expected, actual].map(({ watchId, canceled, cancelReason }) =>
      show({ watchId, canceled, cancelReason }),
    );
    if (a !== b) this.#fail('the answer to a watch', String(a), String(b));
    this.#count(expected['canceled'] === true ? 'watch refused' : 'watch', { answer: expected });
    if (expected['canceled'] === true) return;
    const id = String(expected['watchId']);
    const watch = this.#known.watched(index, id, request);
    if (watch.startRevision === 0 || watch.startRevision >= this.#known.compacted) return;
    await this.#both((side) =>
      side.until('a cancel', () => side.log(index).tracks.get(id)?.canceled === true),
    );
    this.#known.forgetWatch(index, id);
    this.#known.stream(index).spent.add(id);
  }

  async #unwatch(index: number, watchId: string): Promise<void> {
    // What it has yet to tell would be lost on one side and not on the other.
    await this.#sync();
    const isKnown = this.#known.stream(index).watches.has(watchId);
    await this.#both(async (side) => {
      side.send(index, { cancel: { watchId } });
      if (!isKnown) return;
      await side.until('a cancel', () => side.log(index).tracks.get(watchId)?.canceled === true);
    });
    this.#known.forgetWatch(index, watchId);
  }

  async #progress(index: number): Promise<void> {
    const known = this.#known.stream(index);
    if (known.progressAsked || known.waitsForFuture(this.#known.revision)) return;
    known.progressAsked = true;
    await this.#both(async (side) => side.send(index, { progress: {} }));
  }

  /**
   * Brings every watch up to date and compares what came since the last time. Watches that may still read history get a
   * change of their own, because a fence tells how far a stream is only for watches that follow the present.
   */
  async #sync(): Promise<void> {
    const fences: { readonly index: number; readonly id: string; readonly revision: number }[] = [];
    for (let index = 0; index < STREAMS; index += 1) {
      for (const watch of this.#known.stream(index).unsettled) {
        if (watch.isSilent || watch.startRevision > this.#known.revision + 1) continue;
        // A filter lets one of the two pass.
        const put = await this.#call('Put', { key: watch.key });
        await this.#call('DeleteRange', { key: watch.key });
        fences.push({ index, id: watch.id, revision: revisionOf(put) });
      }
      this.#known.stream(index).unsettled.clear();
    }
    const revision = revisionOf(await this.#call('Put', { key: FENCE_KEY }));
    for (let index = 0; index < STREAMS; index += 1) fences.push({ index, id: FENCE_WATCH_ID, revision });
    await this.#both(async (side) => {
      for (const { index, id, revision } of fences) {
        const isTold = () => (side.log(index).tracks.get(id)?.revision ?? 0) >= revision;
        await side.until(`telling revision ${revision} to watch ${id} of stream ${index}`, isTold);
      }
    });
    await this.#reference
      .until('the same watches', () => this.#watchDifference() === undefined)
      .catch(() => undefined);
    this.#compareWatches();
  }

  #compareWatches(): void {
    const difference = this.#watchDifference();
    if (difference !== undefined) this.#fail(difference.what, difference.expected, difference.actual);
    for (const side of [this.#reference, this.#subject]) {
      for (let index = 0; index < STREAMS; index += 1) {
        const [broken] = side.log(index).broken;
        if (broken !== undefined) this.#fail(`${side.name}, stream ${index}`, 'what is promised', broken);
        for (const track of side.log(index).tracks.values()) track.items.length = 0;
        side.log(index).progress.length = 0;
        this.#known.stream(index).progressAsked = false;
      }
    }
  }

  #watchDifference(): { what: string; expected: string; actual: string } | undefined {
    for (let index = 0; index < STREAMS; index += 1) {
      const [a, b] = [this.#reference.log(index), this.#subject.log(index)];
      for (const id of new Set([...a.tracks.keys(), ...b.tracks.keys()])) {
        const [expected, actual] = [a, b].map((log) => log.tracks.get(id)?.items ?? []) as [
          string[],
          string[],
        ];
        const length = Math.max(expected.length, actual.length);
        for (let i = 0; i < length; i += 1) {
          if (expected[i] === actual[i]) continue;
          const what = `stream ${index}, watch ${id}, item ${i} of ${expected.length} and ${actual.length}`;
          return { what, expected: expected[i] ?? 'nothing', actual: actual[i] ?? 'nothing' };
        }
      }
      if (a.progress.length !== b.progress.length) {
        const [expected, actual] = [a, b].map(({ progress }) => `${progress.length} answers`) as [
          string,
          string,
        ];
        return { what: `stream ${index}, progress`, expected, actual };
      }
    }
    return undefined;
  }

  /** One side did not come to what it should: first of all to blame is what differs already. */
  #failWith(error: unknown): never {
    if (error instanceof DifferenceError) throw error;
    this.#compareWatches();
    this.#fail('what must come', 'it comes', String(error));
  }

  #count(kind: string, outcome: Outcome): void {
    const { counts } = this.#options;
    if (counts === undefined) return;
    const count = counts.get(kind) ?? { done: 0, failed: 0 };
    count.done += 1;
    if (!('answer' in outcome)) count.failed += 1;
    counts.set(kind, count);
  }

  #remember(operation: string): void {
    this.#recent.push(operation);
    if (this.#recent.length > OPERATIONS_SHOWN) this.#recent.shift();
  }

  #fail(what: string, expected: string, actual: string): never {
    const { seed } = this.#options;
    const lines = [
      `${what}: differs at operation ${this.#done} of seed ${seed}`,
      `${this.#reference.name}: ${expected}`,
      `${this.#subject.name}: ${actual}`,
      'the last operations:',
      ...this.#recent.map((operation) => `  ${operation}`),
    ];
    throw new DifferenceError(lines.join('\n'));
  }
}

function revisionOf(answer: Message | undefined): number {
  return Number((answer?.['header'] as Message | undefined)?.['revision']);
}

function withoutLeaseId(outcome: Outcome): Outcome {
  return 'answer' in outcome ? { answer: { ...outcome.answer, id: 'its own' } } : outcome;
}
