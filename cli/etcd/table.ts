/** All of etcd's flags, from 3.4 to 3.6. */
import { invariant } from '../../raft/invariant.js';
import type { EtcdFlag, FlagGroup, GroupedFlag } from './flag.js';
import { authFlags } from './flags/auth.js';
import { clusteringFlags } from './flags/clustering.js';
import { featureFlags } from './flags/features.js';
import { loggingFlags } from './flags/logging.js';
import { memberFlags } from './flags/member.js';
import { monitoringFlags } from './flags/monitoring.js';
import { olderFlags } from './flags/older.js';
import { securityFlags } from './flags/security.js';
import { unsafeFlags } from './flags/unsafe.js';

const inGroup = (group: FlagGroup, flags: readonly EtcdFlag[]): GroupedFlag[] =>
  flags.map((flag) => ({ ...flag, group }));

export const etcdFlags: readonly GroupedFlag[] = [
  ...inGroup('Member', memberFlags),
  ...inGroup('Clustering', clusteringFlags),
  ...inGroup('Security', securityFlags),
  ...inGroup('Auth', authFlags),
  ...inGroup('Profiling and monitoring', monitoringFlags),
  ...inGroup('Logging', loggingFlags),
  ...inGroup('Features', featureFlags),
  ...inGroup('Unsafe', unsafeFlags),
  ...inGroup('Older names and versions', olderFlags),
];

const byName = new Map(etcdFlags.map((flag) => [flag.name, flag]));

export function isEtcdFlag(name: string): boolean {
  return byName.has(name);
}

export function etcdFlag(name: string): GroupedFlag {
  const flag = byName.get(name);
  invariant(flag !== undefined, `there is no flag --${name}`);
  return flag;
}

/** As commander names a flag's value. */
export function keyOf(name: string): string {
  return name.replaceAll(/-(.)/g, (_all, letter: string) => letter.toUpperCase());
}
