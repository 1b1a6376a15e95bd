/** Puts something wrong at a place that the schema knows: any field of any kind, at any depth. */
import type * as z from 'zod';
import { metaOf } from '../../schemas/fields.js';
import { defOf } from '../../schemas/walk.js';
import type { Random } from './chance.js';
import { anyValue, oddKeys, raw, rawNumbers, text } from './vocabulary.js';

type Container = Record<string, unknown> | unknown[];

/** Deeper than any schema goes without recursion. */
const DEPTH_MAX = 14;

/** Changes `object`, which is of `schema`, in one place. */
export function mutate(random: Random, object: Record<string, unknown>, schema: z.ZodType): void {
  descend(random, object, unwrap(schema), 0);
}

function descend(random: Random, value: Container, schema: z.ZodType, depth: number): void {
  const def = defOf(schema);
  const key = chooseKey(random, value, schema);
  const inner = schemaAt(schema, key);
  // Not what `__proto__` is without being a member: that would change every object of this process.
  const child = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  const deeper = depth < DEPTH_MAX && random.chance(depth === 0 ? 0.97 : 0.72);
  if (deeper && inner !== undefined && isContainerSchema(inner)) {
    const next = isContainer(child) ? child : defOf(inner).type === 'array' ? [] : {};
    put(value, key, next);
    return descend(random, next, inner, depth + 1);
  }
  if (random.chance(0.12) && !Array.isArray(value)) delete value[key];
  else if (random.chance(0.1) && def.type !== 'array') put(value, random.pick(oddKeys), anyValue(random));
  else put(value, key, newValue(random, inner, depth));
}

/** A member that is there, or one that the schema knows. */
function chooseKey(random: Random, value: Container, schema: z.ZodType): string {
  const def = defOf(schema);
  const present = Object.keys(value);
  if (def.type === 'array') {
    return present.length > 0 && random.chance(0.8) ? random.pick(present) : String(present.length);
  }
  if (present.length > 0 && random.chance(0.55)) return random.pick(present);
  if (def.type !== 'object') return random.chance(0.3) ? random.pick(oddKeys) : text(random);
  const known = Object.keys(def.shape);
  return known.length === 0 ? 'x' : random.pick(known);
}

function schemaAt(schema: z.ZodType, key: string): z.ZodType | undefined {
  const def = defOf(schema);
  if (def.type === 'array') return unwrap(def.element);
  if (def.type === 'record') return unwrap(def.valueType);
  if (def.type !== 'object' || !Object.hasOwn(def.shape, key)) return undefined;
  return unwrap(def.shape[key] as z.ZodType);
}

/** Defines, so that `__proto__` is a member like any other. */
function put(container: Container, key: string, value: unknown): void {
  // Nor is the length of a list one, in JSON.
  if (key === 'length' && Array.isArray(container)) return;
  Object.defineProperty(container, key, { value, enumerable: true, writable: true, configurable: true });
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

const isContainerSchema = (schema: z.ZodType): boolean =>
  metaOf(schema).scalarId === undefined && ['object', 'array', 'record'].includes(defOf(schema).type);

function unwrap(schema: z.ZodType): z.ZodType {
  const def = defOf(schema);
  return def.type === 'optional' ? unwrap(def.innerType) : schema;
}

function newValue(random: Random, schema: z.ZodType | undefined, depth: number): unknown {
  if (schema === undefined || random.chance(0.3)) return anyValue(random);
  return wellTyped(random, schema, depth);
}

/** Of the right type, with nothing else right about it. */
function wellTyped(random: Random, schema: z.ZodType, depth: number): unknown {
  const meta = metaOf(schema);
  if (meta.enum !== undefined && random.chance(0.5)) return random.pick(meta.enum);
  if (meta.anyValue) return anyValue(random);
  const name = meta.scalarId?.split('.').at(-1);
  if (name === 'Quantity')
    return random.pick(['1', '0', '-1', '100m', '1.5Gi', '1e3', '1e400', '9999999999E', '0.1n', 5]);
  if (name === 'IntOrString') return random.chance(0.5) ? random.between(-2, 70_000) : text(random);
  if (name !== undefined) return text(random);
  const def = defOf(schema);
  switch (def.type) {
    case 'boolean':
      return random.chance(0.5);
    case 'number':
      return random.chance(0.3)
        ? raw(random.pick(rawNumbers))
        : random.pick([0, 1, -1, 2, 30, 80, 65_536, 2 ** 31 - 1, 2 ** 53 - 1]);
    case 'array': {
      if (depth > DEPTH_MAX) return [];
      // Lists of lists of many would have no end.
      const many = !isContainerSchema(unwrap(def.element)) && random.chance(0.2);
      const length = many ? 30 : random.between(0, 3);
      return Array.from({ length }, () => wellTyped(random, unwrap(def.element), depth + 2));
    }
    case 'record':
      return Object.fromEntries(
        Array.from({ length: random.between(0, 3) }, () => [
          text(random).slice(0, 70),
          wellTyped(random, unwrap(def.valueType), depth + 2),
        ]),
      );
    case 'object': {
      const known = Object.keys(def.shape);
      if (depth > DEPTH_MAX || known.length === 0) return {};
      const chosen = Array.from({ length: random.between(0, 3) }, () => random.pick(known));
      return Object.fromEntries(
        chosen.map((key) => [key, wellTyped(random, unwrap(def.shape[key] as z.ZodType), depth + 2)]),
      );
    }
    default:
      return text(random);
  }
}

/** A place in a schema with room for much: a list, a map or a text, and how to get there. */
export interface Room {
  readonly path: readonly string[];
  readonly schema: z.ZodType;
}

/** Every place below a schema where a client may put as much as it likes, lists entered at their first item. */
export function roomsOf(schema: z.ZodType): Room[] {
  const rooms: Room[] = [];
  const visit = (node: z.ZodType, path: readonly string[], seen: ReadonlySet<string>): void => {
    const { structId, scalarId } = metaOf(node);
    const def = defOf(node);
    if (scalarId !== undefined || def.type === 'string') rooms.push({ path, schema: node });
    else if (def.type === 'array' || def.type === 'record') {
      rooms.push({ path, schema: node });
      const [key, item] = def.type === 'array' ? ['0', def.element] : ['k', def.valueType];
      visit(unwrap(item), [...path, key], seen);
    } else if (def.type === 'object') {
      if (structId !== undefined && seen.has(structId)) return;
      const deeper = structId === undefined ? seen : new Set([...seen, structId]);
      for (const [key, field] of Object.entries(def.shape)) visit(unwrap(field), [...path, key], deeper);
    }
  };
  visit(unwrap(schema), [], new Set());
  return rooms;
}

/** Fills a room of `object` with about `bytes` bytes, making what leads there. */
export function fill(random: Random, object: Record<string, unknown>, room: Room, bytes: number): void {
  let at: Container = object;
  for (const [index, key] of room.path.slice(0, -1).entries()) {
    const present: unknown = Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined;
    const next: Container = isContainer(present)
      ? present
      : /^\d+$/.test(room.path[index + 1] ?? '')
        ? []
        : {};
    put(at, key, next);
    at = next;
  }
  const last = room.path.at(-1);
  if (last !== undefined)
    put(at, last, much(random, room.schema, bytes, (at as Record<string, unknown>)[last]));
}

function much(random: Random, schema: z.ZodType, bytes: number, present: unknown): unknown {
  const def = defOf(schema);
  if (def.type === 'array') {
    const model = Array.isArray(present) && present.length > 0 ? (present[0] as unknown) : undefined;
    const item = model ?? wellTyped(random, unwrap(def.element), 0);
    const count = Math.ceil(bytes / (JSON.stringify(item).length + 1));
    const differ = random.chance(0.5);
    return Array.from({ length: count }, (_, index) => (differ ? variant(item, index) : item));
  }
  if (def.type === 'record') {
    const value = wellTyped(random, unwrap(def.valueType), 0);
    const prefix = random.pick(['k', 'a.b/', '-', 'é', '']);
    const count = Math.ceil(bytes / (JSON.stringify(value).length + prefix.length + 8));
    return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
  }
  const piece = random.pick([
    'a',
    '0',
    '9',
    '1',
    'a-',
    'a.',
    '.',
    '/',
    '-',
    '$(',
    '(',
    'é',
    '\u0001',
    '=',
    ',',
    'A0',
    '\n',
    '@',
    '%',
    ':',
    'x=y,',
    '10.0.0.1/',
    '../',
    '\\',
  ]);
  const tail = random.pick(['', '!', 'a', '0', ' ', 'Gi', 'm', 'e9']);
  return (
    random.pick(['', '1', 'a', '0.', 'a/', '-']) +
    piece.repeat(Math.ceil(bytes / Buffer.byteLength(piece))) +
    tail
  );
}

/** The same item, told apart by its number wherever it has a text or a number. */
function variant(item: unknown, index: number): unknown {
  if (typeof item === 'string') return `${item}${index}`;
  if (typeof item === 'number') return index;
  if (!isContainer(item) || Array.isArray(item)) return item;
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) => [
      key,
      typeof value === 'string'
        ? `${value}${index}`
        : typeof value === 'number'
          ? (index % 65_535) + 1
          : value,
    ]),
  );
}
