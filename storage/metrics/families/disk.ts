/** The log, the database's file, and copies of it. */
import { type Family, gauge, histogram } from '../family.js';
import type { Readings } from '../readings.js';

export function diskFamilies({ counters }: Readings): Family[] {
  return [
    histogram(
      'etcd_disk_wal_fsync_duration_seconds',
      'Of writing entries to the log and syncing it.',
      counters.logSyncs,
    ),
    gauge('etcd_disk_wal_write_bytes_total', 'Bytes of entries written to the log.', counters.logBytes),
    histogram(
      'etcd_disk_backend_commit_duration_seconds',
      'Of committing a batch of entries to the database.',
      counters.commits,
    ),
    histogram(
      'etcd_disk_backend_snapshot_duration_seconds',
      'Of copying the database for another member or a backup.',
      counters.copies,
    ),
    histogram(
      'etcd_disk_backend_defrag_duration_seconds',
      'Of giving back free space when asked to.',
      counters.defragmentations,
    ),
    gauge('etcd_disk_defrag_inflight', 'Whether that is under way.', counters.defragmenting),
    histogram(
      'etcd_snap_db_save_total_duration_seconds',
      'Of taking in the leader’s copy.',
      counters.snapshotSaves,
    ),
  ];
}
