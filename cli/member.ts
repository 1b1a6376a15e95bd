/** One member: its store, what it tells the cluster of itself, and the port for etcd's clients. */
import { encodeConfiguration, type Member } from '../raft/core/configuration.js';
import type { LogThread } from '../raft/log/thread.js';
import { fetchCluster } from '../raft/transport/discovery.js';
import { createHttpTransport } from '../raft/transport/http.js';
import type { PeerTls } from '../raft/transport/tls.js';
import type { Transport } from '../raft/transport/transport.js';
import { parseAuthToken } from '../storage/auth/token-options.js';
import { type Bootstrap, loneMember, newCluster } from '../storage/cluster/bootstrap.js';
import { checkNotBootstrapped, joinCluster } from '../storage/cluster/join.js';
import { ClusterServer } from '../storage/cluster/cluster-server.js';
import { systemClock } from '../storage/clock.js';
import { Members } from '../storage/cluster/members.js';
import { publish } from '../storage/cluster/publish.js';
import { listenForClients } from '../storage/http/client-port.js';
import type { KeepAliveOptions } from '../storage/http2/keep-alive.js';
import { listenForMetrics } from '../storage/http/metrics-port.js';
import { Counters } from '../storage/metrics/counters.js';
import { MaintenanceServer } from '../storage/maintenance/maintenance-server.js';
import { LeadershipMonitor } from '../storage/server/leadership.js';
import { servicesOf } from '../storage/server/services.js';
import { openStore, type Store } from '../storage/open.js';
import { workerUrls } from './bundle.js';
import type { DataDirectory } from './data-directory.js';
import { logLeaders } from './leader-log.js';
import type { EtcdOnlyFlags } from './etcd/options.js';
import type { MemberFlags, MemberPlan } from './member-flags.js';
import { memberMetrics } from './member-metrics.js';
import { loadTls } from './tls.js';
import type { Surroundings } from './run.js';
import { StartupError, UsageError } from './startup-error.js';
import { tellSupervisor } from './supervised.js';

/** How long a member is given to say that it is there, in milliseconds. */
const REACH_MS = 1000;
/** How long a peer is given to describe the cluster to a new member, in milliseconds. */
const DESCRIBE_MS = 3000;

/** A server with an API server in front takes fewer of them. */
type OpenFlags = MemberFlags & Partial<EtcdOnlyFlags>;

/** `logThread`: started before, for the store. */
interface MemberSurroundings extends Surroundings {
  readonly logThread?: LogThread | undefined;
}

/** Resolves when the store is open, whether there is a leader or not. */
export async function openMember(
  flags: OpenFlags,
  plan: MemberPlan,
  directory: DataDirectory,
  surroundings: MemberSurroundings,
): Promise<Store> {
  const { logger, closers, onFatal, logThread } = surroundings;
  const tls = await loadTls(plan.peers?.tls, directory.files, surroundings);
  const clientTls = await loadTls(plan.clientTls, directory.files, surroundings);
  for (const warning of plan.warnings) logger.warn(warning);
  const { warningApplyDuration, watchProgressNotifyInterval } = flags;
  const counters = new Counters(
    warningApplyDuration === undefined ? {} : { slowApplySeconds: warningApplyDuration / 1000 },
  );
  let transport: Transport | undefined;
  const openTransport = (self: MemberIdentity) => {
    const listenUrls = plan.peers?.listenUrls ?? [];
    transport = createHttpTransport({ ...self, listenUrls, tls, observer: counters, logger });
    return transport;
  };
  const store = await openStore({
    dataDir: directory.store,
    workerUrls: workerUrls(),
    logThread,
    requestBytesMax: flags.maxRequestBytes,
    txnOpsMax: flags.maxTxnOps,
    electionTimeoutMs: flags.electionTimeout,
    heartbeatMs: flags.heartbeatInterval,
    snapshotCount: flags.snapshotCount,
    ...plan.upkeep,
    ...(flags.authToken !== undefined && { authToken: parseAuthToken(flags.authToken) }),
    ...(flags.authTokenTtl && { simpleTokenTtlSeconds: flags.authTokenTtl }),
    bootstrap: () => identity(plan, flags.initialClusterToken, tls, surroundings),
    counters,
    ...(watchProgressNotifyInterval && { watchProgressIntervalMs: watchProgressNotifyInterval }),
    ...(plan.peers && { transport: openTransport }),
    // What it tells of a good start is not among the first lines that a user should see.
    logger: {
      debug: logger.trace.bind(logger),
      info: logger.debug.bind(logger),
      warn: logger.warn.bind(logger),
      error: logger.error.bind(logger),
    },
    onFatal,
    onRemoved: () => {
      tellSupervisor('removed');
      onFatal(
        new StartupError('this member was removed from the cluster; its data directory is of no more use'),
      );
    },
  });
  closers.push(() => store.close());
  refuseSilence(plan, store);
  await startServices({ flags, plan, store, tls, clientTls, transport }, surroundings);
  return store;
}

type MemberIdentity = Pick<Store, 'clusterId' | 'memberId'>;

/** As the store keeps it. */
async function identity(...parameters: Parameters<typeof bootstrap>) {
  const { configuration, ...ids } = await bootstrap(...parameters);
  return { ...ids, configuration: encodeConfiguration(configuration) };
}

async function bootstrap(
  { peers, own, initial, state }: MemberPlan,
  token: string,
  tls: PeerTls | undefined,
  { logger }: Surroundings,
): Promise<Bootstrap> {
  if (peers === undefined) return loneMember(own);
  if (state === 'new') {
    const found = newCluster(initial, own, token);
    await checkNotBootstrapped(
      { initial, own, fetch: (url) => fetchCluster(url, { tls, timeoutMs: REACH_MS }) },
      found,
    );
    return found;
  }
  return joinCluster({
    initial,
    own,
    fetch: (url) => fetchCluster(url, { tls, timeoutMs: DESCRIBE_MS }),
    onFailure: (url, error) => {
      const detail = error instanceof Error ? error.message : String(error);
      logger.warn({ detail }, `could not get cluster response from ${url}`);
    },
  });
}

interface OpenMember {
  readonly flags: OpenFlags;
  readonly plan: MemberPlan;
  readonly store: Store;
  readonly tls: PeerTls | undefined;
  readonly clientTls: PeerTls | undefined;
  readonly transport: Transport | undefined;
}

async function startServices(member: OpenMember, surroundings: Surroundings): Promise<void> {
  const { flags, plan, store, tls } = member;
  const { logger, closers } = surroundings;
  const { consensus, questions, counters } = store;
  const isReachable = (other: Member) => answers(other, store.clusterId, tls);
  const members = new Members({
    consensus,
    questions,
    isReachable,
    electionTimeoutMs: flags.electionTimeout,
    ...(flags.maxLearners && { learnersMax: flags.maxLearners }),
    counters,
  });
  const patienceMs = 2 * flags.electionTimeout;
  if (plan.peers !== undefined) closers.push(logLeaders({ consensus, isReachable, logger, patienceMs }));
  if (plan.listenClientUrls.length > 0) await openPorts(member, members, surroundings);
  const stopping = new AbortController();
  const publishing = publish({
    consensus,
    name: plan.own.name,
    clientUrls: plan.advertiseClientUrls,
    signal: stopping.signal,
  });
  publishing.catch((error: unknown) =>
    logger.error({ err: error }, 'cannot tell the cluster of this member'),
  );
  closers.push(() => stopping.abort());
}

/** For those outside of the cluster. */
async function openPorts(
  { flags, plan, store, clientTls, transport }: OpenMember,
  members: Members<unknown>,
  { logger, closers }: Surroundings,
): Promise<void> {
  const metrics = memberMetrics(store, transport, { extensive: flags.metrics === 'extensive' });
  closers.push(() => metrics.close());
  const common = {
    client: store.guardedClient,
    status: () => store.status(),
    alarms: () => store.upkeep.alarms(),
    metrics: () => metrics.metrics.page(),
    rules: { origins: flags.cors, hosts: flags.hostWhitelist },
    onChecked: (isHealthy: boolean) => store.counters.healthChecked(isHealthy),
  };
  const { consensus, checks, upkeep } = store;
  const { electionTimeout: electionTimeoutMs } = flags;
  const leadership = new LeadershipMonitor({ consensus, clock: systemClock, electionTimeoutMs });
  closers.push(() => leadership.close());
  const services = servicesOf({
    store,
    leadership,
    cluster: new ClusterServer({
      members,
      checks,
      header: () => ({ ...store.status().header, revision: 0 }),
    }),
    maintenance: new MaintenanceServer({
      members,
      checks,
      upkeep,
      status: () => store.status(),
      snapshot: (options) => store.snapshot(options),
    }),
  });
  const port = await listenForClients({
    ...common,
    services,
    urls: plan.listenClientUrls,
    httpUrls: flags.listenClientHttpUrls,
    tls: clientTls,
    observer: metrics.grpc,
    requestBytesMax: flags.maxRequestBytes,
    concurrentStreamsMax: flags.maxConcurrentStreams,
    keepAlive: keepAliveOf(flags),
    hasGateway: flags.enableGrpcGateway,
    // As in etcd, a certificate that is asked for otherwise says nothing of the user.
    certificatesNameUsers: flags.clientCertAuth,
    onError: (error) => logger.error({ err: error }, 'a request on the client port failed'),
  });
  closers.push(() => port.close());
  const { listenMetricsUrls } = flags;
  if (listenMetricsUrls === undefined) return;
  const metricsPort = await listenForMetrics({
    ...common,
    urls: listenMetricsUrls,
    tls: clientTls,
    onError: (error) => logger.error({ err: error }, 'a request on the metrics port failed'),
  });
  closers.push(() => metricsPort.close());
}

/** The limits that etcd has when it is told nothing are for `wherry etcd`, which gives all of them. */
function keepAliveOf(flags: OpenFlags): KeepAliveOptions | undefined {
  const { grpcKeepaliveMinTime, grpcKeepaliveInterval, grpcKeepaliveTimeout } = flags;
  if (grpcKeepaliveMinTime === undefined) return undefined;
  return {
    minTimeMs: grpcKeepaliveMinTime,
    intervalMs: grpcKeepaliveInterval ?? 0,
    timeoutMs: grpcKeepaliveTimeout ?? 0,
  };
}

/** Whether something of the same cluster answers at one of the member's urls. */
async function answers({ peerUrls }: Member, clusterId: bigint, tls: PeerTls | undefined): Promise<boolean> {
  const attempts = peerUrls.map((url) => fetchCluster(url, { tls, timeoutMs: REACH_MS }));
  const found = await Promise.allSettled(attempts);
  return found.some((attempt) => attempt.status === 'fulfilled' && attempt.value.clusterId === clusterId);
}

/** Without a port for them, the others of its cluster would be waited for without end. Throws UsageError. */
function refuseSilence({ peers }: MemberPlan, { consensus, memberId }: Store): void {
  const others = consensus.configuration().members.filter(({ id }) => id !== memberId);
  if (peers !== undefined || others.length === 0) return;
  const names = others.map(({ name, id }) => name || id.toString(16)).join(', ');
  throw new UsageError(`this is a member of a cluster with ${names}: --listen-peer-urls must be given`);
}
