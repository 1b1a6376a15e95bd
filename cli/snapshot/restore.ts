/** `wherry snapshot restore`: makes the data directory of a member of a new cluster. */
import { resolve } from 'node:path';
import { restoreBackup } from '../../storage/backup/restore.js';
import type { InitialMember } from '../../storage/cluster/bootstrap.js';
import { shortPath } from '../announce.js';
import { workerUrls } from '../bundle.js';
import { IN_MEMORY } from '../data-directory.js';
import { UsageError } from '../startup-error.js';
import { explaining } from './explain.js';
import type { RestoreOptions } from './options.js';

const DEFAULT_PEER_URL = 'http://localhost:2380';

/** Throws `StartupError` or `UsageError` with a line for the user. */
export async function restore(options: RestoreOptions): Promise<void> {
  const { file, dataDir, bumpRevision, skipHashCheck, initialCluster: initial } = options;
  const markCompacted = options.markCompacted ?? bumpRevision > 0;
  if (dataDir === IN_MEMORY) throw new UsageError(`nothing can be restored into --data-dir ${IN_MEMORY}`);
  if (markCompacted && bumpRevision === 0) {
    throw new UsageError('--mark-compacted needs a --bump-revision above 0');
  }
  const folder = resolve(dataDir);
  const { clusterId, memberId, revision, compacted } = await explaining(() =>
    restoreBackup({
      file,
      dataDir: folder,
      own: ownMember(options),
      initial,
      token: options.initialClusterToken,
      bumpRevision,
      markCompacted,
      skipHashCheck,
      logWorkerUrl: workerUrls().log,
    }),
  );
  const below = compacted === revision ? ', with nothing below it' : '';
  process.stdout.write(
    `Restored ${file} to ${shortPath(folder)}: member ${memberId.toString(16)} of cluster ${clusterId.toString(16)}, revision ${revision}${below}\n`,
  );
}

function ownMember(options: RestoreOptions): InitialMember {
  const { name, initialAdvertisePeerUrls, initialCluster = [] } = options;
  const listed = initialCluster.find((member) => member.name === name);
  return { name, peerUrls: initialAdvertisePeerUrls ?? listed?.peerUrls ?? [DEFAULT_PEER_URL] };
}
