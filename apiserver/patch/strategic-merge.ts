/**
 * Strategic merge patch: a merge patch that knows the schema, so that lists merge item by item, plus directives in the
 * patch itself:
 *
 *  - `$patch: replace | delete` in an object, or in an item of a merged list;
 *  - `$retainKeys: [a, b]` drops all other fields of the object;
 *  - `$deleteFromPrimitiveList/finalizers: [x]` takes values out of a merged list of strings or numbers;
 *  - `$setElementOrder/ports: […]` orders a merged list (strategic-order.ts).
 *
 * Neither document is changed. Errors are `StrategicMergeError`; their texts are upstream's.
 */
import { goQuote } from '../../schemas/go-quote.js';
import type * as z from 'zod';
import { metaOf, type NodeMeta } from '../../schemas/fields.js';
import { defOf } from '../../schemas/walk.js';
import { goPrint, goTypeName } from './go-print.js';
import { isObject } from './merge-patch.js';
import { checkAgainstOrder, inOrder } from './strategic-order.js';
import { badFormat, type JsonObject, keyOf, StrategicMergeError } from './strategic-values.js';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList';
const SET_ORDER = '$setElementOrder';

interface Field {
  readonly schema: z.ZodType;
  readonly meta: NodeMeta;
  /** Without `retainKeys`, which is no way of merging. */
  readonly strategy: 'merge' | 'replace' | '';
}

/** `schema` is that of `original`. */
export function strategicMerge(original: JsonObject, patch: JsonObject, schema: z.ZodType): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return wholeObject(patch);
  const result = new Map(Object.entries(retained(original, patch)));
  const done = mergeOrderedLists(result, patch, schema);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || done.has(key)) continue;
    mergeField(result, key, value, schema);
  }
  return Object.fromEntries(result);
}

/** `$patch` in an object speaks of the object as a whole. */
function wholeObject(patch: JsonObject): JsonObject {
  const directive = patch[PATCH];
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw unknownDirective(directive, patch);
  const { [PATCH]: _directive, ...rest } = patch;
  return rest;
}

const unknownDirective = (directive: unknown, patch: JsonObject) =>
  new StrategicMergeError(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(patch)}`, 500);

function retained(original: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return original;
  const listed = patch[RETAIN_KEYS];
  if (!Array.isArray(listed)) throw badFormat('retainKeys');
  const keys = new Set<unknown>(listed);
  for (const [key, value] of Object.entries(patch)) {
    const directive = key === RETAIN_KEYS || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER);
    if (!directive && value !== null && !keys.has(key)) throw badFormat('retainKeys');
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.has(key)));
}

function mergeField(result: Map<string, unknown>, key: string, value: unknown, schema: z.ZodType): void {
  const deletion = key.startsWith(DELETE_FROM);
  const name = deletion ? fieldNamed(key, DELETE_FROM) : key;
  const current = result.get(name);
  if (value === null) {
    result.delete(name);
  } else if (!result.has(name) || goTypeName(current) !== goTypeName(value)) {
    if (deletion) return;
    const clean = withoutDirectives(value);
    if (clean === undefined) result.delete(name);
    else result.set(name, clean);
  } else if (isObject(current) && isObject(value)) {
    const field = lookup(schema, name);
    result.set(name, field.strategy === 'replace' ? value : strategicMerge(current, value, field.schema));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    result.set(name, mergeLists(current, value, lookup(schema, name), deletion));
  } else {
    result.set(name, value);
  }
}

/** `$prefix/field` names the field behind the slash. */
function fieldNamed(key: string, prefix: string): string {
  const name = key.slice(prefix.length + 1);
  if (key[prefix.length] !== '/') {
    throw badFormat(prefix === DELETE_FROM ? 'primitive list' : 'setElementOrder list');
  }
  return name;
}

/** What of a patch becomes part of the object where there was nothing: no nulls, no items that are directives. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, PATCH)) return undefined;
  const members: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const clean = member === null ? undefined : withoutDirectives(member);
    if (clean !== undefined) members.push([key, clean]);
  }
  return Object.fromEntries(members);
}

/** Merges the lists that have a `$setElementOrder/…`; gives back the fields it has dealt with. */
function mergeOrderedLists(result: Map<string, unknown>, patch: JsonObject, schema: z.ZodType): Set<string> {
  const done = new Set<string>();
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(SET_ORDER)) continue;
    const name = fieldNamed(key, SET_ORDER);
    if (!Array.isArray(order)) throw expectedList(order);
    const original = result.get(name);
    const patched = Object.hasOwn(patch, name) ? patch[name] : undefined;
    if (result.has(name) && !Array.isArray(original)) throw expectedList(original);
    if (patched !== undefined && !Array.isArray(patched)) throw expectedList(patched);
    const field = lookup(schema, name);
    const mergeKey = field.meta.patchMergeKey ?? '';
    checkAgainstOrder(patched ?? [], order, mergeKey);
    const before = (original ?? []) as unknown[];
    const merged =
      patched === undefined
        ? before
        : original === undefined
          ? (withoutDirectives(patched) as unknown[])
          : mergeLists(before, patched, field, false);
    done.add(name);
    if (original !== undefined || patched !== undefined) {
      result.set(name, inOrder(merged, order, before, mergeKey));
    }
  }
  return done;
}

const expectedList = (value: unknown) =>
  new StrategicMergeError(`expected a []interface {}, but received a ${goTypeName(value)}`, 500);

function mergeLists(original: unknown[], patch: unknown[], field: Field, deletion: boolean): unknown[] {
  if (field.strategy !== 'merge') return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const items = elementSchema(field.schema);
  if (!isObject(elementOfOneType(original, patch))) {
    if (deletion) {
      const gone = new Set(patch);
      return original.filter((value) => !gone.has(value));
    }
    return inOrder([...new Set([...original, ...patch])], patch, original, '');
  }
  const mergeKey = field.meta.patchMergeKey ?? '';
  if (mergeKey === '') {
    throw new StrategicMergeError('cannot merge lists without merge key for type struct', 500);
  }
  return mergeListsOfObjects(original as JsonObject[], patch as JsonObject[], mergeKey, items);
}

function mergeListsOfObjects(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
  items: z.ZodType,
): unknown[] {
  const additions: JsonObject[] = [];
  const deleted = new Set<unknown>();
  let replace = false;
  for (const item of patch) {
    const directive = item[PATCH];
    if (directive === undefined) additions.push(item);
    else if (directive === 'replace') replace = true;
    else if (directive === 'delete') {
      deleted.add(keyOf(item, mergeKey));
    } else if (directive === 'merge') {
      throw new StrategicMergeError('merging lists cannot yet be specified in the patch', 500);
    } else {
      throw unknownDirective(directive, item);
    }
  }
  const keys = additions.map((item) => keyOf(item, mergeKey));
  if (replace) return additions.map(withoutDirectives);
  const before = original.filter((candidate) => !deleted.has(candidate[mergeKey]));
  const kept = [...before];
  /** First place of each key. */
  const places = new Map(before.toReversed().map((item, i) => [item[mergeKey], before.length - 1 - i]));
  for (const [index, item] of additions.entries()) {
    const key = keys[index];
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, kept.length);
      kept.push(withoutDirectives(item) as JsonObject);
    } else kept[place] = strategicMerge(kept[place] as JsonObject, item, items);
  }
  return inOrder(kept, additions, before, mergeKey);
}

/** An element that stands for all; they must be of one type, and not lists. */
function elementOfOneType(...lists: readonly unknown[][]): unknown {
  const [first, ...rest] = lists.flat();
  if (Array.isArray(first)) {
    throw new StrategicMergeError('lists of lists are not supported', 422);
  }
  if (rest.some((item) => goTypeName(item) !== goTypeName(first))) {
    throw new StrategicMergeError(`list element types are not identical: ${goPrint(lists)}`, 500);
  }
  return first;
}

function lookup(schema: z.ZodType, name: string): Field {
  const def = defOf(unwrap(schema));
  const found =
    def.type === 'object' && Object.hasOwn(def.shape, name)
      ? def.shape[name]
      : def.type === 'record'
        ? def.valueType
        : undefined;
  if (found === undefined) {
    const type = metaOf(schema).structId?.split('.').at(-1) ?? '';
    throw new StrategicMergeError(
      `unable to find api field in struct ${type} for the json field ${goQuote(name)}`,
      500,
    );
  }
  const meta = metaOf(found);
  const strategy = (meta.patchStrategy ?? '').split(',').find((word) => word !== 'retainKeys') ?? '';
  return { schema: found, meta, strategy: strategy as Field['strategy'] };
}

function unwrap(schema: z.ZodType): z.ZodType {
  const def = defOf(schema);
  return def.type === 'optional' ? def.innerType : schema;
}

function elementSchema(schema: z.ZodType): z.ZodType {
  const inner = unwrap(schema);
  const def = defOf(inner);
  return def.type === 'array' ? def.element : inner;
}
