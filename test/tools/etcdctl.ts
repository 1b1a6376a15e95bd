/** The real etcdctl, where one is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, run } from './kubectl.js';

const ENV = { ETCDCTL_API: '3' };
const OUTPUT_MS_MAX = 20_000;

/** Why tests with etcdctl cannot run here, or false. */
export const etcdctlMissing: string | false =
  spawnSync('etcdctl', ['version'], { env: { ...process.env, ...ENV } }).status === 0
    ? false
    : 'etcdctl is not installed';

/** One that goes on until it is stopped. */
export interface Following {
  /** All that was printed so far, both streams. */
  output(): string;
  /** Waits until the output has it. */
  until(text: string | RegExp): Promise<void>;
  type(line: string): void;
  /** SIGINT; resolves with all that was printed. */
  stop(): Promise<string>;
  readonly exited: Promise<number | null>;
}

export class Etcdctl {
  readonly #endpoints: string;

  constructor(urls: readonly string[]) {
    this.#endpoints = urls.join(',');
  }

  run(args: readonly string[], input?: string): Promise<CommandResult> {
    return run('etcdctl', this.#with(args), { env: ENV, ...(input !== undefined && { input }) });
  }

  follow(args: readonly string[]): Following {
    const child = spawn('etcdctl', this.#with(args), { env: { ...process.env, ...ENV } });
    let output = '';
    const take = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const exited = once(child, 'close').then(([code]) => code as number | null);
    return {
      output: () => output,
      exited,
      type: (line) => child.stdin.write(`${line}\n`),
      async until(text) {
        const deadline = Date.now() + OUTPUT_MS_MAX;
        const isThere = () => (typeof text === 'string' ? output.includes(text) : text.test(output));
        while (!isThere()) {
          if (Date.now() > deadline || child.exitCode !== null) {
            child.kill('SIGKILL');
            throw new Error(`etcdctl ${args.join(' ')} has not printed ${String(text)}, but:\n${output}`);
          }
          await sleep(10);
        }
      },
      async stop() {
        child.kill('SIGINT');
        await exited;
        return output;
      },
    };
  }

  #with(args: readonly string[]): string[] {
    return ['--endpoints', this.#endpoints, ...args];
  }
}
