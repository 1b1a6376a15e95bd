import type { StatusResponse } from '../../client/interface.js';
import type {
  AlarmMember,
  AlarmRequest,
  AlarmResponse,
  AlarmType,
  HashKvResponse,
  HeaderResponse,
  SnapshotChunk,
} from '../../server/api.js';
import { define } from '../codec/define.js';
import {
  bool,
  bytes,
  enumType,
  int64,
  list,
  message,
  oneOf,
  string,
  uint32,
  uint64,
  uint64Id,
} from '../codec/fields.js';
import { emptyMessage, headerOnly, responseHeader } from './header.js';

export const statusRequest = emptyMessage('etcdserverpb.StatusRequest');
export const statusResponse = define<StatusResponse>('etcdserverpb.StatusResponse', {
  header: message(responseHeader, 1),
  version: string(2),
  dbSize: int64(3, 'dbSize'),
  leader: uint64Id(4),
  raftIndex: uint64(5, 'raftIndex'),
  raftTerm: uint64(6, 'raftTerm'),
  raftAppliedIndex: uint64(7, 'raftAppliedIndex'),
  errors: list(string(8)),
  dbSizeInUse: int64(9, 'dbSizeInUse'),
  isLearner: bool(10, 'isLearner'),
  storageVersion: string(11, 'storageVersion'),
  dbSizeQuota: int64(12, 'dbSizeQuota'),
});

const alarmType = enumType<AlarmType>('etcdserverpb.AlarmType', ['none', 'nospace', 'corrupt']);
const alarmAction = enumType<AlarmRequest['action']>('etcdserverpb.AlarmRequest.AlarmAction', [
  'get',
  'activate',
  'deactivate',
]);
const alarmMember = define<AlarmMember>('etcdserverpb.AlarmMember', {
  memberId: uint64Id(1, 'memberID'),
  alarm: oneOf(alarmType, 2),
});
export const alarmRequest = define<AlarmRequest>('etcdserverpb.AlarmRequest', {
  action: oneOf(alarmAction, 1),
  memberId: uint64Id(2, 'memberID'),
  alarm: oneOf(alarmType, 3),
});
export const alarmResponse = define<AlarmResponse>('etcdserverpb.AlarmResponse', {
  header: message(responseHeader, 1),
  alarms: list(message(alarmMember, 2)),
});

export const defragmentRequest = emptyMessage('etcdserverpb.DefragmentRequest');
export const defragmentResponse = headerOnly('etcdserverpb.DefragmentResponse');

export interface HashResponse extends HeaderResponse {
  readonly hash: number;
}
export const hashRequest = emptyMessage('etcdserverpb.HashRequest');
export const hashResponse = define<HashResponse>('etcdserverpb.HashResponse', {
  header: message(responseHeader, 1),
  hash: uint32(2),
});

export interface HashKvRequest {
  readonly revision: number;
}
export const hashKvRequest = define<HashKvRequest>('etcdserverpb.HashKVRequest', { revision: int64(1) });
export const hashKvResponse = define<HashKvResponse>('etcdserverpb.HashKVResponse', {
  header: message(responseHeader, 1),
  hash: uint32(2),
  compactRevision: int64(3),
  hashRevision: int64(4),
});

export const snapshotRequest = emptyMessage('etcdserverpb.SnapshotRequest');
export const snapshotResponse = define<SnapshotChunk>('etcdserverpb.SnapshotResponse', {
  header: message(responseHeader, 1),
  remainingBytes: uint64(2),
  blob: bytes(3),
  version: string(4),
});

export interface MoveLeaderRequest {
  readonly targetId: bigint;
}
export const moveLeaderRequest = define<MoveLeaderRequest>('etcdserverpb.MoveLeaderRequest', {
  targetId: uint64Id(1, 'targetID'),
});
export const moveLeaderResponse = headerOnly('etcdserverpb.MoveLeaderResponse');

export interface DowngradeRequest {
  readonly action: 'validate' | 'enable' | 'cancel';
  readonly version: string;
}
const downgradeAction = enumType<DowngradeRequest['action']>(
  'etcdserverpb.DowngradeRequest.DowngradeAction',
  ['validate', 'enable', 'cancel'],
);
export const downgradeRequest = define<DowngradeRequest>('etcdserverpb.DowngradeRequest', {
  action: oneOf(downgradeAction, 1),
  version: string(2),
});
export interface DowngradeResponse extends HeaderResponse {
  readonly version: string;
}
export const downgradeResponse = define<DowngradeResponse>('etcdserverpb.DowngradeResponse', {
  header: message(responseHeader, 1),
  version: string(2),
});
