/** A client of the etcd that a command's flags name. */
import { readFileSync } from 'node:fs';
import type { ClientTls, RemoteClient } from '../storage/client/remote/index.js';
import { UrlError } from '../storage/cluster/urls.js';
import { type ClientFlags, CREDENTIALS } from './client-flags.js';
import { list } from './flags.js';
import { UsageError } from './startup-error.js';

const DEFAULT_ENDPOINT = 'http://127.0.0.1:2379';

/** What the command line leaves open, etcdctl's environment may say. */
export function withEtcdctlEnvironment(
  given: Partial<ClientFlags>,
  environment: Readonly<Record<string, string | undefined>>,
): ClientFlags {
  const of = (name: string) => environment[`ETCDCTL_${name.toUpperCase()}`] || undefined;
  const rest = CREDENTIALS.map((name) => [name, given[name] ?? of(name)]);
  const endpoints = given.endpoints ?? list(of('endpoints') ?? DEFAULT_ENDPOINT);
  return { ...(Object.fromEntries(rest) as Partial<ClientFlags>), endpoints };
}

/** `prefix`: of the flags, for what is said of them. Throws UsageError. */
export async function connect(flags: ClientFlags, prefix = ''): Promise<RemoteClient> {
  const { endpoints } = flags;
  if (endpoints.length === 0) throw new UsageError(`--${prefix || 'endpoints'} names no endpoint`);
  const options = {
    endpoints,
    tls: tlsOf(flags, prefix),
    user: userOf(flags, prefix),
    logger: SILENT,
    sendBytesMax: SEND_BYTES_MAX,
  };
  // It brings gRPC.
  const { createRemoteClient } = await import('../storage/client/remote/index.js');
  try {
    return createRemoteClient(options);
  } catch (error) {
    if (error instanceof UrlError) throw new UsageError(error.message);
    throw error;
  }
}

/** What is too large the server says. */
const SEND_BYTES_MAX = 2 ** 30;

/** What a call fails with says enough. */
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined };

function tlsOf({ cacert, cert, key }: ClientFlags, prefix: string): ClientTls | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(`--${prefix}cert and --${prefix}key must both be given`);
  }
  if (cacert === undefined && cert === undefined) return undefined;
  const read = (name: string, path: string | undefined) => path && readFlagged(`--${prefix}${name}`, path);
  return { ca: read('cacert', cacert), cert: read('cert', cert), key: read('key', key) };
}

function readFlagged(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function userOf({ user, password }: ClientFlags, prefix: string) {
  if (user === undefined) return undefined;
  if (password !== undefined) return { name: user, password };
  const colon = user.indexOf(':');
  if (colon < 0)
    throw new UsageError(`--${prefix}user ${user} needs a password: name:password, or --${prefix}password`);
  return { name: user.slice(0, colon), password: user.slice(colon + 1) };
}
