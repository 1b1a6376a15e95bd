/** What a user has said of each flag, and where: on the command line, in the environment, or in the file. */
import { etcdFlags } from './table.js';

export interface Given {
  readonly text: string;
  /** As an error names it: `--name`, `ETCD_NAME`, `name in etcd.yml`. */
  readonly label: string;
}

/** By the flag's name. */
export type GivenValues = ReadonlyMap<string, Given>;

export const CONFIG_FILE = 'config-file';

/** The project's own variable is nearer than etcd's. */
const PREFIXES = ['WHERRY', 'ETCD'] as const;

export const variableOf = (prefix: (typeof PREFIXES)[number], name: string): string =>
  `${prefix}_${name.toUpperCase().replaceAll('-', '_')}`;

/**
 * The command line's values, and for flags that it lacks the environment's, of which an empty one counts as none. Warns
 * as etcd does of a variable that a flag hides, and of one that is no flag's; etcd refuses to start with the former.
 */
export function withEnvironment(
  commandLine: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly given: GivenValues; readonly warnings: readonly string[] } {
  const given = new Map<string, Given>();
  const warnings: string[] = [];
  for (const [name, text] of commandLine) given.set(name, { text, label: `--${name}` });
  const known = new Set<string>();
  for (const name of [...etcdFlags.map((flag) => flag.name), CONFIG_FILE]) {
    for (const label of PREFIXES.map((prefix) => variableOf(prefix, name))) {
      known.add(label);
      const text = environment[label] ?? '';
      if (text === '') continue;
      if (commandLine.has(name)) {
        warnings.push(
          `conflicting environment variable ${label} is shadowed by corresponding command-line flag`,
        );
      } else if (!given.has(name)) {
        given.set(name, { text, label });
      }
    }
  }
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('ETCD_') && !known.has(variable)) {
      warnings.push(`unrecognized environment variable ${variable}`);
    }
  }
  return { given, warnings };
}
