/** Why the server cannot run, in one line that names the port, the flag or the file. */
export class StartupError extends Error {
  override name = 'StartupError';
}

/** Flags that do not fit together, or do not fit what is there, in one line: the command ends as with a bad value. */
export class UsageError extends Error {
  override name = 'UsageError';
}
