/** Why the server cannot run, in one line that names the port, the flag or the file. */
export class StartupError extends Error {
  override name = 'StartupError';
}
