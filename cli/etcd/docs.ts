/** The tables of flags in docs/etcd.md. */
import { type GroupedFlag, flagGroups } from './flag.js';
import { etcdFlags } from './table.js';

/** Markdown, a table a group. */
export function flagTables(): string {
  const tables = flagGroups.map((group) => {
    const rows = etcdFlags.filter((flag) => flag.group === group).map(row);
    return `### ${group}\n| flag | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return tables.join('\n');
}

function row(flag: GroupedFlag): string {
  const { name, value, byDefault, usual } = flag;
  const shown = value === undefined ? `--${name}` : `--${name} ${value}`;
  const standard = usual ?? (byDefault === undefined || byDefault === '' ? '' : `\`${byDefault}\``);
  return `| \`${shown}\` | ${standard} | ${meaningOf(flag)} |`;
}

function meaningOf({ description, noMeaning, refused, sameAs }: GroupedFlag): string {
  if (sameAs !== undefined) return `an older name of \`--${sameAs}\``;
  if (noMeaning !== undefined) return `${description}. *No meaning here: ${noMeaning}.*`;
  return refused === undefined ? description : `${description}. *Refused: ${refused}.*`;
}
