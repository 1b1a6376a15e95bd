#!/usr/bin/env node
/** The `wherry` command. Exit codes: 0 done, 1 could not start or failed, 2 a flag or a value that is wrong. */
import { type Command, CommanderError } from 'commander';
import { type LogThread, startLogThread } from '../raft/log/thread.js';
import { workerUrls } from './bundle.js';
import { type Programs, wherryCommand } from './command.js';
import { withTwoDashes } from './etcd/command.js';
import { loadServer } from './load-server.js';
import { StartupError, UsageError } from './startup-error.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function complain(message: string): void {
  process.stderr.write(`wherry: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

/** Each loads the larger part of the program when it is called. */
const programs: Programs = {
  serve: (options) => withStore((server, logThread) => server.serve(options, logThread)),
  apiserver: (options) => withServer((server) => server.apiserver(options)),
  etcd: (commandLine) => withStore((server, logThread) => server.etcd(commandLine, logThread)),
  cluster: (options) => withServer((server) => server.cluster(options)),
  snapshot: {
    save: (options) => withServer((server) => server.snapshot.save(options)),
    status: (options) => withServer((server) => server.snapshot.status(options)),
    restore: (options) => withServer((server) => server.snapshot.restore(options)),
  },
  migrate: (options) => withServer((server) => server.migrate(options)),
};

async function withServer(use: (server: Programs) => Promise<void>): Promise<void> {
  const { server, saveCodeCache } = await loadServer();
  await use(server);
  saveCodeCache();
}

/** The thread that every store needs starts on another core while the program is loaded: 70 ms sooner ready. */
function withStore(use: (server: Programs, logThread: LogThread) => Promise<void>): Promise<void> {
  const logThread = startLogThread(workerUrls().log);
  return withServer((server) => use(server, logThread));
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

async function main(args: readonly string[]): Promise<number> {
  const name = args.find((arg) => !arg.startsWith('-'));
  const command = wherryCommand(programs, name);
  for (const each of withSubcommands(command)) {
    each.exitOverride().configureOutput({ writeErr() {}, outputError() {} });
  }
  if (args.length === 0) {
    command.outputHelp();
    return 0;
  }
  try {
    await command.parseAsync(args[0] === 'etcd' ? withTwoDashes(args) : args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      complain(error.message.replace(/^error: /, ''));
      return EXIT_USAGE;
    }
    return explain(error);
  }
}

/** The bundle carries two copies of these classes, one in each of its files. */
function explain(error: unknown): number {
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof Error ? error.message : String(error);
  if (name === UsageError.name) {
    complain(message);
    return EXIT_USAGE;
  }
  if (name === StartupError.name) complain(message);
  else complain(`failed: ${error instanceof Error ? (error.stack ?? message) : message}`);
  return EXIT_FAILED;
}

// Who reads no more, as `wherry --help | head -3` does, needs no more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// The server's files, sockets and threads are closed by now; a socket that a client keeps open must not hold the exit.
void main(process.argv.slice(2)).then((code) => process.exit(code));
