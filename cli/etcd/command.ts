/** The command `wherry etcd`: it knows which flags there are; settings.ts knows what they come to. */
import { type Command, Option } from 'commander';
import { ETCD_VERSION } from '../../storage/version.js';
import { version } from '../bundle.js';
import { CONFIG_FILE } from './given.js';
import { etcdHelp } from './help.js';
import { etcdFlags, isEtcdFlag, keyOf } from './table.js';

/** By the flags' names, without dashes. */
export type CommandLine = ReadonlyMap<string, string>;

/** As etcd prints it first, for those who parse it. */
const VERSION_TEXT = `etcd Version: ${ETCD_VERSION}\nWherry Version: ${version}`;

export function fillEtcdCommand(command: Command, run: (commandLine: CommandLine) => Promise<void>): void {
  command.version(VERSION_TEXT, '--version').helpOption('-h, --help');
  command.helpInformation = etcdHelp;
  const names = [CONFIG_FILE, ...etcdFlags.map(({ name }) => name)];
  for (const { name, value } of [{ name: CONFIG_FILE, value: 'file' }, ...etcdFlags]) {
    const option = new Option(value === undefined ? `--${name} [bool]` : `--${name} <${value}>`);
    command.addOption(value === undefined ? option.preset('true') : option);
  }
  command.action((options: Readonly<Record<string, string>>) => {
    const commandLine = new Map<string, string>();
    for (const name of names) {
      const text = options[keyOf(name)];
      if (text !== undefined) commandLine.set(name, text);
    }
    return run(commandLine);
  });
}

/** Go takes a flag with one dash, too. */
const ONE_DASH = /^-(?<name>[a-z][-a-z0-9]+)(?<value>=.*)?$/s;

export function withTwoDashes(args: readonly string[]): string[] {
  return args.map((arg) => {
    const name = ONE_DASH.exec(arg)?.groups?.['name'] ?? '';
    const isFlag = isEtcdFlag(name) || ['help', 'version', CONFIG_FILE].includes(name);
    return isFlag ? `-${arg}` : arg;
  });
}
