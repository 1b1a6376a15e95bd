/** A user of a command-line client, who knows what it should print and how it should end. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ofVersion, patternOf } from './expected-output.js';
import { type Following, follow } from './following.js';
import { type Client, type CommandResult, run } from './kubectl.js';

export interface Running {
  readonly input?: string;
  readonly env?: Record<string, string>;
}

/** Beside standard output, which is given apart. */
export interface Ending extends Running {
  /** 0 when absent. */
  readonly code?: number;
  /** Nothing when absent. */
  readonly stderr?: string;
}

/** How a command fails. */
export interface Failing extends Running {
  /** 1 when absent. */
  readonly code?: number;
  /** Nothing when absent. */
  readonly stdout?: string;
}

/** Splits as a shell does, as far as there are spaces and single quotes. */
export function words(command: string): string[] {
  const found = command.match(/(?:[^\s']|'[^']*')+/g) ?? [];
  return found.map((word) => word.replace(/'/g, ''));
}

export class ClientUser {
  constructor(
    protected readonly t: Test,
    readonly client: Client,
    /** Where files are; commands run in it. */
    readonly folder: string,
    private readonly env: Record<string, string>,
  ) {}

  get version(): string {
    return this.client.version;
  }

  run(command: string, { input, env = {} }: Running = {}): Promise<CommandResult> {
    return run(this.client.path, words(command), {
      env: { ...this.env, ...env },
      cwd: this.folder,
      ...(input !== undefined && { input }),
    });
  }

  /** Runs a command that should end well, or as `ending` says, and print this. Gives back what it printed. */
  async prints(command: string, stdout: string, ending: Ending = {}): Promise<string> {
    const result = await this.run(command, ending);
    this.check(command, result, { code: 0, stderr: '', ...ending, stdout });
    return result.stdout;
  }

  /** Runs a command that should fail with these words. */
  async fails(command: string, stderr: string, failing: Failing = {}): Promise<void> {
    const result = await this.run(command, failing);
    this.check(command, result, { code: 1, stdout: '', ...failing, stderr });
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }

  /** For what no expected text can say. */
  same(actual: unknown, expected: unknown, what: string): void {
    this.t.same(actual, expected, what);
  }

  /** That the text has this in it. */
  includes(text: string, part: string, what: string): void {
    this.t.ok(text.includes(part), what, text.includes(part) ? {} : { found: text, wanted: part });
  }

  matches(found: unknown, pattern: RegExp | object, what: string): void {
    this.t.match(found, pattern, what);
  }

  follow(command: string): Following {
    return follow(this.client.path, words(command), { env: this.env, cwd: this.folder });
  }

  /** Puts a file into the folder; gives back its name. */
  async file(name: string, content: string, mode?: number): Promise<string> {
    await writeFile(join(this.folder, name), content, mode === undefined ? {} : { mode });
    return name;
  }

  private check(
    command: string,
    result: CommandResult,
    { code, stdout, stderr }: { readonly code: number; readonly stdout: string; readonly stderr: string },
  ): void {
    const { t } = this;
    const name = `${this.client.program} ${command}`;
    for (const [actual, expected, stream] of [
      [result.stdout, stdout, ''],
      [result.stderr, stderr, ' on stderr'],
    ] as const) {
      const own = ofVersion(expected, this.version);
      // Line breaks at the end say nothing; other white space does.
      const printed = withoutNotices(actual, own).replace(/\n+$/, '');
      if (patternOf(own).test(printed)) t.pass(`${name} prints as it should${stream}`);
      else t.equal(printed, own, `${name} prints${stream}`);
    }
    t.equal(result.code, code, `${name} ends with ${code}`);
  }
}

/** What client-go logs of a watch, where its deadline ends the watch before the waiting for it. */
const WATCH_NOTICE = /^[IWE]\d{4} \S+ +\d+ reflector\.go:\d+\] .*\n/gm;

/** A command that waits until its time is over logs such a line now and then, whatever the server does. */
function withoutNotices(printed: string, expected: string): string {
  return expected.startsWith('error: timed out waiting') ? printed.replace(WATCH_NOTICE, '') : printed;
}
