import type { ResponseHeader } from '../../client/interface.js';
import type { HeaderResponse } from '../../server/api.js';
import { define } from '../codec/define.js';
import { int64, message, uint64, uint64Id } from '../codec/fields.js';
import type { MessageType } from '../codec/message.js';

export const responseHeader = define<ResponseHeader>('etcdserverpb.ResponseHeader', {
  clusterId: uint64Id(1),
  memberId: uint64Id(2),
  revision: int64(3),
  raftTerm: uint64(4),
});

/** What has no fields, as many requests. */
export const emptyMessage = (name: string): MessageType<object> => define<object>(name, {});

/** What says nothing but when it was answered. */
export const headerOnly = (name: string): MessageType<HeaderResponse> =>
  define<HeaderResponse>(name, { header: message(responseHeader, 1) });
