/** The commands' shape: what each takes, and what --help says. */
import { Command, type Option } from 'commander';
import type { ApiServerOptions } from './apiserver.js';
import type { ClusterOptions } from './cluster/options.js';
import { version } from './bundle.js';
import {
  addApiFlags,
  addEtcdClientFlags,
  addMemberFlags,
  addStoreFlags,
  bindAddressFlag,
  dataDirFlag,
  flag,
  givenMemberFlag,
  logLevelFlag,
  portFlag,
  securePortFlag,
} from './command-flags.js';
import { type CommandLine, addEtcdCommand } from './etcd/command.js';
import { clusterSize, openPort, port } from './flags.js';
import { addMigrateCommand } from './migrate/command.js';
import type { MigrateOptions } from './migrate/options.js';
import type { ServeOptions } from './serve.js';
import { addServiceAccountFlags } from './service-account-flags.js';
import { addServiceFlags } from './service-flags.js';
import { addSnapshotCommand } from './snapshot/command.js';
import type { SnapshotPrograms } from './snapshot/options.js';

/** What runs once a command's flags are good. */
export interface Programs {
  readonly serve: (options: ServeOptions) => Promise<void>;
  readonly apiserver: (options: ApiServerOptions) => Promise<void>;
  readonly etcd: (commandLine: CommandLine) => Promise<void>;
  readonly cluster: (options: ClusterOptions) => Promise<void>;
  readonly snapshot: SnapshotPrograms;
  readonly migrate: (options: MigrateOptions) => Promise<void>;
}

export function wherryCommand(programs: Programs): Command {
  const command = new Command('wherry')
    .description('A Kubernetes-style API server and the etcd beneath it.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    // `wherry etcd --version` is that command’s own.
    .enablePositionalOptions()
    .addHelpText('after', '\nwherry COMMAND --help tells more of a command.');
  addServe(command, programs);
  addEtcdCommand(command, programs.etcd);
  addApiServer(command, programs);
  addCluster(command, programs);
  addSnapshotCommand(command, subcommand, programs.snapshot);
  addMigrateCommand(command, subcommand, programs.migrate);
  return command;
}

function subcommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', '\nEvery flag also reads from the environment: --data-dir from WHERRY_DATA_DIR.');
}

function addServe(parent: Command, { serve }: Programs): void {
  const command = subcommand(parent, 'serve', 'API server and store in one process');
  addListening(command, dataDirFlag());
  addApiFlags(command);
  addServiceFlags(command);
  addServiceAccountFlags(command);
  addEtcdClientFlags(command, { isRequired: false });
  addStoreFlags(command);
  addMemberFlags(command);
  command.addOption(logLevelFlag()).action(async (options: ServeOptions) => {
    checkPorts(command, options);
    const memberFlag = options.etcdServers && givenMemberFlag(command);
    if (memberFlag !== undefined) {
      command.error(`${memberFlag} is of a store, and with --etcd-servers this server has none of its own`);
    }
    await serve(options);
  });
}

function addApiServer(parent: Command, { apiserver }: Programs): void {
  const command = subcommand(parent, 'apiserver', 'the API server alone, on any etcd v3');
  addListening(command, dataDirFlag('where the kubeconfig and the certificates are kept'));
  addApiFlags(command);
  addServiceFlags(command);
  addServiceAccountFlags(command);
  addEtcdClientFlags(command, { isRequired: true });
  command.addOption(logLevelFlag()).action(async (options: ApiServerOptions) => {
    checkPorts(command, options);
    await apiserver(options);
  });
}

function addListening(command: Command, dataDir: Option): void {
  for (const option of [dataDir, bindAddressFlag(), portFlag(), securePortFlag()]) command.addOption(option);
}

function addCluster(parent: Command, { cluster }: Programs): void {
  const command = subcommand(parent, 'cluster', 'a cluster of serve members on this machine');
  // Without a default: what a cluster has that is started again counts, unless something else is said.
  const first = (name: string, description: string, parse = port) =>
    command.addOption(flag({ name, value: 'port', description, parse }));
  command.addOption(
    flag({ name: 'size', value: 'members', description: 'how many (default: 3)', parse: clusterSize }),
  );
  command.addOption(dataDirFlag('where everything is kept, a folder for each member'));
  first('port', 'plain HTTP of the first member, one more for each after it; 0: off (default: 8080)');
  first('secure-port', 'HTTPS, likewise; 0: off (default: 6443)');
  first('peer-port', 'between members, likewise (default: free ones)', openPort);
  first('client-port', 'for etcd’s clients, likewise (default: free ones)', openPort);
  addApiFlags(command);
  addServiceFlags(command);
  addServiceAccountFlags(command);
  addStoreFlags(command);
  command.addOption(logLevelFlag()).action((options: ClusterOptions) => cluster(options));
}

function checkPorts(command: Command, { port, securePort }: { port: number; securePort: number }): void {
  if (port === securePort) command.error(`--port and --secure-port may not both be ${port}`);
}
