/**
 * Arithmetic on sets of fields. A set is its FieldsV1 tree, in canonical order, and is never changed: what an operation
 * leaves as it is, it shares, and it gives back its first argument itself where nothing changes.
 *
 * A node below the root is a member when it has nothing below it or holds `.`; the root, the object itself, never is.
 */
import { compareKeys, inOrder } from './path-elements.js';
import type { FieldsV1 } from './types.js';

type Tree = Record<string, FieldsV1>;

/** A member with nothing below it. At the root: the empty set. */
export const LEAF: FieldsV1 = Object.freeze({});
export const NONE = LEAF;
export const SELF = '.';

export function isEmpty(set: FieldsV1): boolean {
  for (const _ in set) return false;
  return true;
}

export const isMember = (node: FieldsV1): boolean => node[SELF] !== undefined || isEmpty(node);

/** The node as a member, with what is below it. */
export const asMember = (node: FieldsV1): FieldsV1 => (isMember(node) ? node : { [SELF]: LEAF, ...node });

/** A node from what is known to be in order; a member alone has no need of its `.`. */
function nodeOf(tree: Tree, size: number): FieldsV1 | undefined {
  if (size === 0) return undefined;
  return size === 1 && tree[SELF] !== undefined ? LEAF : tree;
}

export function union(a: FieldsV1, b: FieldsV1): FieldsV1 {
  if (isEmpty(b)) return a;
  return isEmpty(a) ? b : uniteNodes(a, b);
}

/** Of nodes below the root. */
export function uniteNodes(a: FieldsV1, b: FieldsV1): FieldsV1 {
  if (a === b) return a;
  if (isEmpty(a)) return asMember(b);
  if (isEmpty(b)) return asMember(a);
  let united: Tree | undefined;
  let more = false;
  for (const key in b) {
    const mine = a[key];
    if (mine === undefined) {
      more = true;
      continue;
    }
    const both = uniteNodes(mine, b[key]!);
    if (both !== mine) (united ??= { ...a })[key] = both;
  }
  return more ? interleaved(united ?? a, b) : (united ?? a);
}

/** All of `a`, and of `b` what `a` has not, in order. */
function interleaved(a: FieldsV1, b: FieldsV1): FieldsV1 {
  const tree: Tree = {};
  const rest = Object.keys(b).filter((key) => a[key] === undefined);
  let next = 0;
  for (const key in a) {
    while (next < rest.length && compareKeys(rest[next]!, key) < 0) {
      tree[rest[next]!] = b[rest[next]!]!;
      next++;
    }
    tree[key] = a[key]!;
  }
  for (; next < rest.length; next++) tree[rest[next]!] = b[rest[next]!]!;
  return tree;
}

/** What is in `a` and not in `b`. A member stays when only something below it is in `b`, and the other way round. */
export function difference(a: FieldsV1, b: FieldsV1): FieldsV1 {
  return isEmpty(a) || isEmpty(b) ? a : (subtract(a, b, false, false) ?? NONE);
}

/** What is in `a` and neither in `b` nor below anything in `b`. */
export function recursiveDifference(a: FieldsV1, b: FieldsV1): FieldsV1 {
  return isEmpty(a) || isEmpty(b) ? a : (subtract(a, b, false, true) ?? NONE);
}

function subtract(a: FieldsV1, b: FieldsV1, bIsMember: boolean, recursive: boolean): FieldsV1 | undefined {
  const tree: Tree = {};
  let size = 0;
  let same = true;
  for (const key in a) {
    const node = a[key]!;
    const other = b[key];
    let left: FieldsV1 | undefined = node;
    if (key === SELF) left = bIsMember ? undefined : node;
    else if (other !== undefined) left = subtractNode(node, other, recursive);
    if (left !== node) same = false;
    if (left === undefined) continue;
    tree[key] = left;
    size++;
  }
  return same ? a : nodeOf(tree, size);
}

function subtractNode(a: FieldsV1, b: FieldsV1, recursive: boolean): FieldsV1 | undefined {
  const bIsMember = isMember(b);
  if (isEmpty(a) || (recursive && bIsMember)) return bIsMember ? undefined : a;
  return subtract(a, b, bIsMember, recursive);
}

/** What is in both. */
export function intersection(a: FieldsV1, b: FieldsV1): FieldsV1 {
  return intersect(a, b, false) ?? NONE;
}

function intersect(a: FieldsV1, b: FieldsV1, bothMembers: boolean): FieldsV1 | undefined {
  const tree: Tree = {};
  let size = 0;
  if (bothMembers) {
    tree[SELF] = LEAF;
    size++;
  }
  for (const key in a) {
    const other = b[key];
    if (key === SELF || other === undefined) continue;
    const node = a[key]!;
    const both = intersect(node, other, isMember(node) && isMember(other));
    if (both === undefined) continue;
    tree[key] = both;
    size++;
  }
  return nodeOf(tree, size);
}

/** Whether two sets in canonical order have the same members. */
export function sameSet(a: FieldsV1, b: FieldsV1): boolean {
  if (a === b) return true;
  let size = 0;
  for (const key in a) {
    const other = b[key];
    if (other === undefined || !sameSet(a[key]!, other)) return false;
    size++;
  }
  for (const _ in b) size--;
  return size === 0;
}

export function has(set: FieldsV1, path: readonly string[]): boolean {
  let node: FieldsV1 | undefined = set;
  for (const key of path) {
    node = node[key];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

/** The members' paths in Go's order: those of a level before what is below them. */
export function paths(set: FieldsV1, prefix: readonly string[] = []): string[][] {
  const keys = Object.keys(set).filter((key) => key !== SELF);
  const found = keys.filter((key) => isMember(set[key]!)).map((key) => [...prefix, key]);
  for (const key of keys) found.push(...paths(set[key]!, [...prefix, key]));
  return found;
}

/** The set of one path. */
export const single = (path: readonly string[]): FieldsV1 =>
  path.reduceRight<FieldsV1>((below, key) => ({ [key]: below }), LEAF);

type Members = readonly (readonly [key: string, node: FieldsV1])[];

/** A node of members that stand in no order yet; undefined when there are none. */
export function sortedNode(members: Members): FieldsV1 | undefined {
  if (members.length === 0) return undefined;
  return addTo({}, members);
}

/** The same as a member itself. */
export const sortedMember = (members: Members): FieldsV1 =>
  members.length === 0 ? LEAF : addTo({ [SELF]: LEAF }, members);

function addTo(tree: Tree, members: Members): FieldsV1 {
  for (const [key, node] of inOrder(members)) tree[key] = node;
  return tree;
}
