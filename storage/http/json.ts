/**
 * The JSON of etcd's gateway: names as in etcd's messages, in their order; 64-bit numbers as text; what is zero or
 * empty is left out.
 */
import type { MemberView } from '../cluster/members.js';
import type { ResponseHeader, StatusResponse } from '../client/interface.js';
import { GrpcCode, type EtcdError } from '../errors.js';

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json | undefined };

/** Numbers as decimal text; undefined, which JSON leaves out, for 0. */
const int64 = (value: bigint | number): string | undefined =>
  Number(value) === 0 ? undefined : String(value);
const text = (value: string): string | undefined => (value === '' ? undefined : value);
const list = <T extends Json>(values: readonly T[]): readonly T[] | undefined =>
  values.length === 0 ? undefined : values;
const flag = (value: boolean): true | undefined => value || undefined;

/** Of the Cluster service, whose headers carry no revision. */
export function headerJson({ clusterId, memberId, raftTerm }: ResponseHeader): Json {
  return { cluster_id: int64(clusterId), member_id: int64(memberId), raft_term: int64(raftTerm) };
}

export function memberJson({ id, name, peerUrls, clientUrls, isLearner }: MemberView): Json {
  return {
    ID: int64(id),
    name: text(name),
    peerURLs: list(peerUrls),
    clientURLs: list(clientUrls),
    isLearner: flag(isLearner),
  };
}

export function statusJson(status: StatusResponse): Json {
  const { clusterId, memberId, revision, raftTerm } = status.header;
  return {
    header: {
      cluster_id: int64(clusterId),
      member_id: int64(memberId),
      revision: int64(revision),
      raft_term: int64(raftTerm),
    },
    version: status.version,
    dbSize: int64(status.dbSize),
    leader: int64(status.leader),
    raftIndex: int64(status.raftIndex),
    raftTerm: int64(status.raftTerm),
    raftAppliedIndex: int64(status.raftAppliedIndex),
    errors: list(status.errors),
    dbSizeInUse: int64(status.dbSizeInUse),
    isLearner: flag(status.isLearner),
  };
}

export function errorJson({ code, message }: Pick<EtcdError, 'code' | 'message'>): Json {
  return { error: message, code, message };
}

/** HTTP status that the gateway gives for each gRPC code; 500 for the rest. */
const HTTP_STATUS: ReadonlyMap<GrpcCode, number> = new Map([
  [GrpcCode.Canceled, 408],
  [GrpcCode.InvalidArgument, 400],
  [GrpcCode.DeadlineExceeded, 504],
  [GrpcCode.NotFound, 404],
  [GrpcCode.PermissionDenied, 403],
  [GrpcCode.ResourceExhausted, 429],
  [GrpcCode.FailedPrecondition, 400],
  [GrpcCode.Aborted, 409],
  [GrpcCode.OutOfRange, 400],
  [GrpcCode.Unimplemented, 501],
  [GrpcCode.Unavailable, 503],
  [GrpcCode.Unauthenticated, 401],
]);

export function httpStatusOf(code: GrpcCode): number {
  return HTTP_STATUS.get(code) ?? 500;
}

/** Ids are 64 bits, which a number of JavaScript does not hold. */
const BARE_IDS = /("(?:ID|targetID)"\s*:\s*)(\d+)/g;

/** Empty text is an empty message. @throws SyntaxError */
export function parseMessage(body: string): Record<string, unknown> {
  if (body.trim() === '') return {};
  // Nothing within a JSON string matches: a quote in there has a backslash before it.
  const message: unknown = JSON.parse(body.replaceAll(BARE_IDS, '$1"$2"'));
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new SyntaxError('the body is not a JSON object');
  }
  return message as Record<string, unknown>;
}

const ID_MAX = 2n ** 64n - 1n;

/** A 64-bit id, 0n when absent. @throws SyntaxError */
export function idField(message: Record<string, unknown>, name: string): bigint {
  const value = message[name] ?? '0';
  const id = typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : -1n;
  if (id < 0n || id > ID_MAX) throw new SyntaxError(`${name} is not an unsigned 64-bit number`);
  return id;
}

/** @throws SyntaxError */
export function textsField(message: Record<string, unknown>, name: string): string[] {
  const value = message[name] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new SyntaxError(`${name} is not a list of strings`);
  }
  return value;
}

/** Undefined when absent. @throws SyntaxError */
export function flagField(message: Record<string, unknown>, name: string): boolean | undefined {
  const value = message[name] ?? undefined;
  if (value !== undefined && typeof value !== 'boolean') throw new SyntaxError(`${name} is not a boolean`);
  return value;
}
