import type { Operation, Value } from './linearizability.js';

/**
 * What is known of operations without an outcome, so that the search need not try each of them everywhere. If only one
 * operation could have put a value there, then
 * - if nobody saw the value, the operation explains nothing, and the history is linearizable without it if it is with
 *   it: it is left out (a compare-and-set that failed and does not tell on what may have seen anything);
 * - if somebody saw it, the operation took effect before whoever saw it returned: that is when it has ended at the
 *   latest.
 * Operations that share their value with others, as deletions do, stay as they are.
 */
export function settleUnknown(operations: readonly Operation[]): Operation[] {
  const writers = countWriters(operations);
  const isUnique = (operation: Operation) =>
    operation.kind !== 'read' && operation.value !== undefined && writers.get(operation.value) === 1;
  const known = operations.filter((operation) => operation.returnedAt !== undefined || !isUnique(operation));
  const open = operations.filter((operation) => operation.returnedAt === undefined && isUnique(operation));
  return [...known, ...(known.some(failedOnSomething) ? open : observed(open, known))];
}

function failedOnSomething(operation: Operation): boolean {
  if (operation.kind !== 'compare-and-set') return false;
  return operation.result?.succeeded === false && operation.result.found === undefined;
}

function countWriters(operations: readonly Operation[]): Map<Value, number> {
  const writers = new Map<Value, number>();
  for (const operation of operations) {
    if (operation.kind !== 'read') writers.set(operation.value, (writers.get(operation.value) ?? 0) + 1);
  }
  return writers;
}

/** Those of `open` whose value was seen, by `known` or by one another. */
function observed(open: readonly Operation[], known: readonly Operation[]): Operation[] {
  const seenUntil = new Map<Value, number>();
  /** True if that is news. */
  const see = (value: Value, until: number) => {
    const before = seenUntil.get(value);
    if (before !== undefined && before <= until) return false;
    seenUntil.set(value, until);
    return true;
  };
  for (const operation of known) {
    for (const value of valuesSeen(operation)) see(value, operation.returnedAt ?? Infinity);
  }
  // One that was seen has seen what it compares with; each round may find one more of such a chain.
  for (let news = true; news; ) {
    news = false;
    for (const operation of open) {
      if (operation.kind !== 'compare-and-set') continue;
      const until = seenUntil.get(operation.value);
      if (until !== undefined && see(operation.expected, until)) news = true;
    }
  }
  return open.flatMap((operation): Operation[] => {
    const until = operation.kind === 'read' ? undefined : seenUntil.get(operation.value);
    if (until === undefined) return [];
    // Seen, if at all, by others of unknown outcome.
    if (until === Infinity) return [operation];
    // That its value was there is how it succeeded.
    return operation.kind === 'compare-and-set'
      ? [{ ...operation, returnedAt: until, result: { succeeded: true } }]
      : [{ ...operation, returnedAt: until }];
  });
}

/** Values that must have been there while the operation ran, if it took effect. */
function valuesSeen(operation: Operation): Value[] {
  if (operation.kind === 'read') return [operation.result];
  if (operation.kind === 'write') return [];
  const { result } = operation;
  if (result === undefined || result.succeeded) return [operation.expected];
  return result.found === undefined ? [] : [result.found.value];
}
