/**
 * - `foreign`: a sound log, but of another member.
 * - `locked`: another process (or this one, twice) has the log open.
 * - `corrupt`: what was read is not what was written.
 * - `incompatible`: a sound file, but not a log of a format this version reads.
 * - `failed`: the file could not be opened, read, written or synced. Nothing more is written to it.
 * - `closed`: used after close.
 */
export type LogErrorCode = 'foreign' | 'locked' | 'corrupt' | 'incompatible' | 'failed' | 'closed';

const TEXT: Readonly<Record<LogErrorCode, string>> = {
  foreign: 'the log is of another member',
  locked: 'the log is in use by another process',
  corrupt: 'the log is corrupt',
  incompatible: 'not a log that this version can read',
  failed: 'the log cannot be used',
  closed: 'the log is closed',
};

/** What went wrong with a log's file. The message is one line and names the file. */
export class LogError extends Error {
  override name = 'LogError';

  constructor(
    readonly code: LogErrorCode,
    readonly path: string,
    readonly detail?: string,
  ) {
    super(`${path}: ${TEXT[code]}${detail === undefined ? '' : ` (${detail})`}`);
  }

  /** Names what SQLite or the operating system threw. */
  static from(error: unknown, path: string): LogError {
    if (error instanceof LogError) return error;
    const detail = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
    return new LogError(codeOf(error), path, detail);
  }
}

function codeOf(error: unknown): LogErrorCode {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'locked';
  // Its statements are the program's own: one fails where the tables are not those that were made.
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR')
    return 'corrupt';
  return 'failed';
}
