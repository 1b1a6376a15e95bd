import type { ClusterMember, MemberAddResponse, MembersResponse } from '../../server/api.js';
import { define } from '../codec/define.js';
import { bool, list, message, string, uint64Id } from '../codec/fields.js';
import { responseHeader } from './header.js';

const member = define<ClusterMember>('etcdserverpb.Member', {
  id: uint64Id(1, 'ID'),
  name: string(2),
  peerUrls: list(string(3, 'peerURLs')),
  clientUrls: list(string(4, 'clientURLs')),
  isLearner: bool(5, 'isLearner'),
});

const membersResponse = (name: string) =>
  define<MembersResponse>(name, {
    header: message(responseHeader, 1),
    members: list(message(member, 2)),
  });

export interface MemberId {
  readonly id: bigint;
}
const memberId = (name: string) => define<MemberId>(name, { id: uint64Id(1, 'ID') });

export interface MemberListRequest {
  readonly linearizable: boolean;
}
export const memberListRequest = define<MemberListRequest>('etcdserverpb.MemberListRequest', {
  linearizable: bool(1),
});
export const memberListResponse = membersResponse('etcdserverpb.MemberListResponse');

export interface MemberAddRequest {
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}
export const memberAddRequest = define<MemberAddRequest>('etcdserverpb.MemberAddRequest', {
  peerUrls: list(string(1, 'peerURLs')),
  isLearner: bool(2, 'isLearner'),
});
export const memberAddResponse = define<MemberAddResponse>('etcdserverpb.MemberAddResponse', {
  header: message(responseHeader, 1),
  member: message(member, 2),
  members: list(message(member, 3)),
});

export const memberRemoveRequest = memberId('etcdserverpb.MemberRemoveRequest');
export const memberRemoveResponse = membersResponse('etcdserverpb.MemberRemoveResponse');

export const memberPromoteRequest = memberId('etcdserverpb.MemberPromoteRequest');
export const memberPromoteResponse = membersResponse('etcdserverpb.MemberPromoteResponse');

export interface MemberUpdateRequest {
  readonly id: bigint;
  readonly peerUrls: readonly string[];
}
export const memberUpdateRequest = define<MemberUpdateRequest>('etcdserverpb.MemberUpdateRequest', {
  id: uint64Id(1, 'ID'),
  peerUrls: list(string(2, 'peerURLs')),
});
export const memberUpdateResponse = membersResponse('etcdserverpb.MemberUpdateResponse');
