/** The command's shape: what it takes, from flags and from the environment, and what --help says. */
import { Command, Option } from 'commander';
import { controllerNames } from '../apiserver/controllers/names.js';
import { version } from './bundle.js';
import { controllers, directory, ipAddress, logLevels, origins, port, positive } from './flags.js';
import type { ServeOptions } from './serve.js';

export type Serve = (options: ServeOptions) => Promise<void>;

/** Builds the command; `serve` is what runs once its flags are good. */
export function wherryCommand(serve: Serve): Command {
  const command = new Command('wherry')
    .description('A Kubernetes-style API server and the etcd beneath it.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', '\nwherry COMMAND --help tells more of a command.');
  command
    .command('serve')
    .description('API server and store in one process')
    .helpOption('--help', 'print this help')
    .addOption(
      flag('data-dir', 'dir', 'where everything is kept; :memory: keeps nothing', './wherry-data', directory),
    )
    .addOption(flag('bind-address', 'ip', 'address of the secure port', '127.0.0.1', ipAddress))
    .addOption(
      flag(
        'port',
        'port',
        'plain HTTP, on loopback only, as this machine’s administrator; 0: off',
        8080,
        port,
      ),
    )
    .addOption(flag('secure-port', 'port', 'HTTPS with the server’s own CA; 0: off', 6443, port))
    .addOption(
      flag(
        'controllers',
        'list',
        `those to run, of ${controllerNames.join(', ')}; -name takes one out, empty runs none`,
        '*',
        controllers,
      ),
    )
    .addOption(
      flag('cors-allowed-origins', 'list', 'regular expressions of web origins to answer', '', origins),
    )
    .addOption(flag('max-request-bytes', 'bytes', 'largest request to the store', 1_572_864, positive))
    .addOption(flag('max-txn-ops', 'count', 'operations of one transaction at most', 128, positive))
    .addOption(flag('log-level', 'level', 'how much to log', 'info', undefined).choices(logLevels))
    .addHelpText('after', '\nEvery flag also reads from the environment: --data-dir from WHERRY_DATA_DIR.')
    .action(async (options: ServeOptions) => {
      const { port, securePort } = options;
      if (port === securePort) command.error(`--port and --secure-port may not both be ${port}`);
      await serve(options);
    });
  return command;
}

/** A flag with a value, which also reads from the environment variable WHERRY_<FLAG>. */
function flag(
  name: string,
  value: string,
  description: string,
  byDefault: string | number,
  parse: ((value: string) => unknown) | undefined,
): Option {
  const option = new Option(`--${name} <${value}>`, description).env(
    `WHERRY_${name.toUpperCase().replaceAll('-', '_')}`,
  );
  if (parse !== undefined) option.argParser(parse);
  // A default goes the way a given value goes, and help shows it as one would write it.
  option.default(
    parse === undefined ? byDefault : parse(String(byDefault)),
    byDefault === '' ? 'none' : String(byDefault),
  );
  return option;
}
