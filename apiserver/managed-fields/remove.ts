/** Taking fields out of an object. */
import type { Json } from '../../schemas/walk.js';
import { asMember, isEmpty, isMember, SELF } from './field-set.js';
import { itemKey, setValue, valueAt } from './list-items.js';
import {
  type AnyShape,
  type ListShape,
  type MapShape,
  memberShape,
  type Shape,
  shapeBelow,
  type StructShape,
} from './shape.js';
import type { FieldsV1 } from './types.js';

/** The object without the members of a set; shares with it what stays. What loses all that was in it becomes null. */
export const removeFields = (shape: StructShape, object: Json, fields: FieldsV1): Json =>
  isEmpty(fields) ? object : ((removeFrom(shape, object, fields) ?? {}) as Json);

function removeFrom(shape: Shape, value: unknown, fields: FieldsV1): unknown {
  if (shape.kind === 'leaf') return value;
  if (typeof value !== 'object' || value === null) return shape.kind === 'any' ? value : null;
  if (Array.isArray(value)) {
    // An atomic list has nothing that could be taken out of it; what names some is from another schema.
    return shape.kind === 'list' && shape.relation !== 'atomic' ? removeItems(shape, value, fields) : null;
  }
  if (shape.kind === 'list' || (shape.kind !== 'any' && shape.atomic)) return null;
  return removeMembers(shape, value as Json, fields);
}

function removeItems(list: ListShape, items: readonly unknown[], fields: FieldsV1): unknown[] | null {
  const rest: unknown[] = [];
  for (const item of items) {
    const node = fields[itemKey(list, item)];
    if (node === undefined) rest.push(item);
    else if (!isMember(node)) rest.push(removeFrom(list.item, item, node));
  }
  return rest.length > 0 ? rest : null;
}

function removeMembers(
  shape: StructShape | MapShape | AnyShape,
  object: Json,
  fields: FieldsV1,
): Json | null {
  const rest: Json = {};
  let size = 0;
  for (const name of Object.keys(object)) {
    const node = fields[`f:${name}`];
    if (node !== undefined && isMember(node)) continue;
    const member = valueAt(object, name);
    const below = memberShape(shape, name);
    setValue(
      rest,
      name,
      node === undefined || below === undefined ? member : removeFrom(below, member, node),
    );
    size++;
  }
  return size > 0 ? rest : null;
}

/**
 * The set with the structs in it as members. A set names what is in a struct and not the struct; to take a struct out when
 * nothing in it is left, both sides of the reckoning have to name it.
 */
export function nameStructs(shape: StructShape, set: FieldsV1): FieldsV1 {
  return namedBelow(shape, set);
}

function namedBelow(shape: Shape | undefined, node: FieldsV1): FieldsV1 {
  const tree: Record<string, FieldsV1> = {};
  for (const key in node) {
    if (key === SELF) {
      tree[key] = node[key]!;
      continue;
    }
    const below = namedBelow(shapeBelow(shape, key), node[key]!);
    const isField =
      shape?.kind === 'struct' && key.startsWith('f:') && shape.field(key.slice(2)) !== undefined;
    tree[key] = isField ? asMember(below) : below;
  }
  return tree;
}
