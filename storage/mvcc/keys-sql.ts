/** SQL of which keys there are in a range, at the current or an older revision. */
import type { KeyRange } from '../bytes.js';

const CONDITIONS: Record<KeyRange['type'], string> = {
  point: 'key = ?',
  from: 'key >= ?',
  span: 'key >= ? AND key < ?',
};

/** Of the newest versions; parameters are those of `keyParameters`. */
export function currentKeysSql(type: KeyRange['type'], columns: string): string {
  return `SELECT ${columns} FROM current WHERE ${CONDITIONS[type]}`;
}

/** Of the versions that lived at a revision. */
export function oldKeysSql(type: KeyRange['type'], columns: string): string {
  return `SELECT ${columns} FROM current WHERE ${CONDITIONS[type]} AND mod_revision <= ?
    UNION ALL SELECT ${columns} FROM past WHERE ${CONDITIONS[type]} AND revision <= ? AND superseded > ?`;
}

/** @param at undefined: the current revision */
export function keyParameters(range: KeyRange, at: number | undefined): (Uint8Array | number)[] {
  const keys = range.type === 'span' ? [range.start, range.end] : [range.start];
  return at === undefined ? keys : [...keys, at, ...keys, at, at];
}
