/**
 * Keys of a field set's tree, which upstream calls path elements: their order, their canonical text, and how messages
 * print them.
 */
import { goNumber } from './go-values.js';

/** A value within a key: of one item of a set, or of one of the key fields of a list's item. */
type KeyFields = readonly (readonly [name: string, value: unknown])[];

interface ParsedKey {
  /** As Go writes it: fields sorted, no spaces. */
  readonly text: string;
  /** Of `k:`; one nameless field of `v:`. */
  readonly fields: KeyFields;
}

/** Few keys differ and reading one costs a microsecond, so what was read is remembered, up to this many texts. */
const REMEMBERED_MAX = 4096;
const REMEMBERED_LENGTH_MAX = 256;
const remembered = new Map<string, ParsedKey>();

/** Reads `k:…` or `v:…`; undefined when what follows is not JSON, or of `k:` not an object. */
function parsedKey(key: string): ParsedKey | undefined {
  const known = remembered.get(key);
  if (known !== undefined) return known;
  let value: unknown;
  try {
    value = JSON.parse(key.slice(2));
  } catch {
    return undefined;
  }
  const parsed = key.startsWith('v:')
    ? { text: `v:${keyJson(value)}`, fields: [['', value] as const] }
    : parsedItemKey(value);
  if (parsed !== undefined && key.length <= REMEMBERED_LENGTH_MAX) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, parsed);
  }
  return parsed;
}

function parsedItemKey(value: unknown): ParsedKey | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  return { text: `k:${keyJson(value)}`, fields };
}

/** `undefined`: a kind of key of a later version, to be left out; false: not a key at all. */
export function canonicalKey(key: string): string | undefined | false {
  if (key.charCodeAt(1) !== COLON) return false;
  switch (key.charCodeAt(0)) {
    case FIELD:
      return key;
    case ITEM:
    case VALUE:
      return parsedKey(key)?.text ?? false;
    case INDEX:
      return /^i:[-+]?\d{1,15}$/.test(key) ? `i:${Number(key.slice(2))}` : false;
    default:
      return undefined;
  }
}

const QUOTE = 0x22;
const COLON = 0x3a;
const FIELD = 0x66;
const INDEX = 0x69;
const ITEM = 0x6b;
const VALUE = 0x76;
const SELF = '.';

/** What needs an escape in JSON, or in JSON as Go writes it. */
const UNSAFE = /[^ !#-%'-;=?-[\]-~]/;
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

/** A value as it stands within a key. */
export function keyJson(value: unknown): string {
  if (typeof value === 'string') {
    if (!UNSAFE.test(value)) return `"${value}"`;
    return JSON.stringify(value).replace(ESCAPED_BY_GO, escapedByGo);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(keyJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  return `{${members.map(([name, member]) => `${keyJson(name)}:${keyJson(member)}`).join(',')}}`;
}

const escapedByGo = (char: string): string =>
  `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** By bytes of UTF-8, which is by code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all others.
    if (x >= 0xd800 && y >= 0xd800 && isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit < 0xe000;

/** `members` in Go's order of their keys. What is not in order is read once each, and not for every comparison. */
export function inOrder<T extends readonly [key: string, node: unknown]>(
  members: readonly T[],
): readonly T[] {
  if (members.every(([key], i) => i === 0 || compareKeys(members[i - 1]![0], key) <= 0)) return members;
  return members
    .map((member) => ({ member, fields: fieldsOf(member[0]) }))
    .sort((a, b) => compareKeys(a.member[0], b.member[0], a.fields, b.fields))
    .map(({ member }) => member);
}

const NO_FIELDS: KeyFields = [];

/** Of `k:` and `v:`; nothing else has any. */
function fieldsOf(key: string): KeyFields {
  const kind = key.charCodeAt(0);
  if (kind !== ITEM && kind !== VALUE) return NO_FIELDS;
  // Nearly all values are strings that need no reading.
  if (kind === VALUE && key.charCodeAt(2) === QUOTE && !key.includes('\\')) return [['', key.slice(3, -1)]];
  return parsedKey(key)?.fields ?? NO_FIELDS;
}

/**
 * Go's order of keys: fields, items, values, indexes; the member itself (`.`) stands before all. What the keys hold is read
 * where it is not given.
 */
export function compareKeys(a: string, b: string, fields?: KeyFields, otherFields?: KeyFields): number {
  const kind = a.charCodeAt(0);
  const other = b.charCodeAt(0);
  if (kind === FIELD && other === FIELD) return compareText(a, b);
  if (a === b) return 0;
  if (a === SELF || b === SELF) return a === SELF ? -1 : 1;
  if (kind !== other) return KINDS.indexOf(kind) - KINDS.indexOf(other);
  if (kind === INDEX) return Number(a.slice(2)) - Number(b.slice(2));
  return compareFields(fields ?? fieldsOf(a), otherFields ?? fieldsOf(b));
}

const KINDS = [FIELD, ITEM, VALUE, INDEX];

function compareFields(a: KeyFields, b: KeyFields): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [name, value] = a[i]!;
    const [otherName, otherValue] = b[i]!;
    const order = compareText(name, otherName) || compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers, then strings, booleans, lists, objects and null. */
function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string') return compareText(a, b as string);
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b);
  // Lists and objects are keys in no schema; their order need only be one.
  return a === null ? 0 : compareText(keyJson(a), keyJson(b));
}

function rankOf(value: unknown): number {
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') return 1;
  if (typeof value === 'boolean') return 2;
  if (value === null) return 5;
  return Array.isArray(value) ? 3 : 4;
}

/** A key as messages print it: `.spec`, `[port=1,protocol="TCP"]`, `[="x"]`, `[0]`. */
export function printKey(key: string): string {
  const kind = key.charCodeAt(0);
  if (kind === FIELD) return `.${key.slice(2)}`;
  if (kind === INDEX) return `[${key.slice(2)}]`;
  return `[${fieldsOf(key)
    .map(([name, value]) => `${name}=${printValue(value)}`)
    .join(',')}]`;
}

function printValue(value: unknown): string {
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(printValue).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, member]) => `${name}=${printValue(member)}`)
      .join('');
  }
  return JSON.stringify(value);
}

export const printPath = (path: readonly string[]): string => path.map(printKey).join('');
