/** The command line of one member. */
import { join } from 'node:path';
import { serviceAccountArguments } from '../service-account-flags.js';
import { serviceArguments } from '../service-flags.js';
import { upkeepArguments } from '../upkeep-flags.js';
import type { Layout, MemberPlace } from './layout.js';
import type { SharedOptions } from './options.js';

export const peerUrl = ({ peerPort }: MemberPlace) => `http://127.0.0.1:${peerPort}`;
export const clientUrl = ({ clientPort }: MemberPlace) => `http://127.0.0.1:${clientPort}`;

/** Everything is said, so that nothing depends on the environment. */
export function memberArguments(
  folder: string,
  { token, members }: Layout,
  place: MemberPlace,
  shared: SharedOptions,
): string[] {
  const flags: Readonly<Record<string, string | number>> = {
    'data-dir': join(folder, place.name),
    name: place.name,
    port: place.port,
    'secure-port': place.securePort,
    'listen-peer-urls': peerUrl(place),
    'initial-advertise-peer-urls': peerUrl(place),
    'listen-client-urls': clientUrl(place),
    'advertise-client-urls': clientUrl(place),
    'initial-cluster': members.map((member) => `${member.name}=${peerUrl(member)}`).join(','),
    'initial-cluster-token': token,
    controllers: shared.controllers.join(','),
    'cors-allowed-origins': shared.corsAllowedOrigins.join(','),
    ...serviceArguments(shared),
    ...serviceAccountArguments(shared),
    'etcd-compaction-interval': `${shared.etcdCompactionInterval}ms`,
    'max-request-bytes': shared.maxRequestBytes,
    'max-txn-ops': shared.maxTxnOps,
    'heartbeat-interval': shared.heartbeatInterval,
    'election-timeout': shared.electionTimeout,
    'snapshot-count': shared.snapshotCount,
    ...upkeepArguments(shared),
    'log-level': shared.logLevel,
  };
  return ['serve', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
}
