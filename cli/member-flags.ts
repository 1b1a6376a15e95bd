/** etcd's flags of a member, and what they come to together. */
import type { InitialMember } from '../storage/cluster/bootstrap.js';
import { addressOf, isLoopback } from '../storage/cluster/urls.js';
import { IN_MEMORY } from './data-directory.js';
import type { LogLevel } from './flags.js';
import { UsageError } from './startup-error.js';
import { type TlsFlags, type TlsPlan, planTls } from './tls-plan.js';
import { type UpkeepFlags, type UpkeepStoreOptions, upkeepOf } from './upkeep-flags.js';

/** As the command line gives them; undefined where it does not. */
export interface MemberFlags extends TlsFlags, UpkeepFlags {
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly name: string;
  readonly listenPeerUrls?: readonly string[];
  readonly initialAdvertisePeerUrls?: readonly string[];
  readonly listenClientUrls?: readonly string[];
  /** More of them, for HTTP alone, of which the others have none then. */
  readonly listenClientHttpUrls?: readonly string[];
  /** For metrics and health alone. */
  readonly listenMetricsUrls?: readonly string[];
  readonly advertiseClientUrls?: readonly string[];
  readonly initialCluster?: readonly InitialMember[];
  readonly initialClusterState?: 'new' | 'existing';
  readonly initialClusterToken: string;
  /** Milliseconds. */
  readonly heartbeatInterval: number;
  /** Milliseconds. */
  readonly electionTimeout: number;
  /** Entries kept in the log for members that are behind. */
  readonly snapshotCount: number;
  /** Bytes. */
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
}

export interface MemberPlan {
  /** Undefined: alone for ever, without a port for others. */
  readonly peers: { readonly listenUrls: readonly string[]; readonly tls: TlsPlan | undefined } | undefined;
  /** Who it is when its data directory is new. */
  readonly own: InitialMember;
  readonly initial: readonly InitialMember[];
  readonly state: 'new' | 'existing';
  readonly listenClientUrls: readonly string[];
  readonly advertiseClientUrls: readonly string[];
  /** For the client urls that are https. */
  readonly clientTls: TlsPlan | undefined;
  readonly upkeep: UpkeepStoreOptions;
  /** Lines for the log: allowed, and perhaps not meant. */
  readonly warnings: readonly string[];
}

/** etcd's own. */
const ELECTION_TIMEOUT_MS_MAX = 50_000;
const ELECTION_HEARTBEATS_MIN = 5;
const DEFAULT_PEER_URL = 'http://localhost:2380';
const DEFAULT_CLIENT_URL = 'http://localhost:2379';

/**
 * `byItself`: a store that its user runs as one, which listens where etcd does. Otherwise it stands behind an API
 * server and opens no port unless it is told to. Throws UsageError.
 */
export function planMember(flags: MemberFlags, { byItself }: { readonly byItself: boolean }): MemberPlan {
  checkTimes(flags);
  const peers = byItself || mentionsPeers(flags) ? planPeers(flags) : undefined;
  const listenClientUrls = flags.listenClientUrls ?? (byItself ? [DEFAULT_CLIENT_URL] : []);
  const { listenClientHttpUrls = [], listenMetricsUrls = [] } = flags;
  const peerUrls = flags.initialAdvertisePeerUrls ?? reachable(flags.listenPeerUrls) ?? [DEFAULT_PEER_URL];
  const own = { name: flags.name, peerUrls };
  const clientTls = planTls(flags, 'client', [
    ...listenClientUrls,
    ...listenClientHttpUrls,
    ...listenMetricsUrls,
  ]);
  return {
    peers,
    own,
    initial: flags.initialCluster ?? [own],
    state: flags.initialClusterState ?? 'new',
    listenClientUrls,
    advertiseClientUrls: planAdvertised(flags, listenClientUrls),
    clientTls,
    upkeep: upkeepOf(flags),
    warnings: [
      ...(peers === undefined ? [] : warningsOf(peers.listenUrls, peers.tls)),
      ...warningsOf([...listenClientUrls, ...listenClientHttpUrls], clientTls),
    ],
  };
}

function mentionsPeers(flags: MemberFlags): boolean {
  const { listenPeerUrls, initialAdvertisePeerUrls, initialCluster, initialClusterState } = flags;
  return [listenPeerUrls, initialAdvertisePeerUrls, initialCluster, initialClusterState].some(
    (value) => value !== undefined,
  );
}

function checkTimes({ heartbeatInterval, electionTimeout }: MemberFlags): void {
  if (electionTimeout < ELECTION_HEARTBEATS_MIN * heartbeatInterval) {
    throw new UsageError(
      `--election-timeout[${electionTimeout}ms] should be at least as 5 times as --heartbeat-interval[${heartbeatInterval}ms]`,
    );
  }
  if (electionTimeout > ELECTION_TIMEOUT_MS_MAX) {
    throw new UsageError(
      `--election-timeout[${electionTimeout}ms] is too long, and should be set less than ${ELECTION_TIMEOUT_MS_MAX}ms`,
    );
  }
}

function planPeers(flags: MemberFlags): NonNullable<MemberPlan['peers']> {
  if (flags.dataDir === IN_MEMORY && mentionsPeers(flags)) {
    throw new UsageError(`a member must remember how it voted, which --data-dir ${IN_MEMORY} does not`);
  }
  const listenUrls = flags.listenPeerUrls ?? [DEFAULT_PEER_URL];
  return { listenUrls, tls: planTls(flags, 'peer', listenUrls) };
}

function planAdvertised(flags: MemberFlags, listenClientUrls: readonly string[]): readonly string[] {
  const advertised = flags.advertiseClientUrls ?? reachable(listenClientUrls);
  if (advertised === undefined) {
    throw new UsageError(
      `--advertise-client-urls is required when --listen-client-urls is ${listenClientUrls.join(',')}, which is no address to connect to`,
    );
  }
  return advertised;
}

const WILDCARD_ADDRESSES = new Set(['0.0.0.0', '::']);

/** Urls to listen on as urls to connect to; undefined where that cannot be said. */
function reachable(urls: readonly string[] | undefined): readonly string[] | undefined {
  return urls?.some((url) => WILDCARD_ADDRESSES.has(addressOf(url).host)) === false ? urls : undefined;
}

function warningsOf(listenUrls: readonly string[], tls: TlsPlan | undefined): string[] {
  const plain = listenUrls.filter((url) => !addressOf(url).secure);
  const open = plain.filter((url) => !isLoopback(addressOf(url)));
  const unused = tls?.type === 'files' ? plain : [];
  const isUnverified = tls?.type === 'auto' && plain.length < listenUrls.length;
  return [
    ...open.map(
      (url) => `${url} is plain HTTP: whoever reaches it can read and change everything; use https`,
    ),
    ...unused.map(
      (url) => `the scheme of ${url} is http although certificates are given; it does not use them`,
    ),
    ...(isUnverified
      ? [
          `${tls.side === 'client' ? '--auto-tls' : '--peer-auto-tls'} encrypts, but nobody can tell who answers`,
        ]
      : []),
  ];
}
