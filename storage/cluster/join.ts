/** What a member with a new data directory asks the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { memberOf, NO_CONFIGURATION, type Configuration } from '../../raft/core/configuration.js';
import {
  type Bootstrap,
  BootstrapError,
  checkInitial,
  type InitialMember,
  InitialClusterError,
  sameUrls,
} from './bootstrap.js';

/** The cluster as one of its members knows it. */
export interface ClusterView {
  readonly clusterId: bigint;
  readonly configuration: Configuration;
}

export interface PeersOptions {
  readonly initial: readonly InitialMember[];
  readonly own: InitialMember;
  /** Asks whoever listens there for the cluster. */
  readonly fetch: (peerUrl: string) => Promise<ClusterView>;
}

export interface JoinOptions extends PeersOptions {
  /** Told of each peer that gave no answer, for the first time. */
  readonly onFailure?: (peerUrl: string, error: unknown) => void;
  /** Milliseconds between two rounds. */
  readonly pauseMs?: number;
}

/** How often the peers are asked before it is given up: they may be starting. */
const ROUNDS_MAX = 10;
/** Fewer where a peer has answered and does not know the new member: it may be a moment behind. */
const ROUNDS_UNKNOWN_MAX = 5;
const PAUSE_MS = 500;

/** Finds itself in a cluster that it was added to. @throws BootstrapError */
export async function joinCluster(options: JoinOptions): Promise<Bootstrap> {
  const { initial, own, pauseMs = PAUSE_MS } = options;
  checkInitial(initial, own);
  const urls = othersUrls(options);
  if (urls.length === 0) {
    throw new InitialClusterError('--initial-cluster names no other member of the existing cluster to join');
  }
  const failed = new Set<string>();
  const onFailure = (url: string, error: unknown) => {
    if (!failed.has(url)) options.onFailure?.(url, error);
    failed.add(url);
  };
  let unknownTo: ClusterView | undefined;
  for (let round = 1; round <= (unknownTo === undefined ? ROUNDS_MAX : ROUNDS_UNKNOWN_MAX); round++) {
    if (round > 1) await sleep(pauseMs);
    for (const view of await viewsOf(options, onFailure)) {
      const { members } = view.configuration;
      const member = members.find(({ peerUrls }) => sameUrls(peerUrls, own.peerUrls));
      if (member?.name === '') return joined(view, member.id);
      if (member !== undefined) throw bootstrappedBefore(member.id);
      unknownTo = view;
    }
  }
  throw new BootstrapError(whyNotJoined(urls, own, unknownTo));
}

/**
 * A member of a new cluster must not have been one of it before: what it has voted for and taken in is lost with its data,
 * and the others count on it. Nobody may be there to say so, as when all start. @throws BootstrapError
 */
export async function checkNotBootstrapped(
  options: PeersOptions,
  { clusterId, memberId }: Pick<Bootstrap, 'clusterId' | 'memberId'>,
): Promise<void> {
  for (const view of await viewsOf(options)) {
    if (view.clusterId !== clusterId) continue;
    const hasStarted = (memberOf(view.configuration, memberId)?.name ?? '') !== '';
    if (hasStarted || view.configuration.removed.includes(memberId)) throw bootstrappedBefore(memberId);
  }
}

function bootstrappedBefore(id: bigint): BootstrapError {
  return new BootstrapError(
    `member ${id.toString(16)} has already been bootstrapped, and its data is not here: remove it from the cluster and add it anew`,
  );
}

function othersUrls({ initial, own }: PeersOptions): string[] {
  return initial.filter(({ name }) => name !== own.name).flatMap(({ peerUrls }) => peerUrls);
}

/** Of those that answer, in the order in which the flags name them. */
async function viewsOf(
  options: PeersOptions,
  onFailure?: (url: string, error: unknown) => void,
): Promise<ClusterView[]> {
  const views = await Promise.all(
    othersUrls(options).map(async (url) => {
      try {
        return await options.fetch(url);
      } catch (error) {
        onFailure?.(url, error);
        return undefined;
      }
    }),
  );
  return views.filter((view) => view !== undefined);
}

/** Who votes it hears from the leader, and stands for no election before that; to answer it must know where that is. */
function joined({ clusterId, configuration }: ClusterView, memberId: bigint): Bootstrap {
  return { clusterId, memberId, configuration: { ...NO_CONFIGURATION, members: configuration.members } };
}

function whyNotJoined(
  urls: readonly string[],
  own: InitialMember,
  unknownTo: ClusterView | undefined,
): string {
  if (unknownTo === undefined) {
    return `cannot fetch cluster info from peer urls: none of ${urls.join(', ')} answers`;
  }
  const known = unknownTo.configuration.members.flatMap(({ peerUrls }) => peerUrls).join(', ');
  const cluster = unknownTo.clusterId.toString(16);
  return `error validating peerURLs ${own.peerUrls.join(',')}: the cluster ${cluster} has no such member (it has ${known}); add it there first`;
}
