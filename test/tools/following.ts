/** A command that goes on until it is stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientEnvironment } from './kubectl.js';

const OUTPUT_MS_MAX = 20_000;

export interface Following {
  /** All that was printed so far, both streams. */
  output(): string;
  /** Of this, what came on standard output. */
  printed(): string;
  /** Waits until the output has it, or standard output alone. Throws, and ends the command, where it does not come or the command has ended. */
  until(text: string | RegExp): Promise<void>;
  type(line: string): void;
  /** SIGINT; resolves with all that was printed. */
  stop(): Promise<string>;
  readonly exited: Promise<number | null>;
}

export function follow(
  path: string,
  args: readonly string[],
  { env, cwd }: { readonly env: Record<string, string>; readonly cwd?: string },
): Following {
  const child = spawn(path, args, {
    env: { ...process.env, ...clientEnvironment, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let output = '';
  let printed = '';
  const take = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  let closed = false;
  const exited = once(child, 'close').then(([code]) => {
    closed = true;
    return code as number | null;
  });
  return {
    output: () => output,
    printed: () => printed,
    exited,
    type: (line) => child.stdin.write(`${line}\n`),
    async until(text) {
      const deadline = Date.now() + OUTPUT_MS_MAX;
      const has = (one: string) => (typeof text === 'string' ? one.includes(text) : text.test(one));
      const isThere = () => has(output) || has(printed);
      while (!isThere()) {
        if (Date.now() > deadline || closed) {
          child.kill('SIGKILL');
          throw new Error(`${path} ${args.join(' ')} has not printed ${String(text)}, but:\n${output}`);
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
