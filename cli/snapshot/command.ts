/** `wherry snapshot`: what its three commands take. */
import type { Command } from 'commander';
import { addCredentialFlags } from '../client-flags.js';
import { dataDirFlag, flag, onFlag } from '../command-flags.js';
import { directory, initialCluster, list, memberName, urls, wholeNumber } from '../flags.js';
import type { RestoreOptions, SaveOptions, SnapshotPrograms, StatusOptions } from './options.js';

/** More than a cluster writes between a backup and its loss, and far from the end of revisions. */
const BUMP_REVISION = 1_000_000_000;

type Subcommand = (parent: Command, name: string, description: string) => Command;
type Given<Options> = Omit<Options, 'file'>;

export function fillSnapshotCommand(
  command: Command,
  subcommand: Subcommand,
  programs: SnapshotPrograms,
): void {
  command.helpCommand(false).action(() => command.error('say which: save, status or restore'));
  command.addHelpText('after', '\nwherry snapshot COMMAND --help tells more of a command.');
  addSave(subcommand(command, 'save', 'take a backup of a running server'), programs);
  addStatus(subcommand(command, 'status', 'verify a backup and say what it holds'), programs);
  addRestore(subcommand(command, 'restore', 'make a data directory of a backup'), programs);
}

function addSave(command: Command, programs: SnapshotPrograms): void {
  command.argument('<file>', 'to write; one that is there is replaced once the new one is whole').addOption(
    flag({
      name: 'endpoints',
      value: 'urls',
      description:
        'where the server’s etcd clients connect; the first that answers (default: http://127.0.0.1:2379)',
      parse: list,
    }),
  );
  addCredentialFlags(command);
  command
    .addOption(
      flag({
        name: 'data-dir',
        value: 'dir',
        description: 'in place of a server: the data directory of one that does not run',
        parse: directory,
      }),
    )
    .addHelpText(
      'after',
      'The variables of etcdctl count too: ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the rest.',
    )
    .action((file: string, options: Given<SaveOptions>) => programs.save({ ...options, file }));
}

function addStatus(command: Command, programs: SnapshotPrograms): void {
  command
    .argument('<file>', 'a backup')
    .addOption(
      flag({
        name: 'write-out',
        short: 'w',
        value: 'format',
        description: 'how to say it (default: table on a terminal, else simple)',
      }).choices(['simple', 'table', 'json']),
    )
    .action((file: string, options: Given<StatusOptions>) => programs.status({ ...options, file }));
}

function addRestore(command: Command, programs: SnapshotPrograms): void {
  command
    .argument('<file>', 'a backup')
    .addOption(dataDirFlag('to make; it must be new or empty'))
    .addOption(
      flag({
        name: 'name',
        value: 'name',
        description: 'of this member',
        byDefault: 'default',
        parse: memberName,
      }),
    )
    .addOption(
      flag({
        name: 'initial-cluster',
        value: 'members',
        description: 'name=url,name=url: all members, each restored from this file (default: this one alone)',
        parse: initialCluster,
      }),
    )
    .addOption(
      flag({
        name: 'initial-cluster-token',
        value: 'token',
        description: 'tells this cluster from another one with the same urls',
        byDefault: 'etcd-cluster',
      }),
    )
    .addOption(
      flag({
        name: 'initial-advertise-peer-urls',
        value: 'urls',
        description: 'this member’s peer urls (default: those in --initial-cluster)',
        parse: urls,
      }),
    )
    .addOption(
      flag({
        name: 'bump-revision',
        value: 'count',
        description: 'what the revision is raised by; 0: not at all, and nothing is marked as compacted',
        byDefault: BUMP_REVISION,
        parse: wholeNumber,
      }),
    )
    .addOption(
      onFlag(
        'mark-compacted',
        'nothing of before can be read or watched any more, so that old clients list anew (default: true)',
        { isOpen: true },
      ),
    )
    .addOption(onFlag('skip-hash-check', 'take a file without a checksum, as copied from a data directory'))
    .action((file: string, options: Given<RestoreOptions>) => programs.restore({ ...options, file }));
}
