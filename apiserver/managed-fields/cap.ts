/** Keeps the number of managers within a bound. */
import { EPOCH, identityText, type Managed } from './entries.js';
import { union } from './field-set.js';
import { compareText } from './path-elements.js';

/** Managers by update that one object remembers; appliers are never forgotten. */
export const UPDATE_MANAGERS_MAX = 10;
/** Whose the fields become that the oldest of more had set. */
export const ANCIENT_CHANGES = 'ancient-changes';

/** Merges the oldest managers by update, those of one apiVersion into one, until there are no more than the bound. */
export function capUpdateManagers(managed: readonly Managed[]): readonly Managed[] {
  let count = managed.filter(({ operation }) => operation === 'Update').length;
  if (count <= UPDATE_MANAGERS_MAX) return managed;
  const left = new Set(managed);
  const byIdentity = new Map(managed.map((manager) => [identityText(manager), manager]));
  /** By apiVersion: what the next oldest is merged into. */
  const buckets = new Map<string, Managed>();
  for (const manager of oldestFirst(managed)) {
    if (count <= UPDATE_MANAGERS_MAX) break;
    const ancient = { ...identityOf(manager), manager: ANCIENT_CHANGES, subresource: '' };
    const bucket = buckets.get(manager.apiVersion);
    if (bucket === undefined) {
      buckets.set(manager.apiVersion, byIdentity.get(identityText(ancient)) ?? manager);
      continue;
    }
    if (bucket === manager) continue;
    const set = union(bucket.set, manager.set);
    const merged: Managed = { ...ancient, time: manager.time, set, entry: undefined };
    left.delete(bucket);
    left.delete(manager);
    left.add(merged);
    buckets.set(manager.apiVersion, merged);
    count--;
  }
  return [...left];
}

function oldestFirst(managed: readonly Managed[]): Managed[] {
  return managed
    .filter(({ operation }) => operation === 'Update')
    .map((manager) => ({ manager, identity: identityText(manager) }))
    .sort(
      (a, b) =>
        compareText(a.manager.time ?? EPOCH, b.manager.time ?? EPOCH) || compareText(a.identity, b.identity),
    )
    .map(({ manager }) => manager);
}

const identityOf = ({ operation, apiVersion }: Managed): Pick<Managed, 'operation' | 'apiVersion'> => ({
  operation,
  apiVersion,
});
