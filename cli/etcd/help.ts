/** `wherry etcd --help`, in etcd's groups. */
import { type GroupedFlag, flagGroups } from './flag.js';
import { etcdFlags } from './table.js';

const WIDTH = 110;
/** Of the flags' column. */
const FLAG_WIDTH = 44;

const HEAD = `Usage: wherry etcd [flags]

The store alone, with etcd's flags. Also -flag and --flag=value, from the environment as ETCD_<FLAG> or
WHERRY_<FLAG>, or all from a file.

  --config-file <file>                        etcd's configuration file, in place of flags and environment
  --version                                   print the version of the API, and of Wherry
  -h, --help                                  print this help
`;

export function etcdHelp(): string {
  const parts = flagGroups.map((group) =>
    groupText(
      group,
      etcdFlags.filter((flag) => flag.group === group),
    ),
  );
  return [HEAD, ...parts].join('\n');
}

const isIdle = ({ noMeaning, sameAs }: GroupedFlag) => noMeaning !== undefined || sameAs !== undefined;

function groupText(group: string, flags: readonly GroupedFlag[]): string {
  const lines = flags.filter((flag) => !isIdle(flag)).map(flagText);
  const idle = flags.filter((flag) => flag.noMeaning !== undefined);
  const renamed = flags.filter((flag) => flag.sameAs !== undefined);
  if (renamed.length > 0) lines.push(namesText('Older names of flags above:', renamed));
  if (idle.length > 0) lines.push(namesText('Accepted, and without a meaning here:', idle));
  return `${group}:\n${lines.join('\n')}\n`;
}

function flagText(flag: GroupedFlag): string {
  const { name, value, description, byDefault, usual, refused } = flag;
  const left = `  --${name}${value === undefined ? '' : ` <${value}>`}`;
  const standard = usual ?? (byDefault === '' ? undefined : byDefault);
  const notes = [
    ...(refused === undefined ? [] : ['not offered here']),
    ...(standard === undefined || (value === undefined && standard === 'false')
      ? []
      : [`default: ${standard}`]),
  ];
  const right = notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
  return wrapped(right, `${left.padEnd(FLAG_WIDTH - 1)} `, ' '.repeat(FLAG_WIDTH));
}

function namesText(title: string, flags: readonly GroupedFlag[]): string {
  const names = flags.map(({ name }) => `--${name}`).join(' ');
  return `  ${title}\n${wrapped(names, '    ', '    ')}`;
}

function wrapped(text: string, first: string, indentation: string): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indentation;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}
