/** Rules of lists and maps: how many items, that none comes twice, and each item's own. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, tooMany } from '../../field-error.js';

/** No longer than the shortest limit that upstream cuts keys at. */
const SHOWN_KEY_BYTES_MIN = 16;

type Rule<T> = (item: T, path: string) => FieldError[];

/** Of a list that is too long nothing else is said. */
export function validateItems<T>(
  items: readonly T[] | undefined,
  max: number,
  path: string,
  rule: Rule<T>,
): FieldError[] {
  if (items === undefined) return [];
  if (items.length > max) return [tooMany(path, items.length, max)];
  const errors: FieldError[] = [];
  for (const [i, item] of items.entries()) addAll(errors, rule(item, `${path}[${i}]`));
  return errors;
}

/** The same, and no two items have the same key. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  max: number,
  path: string,
  rule: Rule<T>,
  keyOf: (item: T) => string,
): FieldError[] {
  const errors = validateItems(items, max, path, rule);
  if (items === undefined || items.length > max) return errors;
  addAll(errors, duplicatesOf(items.map(keyOf), path));
  return errors;
}

/** One error for each key that came before. `from`: the index of the first one here, others having been seen. */
export function duplicatesOf(
  keys: readonly string[],
  path: string,
  { seen = new Set<string>(), from = 0 }: { readonly seen?: Set<string>; readonly from?: number } = {},
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, key] of keys.entries()) {
    if (seen.has(key)) errors.push(duplicate(`${path}[${from + i}]`, key));
    seen.add(key);
  }
  return errors;
}

export function validateMap<T>(
  items: Readonly<Record<string, T>> | undefined,
  max: number,
  keyBytesMax: number,
  path: string,
  rules: { readonly key: Rule<string>; readonly value: Rule<T> },
): FieldError[] {
  const entries = Object.entries(items ?? {});
  if (entries.length > max) return [tooMany(path, entries.length, max)];
  const errors: FieldError[] = [];
  for (const [key, value] of entries) {
    const keyPath = `${path}[${shortened(key, Math.max(keyBytesMax, SHOWN_KEY_BYTES_MIN))}]`;
    addAll(errors, rules.key(key, keyPath), rules.value(value, keyPath));
  }
  return errors;
}

/** Without its middle, where it is too long to be shown. */
function shortened(key: string, max: number): string {
  if (key.length <= max) return key;
  const rest = max - 3;
  return `${key.slice(0, Math.ceil(rest / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`;
}
