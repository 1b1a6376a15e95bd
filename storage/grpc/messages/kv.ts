/** KV: ranges, puts, deletes, transactions, compaction. */
import { NO_BYTES } from '../../bytes.js';
import type {
  Compare,
  CompareResult,
  CompactionRequest,
  CompactionResponse,
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
} from '../../client/interface.js';
import { define, mapped, union } from '../codec/define.js';
import {
  bool,
  bytes,
  enumType,
  inOneof,
  int64,
  int64Id,
  list,
  message,
  oneOf,
  optional,
} from '../codec/fields.js';
import type { MessageType } from '../codec/message.js';
import { headerOnly, responseHeader } from './header.js';

export const keyValue = define<KeyValue>('mvccpb.KeyValue', {
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: int64Id(6),
});

// Open: another number is for the validation, which has an error of its own for it.
const sortOrder = enumType<'none' | 'ascend' | 'descend'>(
  'etcdserverpb.RangeRequest.SortOrder',
  ['none', 'ascend', 'descend'],
  { open: true },
);
const sortTarget = enumType<'key' | 'version' | 'create' | 'mod' | 'value'>(
  'etcdserverpb.RangeRequest.SortTarget',
  ['key', 'version', 'create', 'mod', 'value'],
  { open: true },
);

export const rangeRequest = define<RangeRequest>('etcdserverpb.RangeRequest', {
  key: bytes(1),
  rangeEnd: optional(bytes(2)),
  limit: optional(int64(3)),
  revision: optional(int64(4)),
  sortOrder: optional(oneOf(sortOrder, 5)),
  sortTarget: optional(oneOf(sortTarget, 6)),
  serializable: optional(bool(7)),
  keysOnly: optional(bool(8)),
  countOnly: optional(bool(9)),
  minModRevision: optional(int64(10)),
  maxModRevision: optional(int64(11)),
  minCreateRevision: optional(int64(12)),
  maxCreateRevision: optional(int64(13)),
});

export const putRequest = define<PutRequest>('etcdserverpb.PutRequest', {
  key: bytes(1),
  value: bytes(2),
  lease: optional(int64Id(3)),
  prevKv: optional(bool(4)),
  ignoreValue: optional(bool(5)),
  ignoreLease: optional(bool(6)),
});

export const deleteRangeRequest = define<DeleteRangeRequest>('etcdserverpb.DeleteRangeRequest', {
  key: bytes(1),
  rangeEnd: optional(bytes(2)),
  prevKv: optional(bool(3)),
});

const responsesWith = (header: MessageType<ResponseHeader>) => ({
  range: define<RangeResponse>('etcdserverpb.RangeResponse', {
    header: message(header, 1),
    kvs: list(message(keyValue, 2)),
    more: bool(3),
    count: int64(4),
  }),
  put: define<PutResponse>('etcdserverpb.PutResponse', {
    header: message(header, 1),
    prevKv: optional(message(keyValue, 2)),
  }),
  deleteRange: define<DeleteRangeResponse>('etcdserverpb.DeleteRangeResponse', {
    header: message(header, 1),
    deleted: int64(2),
    prevKvs: list(message(keyValue, 3)),
  }),
});

const responses = responsesWith(responseHeader);
export const rangeResponse = responses.range;
export const putResponse = responses.put;
export const deleteRangeResponse = responses.deleteRange;

/** A response within a transaction's says the revision alone, and that of a transaction within it nothing, as etcd's. */
const innerHeader = mapped<ResponseHeader, ResponseHeader>(responseHeader, {
  from: (header) => header,
  to: ({ revision }) => ({ ...NO_HEADER, revision }),
});
const innerTxnHeader = mapped<ResponseHeader, ResponseHeader>(responseHeader, {
  from: (header) => header,
  to: () => NO_HEADER,
});
const NO_HEADER: ResponseHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };

const innerResponses = responsesWith(innerHeader);

const txnResponseWith = (header: MessageType<ResponseHeader>) =>
  define<TxnResponse>('etcdserverpb.TxnResponse', {
    header: message(header, 1),
    succeeded: bool(2),
    responses: list(message(() => responseOp, 3)),
  });
export const txnResponse = txnResponseWith(responseHeader);
const innerTxnResponse = txnResponseWith(innerTxnHeader);

export const responseOp: MessageType<ResponseOp> = union<ResponseOp>('etcdserverpb.ResponseOp', 'response', {
  range: { number: 1, protoName: 'response_range', message: innerResponses.range },
  put: { number: 2, protoName: 'response_put', message: innerResponses.put },
  delete: { number: 3, protoName: 'response_delete_range', message: innerResponses.deleteRange },
  txn: { number: 4, protoName: 'response_txn', message: innerTxnResponse },
});

const compareResult = enumType<CompareResult>('etcdserverpb.Compare.CompareResult', [
  'equal',
  'greater',
  'less',
  ['not-equal', 'NOT_EQUAL'],
]);
const compareTarget = enumType<Compare['target']>('etcdserverpb.Compare.CompareTarget', [
  'version',
  'create',
  'mod',
  'value',
  'lease',
]);

interface PlainCompare {
  readonly result: CompareResult;
  readonly target: Compare['target'];
  readonly key: Uint8Array;
  readonly version?: number;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly value?: Uint8Array;
  readonly lease?: bigint;
  readonly rangeEnd?: Uint8Array;
}

const plainCompare = define<PlainCompare>('etcdserverpb.Compare', {
  result: oneOf(compareResult, 1),
  target: oneOf(compareTarget, 2),
  key: bytes(3),
  version: inOneof('target_union', int64(4)),
  createRevision: inOneof('target_union', int64(5)),
  modRevision: inOneof('target_union', int64(6)),
  value: inOneof('target_union', bytes(7)),
  lease: inOneof('target_union', int64Id(8)),
  rangeEnd: optional(bytes(64)),
});

/** The target says what is compared; a value that is not of the target is passed over and the zero compared, as in etcd. */
export const compare = mapped<Compare, PlainCompare>(plainCompare, {
  from: ({ result, target, key, rangeEnd, ...union }) => {
    const base = rangeEnd === undefined ? { key, result } : { key, result, rangeEnd };
    switch (target) {
      case 'version':
        return { ...base, target, version: union.version ?? 0 };
      case 'create':
        return { ...base, target, createRevision: union.createRevision ?? 0 };
      case 'mod':
        return { ...base, target, modRevision: union.modRevision ?? 0 };
      case 'value':
        return { ...base, target, value: union.value ?? NO_BYTES };
      default:
        return { ...base, target, lease: union.lease ?? 0n };
    }
  },
  to: (compare) => compare,
});

export const txnRequest = define<TxnRequest>('etcdserverpb.TxnRequest', {
  compare: list(message(compare, 1)),
  success: list(message(() => requestOp, 2)),
  failure: list(message(() => requestOp, 3)),
});

export const requestOp: MessageType<RequestOp> = union<RequestOp>(
  'etcdserverpb.RequestOp',
  'request',
  {
    range: { number: 1, protoName: 'request_range', message: rangeRequest },
    put: { number: 2, protoName: 'request_put', message: putRequest },
    delete: { number: 3, protoName: 'request_delete_range', message: deleteRangeRequest },
    txn: { number: 4, protoName: 'request_txn', message: txnRequest },
  },
  { empty: 'empty' },
);

export const compactionRequest = define<CompactionRequest>('etcdserverpb.CompactionRequest', {
  revision: int64(1),
  physical: optional(bool(2)),
});
export const compactionResponse: MessageType<CompactionResponse> = headerOnly(
  'etcdserverpb.CompactionResponse',
);

/** Pieces of a range's answer: one after the other they are the whole message. */
export const furtherKvs = define<Pick<RangeResponse, 'kvs'>>('etcdserverpb.RangeResponse', {
  kvs: list(message(keyValue, 2)),
});
export const rangeEnding = define<Pick<RangeResponse, 'more'>>('etcdserverpb.RangeResponse', {
  more: bool(3),
});

export interface RangeStreamResponse {
  readonly rangeResponse: RangeResponse;
}
export const rangeStreamResponse = define<RangeStreamResponse>('etcdserverpb.RangeStreamResponse', {
  rangeResponse: message(rangeResponse, 1),
});
