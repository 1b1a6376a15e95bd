/** What members say to each other in HTTP itself: paths, headers, statuses. */
import type { IncomingHttpHeaders } from 'node:http';

export const STREAM_PATH = '/raft/stream';
export const SNAPSHOT_PATH = '/raft/snapshot';
export const ASK_PATH = '/raft/ask';
export const CLUSTER_PATH = '/raft/cluster';

/** Changes with the form of anything that members exchange. */
const PROTOCOL = '1';

/** What a refused request means, where both sides act on it. */
export const STATUS = {
  ok: 200,
  malformed: 400,
  forbidden: 403,
  notFound: 404,
  methodNotAllowed: 405,
  /** A snapshot or a question that was taken in and not carried out. */
  refused: 409,
  /** Who asks was a member once. */
  removed: 410,
  otherCluster: 412,
  otherMember: 421,
} as const;

export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

export interface Refusal {
  readonly status: number;
  /** One line, for the log of either side. */
  readonly text: string;
}

export function hex(id: bigint): string {
  return id.toString(16);
}

/** Undefined for what is not the hexadecimal form of 64 bits. */
export function parseHex(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^[0-9a-f]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

export function headersTo({ clusterId, memberId }: Identity, to: bigint): Record<string, string> {
  return {
    'x-wherry-protocol': PROTOCOL,
    'x-wherry-cluster': hex(clusterId),
    'x-wherry-from': hex(memberId),
    'x-wherry-to': hex(to),
  };
}

const URLS_HEADER = 'x-wherry-urls';
/** Peer URLs of one member that are believed. */
const URLS_MAX = 8;

/** Where the sender of a stream can be answered: the receiver may not have heard yet that it is a member. */
export function introduction(urls: readonly string[]): Record<string, string> {
  return urls.length === 0 ? {} : { [URLS_HEADER]: urls.join(',') };
}

/** The URLs of an introduction; what is none is left out. */
export function introducedUrls(headers: IncomingHttpHeaders): string[] {
  const value = headers[URLS_HEADER];
  const urls = typeof value === 'string' ? value.split(',') : [];
  return urls
    .filter((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))
    .slice(0, URLS_MAX);
}

/** Who sends, if it may. */
export function checkHeaders(
  headers: IncomingHttpHeaders,
  self: Identity,
  removed: readonly bigint[],
): { readonly from: bigint } | Refusal {
  const cluster = parseHex(headers['x-wherry-cluster']);
  const from = parseHex(headers['x-wherry-from']);
  const to = parseHex(headers['x-wherry-to']);
  if (headers['x-wherry-protocol'] !== PROTOCOL)
    return { status: STATUS.malformed, text: `this member speaks protocol ${PROTOCOL}` };
  if (cluster === undefined || from === undefined || to === undefined)
    return { status: STATUS.malformed, text: 'a header is absent or not hexadecimal' };
  if (cluster !== self.clusterId)
    return { status: STATUS.otherCluster, text: `this is a member of cluster ${hex(self.clusterId)}` };
  if (to !== self.memberId)
    return { status: STATUS.otherMember, text: `this is member ${hex(self.memberId)}, not ${hex(to)}` };
  if (from === self.memberId)
    return { status: STATUS.malformed, text: `another member uses the id ${hex(from)}, which is this one's` };
  if (removed.includes(from))
    return { status: STATUS.removed, text: `member ${hex(from)} was removed from the cluster` };
  return { from };
}
