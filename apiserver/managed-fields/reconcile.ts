/** Brings a set that was written under another schema, or by a client, to the schema. */
import { isEmpty, LEAF, SELF } from './field-set.js';
import { type Shape, shapeBelow, type StructShape } from './shape.js';
import type { FieldsV1 } from './types.js';

/**
 * What is replaced as a whole is owned as a whole. What is merged item by item and was owned as a whole stays so, and what
 * the schema does not have stays too. Gives back the set itself where nothing is to be done.
 */
export const reconcile = (shape: StructShape, set: FieldsV1): FieldsV1 => visit(shape, set);

function visit(shape: Shape, node: FieldsV1): FieldsV1 {
  let changed: Record<string, FieldsV1> | undefined;
  for (const key in node) {
    const before = node[key]!;
    if (key === SELF || isEmpty(before)) continue;
    const below = shapeBelow(shape, key);
    if (below === undefined || below.kind === 'leaf' || below.kind === 'any') continue;
    const after = isAtomic(below) ? LEAF : visit(below, before);
    if (after !== before) (changed ??= { ...node })[key] = after;
  }
  return changed ?? node;
}

const isAtomic = (shape: Shape): boolean =>
  shape.kind === 'list'
    ? shape.relation === 'atomic'
    : (shape.kind === 'struct' || shape.kind === 'map') && shape.atomic;
