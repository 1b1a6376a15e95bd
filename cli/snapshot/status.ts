/** `wherry snapshot status`: verifies a backup, and says what it holds in etcdctl's forms. */
import { backupStatus, type BackupStatus } from '../../storage/backup/status.js';
import { sizeText } from '../progress-line.js';
import { explaining } from './explain.js';
import type { StatusFormat, StatusOptions } from './options.js';

/** Throws `StartupError` with a line for the user. */
export async function status({ file, writeOut }: StatusOptions): Promise<void> {
  // oxlint-disable-next-line typescript/require-await: what it throws is explained
  const found = await explaining(async () => backupStatus(file));
  const format = writeOut ?? (process.stdout.isTTY ? 'table' : 'simple');
  process.stdout.write(statusText(found, format));
  if (!found.hasChecksum)
    process.stderr.write('The file has no checksum: nothing but its structure was verified.\n');
}

/** Hexadecimal digits of the hash that are shown, as many as of etcd's. */
const HASH_DIGITS = 8;

export function statusText(found: BackupStatus, format: StatusFormat): string {
  const { revision, keys, size } = found;
  const hash = found.hash.slice(0, HASH_DIGITS);
  const version = `wherry-${found.format}`;
  if (format === 'json') return `${JSON.stringify(asJson(found, Number.parseInt(hash, 16), version))}\n`;
  const values = [hash, `${revision}`, `${keys}`, sizeText(size), version];
  if (format === 'simple') return `${values.join(', ')}\n`;
  return table(['HASH', 'REVISION', 'TOTAL KEYS', 'TOTAL SIZE', 'VERSION'], values);
}

/** etcdctl's fields, and more. */
function asJson(found: BackupStatus, hash: number, version: string): object {
  const { revision, keys, size, compactedRevision, leases } = found;
  return {
    hash,
    revision,
    totalKey: keys,
    totalSize: size,
    version,
    compactedRevision,
    leases,
    contentHash: found.hash,
  };
}

function table(heads: readonly string[], values: readonly string[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, values[column]?.length ?? 0));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const row = (cells: readonly string[]) =>
    `|${cells.map((cell, column) => ` ${cell.padStart(widths[column] ?? 0)} `).join('|')}|`;
  return `${[rule, row(heads), rule, row(values), rule].join('\n')}\n`;
}
