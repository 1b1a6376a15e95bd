/** What starting or running threw, as a line for the user. */
import { AuthTokenError } from '../storage/auth/token-options.js';
import { BootstrapError, InitialClusterError } from '../storage/cluster/bootstrap.js';
import { addressOf } from '../storage/cluster/urls.js';
import { DataDirCorruptError, DataDirError, DataDirLockedError } from '../storage/mvcc/errors.js';
import { StartupError, UsageError } from './startup-error.js';

/** Of Node's system errors: what was tried, and on what. */
interface SystemError extends Error {
  readonly code: string;
  readonly port?: number;
  readonly address?: string;
  readonly path?: string;
}

export interface Ports {
  readonly dataDir: string;
  /** Which flag each port that is listened on comes from. */
  readonly portFlags: ReadonlyMap<number, string>;
}

/** A damaged data directory is left as it is. */
const ADVICE =
  'restore it with "wherry snapshot restore", or remove this member from its cluster and add it again with an empty data directory';

/** The flag of the port of each url. */
export function flagsOfUrls(flag: string, urls: readonly string[]): [number, string][] {
  return urls.map((url) => [addressOf(url).port, flag]);
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** A `StartupError` or `UsageError`, or what nobody foresaw as it is, with its stack. */
export function explain(error: unknown, { dataDir, portFlags }: Ports): unknown {
  if (error instanceof DataDirLockedError) {
    return new StartupError(`data directory ${dataDir} is in use by another process`);
  }
  if (error instanceof DataDirCorruptError) {
    return new StartupError(`cannot use the data directory: ${error.message}; ${ADVICE}`);
  }
  if (error instanceof DataDirError) {
    return new StartupError(`cannot use the data directory: ${error.message}`);
  }
  if (error instanceof AuthTokenError) return new UsageError(error.message);
  if (error instanceof InitialClusterError) return new UsageError(error.message);
  if (error instanceof AuthTokenError) {
    const { message } = error;
    return new UsageError(message.startsWith('--') ? message : `--auth-token: ${message}`);
  }
  if (error instanceof BootstrapError) return new StartupError(error.message);
  if (!isSystemError(error)) return error;
  const flag = portFlags.get(error.port ?? 0);
  if (flag !== undefined) return explainPort(error, flag);
  if (error.path !== undefined) return new StartupError(`cannot use ${error.path}: ${error.message}`);
  return error;
}

function explainPort({ code, port, address, message }: SystemError, flag: string): StartupError {
  const where = `port ${port} on ${address}`;
  const addressFlag = flag.endsWith('-urls') ? flag : '--bind-address';
  switch (code) {
    case 'EADDRINUSE':
      return new StartupError(`${where} is in use; choose another with ${flag}`);
    case 'EACCES':
      return new StartupError(`${where} may not be used by this user; choose another with ${flag}`);
    case 'EADDRNOTAVAIL':
      return new StartupError(`this machine has no address ${address}; choose another with ${addressFlag}`);
    default:
      return new StartupError(`cannot listen on ${where}: ${message}`);
  }
}
