/** A command that goes on until it is stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const OUTPUT_MS_MAX = 20_000;

export interface Following {
  /** All that was printed so far, both streams. */
  output(): string;
  /** Waits until the output has it. Throws, and ends the command, where it does not come or the command has ended. */
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
  const child = spawn(path, args, { env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }) });
  let output = '';
  const take = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  let closed = false;
  const exited = once(child, 'close').then(([code]) => {
    closed = true;
    return code as number | null;
  });
  return {
    output: () => output,
    exited,
    type: (line) => child.stdin.write(`${line}\n`),
    async until(text) {
      const deadline = Date.now() + OUTPUT_MS_MAX;
      const isThere = () => (typeof text === 'string' ? output.includes(text) : text.test(output));
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
