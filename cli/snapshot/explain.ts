/** What backing up and moving threw, as a line for the user. */
import { BackupError } from '../../storage/backup/errors.js';
import { BootstrapError, InitialClusterError } from '../../storage/cluster/bootstrap.js';
import { EtcdError } from '../../storage/errors.js';
import { DataDirError, DataDirLockedError } from '../../storage/mvcc/errors.js';
import { StartupError, UsageError } from '../startup-error.js';

/** Runs it, and throws StartupError or UsageError, or what nobody foresaw as it is. */
export async function explaining<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof InitialClusterError) return new UsageError(error.message);
  if (error instanceof DataDirLockedError) {
    return new StartupError(
      `${error.path} is in use by a running server; back that up with --endpoints (wherry serve opens a port for it with --listen-client-urls)`,
    );
  }
  const isForeseen = [BackupError, BootstrapError, DataDirError, EtcdError].some(
    (kind) => error instanceof kind,
  );
  return isForeseen ? new StartupError((error as Error).message) : error;
}
