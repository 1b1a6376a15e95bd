/** What etcd calls its server: consensus, and the API. */
import { ETCD_VERSION } from '../../version.js';
import { type Family, counter, gauge, info, labelled } from '../family.js';
import { type Readings, hexOf } from '../readings.js';

/** As etcd has it: of the whole cluster, without the patch. */
const CLUSTER_VERSION = ETCD_VERSION.replace(/\.\d+$/, '');

export function serverFamilies({ counters, grpc, status, memberId }: Readings): Family[] {
  return [
    gauge(
      'etcd_server_has_leader',
      'Whether there is a leader that this member knows.',
      status.leader !== 0n,
    ),
    gauge('etcd_server_is_leader', 'Whether this member leads.', status.leader === memberId),
    gauge('etcd_server_is_learner', 'Whether this member has no vote.', status.isLearner),
    counter(
      'etcd_server_leader_changes_seen_total',
      'Leaders that this member has seen begin.',
      counters.leaderChanges,
    ),
    gauge('etcd_server_proposals_committed_total', 'Index of the newest committed entry.', status.raftIndex),
    gauge(
      'etcd_server_proposals_applied_total',
      'Index of the newest applied entry.',
      status.raftAppliedIndex,
    ),
    gauge(
      'etcd_server_proposals_pending',
      'Proposals of this member whose end is not known yet.',
      counters.proposalsPending,
    ),
    counter(
      'etcd_server_proposals_failed_total',
      'Proposals of this member that were refused, or whose end it does not know.',
      counters.proposalsFailed,
    ),
    counter('etcd_server_slow_apply_total', 'Batches that took long to apply.', counters.slowApplies),
    counter(
      'etcd_server_slow_read_indexes_total',
      'Reads that were not confirmed in time.',
      counters.slowReadIndexes,
    ),
    counter(
      'etcd_server_read_indexes_failed_total',
      'Reads that could not be confirmed, as there was no leader or the server stopped.',
      counters.readIndexesFailed,
    ),
    counter(
      'etcd_server_heartbeat_send_failures_total',
      'Signs of life that this leader sent late.',
      counters.heartbeatsLate,
    ),
    counter('etcd_server_health_success', 'Health checks that went well.', counters.healthSuccesses),
    counter('etcd_server_health_failures', 'Health checks that did not.', counters.healthFailures),
    counter(
      'etcd_server_learner_promote_successes',
      'Learners that were promoted by way of this member.',
      counters.learnerPromotions,
    ),
    labelled(
      'counter',
      'etcd_server_learner_promote_failures',
      'Learners that could not be promoted, by the reason.',
      Array.from(counters.learnerPromotionFailures, ([Reason, count]) => [{ Reason }, count] as const),
    ),
    gauge(
      'etcd_server_snapshot_apply_in_progress_total',
      'Snapshots of the leader that are being taken in.',
      counters.snapshotsComing,
    ),
    gauge(
      'etcd_server_quota_backend_bytes',
      'Size at which the database may not grow any more.',
      status.dbSizeQuota,
    ),
    info('etcd_server_id', 'The id of this member.', { server_id: hexOf(memberId) }),
    info('etcd_server_version', 'The version of the API.', { server_version: ETCD_VERSION }),
    info('etcd_cluster_version', 'The version of the API that all members have.', {
      cluster_version: CLUSTER_VERSION,
    }),
    clientRequests(grpc),
  ];
}

/** Clients may say which version of the API they know; nobody looks at it here. */
function clientRequests({ methods }: Readings['grpc']): Family {
  const counts = { unary: 0, stream: 0 };
  for (const { method, started } of methods) counts[method.type === 'unary' ? 'unary' : 'stream'] += started;
  return labelled(
    'counter',
    'etcd_server_client_requests_total',
    'Calls of clients.',
    Object.entries(counts).map(([type, count]) => [{ type, client_api_version: 'unknown' }, count] as const),
  );
}
