/** How the items of a list that is merged are told apart: their keys in a field set. */
import type { Json } from '../../schemas/walk.js';
import { keyJson } from './path-elements.js';
import type { ListShape } from './shape.js';
import { FieldsProblem } from './types.js';

/** The key of one item. Throws FieldsProblem where it has none. */
export function itemKey(list: ListShape, item: unknown): string {
  return list.relation === 'map' ? keyOfFields(list, item) : keyOfValue(item);
}

function keyOfFields({ keys }: ListShape, item: unknown): string {
  if (item === null) throw new FieldsProblem('associative list with keys may not have a null element');
  if (typeof item !== 'object' || Array.isArray(item)) {
    throw new FieldsProblem('associative list with keys may not have non-map elements');
  }
  let text = 'k:{';
  for (const { name, fallback } of keys) {
    const value = valueAt(item as Json, name) ?? (Object.hasOwn(item, name) ? null : fallback);
    // A key that may be absent does not count where it is: the shareID of a claim's devices.
    if (value === undefined) continue;
    text += `${text.length > KEY_START ? ',' : ''}"${name}":${keyJson(value)}`;
  }
  if (text.length > KEY_START) return `${text}}`;
  const names = keys.map(({ name }) => JSON.stringify(name)).join(' ');
  throw new FieldsProblem(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

/** Of `k:{`. */
const KEY_START = 3;

function keyOfValue(item: unknown): string {
  if (item === null) {
    throw new FieldsProblem("associative list without keys has an element that's an explicit null");
  }
  if (Array.isArray(item)) {
    throw new FieldsProblem('not supported: associative list with lists as elements');
  }
  if (typeof item === 'object') {
    throw new FieldsProblem("associative list without keys has an element that's a map type");
  }
  return `v:${keyJson(item)}`;
}

/** Items by key, in the list's order; more than one where a key stands twice. Throws FieldsProblem. */
export function itemsByKey(list: ListShape, items: readonly unknown[]): Map<string, readonly unknown[]> {
  const byKey = new Map<string, unknown[]>();
  for (const item of items) {
    const key = itemKey(list, item);
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [item]);
    else same.push(item);
  }
  return byKey;
}

/** An own member of a JSON object; clients may name one after what every object inherits. */
export function valueAt(object: Json, name: string): unknown {
  const value = object[name];
  // What JSON objects inherit are functions, but for one.
  if (typeof value === 'function') return undefined;
  return name === '__proto__' && !Object.hasOwn(object, name) ? undefined : value;
}

/** Sets a member under any name. */
export function setValue(object: Json, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}
