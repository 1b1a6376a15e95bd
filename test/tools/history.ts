/** What clients asked for and what came of it, in the form that the checker of linearizability takes. */
import { reportViolation } from './linearizability-report.js';
import { type Operation, type Value, findViolation } from './linearizability.js';

/** Who calls, for what, and since when; `invokedAt` in milliseconds on the history's clock. */
export interface Call {
  readonly client: number | string;
  readonly key: string;
  readonly invokedAt: number;
}

export interface HistoryCounts {
  readonly keys: number;
  readonly reads: number;
  readonly writes: number;
  readonly refusals: number;
  readonly unknown: number;
}

interface AcknowledgedWrite {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** Every value is written by one call only, so that a value names its write. */
export class History {
  readonly operations: Operation[] = [];
  readonly acknowledged: AcknowledgedWrite[] = [];
  /** By value: a write that took effect twice shows as one that has two. */
  readonly #revisions = new Map<string, number>();
  readonly #twice: string[] = [];

  /** Monotonic, in milliseconds, to the microsecond. */
  now(): number {
    return Math.round(performance.now() * 1000) / 1000;
  }

  begin(client: number | string, key: string): Call {
    return { client, key, invokedAt: this.now() };
  }

  /** `revision` is that of the value. */
  read(call: Call, result: Value, revision: number): void {
    if (result !== undefined) this.#note(call.key, result, revision);
    this.operations.push({ ...call, returnedAt: this.now(), kind: 'read', result });
  }

  wrote(call: Call, value: string, revision: number): void {
    this.#acknowledge(call.key, value, revision);
    this.operations.push({ ...call, returnedAt: this.now(), kind: 'write', value });
  }

  /** A create is a compare with nothing. */
  swapped(call: Call, expected: Value, value: string, revision: number): void {
    this.#acknowledge(call.key, value, revision);
    const result = { succeeded: true } as const;
    this.operations.push({
      ...call,
      returnedAt: this.now(),
      kind: 'compare-and-set',
      expected,
      value,
      result,
    });
  }

  /** It found something else than it expected, and does not say what. */
  notSwapped(call: Call, expected: Value, value: string): void {
    const result = { succeeded: false } as const;
    this.operations.push({
      ...call,
      returnedAt: this.now(),
      kind: 'compare-and-set',
      expected,
      value,
      result,
    });
  }

  /** It may have written, or may yet. */
  maybeWrote(call: Call, value: string): void {
    this.operations.push({ ...call, returnedAt: undefined, kind: 'write', value });
  }

  maybeSwapped(call: Call, expected: Value, value: string): void {
    this.operations.push({
      ...call,
      returnedAt: undefined,
      kind: 'compare-and-set',
      expected,
      value,
      result: undefined,
    });
  }

  counts(): HistoryCounts {
    const count = (test: (operation: Operation) => boolean) => this.operations.filter(test).length;
    return {
      keys: new Set(this.operations.map(({ key }) => key)).size,
      reads: count(({ kind }) => kind === 'read'),
      writes: this.acknowledged.length,
      refusals: count(
        (operation) => operation.kind === 'compare-and-set' && operation.result?.succeeded === false,
      ),
      unknown: count(({ returnedAt }) => returnedAt === undefined),
    };
  }

  /**
   * What is wrong with the history, one text each; empty if nothing is. `last` is what every key held when all was over,
   * with its revision: of each key an acknowledged write must not be newer than that.
   */
  faults(last: ReadonlyMap<string, number>): string[] {
    const lost = this.acknowledged
      .filter(({ key, revision }) => revision > (last.get(key) ?? 0))
      .map(
        ({ key, value, revision }) =>
          `the acknowledged write of ${value} to ${key} at revision ${revision} is lost`,
      );
    const violation = findViolation(this.operations);
    return [...this.#twice, ...lost, ...(violation === undefined ? [] : [reportViolation(violation)])];
  }

  #acknowledge(key: string, value: string, revision: number): void {
    this.acknowledged.push({ key, value, revision });
    this.#note(key, value, revision);
  }

  #note(key: string, value: string, revision: number): void {
    const before = this.#revisions.get(value);
    this.#revisions.set(value, before ?? revision);
    if (before !== undefined && before !== revision) {
      this.#twice.push(`${value} was written to ${key} at revision ${before} and at ${revision}`);
    }
  }
}
