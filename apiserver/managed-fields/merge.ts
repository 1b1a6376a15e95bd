/** Merging what is applied into what is there. */
import type { Json } from '../../schemas/walk.js';
import { isBlank } from './compare.js';
import { itemKey, setValue, valueAt } from './list-items.js';
import {
  type AnyShape,
  type ListShape,
  type MapShape,
  memberShape,
  type Shape,
  type StructShape,
} from './shape.js';

/** The merged object; shares with both what it takes from one alone. Both are known to fit the shape. */
export const merge = (shape: StructShape, live: Json, applied: Json): Json =>
  (mergeValue(shape, live, applied) ?? {}) as Json;

/** Undefined: absent, of the arguments and of the result. */
function mergeValue(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  switch (shape.kind) {
    case 'leaf':
      return applied;
    case 'list':
      if (shape.relation === 'atomic' || (isBlank(live) && isBlank(applied))) return applied;
      return mergeLists(shape, (live ?? []) as unknown[], (applied ?? []) as unknown[]);
    case 'any':
      if (!isMapOrNull(live) || !isMapOrNull(applied)) return applied;
      break;
    default:
      if (shape.atomic) return applied;
  }
  if (isBlank(live) && isBlank(applied)) return applied;
  return mergeMaps(shape, (live ?? {}) as Json, (applied ?? {}) as Json);
}

const isMapOrNull = (value: unknown): boolean => typeof value === 'object' && !Array.isArray(value);

function mergeMaps(shape: StructShape | MapShape | AnyShape, live: Json, applied: Json): Json {
  const merged: Json = { ...live };
  for (const name of Object.keys(applied)) {
    const field = memberShape(shape, name);
    if (field === undefined) continue;
    setValue(merged, name, mergeValue(field, valueAt(live, name), valueAt(applied, name)));
  }
  return merged;
}

/**
 * Items of both sides come in the order in which they are applied; those that only the live list has keep their place
 * before or after them.
 */
function mergeLists(list: ListShape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const liveKeys = live.map((item) => itemKey(list, item));
  const appliedKeys = applied.map((item) => itemKey(list, item));
  const liveItems = new Map<string, unknown>();
  // Items of one key cannot be told apart, so what is applied replaces them rather than one of them.
  for (const [i, key] of liveKeys.entries()) liveItems.set(key, liveItems.has(key) ? null : live[i]);
  const appliedItems = new Map(appliedKeys.map((key, i) => [key, applied[i]]));
  const shared = appliedKeys.filter((key) => liveItems.has(key));
  const merged: unknown[] = [];
  const done = new Set<string>();
  let nextShared = 0;
  const take = (key: string): void => {
    done.add(key);
    const item = mergeValue(list.item, liveItems.get(key), appliedItems.get(key));
    if (item !== undefined) merged.push(item);
    if (shared[nextShared] === key) nextShared++;
  };
  for (let l = 0, a = 0; l < live.length || a < applied.length; ) {
    const liveKey = liveKeys[l];
    const appliedKey = appliedKeys[a];
    if (liveKey !== undefined && appliedKey !== undefined) {
      if (liveKey === appliedKey) {
        take(liveKey);
        l++;
        a++;
        continue;
      }
      // An item of both sides whose turn has not come: it is taken where it is applied.
      if (appliedItems.has(liveKey) && nextShared < shared.length && shared[nextShared] !== liveKey) {
        l++;
        continue;
      }
    }
    if (liveKey !== undefined) {
      if (!appliedItems.has(liveKey)) {
        merged.push(live[l]);
        l++;
        continue;
      }
      if (done.has(liveKey)) l++;
    }
    if (appliedKey !== undefined) {
      take(appliedKey);
      a++;
    }
  }
  return merged;
}
