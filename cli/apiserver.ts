/** `wherry apiserver`, and `wherry serve` with --etcd-servers: the API server alone, on an etcd that runs elsewhere. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { logReady, readyText } from './announce.js';
import type { ApiServerFlags } from './api-server.js';
import { openDataDirectory, refuseClusterFolder } from './data-directory.js';
import { connectToEtcd, type EtcdServersFlags, etcdServersOf, storeProbes } from './etcd-servers.js';
import { run } from './run.js';
import { UsageError } from './startup-error.js';

export interface ApiServerOptions extends ApiServerFlags, EtcdServersFlags {}

/**
 * Resolves after a clean stop. Waits for an etcd that does not answer yet, as long as it takes. Throws `StartupError` or
 * `UsageError` with a line for the user.
 */
export async function apiserver(options: ApiServerOptions): Promise<void> {
  const servers = etcdServersOf(options);
  if (servers === undefined) throw new UsageError('--etcd-servers must be given');
  const portFlags = new Map([
    [options.securePort, '--secure-port'],
    [options.port, '--port'],
  ]);
  await run({ ...options, portFlags }, async ({ logger, closers, terminal }) => {
    const directory = await openDataDirectory(options.dataDir);
    closers.push(() => directory.close());
    await refuseClusterFolder(directory);
    const [client, { startApiServer }] = await Promise.all([
      connectToEtcd(servers, logger),
      import('./api-server.js'),
    ]);
    closers.push(() => client.close());
    await startApiServer(options, {
      client,
      logger,
      folder: directory.files,
      closers,
      keyRoot: servers.keyRoot,
      stores: storeProbes(servers, logger),
      // There may be others over the same etcd, now or later.
      identity: `${hostname()}_${randomBytes(8).toString('hex')}`,
    });
    const reach = { ...options, kubeconfig: join(directory.files, 'kubeconfig') };
    if (terminal) process.stdout.write(readyText(reach));
    else logReady(reach, logger);
  });
}
