/** `wherry migrate`: what it takes. */
import type { Command } from 'commander';
import { addCredentialFlags } from '../client-flags.js';
import { flag, onFlag } from '../command-flags.js';
import { list, positive } from '../flags.js';
import type { MigrateOptions } from './options.js';

/** Operations that etcd takes in one transaction. */
const BATCH = 128;

export function fillMigrateCommand(
  command: Command,
  migrate: (options: MigrateOptions) => Promise<void>,
): void {
  for (const [side, what] of [
    ['from', 'the store to read'],
    ['to', 'the store to fill'],
  ] as const) {
    const description = `where etcd clients of ${what} connect, comma-separated`;
    command.addOption(flag({ name: side, value: 'urls', description, parse: list }).makeOptionMandatory());
    addCredentialFlags(command, `${side}-`);
  }
  command
    .addOption(flag({ name: 'prefix', value: 'text', description: 'only keys that begin so', byDefault: '' }))
    .addOption(
      flag({
        name: 'batch',
        value: 'count',
        description: 'keys written in one transaction at most',
        byDefault: BATCH,
        parse: positive,
      }),
    )
    .addOption(onFlag('overwrite', 'delete what the target has (with the prefix) first'))
    .addOption(onFlag('follow', 'go on with what is written to the source, until Ctrl-C; then verify'))
    .action((options: MigrateOptions) => migrate(options));
}
