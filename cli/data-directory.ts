/** The folder that everything is kept in, or for `:memory:` a private one for the kubeconfig, removed at the end. */
import { access, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StartupError } from './startup-error.js';

export const IN_MEMORY = ':memory:';

export interface DataDirectory {
  /** Absolute, except for `:memory:`, as the store wants it. */
  readonly store: string;
  /** Absolute: where kubeconfig and certificates go. */
  readonly files: string;
  /** Removes what was only for this run. */
  close(): Promise<void>;
}

export async function openDataDirectory(dataDir: string): Promise<DataDirectory> {
  if (dataDir === IN_MEMORY) {
    // mkdtemp gives mode 0700.
    const files = await mkdtemp(join(tmpdir(), 'wherry-'));
    return { store: IN_MEMORY, files, close: () => rm(files, { recursive: true, force: true }) };
  }
  const folder = resolve(dataDir);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartupError(`cannot use data directory ${dataDir}: ${why}`);
  }
  return { store: folder, files: folder, close: async () => undefined };
}

/** What `wherry cluster` writes into a folder whose subfolders are data directories. */
export const CLUSTER_FILE = 'cluster.json';

/** A member's files would lie among those of another command. Throws StartupError. */
export async function refuseClusterFolder({ files }: DataDirectory): Promise<void> {
  const isCluster = await access(join(files, CLUSTER_FILE)).then(
    () => true,
    () => false,
  );
  if (isCluster)
    throw new StartupError(`${files} holds a cluster; start it with wherry cluster --data-dir ${files}`);
}
