/** The fields that a value names: what whoever applies it will own. */
import type { Json } from '../../schemas/walk.js';
import { isBlank } from './compare.js';
import { asMember, LEAF, NONE, sortedNode } from './field-set.js';
import { itemsByKey, valueAt } from './list-items.js';
import {
  type AnyShape,
  type ListShape,
  type MapShape,
  memberShape,
  type Shape,
  type StructShape,
} from './shape.js';
import type { FieldsV1 } from './types.js';

/**
 * Leaves, items of lists and members of maps; structs only where there is nothing in them. Throws FieldsProblem where an
 * item of a list has no key.
 */
export const setOfValue = (shape: StructShape, value: Json): FieldsV1 => nodeOf(shape, value) ?? NONE;

/** What is below a value; undefined for nothing, which may be a member all the same. */
function nodeOf(shape: Shape, value: unknown): FieldsV1 | undefined {
  switch (shape.kind) {
    case 'leaf':
      return LEAF;
    case 'list':
      if (shape.relation === 'atomic') return LEAF;
      return Array.isArray(value) ? nodeOfList(shape, value) : undefined;
    case 'any':
      if (value === null) return undefined;
      return typeof value === 'object' && !Array.isArray(value) ? nodeOfMap(shape, value as Json) : LEAF;
    default:
      if (shape.atomic) return LEAF;
      return value === null ? undefined : nodeOfMap(shape, value as Json);
  }
}

function nodeOfMap(shape: StructShape | MapShape | AnyShape, value: Json): FieldsV1 | undefined {
  const members: [string, FieldsV1][] = [];
  for (const name of Object.keys(value)) {
    const member = valueAt(value, name);
    const field = memberShape(shape, name);
    if (member === undefined || field === undefined) continue;
    const node = nodeOf(field, member);
    const named = shape.kind !== 'struct' || (isBlank(member) && !Array.isArray(member));
    if (named) members.push([`f:${name}`, asMember(node ?? LEAF)]);
    else if (node !== undefined) members.push([`f:${name}`, node]);
  }
  return sortedNode(members);
}

function nodeOfList(list: ListShape, items: readonly unknown[]): FieldsV1 | undefined {
  const members: [string, FieldsV1][] = [];
  for (const [key, same] of itemsByKey(list, items)) {
    const node = same.length > 1 ? LEAF : nodeOf(list.item, same[0]);
    members.push([key, asMember(node ?? LEAF)]);
  }
  return sortedNode(members);
}
