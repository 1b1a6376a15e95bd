/** The real kubectl, where there is one: from `npm run fetch-clients`, or on the PATH. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './wherry.js';

export interface Kubectl {
  readonly version: string;
  readonly path: string;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const clients = join(repository, '.clients');

/** Every kubectl that `npm run fetch-clients` has brought, by version. */
export function kubectls(): Kubectl[] {
  if (!existsSync(clients)) return [];
  return readdirSync(clients)
    .filter((name) => name.startsWith('kubectl-') && existsSync(join(clients, name)))
    .sort()
    .map((name) => ({ version: name.slice('kubectl-'.length), path: join(clients, name) }));
}

/** Why tests with kubectl cannot run here, or false. */
export function kubectlMissing(): string | false {
  return kubectls().length > 0 ? false : 'no kubectl here: `npm run fetch-clients` brings some';
}

export function run(
  path: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      path,
      args,
      {
        env: { ...process.env, ...options.env },
        cwd: repository,
        timeout: 60_000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      },
    );
    // One that ends without reading it has an exit code that says so.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
