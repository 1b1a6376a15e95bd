/**
 * Brings a set that was written under an earlier schema, or by a client, to the schema: what has become atomic is owned as
 * a whole, and who owned as a whole what is merged item by item now owns the items that are there.
 */
import type { Json } from '../../schemas/walk.js';
import { asMember, isEmpty, LEAF, SELF } from './field-set.js';
import { isBlank } from './compare.js';
import { itemKey, valueAt } from './list-items.js';
import { nodeOf } from './set-of-value.js';
import { type Shape, shapeBelow, type StructShape } from './shape.js';
import { FieldsProblem, type FieldsV1 } from './types.js';

/** The set itself where nothing is to be done. Throws FieldsProblem for what the schema does not have. */
export function reconcile(shape: StructShape, set: FieldsV1, live: Json): FieldsV1 {
  return visit({ root: shape, live, path: [] }, shape, set);
}

interface Place {
  readonly root: StructShape;
  readonly live: Json;
  /** Keys from the root to the node that is visited. */
  readonly path: string[];
}

function visit(place: Place, shape: Shape, node: FieldsV1): FieldsV1 {
  if (shape.kind === 'leaf') return node;
  const { path } = place;
  const whole = path.length > 0 && isEmpty(node);
  if (isAtomic(shape)) return whole ? node : LEAF;
  if (whole) return withItems(place, shape, node);
  let changed: Record<string, FieldsV1> | undefined;
  for (const key in node) {
    if (key === SELF) continue;
    const below = shapeBelow(shape, key);
    if (below === undefined) throw new FieldsProblem(undeclared(shape, key));
    const before = node[key]!;
    path.push(key);
    const after = visit(place, below, before);
    path.pop();
    if (after !== before) (changed ??= { ...node })[key] = after;
  }
  return changed ?? node;
}

const isAtomic = (shape: Shape): boolean =>
  shape.kind === 'list'
    ? shape.relation === 'atomic'
    : (shape.kind === 'struct' || shape.kind === 'map') && shape.atomic;

/** A member that had nothing in it when it was set, or was replaced as a whole then. */
function withItems({ root, live, path }: Place, shape: Shape, node: FieldsV1): FieldsV1 {
  let at: Shape | undefined = root;
  let value: unknown = live;
  for (const key of path) {
    value = valueBelow(at, value, key);
    if (isBlank(value) || value === undefined) return node;
    at = shapeBelow(at, key);
  }
  const items = nodeOf(shape, value);
  return items === undefined || isEmpty(items) ? node : asMember(items);
}

/** Of items of one key, which stands twice, none is the one that is meant. */
function valueBelow(shape: Shape | undefined, value: unknown, key: string): unknown {
  if (shape?.kind !== 'list') return valueAt(value as Json, key.slice(2));
  const [item, ...more] = (value as unknown[]).filter((candidate) => itemKey(shape, candidate) === key);
  return more.length > 0 ? undefined : item;
}

const undeclared = (shape: Shape, key: string): string =>
  `errors reconciling field set with schema: ${
    shape.kind === 'struct'
      ? `.${key.slice(2)}: field not declared in schema`
      : `${key} names nothing in the schema`
  }`;
