import type { WatchCreateRequest, WatchEvent, WatchResponse } from '../../client/interface.js';
import { define, union } from '../codec/define.js';
import {
  bool,
  bytes,
  enumType,
  int64,
  list,
  message,
  oneOf,
  optional,
  sharedList,
  string,
} from '../codec/fields.js';
import type { MessageType } from '../codec/message.js';
import { emptyMessage, responseHeader } from './header.js';
import { keyValue } from './kv.js';

const eventType = enumType<WatchEvent['type']>('mvccpb.Event.EventType', ['put', 'delete']);

export const event = define<WatchEvent>('mvccpb.Event', {
  type: oneOf(eventType, 1),
  kv: message(keyValue, 2),
  prevKv: optional(message(keyValue, 3)),
});

// Open: etcd passes over a filter that it does not know.
const filterType = enumType<'noput' | 'nodelete'>(
  'etcdserverpb.WatchCreateRequest.FilterType',
  ['noput', 'nodelete'],
  { open: true },
);

export const watchCreateRequest = define<WatchCreateRequest>('etcdserverpb.WatchCreateRequest', {
  key: bytes(1),
  rangeEnd: optional(bytes(2)),
  startRevision: optional(int64(3)),
  progressNotify: optional(bool(4)),
  filters: optional(list(oneOf(filterType, 5))),
  prevKv: optional(bool(6)),
  watchId: optional(int64(7)),
  fragment: optional(bool(8)),
});

export interface WatchCancelRequest {
  readonly watchId: number;
}
const watchCancelRequest = define<WatchCancelRequest>('etcdserverpb.WatchCancelRequest', {
  watchId: int64(1),
});

export type WatchRequest =
  | ({ readonly type: 'create' } & WatchCreateRequest)
  | ({ readonly type: 'cancel' } & WatchCancelRequest)
  | { readonly type: 'progress' }
  | { readonly type: 'empty' };

export const watchRequest: MessageType<WatchRequest> = union<WatchRequest>(
  'etcdserverpb.WatchRequest',
  'request_union',
  {
    create: { number: 1, protoName: 'create_request', message: watchCreateRequest },
    cancel: { number: 2, protoName: 'cancel_request', message: watchCancelRequest },
    progress: {
      number: 3,
      protoName: 'progress_request',
      message: emptyMessage('etcdserverpb.WatchProgressRequest'),
    },
  },
  { empty: 'empty' },
);

/** All watchers of a key range are handed the same array of events. */
export const watchResponse = define<WatchResponse>('etcdserverpb.WatchResponse', {
  header: message(responseHeader, 1),
  watchId: int64(2),
  created: optional(bool(3)),
  canceled: optional(bool(4)),
  compactRevision: optional(int64(5)),
  cancelReason: optional(string(6)),
  fragment: optional(bool(7)),
  events: sharedList(message(event, 11)),
});
