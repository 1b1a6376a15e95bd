/**
 * The `scale` subresource shows one field of an object in another kind. Whoever owns that field owns the replicas of the
 * Scale, and the other way round.
 */
import { isSameManager, type Managed, readEntriesOrNone, withSet, writeEntries } from './entries.js';
import { difference, has, isEmpty, single } from './field-set.js';
import type { ManagedFieldsEntry } from './types.js';

export const SCALE_API_VERSION = 'autoscaling/v1';
const SCALE_REPLICAS = ['f:spec', 'f:replicas'];

/** apiVersion of the object → dotted path to its replicas. Entries of other versions have no part in the Scale. */
export type ReplicasPaths = Readonly<Record<string, string>>;

const pathIn = (paths: ReplicasPaths, apiVersion: string): readonly string[] | undefined =>
  Object.hasOwn(paths, apiVersion) ? paths[apiVersion]?.split('.').map((name) => `f:${name}`) : undefined;

/** managedFields of the Scale of an object. Entries that cannot be read leave it without any. */
export function scaleEntries(
  entries: readonly unknown[] | undefined,
  paths: ReplicasPaths,
): ManagedFieldsEntry[] {
  const scaled: Managed[] = [];
  for (const managed of readEntriesOrNone(entries)) {
    const path = pathIn(paths, managed.apiVersion);
    if (path === undefined || !has(managed.set, path)) continue;
    scaled.push({ ...managed, apiVersion: SCALE_API_VERSION, set: single(SCALE_REPLICAS), entry: undefined });
  }
  return writeEntries(scaled);
}

/**
 * managedFields of an object whose Scale was written: `scale` holds those of the Scale after that. Who owns the replicas by
 * way of the Scale has an entry of `apiVersion`, which like upstream's has no time.
 */
export function mergeScaleEntries(
  entries: readonly unknown[] | undefined,
  scale: readonly unknown[] | undefined,
  apiVersion: string,
  paths: ReplicasPaths,
): ManagedFieldsEntry[] {
  const merged: Managed[] = [];
  const owners = new Set(readEntriesOrNone(scale));
  for (const managed of readEntriesOrNone(entries)) {
    const path = pathIn(paths, managed.apiVersion);
    if (path === undefined) continue;
    if (!has(managed.set, path)) {
      merged.push(managed);
      continue;
    }
    // A manager by update has another apiVersion in the Scale, so its replicas always move to an entry of their own.
    const owner = [...owners].find((other) => isSameManager(other, managed));
    if (owner !== undefined) {
      owners.delete(owner);
      merged.push(managed);
      continue;
    }
    const set = difference(managed.set, single(path));
    if (!isEmpty(set)) merged.push(withSet(managed, set));
  }
  const replicas = pathIn(paths, apiVersion) ?? SCALE_REPLICAS;
  for (const owner of owners) {
    if (!has(owner.set, SCALE_REPLICAS)) continue;
    merged.push({ ...owner, apiVersion, time: undefined, set: single(replicas), entry: undefined });
  }
  return writeEntries(merged);
}
