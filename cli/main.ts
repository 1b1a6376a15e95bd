#!/usr/bin/env node
/** The `wherry` command. Exit codes: 0 done, 1 could not start or failed, 2 a flag or a value that is wrong. */
import { CommanderError } from 'commander';
import { wherryCommand } from './command.js';
import { loadServer } from './load-server.js';
import type { ServeOptions } from './serve.js';
import { StartupError } from './startup-error.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function complain(message: string): void {
  process.stderr.write(`wherry: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

async function serve(options: ServeOptions): Promise<void> {
  const { server, saveCodeCache } = await loadServer();
  await server.serve(options);
  saveCodeCache();
}

async function main(args: readonly string[]): Promise<number> {
  const command = wherryCommand(serve);
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr() {}, outputError() {} });
  }
  if (args.length === 0) {
    command.outputHelp();
    return 0;
  }
  try {
    await command.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      complain(error.message.replace(/^error: /, ''));
      return EXIT_USAGE;
    }
    // The bundle carries two copies of this class, one in each of its files.
    if (error instanceof Error && error.name === StartupError.name) complain(error.message);
    else complain(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return EXIT_FAILED;
  }
}

// The server's files, sockets and threads are closed by now; a socket that a client keeps open must not hold the exit.
void main(process.argv.slice(2)).then((code) => process.exit(code));
