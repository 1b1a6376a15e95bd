/**
 * Decides whether what clients saw of a key-value store could have come from one copy of it that does one operation
 * at a time, each between its call and its return (Herlihy and Wing, 1990).
 *
 * The search is that of Wing and Gong with Lowe's memory of configurations already tried ("Testing for
 * linearizability", 2017), for each key alone: a history is linearizable if and only if it is for each object.
 */
import { search, type SearchResult } from './linearizability-search.js';
import { settleUnknown } from './linearizability-unknown.js';

/** What a key holds; undefined while it is absent. */
export type Value = string | undefined;

export interface OperationCall {
  /** Who called; only for the report. */
  readonly client: number | string;
  readonly key: string;
  /** On any one clock of the observer that never goes back. */
  readonly invokedAt: number;
  /**
   * Undefined if the outcome is unknown: the operation may take effect at any time after its call, or never. Leave
   * those out that certainly had no effect, and reads without a result.
   */
  readonly returnedAt: number | undefined;
}

export interface ReadOperation extends OperationCall {
  readonly kind: 'read';
  readonly result: Value;
}

/** A write of undefined is a deletion. */
export interface WriteOperation extends OperationCall {
  readonly kind: 'write';
  readonly value: Value;
}

/** Replaces `expected` by `value`, or fails and leaves things as they are. */
export interface CompareAndSetOperation extends OperationCall {
  readonly kind: 'compare-and-set';
  readonly expected: Value;
  readonly value: Value;
  /** Undefined if unknown. A failure may tell what was found in place of `expected`. */
  readonly result: CompareAndSetResult | undefined;
}

export type CompareAndSetResult =
  | { readonly succeeded: true }
  | { readonly succeeded: false; readonly found?: { readonly value: Value } };

export type Operation = ReadOperation | WriteOperation | CompareAndSetOperation;

export interface Violation {
  readonly key: string;
  /** The shortest beginning of the key's history, by returns, that no order explains. */
  readonly prefix: readonly Operation[];
  /** The longest order that explains a part of it. */
  readonly explained: readonly Operation[];
}

/** The first key, in the order of keys, whose history is not linearizable; undefined if all are. Keys start absent. */
export function findViolation(history: readonly Operation[]): Violation | undefined {
  const byKey = groupByKey(history);
  for (const key of [...byKey.keys()].sort()) {
    const operations = byKey.get(key) ?? [];
    if (explain(operations).linearizable) continue;
    const prefix = shortestBadPrefix(operations);
    return { key, prefix, explained: explain(prefix).order };
  }
  return undefined;
}

/** Whether one key's history is linearizable, and the longest order found. */
export function explain(operations: readonly Operation[]): SearchResult {
  return search(settleUnknown(operations));
}

function groupByKey(history: readonly Operation[]): Map<string, Operation[]> {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) {
    const group = byKey.get(operation.key);
    if (group === undefined) byKey.set(operation.key, [operation]);
    else group.push(operation);
  }
  return byKey;
}

/** A beginning of a linearizable history is linearizable, so that halving finds where it breaks. */
function shortestBadPrefix(operations: readonly Operation[]): Operation[] {
  const returns = operations.flatMap(({ returnedAt }) => returnedAt ?? []).sort((a, b) => a - b);
  let good = -1;
  let bad = returns.length - 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (explain(prefixThrough(operations, returns[middle] ?? Infinity)).linearizable) good = middle;
    else bad = middle;
  }
  return prefixThrough(operations, returns[bad] ?? Infinity);
}

/** The history as it stood at a time: what returned later had no outcome yet, and such reads say nothing. */
function prefixThrough(operations: readonly Operation[], time: number): Operation[] {
  return operations.flatMap((operation): Operation[] => {
    if (operation.invokedAt > time) return [];
    if (operation.returnedAt === undefined || operation.returnedAt <= time) return [operation];
    if (operation.kind === 'read') return [];
    if (operation.kind === 'write') return [{ ...operation, returnedAt: undefined }];
    return [{ ...operation, returnedAt: undefined, result: undefined }];
  });
}
