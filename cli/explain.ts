/** What starting or running threw, as a line for the user. */
import { DataDirError, DataDirLockedError } from '../storage/mvcc/errors.js';
import { StartupError } from './startup-error.js';

/** Of Node's system errors: what was tried, and on what. */
interface SystemError extends Error {
  readonly code: string;
  readonly port?: number;
  readonly address?: string;
  readonly path?: string;
}

export interface Ports {
  readonly dataDir: string;
  readonly port: number;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** A `StartupError`, or what nobody foresaw as it is, with its stack. */
export function explain(error: unknown, { dataDir, port }: Ports): unknown {
  if (error instanceof DataDirLockedError) {
    return new StartupError(`data directory ${dataDir} is in use by another process`);
  }
  if (error instanceof DataDirError) {
    return new StartupError(`cannot use the data directory: ${error.message}`);
  }
  if (!isSystemError(error)) return error;
  if (error.port !== undefined && error.port > 0) {
    return explainPort(error, error.port === port ? '--port' : '--secure-port');
  }
  if (error.path !== undefined) return new StartupError(`cannot use ${error.path}: ${error.message}`);
  return error;
}

function explainPort({ code, port, address, message }: SystemError, flag: string): StartupError {
  const where = `port ${port} on ${address}`;
  switch (code) {
    case 'EADDRINUSE':
      return new StartupError(`${where} is in use; choose another with ${flag}`);
    case 'EACCES':
      return new StartupError(`${where} may not be used by this user; choose another with ${flag}`);
    case 'EADDRNOTAVAIL':
      return new StartupError(`this machine has no address ${address}; choose another with --bind-address`);
    default:
      return new StartupError(`cannot listen on ${where}: ${message}`);
  }
}
