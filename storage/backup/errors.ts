/** Why a backup cannot be made, read or restored, or a store not be moved: one line that names what it is about. */
export class BackupError extends Error {
  override name = 'BackupError';
}

/** What the operating system or SQLite said of a file. */
export function fileError(what: string, error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const detail = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
  return new BackupError(`${what}: ${detail}`, { cause: error });
}
