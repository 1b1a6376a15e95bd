/** The real etcdctl, where one is installed. */
import { spawnSync } from 'node:child_process';
import { type Following, follow } from './following.js';
import { type CommandResult, run } from './kubectl.js';

const ENV = { ETCDCTL_API: '3' };

/** Why tests with etcdctl cannot run here, or false. */
export const etcdctlMissing: string | false =
  spawnSync('etcdctl', ['version'], { env: { ...process.env, ...ENV } }).status === 0
    ? false
    : 'etcdctl is not installed';

export class Etcdctl {
  readonly #endpoints: string;

  constructor(urls: readonly string[]) {
    this.#endpoints = urls.join(',');
  }

  run(args: readonly string[], input?: string): Promise<CommandResult> {
    return run('etcdctl', this.#with(args), { env: ENV, ...(input !== undefined && { input }) });
  }

  follow(args: readonly string[]): Following {
    return follow('etcdctl', this.#with(args), { env: ENV });
  }

  #with(args: readonly string[]): string[] {
    return ['--endpoints', this.#endpoints, ...args];
  }
}
