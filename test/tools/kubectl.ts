/** The real kubectl and helm, where there are any: `npm run fetch-clients` brings them. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './wherry.js';

export interface Client {
  readonly program: 'kubectl' | 'helm';
  /** Major and minor: `1.35`. */
  readonly version: string;
  readonly path: string;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const clients = join(repository, '.clients');

/** Programs in Go that live a tenth of a second need no garbage collected: it is a quarter of their processor time. */
export const clientEnvironment = { GOGC: 'off', GOMEMLIMIT: '512MiB' } as const;

export const kubectls = (): Client[] => clientsCalled('kubectl');
export const helms = (): Client[] => clientsCalled('helm');

/** All that have been fetched, by version. */
function clientsCalled(program: Client['program']): Client[] {
  if (!existsSync(clients)) return [];
  return readdirSync(clients)
    .filter((name) => name.startsWith(`${program}-`) && existsSync(join(clients, name)))
    .sort()
    .map((name) => ({ program, version: name.slice(program.length + 1), path: join(clients, name) }));
}

/** Why tests with kubectl cannot run here, or false. */
export function kubectlMissing(): string | false {
  return kubectls().length > 0 ? false : 'no kubectl here: `npm run fetch-clients` brings some';
}

export function run(
  path: string,
  args: readonly string[],
  options: {
    readonly env?: Record<string, string>;
    readonly input?: string;
    /** The repository when absent. */
    readonly cwd?: string;
  } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      path,
      args,
      {
        env: { ...process.env, ...clientEnvironment, ...options.env },
        cwd: options.cwd ?? repository,
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
