/** etcd's JSON gateway, for what manages the cluster: curl can speak it where there is no etcdctl. */
import type { CallOptions, ResponseHeader, StatusResponse } from '../client/interface.js';
import type { MemberView, Members } from '../cluster/members.js';
import { EtcdError, GrpcCode } from '../errors.js';
import {
  errorJson,
  flagField,
  headerJson,
  httpStatusOf,
  idField,
  memberJson,
  parseMessage,
  statusJson,
  textsField,
} from './json.js';

export interface GatewayAnswer {
  readonly status: number;
  readonly body: object;
}

export interface GatewayParts {
  readonly members: Pick<Members<unknown>, 'list' | 'add' | 'remove' | 'promote' | 'update' | 'moveLeader'>;
  /** @throws EtcdError: Stopped */
  readonly status: () => StatusResponse;
}

type Message = Record<string, unknown>;
type Call = (parts: GatewayParts, message: Message, options: CallOptions) => Promise<object>;

const listed = (header: ResponseHeader, members: readonly MemberView[]) => ({
  header: headerJson(header),
  members: members.map(memberJson),
});

/** By path. */
const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  [
    '/v3/cluster/member/list',
    async ({ members, status }, message, options) => {
      const linearizable = flagField(message, 'linearizable') ?? true;
      const present = await members.list({ linearizable }, options);
      return listed(status().header, present);
    },
  ],
  [
    '/v3/cluster/member/add',
    async ({ members, status }, message, options) => {
      const peerUrls = textsField(message, 'peerURLs');
      const isLearner = flagField(message, 'isLearner') ?? false;
      const added = await members.add({ peerUrls, isLearner }, options);
      const { header, members: all } = listed(status().header, added.members);
      return { header, member: memberJson(added.member), members: all };
    },
  ],
  [
    '/v3/cluster/member/remove',
    async ({ members, status }, message, options) =>
      listed(status().header, await members.remove(idField(message, 'ID'), options)),
  ],
  [
    '/v3/cluster/member/promote',
    async ({ members, status }, message, options) =>
      listed(status().header, await members.promote(idField(message, 'ID'), options)),
  ],
  [
    '/v3/cluster/member/update',
    async ({ members, status }, message, options) => {
      const peerUrls = textsField(message, 'peerURLs');
      return listed(status().header, await members.update(idField(message, 'ID'), peerUrls, options));
    },
  ],
  ['/v3/maintenance/status', async ({ status }) => statusJson(status()) as object],
  [
    '/v3/maintenance/transfer-leadership',
    async ({ members }, message, options) => {
      await members.moveLeader(idField(message, 'targetID'), options);
      return {};
    },
  ],
]);

export const isGatewayPath = (path: string): boolean => calls.has(path);

/** Answers one call. What is not an EtcdError passes through. */
export async function answerGateway(
  parts: GatewayParts,
  path: string,
  body: string,
  options: CallOptions,
): Promise<GatewayAnswer> {
  try {
    const call = calls.get(path);
    if (call === undefined) return refusal(GrpcCode.NotFound, 'Not Found');
    return { status: 200, body: await call(parts, parseMessage(body), options) };
  } catch (error) {
    if (error instanceof SyntaxError) return refusal(GrpcCode.InvalidArgument, error.message);
    if (error instanceof EtcdError) return refusal(error.code, error.message);
    throw error;
  }
}

/** An error as the gateway gives it; `status` where another one than the code's is right. */
export function refusal(code: GrpcCode, message: string, status = httpStatusOf(code)): GatewayAnswer {
  return { status, body: errorJson({ code, message }) as object };
}
