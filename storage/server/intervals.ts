import { latin1 } from '../bytes.js';
import type { DeleteRangeRequest, RequestOp, TxnRequest } from '../client/interface.js';

/** Keys put and ranges deleted by one branch of a transaction, whatever its nested transactions decide. */
interface Writes {
  readonly puts: Set<string>;
  readonly deletes: Interval[];
}

/** start ≤ key < end, or the one key. */
interface Interval {
  readonly start: string;
  readonly end: string | undefined;
}

/**
 * True if a transaction could put a key twice, or put and delete it. Both branches of a nested transaction may put the
 * same key, because only one of them runs. The order of the checks is etcd's, with what it lets through: a delete in a
 * nested transaction after the put of an earlier one, and deletes up to the last key there is.
 */
export function hasOverlappingWrites(txn: TxnRequest): boolean {
  if (isSingle(txn.success) && isSingle(txn.failure)) return false;
  return writesOf(txn.success) === undefined || writesOf(txn.failure) === undefined;
}

/** Nearly all transactions have one operation a branch. */
function isSingle(ops: readonly RequestOp[]): boolean {
  return ops.length === 0 || (ops.length === 1 && ops[0]?.type !== 'txn');
}

/** Undefined: they overlap. */
function writesOf(ops: readonly RequestOp[]): Writes | undefined {
  const writes: Writes = { puts: new Set(), deletes: [] };
  for (const op of ops) {
    if (op.type === 'delete') writes.deletes.push(intervalOf(op));
  }
  for (const op of ops) {
    if (op.type === 'txn' && !addNested(writes, op)) return undefined;
  }
  for (const op of ops) {
    if (op.type === 'put' && !addPut(writes, latin1(op.key))) return undefined;
  }
  return writes;
}

function addNested(writes: Writes, txn: TxnRequest): boolean {
  const success = writesOf(txn.success);
  const failure = writesOf(txn.failure);
  if (success === undefined || failure === undefined) return false;
  for (const key of success.puts) {
    if (!addPut(writes, key)) return false;
  }
  for (const key of failure.puts) {
    if (success.puts.has(key)) continue;
    if (!addPut(writes, key)) return false;
  }
  writes.deletes.push(...success.deletes, ...failure.deletes);
  return true;
}

function addPut(writes: Writes, key: string): boolean {
  if (writes.puts.has(key) || writes.deletes.some((interval) => contains(interval, key))) return false;
  writes.puts.add(key);
  return true;
}

function intervalOf({ key, rangeEnd }: DeleteRangeRequest): Interval {
  const isRange = rangeEnd !== undefined && rangeEnd.length > 0;
  return { start: latin1(key), end: isRange ? latin1(rangeEnd) : undefined };
}

function contains({ start, end }: Interval, key: string): boolean {
  return end === undefined ? key === start : start <= key && key < end;
}
