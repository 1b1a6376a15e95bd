/** Elections and locks. */
import type { HeaderResponse, LeaderKey, LeaderResponse } from '../../server/api.js';
import { define } from '../codec/define.js';
import { bytes, int64, int64Id, message, optional } from '../codec/fields.js';
import { headerOnly, responseHeader } from './header.js';
import { keyValue } from './kv.js';

const leaderKey = define<LeaderKey>('v3electionpb.LeaderKey', {
  name: bytes(1),
  key: bytes(2),
  revision: int64(3, 'rev'),
  lease: int64Id(4),
});

export interface CampaignRequest {
  readonly name: Uint8Array;
  readonly lease: bigint;
  readonly value: Uint8Array;
}
export interface CampaignResponse extends HeaderResponse {
  readonly leader: LeaderKey;
}
export const campaignRequest = define<CampaignRequest>('v3electionpb.CampaignRequest', {
  name: bytes(1),
  lease: int64Id(2),
  value: bytes(3),
});
export const campaignResponse = define<CampaignResponse>('v3electionpb.CampaignResponse', {
  header: message(responseHeader, 1),
  leader: message(leaderKey, 2),
});

export interface ProclaimRequest {
  readonly leader: LeaderKey | undefined;
  readonly value: Uint8Array;
}
export const proclaimRequest = define<ProclaimRequest>('v3electionpb.ProclaimRequest', {
  leader: optional(message(leaderKey, 1)),
  value: bytes(2),
});
export const proclaimResponse = headerOnly('v3electionpb.ProclaimResponse');

export interface LeaderRequest {
  readonly name: Uint8Array;
}
export const leaderRequest = define<LeaderRequest>('v3electionpb.LeaderRequest', { name: bytes(1) });
export const leaderResponse = define<LeaderResponse>('v3electionpb.LeaderResponse', {
  header: message(responseHeader, 1),
  kv: optional(message(keyValue, 2)),
});

export interface ResignRequest {
  readonly leader: LeaderKey | undefined;
}
export const resignRequest = define<ResignRequest>('v3electionpb.ResignRequest', {
  leader: optional(message(leaderKey, 1)),
});
export const resignResponse = headerOnly('v3electionpb.ResignResponse');

export interface LockRequest {
  readonly name: Uint8Array;
  readonly lease: bigint;
}
export interface LockResponse extends HeaderResponse {
  readonly key: Uint8Array;
}
export const lockRequest = define<LockRequest>('v3lockpb.LockRequest', { name: bytes(1), lease: int64Id(2) });
export const lockResponse = define<LockResponse>('v3lockpb.LockResponse', {
  header: message(responseHeader, 1),
  key: bytes(2),
});

export interface UnlockRequest {
  readonly key: Uint8Array;
}
export const unlockRequest = define<UnlockRequest>('v3lockpb.UnlockRequest', { key: bytes(1) });
export const unlockResponse = headerOnly('v3lockpb.UnlockResponse');
