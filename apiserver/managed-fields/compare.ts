/** Which fields differ between two states of an object. */
import type { Json } from '../../schemas/walk.js';
import { deepEqual } from '../registry/deep-equal.js';
import { LEAF, NONE, SELF, sortedMember, sortedNode } from './field-set.js';
import { itemKey, itemsByKey, valueAt } from './list-items.js';
import { compareText } from './path-elements.js';
import type { AnyShape, ListShape, MapShape, Shape, StructShape } from './shape.js';
import type { FieldsV1 } from './types.js';

export interface Difference {
  /** Added, or there in both with another value. What is added brings all that is in it, and its containers. */
  readonly changed: FieldsV1;
  readonly removed: FieldsV1;
}

type Node = FieldsV1 | undefined;
type Tree = Record<string, FieldsV1>;

/**
 * What `visit` has found, which is two values; it runs on every write, so they are no object. Whoever calls it reads them
 * before it calls it again.
 */
let changed: Node;
let removed: Node;

/** Throws FieldsProblem where an item of a list has no key. */
export function compare(shape: StructShape, before: Json, after: Json): Difference {
  visit(shape, before, after);
  return { changed: changed ?? NONE, removed: removed ?? NONE };
}

/** Sets `changed` and `removed` to nodes for the place of the two values, of which one may be undefined: absent. */
function visit(shape: Shape, before: unknown, after: unknown): void {
  changed = undefined;
  removed = undefined;
  if (before === after) return;
  if (before === undefined) {
    changed = wholeNode(shape, after);
    return;
  }
  if (after === undefined) {
    removed = wholeNode(shape, before);
    return;
  }
  switch (shape.kind) {
    case 'leaf':
      return visitLeaf(before, after);
    case 'struct':
      if (shape.atomic || (isBlank(before) && isBlank(after))) return visitLeaf(before, after);
      return visitStruct(shape, (before ?? {}) as Json, (after ?? {}) as Json);
    case 'map':
      if (shape.atomic || (isBlank(before) && isBlank(after))) return visitLeaf(before, after);
      return visitMap(shape, (before ?? {}) as Json, (after ?? {}) as Json);
    case 'list':
      if (shape.relation === 'atomic' || (isBlank(before) && isBlank(after))) return visitLeaf(before, after);
      return visitList(shape, (before ?? []) as unknown[], (after ?? []) as unknown[]);
    default:
      return visitAny(shape, before, after);
  }
}

function visitLeaf(before: unknown, after: unknown): void {
  if (!deepEqual(before, after)) changed = LEAF;
}

/** Null, or a list or object with nothing in it. */
export function isBlank(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

function visitStruct(shape: StructShape, before: Json, after: Json): void {
  const { fields } = shape;
  let more: Tree | undefined;
  let less: Tree | undefined;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    let mine = valueAt(before, field.name);
    let theirs = valueAt(after, field.name);
    if (mine === theirs) continue;
    if (mine === undefined) mine = field.absent;
    if (theirs === undefined) theirs = field.absent;
    visit(field.shape, mine, theirs);
    if (changed !== undefined) (more ??= {})[field.key] = changed;
    if (removed !== undefined) (less ??= {})[field.key] = removed;
  }
  changed = more;
  removed = less;
}

function visitMap(shape: MapShape | AnyShape, before: Json, after: Json): void {
  const item = shape.kind === 'map' ? shape.value : shape;
  const more: [string, FieldsV1][] = [];
  const less: [string, FieldsV1][] = [];
  const look = (name: string): void => {
    visit(item, valueAt(before, name), valueAt(after, name));
    if (changed !== undefined) more.push([`f:${name}`, changed]);
    if (removed !== undefined) less.push([`f:${name}`, removed]);
  };
  for (const name of Object.keys(after)) look(name);
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) look(name);
  changed = sortedNode(more);
  removed = sortedNode(less);
}

function visitList(shape: ListShape, before: unknown[], after: unknown[]): void {
  // Most lists stay as they are, and to see that is cheaper than to make keys of all items.
  if (deepEqual(before, after)) return;
  const mine = itemsByKey(shape, before);
  const theirs = itemsByKey(shape, after);
  const more: [string, FieldsV1][] = [];
  const less: [string, FieldsV1][] = [];
  for (const key of new Set([...mine.keys(), ...theirs.keys()])) {
    visitItems(shape.item, mine.get(key) ?? [], theirs.get(key) ?? []);
    if (changed !== undefined) more.push([key, changed]);
    if (removed !== undefined) less.push([key, removed]);
  }
  changed = sortedNode(more);
  removed = sortedNode(less);
}

/** The items of one key. Those of a key that stands twice are compared as one, since nothing tells them apart. */
function visitItems(item: Shape, before: readonly unknown[], after: readonly unknown[]): void {
  if (before.length < 2 && after.length < 2) return visit(item, before[0], after[0]);
  changed = undefined;
  removed = undefined;
  if (before.length > 1 && after.length > 1) {
    if (!deepEqual(before, after)) changed = LEAF;
  } else if (before.length > 1) {
    if (after.length === 1) changed = wholeNode(item, after[0]);
    removed = LEAF;
  } else {
    if (before.length === 1) removed = wholeNode(item, before[0]);
    changed = LEAF;
  }
}

/** A value whose kind is known from itself alone may have changed from one to another. */
function visitAny(shape: AnyShape, before: unknown, after: unknown): void {
  const wasMap = isMap(before);
  const isMapNow = isMap(after);
  if ((wasMap || before === null) && (isMapNow || after === null) && !(isBlank(before) && isBlank(after))) {
    return visitMap(shape, (before ?? {}) as Json, (after ?? {}) as Json);
  }
  visitLeaf(before, after);
  if (wasMap && !isMapNow && !isBlank(before)) removed = below(wholeNode(shape, before));
  if (isMapNow && !wasMap && !isBlank(after)) changed = wholeNode(shape, after);
}

const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is below a node, without the node itself. */
function below(node: FieldsV1): Node {
  const { [SELF]: _, ...rest } = node;
  return isBlank(rest) ? undefined : rest;
}

/** A value that is there on one side only: it and all that is in it. */
function wholeNode(shape: Shape, value: unknown): FieldsV1 {
  if (shape.kind === 'leaf' || value === null) return LEAF;
  // Of a large map it takes long to see that it is not blank.
  if (shape.kind === 'map') return shape.atomic ? LEAF : wholeMap(shape.value, value as Json);
  if (isBlank(value)) return LEAF;
  switch (shape.kind) {
    case 'struct':
      return shape.atomic ? LEAF : wholeStruct(shape, value as Json);
    case 'list':
      return shape.relation === 'atomic' ? LEAF : wholeList(shape, value as unknown[]);
    default:
      return isMap(value) ? wholeMap(shape, value as Json) : LEAF;
  }
}

function wholeStruct({ fields }: StructShape, value: Json): FieldsV1 {
  const tree: Tree = { [SELF]: LEAF };
  let size = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    let member = valueAt(value, field.name);
    if (member === undefined) member = field.absent;
    if (member === undefined) continue;
    tree[field.key] = wholeNode(field.shape, member);
    size++;
  }
  return size === 0 ? LEAF : tree;
}

function wholeMap(item: Shape, value: Json): FieldsV1 {
  const names = Object.keys(value).sort(compareText);
  if (names.length === 0) return LEAF;
  const tree: Tree = { [SELF]: LEAF };
  for (const name of names) {
    tree[`f:${name}`] = wholeNode(item, valueAt(value, name));
  }
  return tree;
}

function wholeList(list: ListShape, items: readonly unknown[]): FieldsV1 {
  const members: [string, FieldsV1][] = [];
  if (items.length === 1) {
    members.push([itemKey(list, items[0]), wholeNode(list.item, items[0])]);
  } else {
    for (const [key, same] of itemsByKey(list, items)) {
      members.push([key, same.length > 1 ? LEAF : wholeNode(list.item, same[0])]);
    }
  }
  return sortedMember(members);
}
