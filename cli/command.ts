/** The commands' shape: what each takes, and what --help says. */
import { Command, type Option } from 'commander';
import type { LogThread } from '../raft/log/thread.js';
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
import { type CommandLine, fillEtcdCommand } from './etcd/command.js';
import { clusterSize, openPort, port } from './flags.js';
import { fillMigrateCommand } from './migrate/command.js';
import type { MigrateOptions } from './migrate/options.js';
import type { ServeOptions } from './serve.js';
import { addServiceAccountFlags } from './service-account-flags.js';
import { addServiceFlags } from './service-flags.js';
import { fillSnapshotCommand } from './snapshot/command.js';
import type { SnapshotPrograms } from './snapshot/options.js';

/** What runs once a command's flags are good. */
export interface Programs {
  /** `logThread`: started before, for the store. */
  readonly serve: (options: ServeOptions, logThread?: LogThread) => Promise<void>;
  readonly apiserver: (options: ApiServerOptions) => Promise<void>;
  readonly etcd: (commandLine: CommandLine, logThread?: LogThread) => Promise<void>;
  readonly cluster: (options: ClusterOptions) => Promise<void>;
  readonly snapshot: SnapshotPrograms;
  readonly migrate: (options: MigrateOptions) => Promise<void>;
}

/** In the order of --help. */
const commands: readonly {
  readonly name: string;
  readonly description: string;
  readonly fill: (command: Command, programs: Programs) => void;
}[] = [
  { name: 'serve', description: 'API server and store in one process', fill: fillServe },
  {
    name: 'etcd',
    description: 'the store alone, with etcd’s flags',
    fill: (command, { etcd }) => fillEtcdCommand(command, etcd),
  },
  { name: 'apiserver', description: 'the API server alone, on any etcd v3', fill: fillApiServer },
  { name: 'cluster', description: 'a cluster of serve members on this machine', fill: fillCluster },
  {
    name: 'snapshot',
    description: 'back up a store, and restore it',
    fill: (command, { snapshot }) => fillSnapshotCommand(withCommon(command), subcommand, snapshot),
  },
  {
    name: 'migrate',
    description: 'move a store between Wherry and etcd, in any direction',
    fill: (command, { migrate }) => fillMigrateCommand(withCommon(command), migrate),
  },
];

/** @param wanted the only command that is given its flags, which a start would wait for; all are when absent */
export function wherryCommand(programs: Programs, wanted?: string): Command {
  const wherry = new Command('wherry')
    .description('A Kubernetes-style API server and the etcd beneath it.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    // `wherry etcd --version` is that command’s own.
    .enablePositionalOptions()
    .addHelpText('after', '\nwherry COMMAND --help tells more of a command.');
  for (const { name, description, fill } of commands) {
    const command = wherry.command(name).description(description);
    if (wanted === undefined || wanted === name) fill(command, programs);
  }
  return wherry;
}

function withCommon(command: Command): Command {
  return command
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', '\nEvery flag also reads from the environment: --data-dir from WHERRY_DATA_DIR.');
}

function subcommand(parent: Command, name: string, description: string): Command {
  return withCommon(parent.command(name).description(description));
}

function fillServe(command: Command, { serve }: Programs): void {
  withCommon(command);
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

function fillApiServer(command: Command, { apiserver }: Programs): void {
  withCommon(command);
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

function fillCluster(command: Command, { cluster }: Programs): void {
  withCommon(command);
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
