/** How commands reach an etcd: etcdctl's flags, also with a word before them where there are two to reach. */
import type { Command } from 'commander';
import { flag } from './command-flags.js';
import { file } from './flags.js';

/** As the command line gives them. */
export interface ClientFlags {
  readonly endpoints: readonly string[];
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** `name:password`, or the name alone. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export const CREDENTIALS = ['cacert', 'cert', 'key', 'user', 'password'] as const;
const DESCRIPTIONS = {
  cacert: 'authority that signed the server’s certificate, PEM; its certificate is then asked for',
  cert: 'certificate to show, PEM',
  key: 'its private key, PEM',
  user: 'where the server wants one',
  password: 'of the user, if --user does not have it',
} as const;
const VALUES = {
  cacert: 'file',
  cert: 'file',
  key: 'file',
  user: 'name[:password]',
  password: 'text',
} as const;

/** All of them but where it is. `prefix`: e.g. `from-`. */
export function addCredentialFlags(command: Command, prefix = ''): void {
  for (const name of CREDENTIALS) {
    const description = DESCRIPTIONS[name].replace('--user', `--${prefix}user`);
    const parse = VALUES[name] === 'file' ? { parse: file } : {};
    command.addOption(flag({ name: `${prefix}${name}`, value: VALUES[name], description, ...parse }));
  }
}
