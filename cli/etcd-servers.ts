/** The etcd that an API server stands on, where it has none of its own. */
import type { Logger } from 'pino';
import type { StoreProbe } from '../apiserver/component-status.js';
import type { EtcdClient } from '../storage/client/interface.js';
import type { ClientTls } from '../storage/client/remote/index.js';
import { UsageError } from './startup-error.js';
import { loadAuthority, loadPair } from './tls-files.js';

/** As the command line gives them, kube-apiserver's own; undefined where it does not. */
export interface EtcdServersFlags {
  readonly etcdServers?: readonly string[];
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  /** What all keys begin with, without a slash at its end. */
  readonly etcdPrefix: string;
}

export interface EtcdServers {
  /** At least one. */
  readonly urls: readonly string[];
  readonly tls: ClientTls | undefined;
  readonly keyRoot: string;
}

/** Undefined: none is named. Throws UsageError for flags that do not fit together and files that are no good. */
export function etcdServersOf(flags: EtcdServersFlags): EtcdServers | undefined {
  const { etcdServers: urls, etcdCafile, etcdCertfile, etcdKeyfile, etcdPrefix } = flags;
  const isTls = etcdCafile !== undefined || etcdCertfile !== undefined || etcdKeyfile !== undefined;
  if (urls === undefined) {
    if (isTls) throw new UsageError('--etcd-cafile, --etcd-certfile and --etcd-keyfile need --etcd-servers');
    return undefined;
  }
  if ((etcdCertfile === undefined) !== (etcdKeyfile === undefined)) {
    throw new UsageError('--etcd-certfile and --etcd-keyfile must both be given');
  }
  const own =
    etcdCertfile === undefined || etcdKeyfile === undefined
      ? {}
      : loadPair('--etcd-certfile', etcdCertfile, '--etcd-keyfile', etcdKeyfile);
  const authority = etcdCafile === undefined ? {} : { ca: loadAuthority('--etcd-cafile', etcdCafile) };
  return { urls, tls: isTls ? { ...authority, ...own } : undefined, keyRoot: etcdPrefix };
}

/** One for each server, by a connection of its own. */
export const storeProbes = (servers: EtcdServers, logger: Logger): StoreProbe[] =>
  servers.urls.map((url) => async (timeout) => {
    const client = await connectToEtcd({ ...servers, urls: [url] }, logger);
    try {
      await client.currentRevision({ timeout });
    } finally {
      await client.close();
    }
  });

/** Connects at first use, and says in the log when nobody answers. */
export async function connectToEtcd(
  { urls, tls, keyRoot }: EtcdServers,
  logger: Logger,
): Promise<EtcdClient> {
  // Here, because gRPC is large and most servers need none.
  const { createRemoteClient } = await import('../storage/client/remote/index.js');
  const probeKey = Buffer.from(`${keyRoot}/health`);
  return createRemoteClient({ endpoints: urls, tls, logger, probeKey });
}
