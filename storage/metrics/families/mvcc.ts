/** Keys, history, watches and leases. */
import { type Family, counter, gauge, histogram, labelled } from '../family.js';
import type { Readings } from '../readings.js';

export function mvccFamilies(readings: Readings): Family[] {
  return [
    ...operations(readings),
    ...sizes(readings),
    ...watches(readings),
    ...compaction(readings),
    ...leases(readings),
    ...v2Store(readings),
  ];
}

/** Under the names of 3.4 too, which older dashboards ask for. */
function operations({ counters }: Readings): Family[] {
  const { puts, deletes, ranges, txns } = counters;
  return ['etcd_mvcc', 'etcd_debugging_mvcc'].flatMap((prefix) => [
    counter(`${prefix}_put_total`, 'Puts, those in transactions too.', puts),
    counter(`${prefix}_delete_total`, 'Deletes, those in transactions too.', deletes),
    counter(`${prefix}_range_total`, 'Ranges, those in transactions too.', ranges),
    counter(`${prefix}_txn_total`, 'Transactions of more than one operation.', txns),
  ]);
}

function sizes({ counters, totals }: Readings): Family[] {
  const size = 'Bytes of the database’s file.';
  return [
    gauge('etcd_mvcc_db_total_size_in_bytes', size, totals.bytes),
    gauge('etcd_debugging_mvcc_db_total_size_in_bytes', size, totals.bytes),
    gauge(
      'etcd_mvcc_db_total_size_in_use_in_bytes',
      'Bytes of the database that hold something.',
      totals.bytesInUse,
    ),
    gauge('etcd_mvcc_db_open_read_transactions', 'Long reads that are under way.', totals.readers),
    gauge(
      'etcd_mvcc_total_put_size_in_bytes',
      'Bytes of the keys and values that were put.',
      counters.putBytes,
    ),
    gauge(
      'etcd_debugging_mvcc_total_put_size_in_bytes',
      'Bytes of the keys and values that were put.',
      counters.putBytes,
    ),
    gauge('etcd_debugging_auth_revision', 'The revision of users and roles.', totals.authRevision),
    gauge('etcd_debugging_mvcc_keys_total', 'Keys that there are.', totals.keys),
    gauge('etcd_debugging_mvcc_current_revision', 'The newest revision.', totals.revision),
    gauge(
      'etcd_debugging_mvcc_compact_revision',
      'The revision of the newest compaction; -1: there was none.',
      totals.compacted,
    ),
  ];
}

function watches({ counters, totals }: Readings): Family[] {
  const { streams, watchers, lagging, pendingEvents } = totals.watches;
  return [
    gauge('etcd_debugging_mvcc_watch_stream_total', 'Streams of watches.', streams),
    gauge('etcd_debugging_mvcc_watcher_total', 'Watches.', watchers),
    gauge('etcd_debugging_mvcc_slow_watcher_total', 'Watches that read history.', lagging),
    counter('etcd_debugging_mvcc_events_total', 'Events that watches were told.', counters.events),
    gauge(
      'etcd_debugging_mvcc_pending_events_total',
      'Events that wait for a client to take them.',
      pendingEvents,
    ),
  ];
}

function compaction({ counters }: Readings): Family[] {
  return [
    counter(
      'etcd_debugging_mvcc_db_compaction_keys_total',
      'Versions that compaction removed.',
      counters.compactedRows,
    ),
    histogram(
      'etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds',
      'How long each step of removing them held up the rest.',
      counters.compactionPauses,
    ),
    histogram(
      'etcd_debugging_mvcc_db_compaction_total_duration_milliseconds',
      'From a compaction’s first step to its last.',
      counters.compactions,
    ),
    histogram('etcd_mvcc_hash_duration_seconds', 'Of hashing the database.', counters.hashes),
    histogram(
      'etcd_mvcc_hash_rev_duration_seconds',
      'Of hashing the store at a revision.',
      counters.hashesOfRevision,
    ),
  ];
}

function leases({ counters }: Readings): Family[] {
  return [
    counter('etcd_debugging_lease_granted_total', 'Leases granted.', counters.leasesGranted),
    counter('etcd_debugging_lease_revoked_total', 'Leases that ended.', counters.leasesRevoked),
    counter(
      'etcd_debugging_lease_renewed_total',
      'Keep-alives of leases, while this member leads.',
      counters.leasesRenewed,
    ),
    counter(
      'etcd_debugging_server_lease_expired_total',
      'Leases whose time was over.',
      counters.leasesExpired,
    ),
    histogram('etcd_debugging_lease_ttl_total', 'Seconds that leases were granted.', counters.leaseTtls),
  ];
}

/** What etcd counts in its old store, as far as this one has it. */
function v2Store({ counters, totals }: Readings): Family[] {
  return [
    labelled('counter', 'etcd_debugging_store_reads_total', 'Reads.', [[{ action: 'get' }, counters.ranges]]),
    labelled('counter', 'etcd_debugging_store_writes_total', 'Writes.', [
      [{ action: 'set' }, counters.puts],
      [{ action: 'delete' }, counters.deletes],
    ]),
    counter('etcd_debugging_store_expires_total', 'Leases whose time was over.', counters.leasesExpired),
    counter('etcd_debugging_store_watch_requests_total', 'Watches asked for.', counters.watchesCreated),
    gauge('etcd_debugging_store_watchers', 'Watches.', totals.watches.watchers),
  ];
}
