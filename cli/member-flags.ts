/** etcd's flags of a member, and what they come to together. */
import type { InitialMember } from '../storage/cluster/bootstrap.js';
import { addressOf, isLoopback } from '../storage/cluster/urls.js';
import { IN_MEMORY } from './data-directory.js';
import type { LogLevel } from './flags.js';
import { UsageError } from './startup-error.js';

/** As the command line gives them; undefined where it does not. */
export interface MemberFlags {
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly name: string;
  readonly listenPeerUrls?: readonly string[];
  readonly initialAdvertisePeerUrls?: readonly string[];
  readonly listenClientUrls?: readonly string[];
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
  readonly peerCertFile?: string;
  readonly peerKeyFile?: string;
  readonly peerTrustedCaFile?: string;
  readonly peerClientCertAuth: boolean;
  /** Bytes. */
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly trustedCa: string | undefined;
  readonly clientCertAuth: boolean;
}

export interface MemberPlan {
  /** Undefined: alone for ever, without a port for others. */
  readonly peers: { readonly listenUrls: readonly string[]; readonly tls: TlsFiles | undefined } | undefined;
  /** Who it is when its data directory is new. */
  readonly own: InitialMember;
  readonly initial: readonly InitialMember[];
  readonly state: 'new' | 'existing';
  readonly listenClientUrls: readonly string[];
  readonly advertiseClientUrls: readonly string[];
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
  const peerUrls = flags.initialAdvertisePeerUrls ?? reachable(flags.listenPeerUrls) ?? [DEFAULT_PEER_URL];
  const own = { name: flags.name, peerUrls };
  return {
    peers,
    own,
    initial: flags.initialCluster ?? [own],
    state: flags.initialClusterState ?? 'new',
    listenClientUrls,
    advertiseClientUrls: planAdvertised(flags, listenClientUrls),
    warnings: peers === undefined ? [] : warningsOf(peers),
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
  const tls = tlsFiles(flags);
  const secure = listenUrls.find((url) => addressOf(url).secure);
  if (secure !== undefined && tls === undefined) {
    throw new UsageError(
      `cannot listen on TLS for ${secure}: --peer-cert-file and --peer-key-file are not given`,
    );
  }
  return { listenUrls, tls };
}

function tlsFiles(flags: MemberFlags): TlsFiles | undefined {
  const { peerCertFile, peerKeyFile, peerTrustedCaFile, peerClientCertAuth } = flags;
  if ((peerCertFile === undefined) !== (peerKeyFile === undefined)) {
    throw new UsageError('--peer-cert-file and --peer-key-file must both be given');
  }
  if (peerClientCertAuth && peerTrustedCaFile === undefined) {
    throw new UsageError('--peer-client-cert-auth needs --peer-trusted-ca-file');
  }
  if (peerCertFile === undefined || peerKeyFile === undefined) {
    if (peerTrustedCaFile !== undefined) {
      throw new UsageError('--peer-trusted-ca-file needs --peer-cert-file and --peer-key-file');
    }
    return undefined;
  }
  return {
    cert: peerCertFile,
    key: peerKeyFile,
    trustedCa: peerTrustedCaFile,
    clientCertAuth: peerClientCertAuth,
  };
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

function warningsOf({ listenUrls, tls }: NonNullable<MemberPlan['peers']>): string[] {
  const plain = listenUrls.filter((url) => !addressOf(url).secure);
  const open = plain.filter((url) => !isLoopback(addressOf(url)));
  const unused = tls === undefined ? [] : plain;
  return [
    ...open.map(
      (url) => `${url} is plain HTTP: whoever reaches it can read and change everything; use https`,
    ),
    ...unused.map(
      (url) => `the scheme of ${url} is http although certificates are given; it does not use them`,
    ),
  ];
}
