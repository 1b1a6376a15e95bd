import { asBuffer, keyRange } from '../bytes.js';
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { KeyState, MvccStore } from './store.js';

/** Makes the header of a response at the store's revision of this moment. */
export type HeaderSource = () => ResponseHeader;

/** The branch that a transaction takes, and those of the transactions nested in it, in their order. */
interface Path {
  readonly succeeded: boolean;
  readonly ops: readonly RequestOp[];
  readonly nested: readonly Path[];
}

/**
 * Carries out a transaction. All compares, nested ones included, are evaluated first; then everything is checked that
 * could fail; only then is anything written, so that a transaction that fails has changed nothing.
 */
export function executeTxn(
  store: MvccStore,
  request: TxnRequest,
  header: HeaderSource,
): TxnResponse | EtcdError {
  const path = choosePath(store, request);
  if (path.ops.length > 1) store.counters.txns += 1;
  return checkPuts(store, path) ?? checkRanges(store, path) ?? follow(store, path, header);
}

export function executePut(
  store: MvccStore,
  request: PutRequest,
  header: HeaderSource,
): PutResponse | EtcdError {
  return checkPut(store, request) ?? put(store, request, header);
}

export function executeDelete(
  store: MvccStore,
  request: DeleteRangeRequest,
  header: HeaderSource,
): DeleteRangeResponse {
  const { deleted, prevKvs } = store.deleteRange(request);
  return { header: header(), deleted, prevKvs };
}

export function executeRange(
  store: MvccStore,
  request: RangeRequest,
  header: HeaderSource,
): RangeResponse | EtcdError {
  return store.checkReadable(request.revision ?? 0) ?? range(store, request, header);
}

function choosePath(store: MvccStore, request: TxnRequest): Path {
  const succeeded = request.compare.every((compare) => holds(store, compare));
  const ops = succeeded ? request.success : request.failure;
  const nested: Path[] = [];
  for (const op of ops) {
    if (op.type === 'txn') nested.push(choosePath(store, op));
  }
  return { succeeded, ops, nested };
}

function checkPuts(store: MvccStore, path: Path): EtcdError | undefined {
  // etcd looks at the key first here, and at the lease first where a put is by itself.
  return checkPath(path, (op) =>
    op.type === 'put' ? (checkKept(store, op) ?? checkLease(store, op)) : undefined,
  );
}

function checkRanges(store: MvccStore, path: Path): EtcdError | undefined {
  return checkPath(path, (op) => (op.type === 'range' ? checkRange(store, op) : undefined));
}

/** A revision below zero is the current one to a range by itself; in a transaction it counts as a revision, as in etcd. */
function checkRange(store: MvccStore, { revision = 0 }: RangeRequest): EtcdError | undefined {
  if (revision < 0 && revision < store.compacted) return EtcdError.of('Compacted');
  return store.checkReadable(revision);
}

function checkPath(path: Path, check: (op: RequestOp) => EtcdError | undefined): EtcdError | undefined {
  let nested = 0;
  for (const op of path.ops) {
    const inner = op.type === 'txn' ? path.nested[nested++] : undefined;
    const error = inner === undefined ? check(op) : checkPath(inner, check);
    if (error !== undefined) return error;
  }
  return undefined;
}

function checkPut(store: MvccStore, request: PutRequest): EtcdError | undefined {
  return checkLease(store, request) ?? checkKept(store, request);
}

function checkLease(store: MvccStore, { lease = 0n }: PutRequest): EtcdError | undefined {
  return lease !== 0n && !store.leases.has(lease) ? EtcdError.of('LeaseNotFound') : undefined;
}

/** What is to be kept must be there. */
function checkKept(store: MvccStore, request: PutRequest): EtcdError | undefined {
  const { key, ignoreValue = false, ignoreLease = false } = request;
  const isAbsent = (ignoreValue || ignoreLease) && store.state(key) === undefined;
  return isAbsent ? EtcdError.of('KeyNotFound') : undefined;
}

function follow(store: MvccStore, path: Path, header: HeaderSource): TxnResponse {
  const responses: ResponseOp[] = [];
  let nested = 0;
  for (const op of path.ops) {
    switch (op.type) {
      case 'range':
        responses.push({ type: 'range', ...range(store, op, header) });
        break;
      case 'put':
        responses.push({ type: 'put', ...put(store, op, header) });
        break;
      case 'delete':
        responses.push({ type: 'delete', ...executeDelete(store, op, header) });
        break;
      case 'txn': {
        const inner = path.nested[nested++];
        if (inner !== undefined) responses.push({ type: 'txn', ...follow(store, inner, header) });
        break;
      }
      case 'empty':
        break;
    }
  }
  return { header: header(), succeeded: path.succeeded, responses };
}

function range(store: MvccStore, request: RangeRequest, header: HeaderSource): RangeResponse {
  const { kvs, more, count } = store.range(request);
  return { header: header(), kvs, more, count };
}

function put(store: MvccStore, request: PutRequest, header: HeaderSource): PutResponse {
  const { key, prevKv = false, ignoreValue = false, ignoreLease = false } = request;
  let { value, lease = 0n } = request;
  let previous: KeyValue | undefined;
  if (prevKv || ignoreValue || ignoreLease) {
    previous = store.get(key);
    if (ignoreValue && previous !== undefined) value = previous.value;
    if (ignoreLease && previous !== undefined) lease = previous.lease;
  }
  store.put(key, value, lease);
  return prevKv && previous !== undefined ? { header: header(), prevKv: previous } : { header: header() };
}

/** With `range_end` every key of the range must match. An absent key has zeroes, but no value to compare. */
function holds(store: MvccStore, compare: Compare): boolean {
  if (keyRange(compare.key, compare.rangeEnd).type === 'point') {
    if (compare.target === 'value') {
      const kv = store.get(compare.key);
      return kv !== undefined && matches(kv, kv.value, compare);
    }
    return matches(store.state(compare.key) ?? ABSENT, undefined, compare);
  }
  const { kvs } = store.range({
    key: compare.key,
    ...(compare.rangeEnd && { rangeEnd: compare.rangeEnd }),
    keysOnly: compare.target !== 'value',
  });
  if (kvs.length === 0) return compare.target !== 'value' && matches(ABSENT, undefined, compare);
  return kvs.every((kv) => matches(kv, kv.value, compare));
}

const ABSENT: KeyState = { createRevision: 0, modRevision: 0, version: 0, lease: 0n };

function matches(state: KeyState, value: Uint8Array | undefined, compare: Compare): boolean {
  const order = orderOf(state, value, compare);
  switch (compare.result) {
    case 'equal':
      return order === 0;
    case 'not-equal':
      return order !== 0;
    case 'greater':
      return order > 0;
    default:
      return order < 0;
  }
}

function orderOf(state: KeyState, value: Uint8Array | undefined, compare: Compare): number {
  switch (compare.target) {
    case 'version':
      return state.version - compare.version;
    case 'create':
      return state.createRevision - compare.createRevision;
    case 'mod':
      return state.modRevision - compare.modRevision;
    case 'lease':
      return state.lease === compare.lease ? 0 : state.lease > compare.lease ? 1 : -1;
    default:
      return value === undefined ? -1 : asBuffer(value).compare(compare.value);
  }
}

/** Whether either branch puts something; etcd overlooks what nested transactions put. */
export function hasPuts({ success, failure }: TxnRequest): boolean {
  const puts = (op: RequestOp) => op.type === 'put' || (op.type === 'txn' && hasPuts(op));
  return success.some(puts) || failure.some(puts);
}
