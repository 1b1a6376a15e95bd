/**
 * Who a member is when its data directory is new. Of a new cluster the members agree on that without talking: ids are
 * hashes of the peer URLs and the token, as in etcd. Who joins a cluster that exists is told by the others.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  initialConfiguration,
  NO_CONFIGURATION,
  type Configuration,
  type Member,
} from '../../raft/core/configuration.js';

export interface Bootstrap {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly configuration: Configuration;
}

export interface InitialMember {
  readonly name: string;
  /** In order (urls.ts). */
  readonly peerUrls: readonly string[];
}

/** The cluster as one of its members knows it. */
export interface ClusterView {
  readonly clusterId: bigint;
  readonly configuration: Configuration;
}

/** Why there is no member to start, in one line. The texts are etcd's where it has one. */
export class BootstrapError extends Error {
  override name = 'BootstrapError';
}

/** What the flags say of the initial cluster does not fit together. */
export class InitialClusterError extends BootstrapError {
  override name = 'InitialClusterError';
}

/** A cluster of its own that nobody else can be taken for. */
export function loneMember(own: InitialMember): Bootstrap {
  const memberId = randomId();
  return bootstrapOf(randomId(), memberId, [memberOf(memberId, own)]);
}

/** The same for every member that is given the same. @throws BootstrapError */
export function newCluster(initial: readonly InitialMember[], own: InitialMember, token: string): Bootstrap {
  checkInitial(initial, own);
  const members = initial.map((member) => memberOf(memberIdOf(member.peerUrls, token), member));
  const ids = members.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
  const clusterId = idFrom(['cluster', ...ids.map(String)]);
  return bootstrapOf(clusterId, memberIdOf(own.peerUrls, token), members);
}

export interface JoinOptions {
  readonly initial: readonly InitialMember[];
  readonly own: InitialMember;
  /** Asks whoever listens there for the cluster. */
  readonly fetch: (peerUrl: string) => Promise<ClusterView>;
  /** Told of each peer that gave no answer. */
  readonly onFailure?: (peerUrl: string, error: unknown) => void;
  /** Milliseconds between two rounds. */
  readonly pauseMs?: number;
}

/** How often the peers are asked before it is given up: they may be starting. */
const ROUNDS_MAX = 20;
/** Fewer where a peer has answered and does not know the new member: it may be a moment behind. */
const ROUNDS_UNKNOWN_MAX = 5;
const PAUSE_MS = 500;

/** Finds itself in a cluster that it was added to. @throws BootstrapError */
export async function joinCluster(options: JoinOptions): Promise<Bootstrap> {
  const { initial, own, pauseMs = PAUSE_MS } = options;
  checkInitial(initial, own);
  const urls = initial.filter(({ name }) => name !== own.name).flatMap(({ peerUrls }) => peerUrls);
  if (urls.length === 0) {
    throw new InitialClusterError('--initial-cluster names no other member of the existing cluster to join');
  }
  let unknownTo: ClusterView | undefined;
  for (let round = 1; round <= (unknownTo === undefined ? ROUNDS_MAX : ROUNDS_UNKNOWN_MAX); round++) {
    if (round > 1) await sleep(pauseMs);
    for (const url of urls) {
      const view = await fetchOrTell(options, url);
      if (view === undefined) continue;
      const member = view.configuration.members.find(({ peerUrls }) => sameUrls(peerUrls, own.peerUrls));
      if (member !== undefined) return joined(view, member.id);
      unknownTo = view;
    }
  }
  throw new BootstrapError(whyNotJoined(urls, own, unknownTo));
}

/** Who votes it hears from the leader, and stands for no election before that; to answer it must know where that is. */
function joined({ clusterId, configuration }: ClusterView, memberId: bigint): Bootstrap {
  return { clusterId, memberId, configuration: { ...NO_CONFIGURATION, members: configuration.members } };
}

async function fetchOrTell({ fetch, onFailure }: JoinOptions, url: string): Promise<ClusterView | undefined> {
  try {
    return await fetch(url);
  } catch (error) {
    onFailure?.(url, error);
    return undefined;
  }
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

/** @throws InitialClusterError */
function checkInitial(initial: readonly InitialMember[], own: InitialMember): void {
  const text = initial
    .map(({ name, peerUrls }) => peerUrls.map((url) => `${name}=${url}`).join(','))
    .join(',');
  const urls = initial.flatMap(({ peerUrls }) => peerUrls);
  if (new Set(urls).size < urls.length)
    throw new InitialClusterError(`initial cluster ${text} has duplicate url`);
  const named = initial.find(({ name }) => name === own.name);
  if (named === undefined) {
    throw new InitialClusterError(
      `couldn't find local name "${own.name}" in the initial cluster configuration`,
    );
  }
  if (!sameUrls(named.peerUrls, own.peerUrls)) {
    const given = own.peerUrls.join(',');
    throw new InitialClusterError(
      `--initial-cluster has ${named.peerUrls.map((url) => `${own.name}=${url}`).join(',')} but --initial-advertise-peer-urls is ${given}`,
    );
  }
}

function sameUrls(some: readonly string[], others: readonly string[]): boolean {
  const sorted = [...others].sort();
  return some.length === sorted.length && [...some].sort().every((url, position) => url === sorted[position]);
}

function memberOf(id: bigint, { name, peerUrls }: InitialMember): Member {
  return { id, name, peerUrls, clientUrls: [] };
}

function bootstrapOf(clusterId: bigint, memberId: bigint, members: readonly Member[]): Bootstrap {
  return { clusterId, memberId, configuration: initialConfiguration(members) };
}

function memberIdOf(peerUrls: readonly string[], token: string): bigint {
  return idFrom(['member', token, ...peerUrls]);
}

/** Of a member that is added at run time: another one each time, since an id that was removed never comes back. */
export function addedMemberId(peerUrls: readonly string[]): bigint {
  return idFrom(['added', randomBytes(16).toString('hex'), ...peerUrls]);
}

function randomId(): bigint {
  return notZero(randomBytes(8).readBigUInt64BE());
}

/** 64 bits of a hash. Written as JSON, so that no two lists of words look alike. */
function idFrom(words: readonly string[]): bigint {
  return notZero(createHash('sha256').update(JSON.stringify(words)).digest().readBigUInt64BE());
}

/** 0 means "none". */
function notZero(id: bigint): bigint {
  return id === 0n ? 1n : id;
}
