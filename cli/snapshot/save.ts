/** `wherry snapshot save`: from a running server, or from the data directory of one that does not run. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BackupError } from '../../storage/backup/errors.js';
import { saveSnapshot } from '../../storage/backup/save.js';
import { openStore } from '../../storage/open.js';
import type { SnapshotChunk } from '../../storage/server/api.js';
import { workerUrls } from '../bundle.js';
import { connect, withEtcdctlEnvironment } from '../connect.js';
import { ProgressLine, sizeText } from '../progress-line.js';
import { UsageError } from '../startup-error.js';
import { explaining } from './explain.js';
import type { SaveOptions } from './options.js';

/** Throws `StartupError` or `UsageError` with a line for the user. */
export async function save(options: SaveOptions): Promise<void> {
  if (options.dataDir !== undefined && options.endpoints !== undefined) {
    throw new UsageError(
      '--endpoints is for a running server, --data-dir for one that does not run: give one',
    );
  }
  await explaining(async () => {
    const { dataDir } = options;
    const source = dataDir === undefined ? await remote(options) : await offline(dataDir);
    try {
      await write(options.file, source.chunks());
    } finally {
      await source.close();
    }
  });
}

interface Source {
  readonly chunks: () => AsyncIterable<SnapshotChunk>;
  readonly close: () => Promise<void>;
}

/** etcdctl's limit of a command, in milliseconds. */
const REACH_MS = 5000;

async function remote(options: SaveOptions): Promise<Source> {
  const client = await connect(withEtcdctlEnvironment(options, process.env));
  try {
    // Finds an endpoint that answers, or says soon that there is none.
    await client.status({ timeout: REACH_MS });
  } catch (error) {
    await client.close();
    throw error;
  }
  return { chunks: () => client.snapshot(), close: () => client.close() };
}

/** All that the store has acknowledged, which may be in its log only. */
async function offline(dataDir: string): Promise<Source> {
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, 'member', 'CURRENT'))) {
    throw new BackupError(`${dataDir} is no data directory with a store`);
  }
  const store = await openStore({ dataDir: folder, workerUrls: workerUrls() });
  const { voters } = store.consensus.configuration();
  // Alone it knows, when it leads again, that it has applied everything; with others, only what it has heard from them.
  if (voters.length === 1) await store.client.currentRevision();
  return { chunks: () => store.snapshot(), close: () => store.close() };
}

async function write(path: string, chunks: AsyncIterable<SnapshotChunk>): Promise<void> {
  const line = new ProgressLine();
  const onProgress = ({ received, remaining }: { readonly received: number; readonly remaining: number }) =>
    line.update(() => `${sizeText(received)} of ${sizeText(received + remaining)}`);
  try {
    const { kind, bytes } = await saveSnapshot({ path, chunks, onProgress });
    line.end();
    process.stdout.write(`Snapshot saved at ${path} (${sizeText(bytes)}, its checksum is right)\n`);
    if (kind === 'etcd') {
      process.stdout.write(
        'It is of a real etcd, whose format only etcd reads: restore it with etcdutl or etcdctl.\n',
      );
    }
  } finally {
    line.end();
  }
}
