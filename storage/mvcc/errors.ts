/**
 * Why a data directory cannot be opened. Each message is one line that names the file, fit to be the last words of the
 * process.
 */
export class DataDirError extends Error {
  override name = 'DataDirError';
  constructor(
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${message}`, options);
  }
}

/** Another process has the directory open. */
export class DataDirLockedError extends DataDirError {
  override name = 'DataDirLockedError';
}

/** What was read is not what the store wrote. */
export class DataDirCorruptError extends DataDirError {
  override name = 'DataDirCorruptError';
}

/** Missing permission, a file where a directory should be, no space: what the operating system said. */
export class DataDirUnusableError extends DataDirError {
  override name = 'DataDirUnusableError';
}

/** Written by a version of the store that this one does not know. */
export class DataDirFormatError extends DataDirError {
  override name = 'DataDirFormatError';
}

/** Names what SQLite or the operating system threw while `path` was opened or used. */
export function dataDirError(path: string, error: unknown): DataDirError {
  if (error instanceof DataDirError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const detail = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
  const options = { cause: error };
  // Its statements are the program's own: SQLite has an error in one where the tables are not those that were made.
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR') {
    return new DataDirCorruptError(path, `the database is corrupt (${detail})`, options);
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new DataDirLockedError(path, 'another process has it open', options);
  }
  return new DataDirUnusableError(path, `cannot be used (${detail})`, options);
}
