import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { hasOverlappingWrites } from './intervals.js';

/** Operations of a transaction, counted as the longest of its three lists along the deepest nesting. */
export const TXN_OPS_MAX = 128;

/** Bytes of a command in the log. */
export const REQUEST_BYTES_MAX = 1.5 * 2 ** 20;

const SORT_ORDERS: ReadonlySet<unknown> = new Set([undefined, 'none', 'ascend', 'descend']);
const SORT_TARGETS: ReadonlySet<unknown> = new Set([undefined, 'key', 'version', 'create', 'mod', 'value']);

/** These check what a request says by itself, in etcd's order, and throw the EtcdError that its client is told. */
export function validateRange(request: RangeRequest): void {
  validateKey(request.key);
  if (!SORT_ORDERS.has(request.sortOrder) || !SORT_TARGETS.has(request.sortTarget)) {
    throw EtcdError.of('InvalidSortOption');
  }
}

export function validatePut(request: PutRequest): void {
  validateKey(request.key);
  if (request.ignoreValue === true && request.value.length > 0) throw EtcdError.of('ValueProvided');
  if (request.ignoreLease === true && (request.lease ?? 0n) !== 0n) throw EtcdError.of('LeaseProvided');
}

export function validateDelete(request: DeleteRangeRequest): void {
  validateKey(request.key);
}

export function validateTxn(request: TxnRequest, opsMax: number): void {
  validateTxnOps(request, opsMax);
  if (hasOverlappingWrites(request)) throw EtcdError.of('DuplicateKey');
}

function validateTxnOps(request: TxnRequest, opsMax: number): void {
  const ops = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (ops > opsMax) throw EtcdError.of('TooManyOps');
  for (const compare of request.compare) validateKey(compare.key);
  for (const op of request.success) validateOp(op, opsMax - ops);
  for (const op of request.failure) validateOp(op, opsMax - ops);
}

function validateOp(op: RequestOp, opsMax: number): void {
  switch (op.type) {
    case 'range':
      return validateRange(op);
    case 'put':
      return validatePut(op);
    case 'delete':
      return validateDelete(op);
    case 'txn':
      return validateTxnOps(op, opsMax);
    case 'empty':
      throw EtcdError.of('KeyNotFound');
  }
}

function validateKey(key: Uint8Array): void {
  if (key.length === 0) throw EtcdError.of('EmptyKey');
}

/** A transaction of ranges only needs no place in the log. */
export function isReadOnly(request: TxnRequest): boolean {
  return request.success.every(isReadOnlyOp) && request.failure.every(isReadOnlyOp);
}

function isReadOnlyOp(op: RequestOp): boolean {
  return op.type === 'range' || (op.type === 'txn' && isReadOnly(op));
}

/** And need not be confirmed if each range says so. */
export function isSerializable(request: TxnRequest): boolean {
  return request.success.every(isSerializableOp) && request.failure.every(isSerializableOp);
}

function isSerializableOp(op: RequestOp): boolean {
  return (op.type === 'range' && op.serializable === true) || (op.type === 'txn' && isSerializable(op));
}
