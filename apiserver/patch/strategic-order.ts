/**
 * The order of a merged list: items of the patch stand as the patch (or its `$setElementOrder`) has them, items only the
 * server has stand as they were, and the two are interleaved by where the server had both.
 */
import { badFormat, keyOf, StrategicMergeError } from './strategic-values.js';
import { goPrint } from './go-print.js';
import { isObject } from './merge-patch.js';

/** `order` and `before` hold items or scalars; of items only the merge key is read. */
export function inOrder(
  merged: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const wanted = places(order, mergeKey);
  const had = places(before, mergeKey);
  const fromPatch: unknown[] = [];
  const serverOnly: unknown[] = [];
  for (const item of merged) (wanted.has(keyOf(item, mergeKey)) ? fromPatch : serverOnly).push(item);
  const at = (map: Map<unknown, number>, item: unknown) => map.get(keyOf(item, mergeKey));
  fromPatch.sort((a, b) => (at(wanted, a) ?? 0) - (at(wanted, b) ?? 0));
  serverOnly.sort((a, b) => (at(had, a) ?? before.length) - (at(had, b) ?? before.length));
  return interleave(serverOnly, fromPatch, (item) => at(had, item));
}

/** A server's item goes first only where the server had it before the patch's next item. */
function interleave(
  left: readonly unknown[],
  right: readonly unknown[],
  place: (item: unknown) => number | undefined,
): unknown[] {
  const result: unknown[] = [];
  let next = 0;
  for (const item of right) {
    const limit = place(item) ?? 0;
    while (next < left.length && (place(left[next]) ?? limit) < limit) result.push(left[next++]);
    result.push(item);
  }
  return [...result, ...left.slice(next)];
}

/** First place of each key. */
function places(items: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const map = new Map<unknown, number>();
  for (const [place, item] of items.entries()) {
    const key = keyOf(item, mergeKey);
    if (!map.has(key)) map.set(key, place);
  }
  return map;
}

/** The patch's items must be in the order list, and in its order; deletions may be anywhere. */
export function checkAgainstOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): void {
  if (patch.length === 0 || order.length === 0) return;
  if (mergeKey !== '' && !patch.every(isObject)) throw badFormat('setElementOrder list');
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, '$patch')));
  let next = 0;
  for (const wanted of order) {
    const item = items[next];
    if (item !== undefined && keyOf(item, mergeKey) === keyOf(wanted, mergeKey)) next++;
  }
  if (next < items.length) {
    throw new StrategicMergeError(
      `The order in patch list:\n${goPrint(patch)}\n doesn't match $setElementOrder list:\n${goPrint(order)}\n`,
      500,
    );
  }
}
