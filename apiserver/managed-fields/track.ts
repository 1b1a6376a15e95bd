/** Plain writes: which entries they start from, and whose the fields are then. */
import type { KubeObject } from '../../schemas/definition.js';
import type { Json } from '../../schemas/walk.js';
import { timestamp } from '../registry/metadata.js';
import { capUpdateManagers } from './cap.js';
import { Changes, reconciled } from './changes.js';
import { isSameManager, type Managed, readEntriesOrNone, withSet } from './entries.js';
import { isEmpty, union } from './field-set.js';
import type { FieldWrite } from './types.js';
import type { Versions } from './versions.js';

/** Who writes without a name. */
export const UNKNOWN_MANAGER = 'unknown';

/**
 * The entries that a write starts from: those in the body if it has any that can be read, since clients may change them,
 * else those of the live object. A list that is empty, or holds one empty entry, forgets all.
 */
export function entriesOf(
  live: KubeObject | undefined,
  next: KubeObject,
  subresource: string,
): readonly Managed[] {
  const given = next.metadata.managedFields;
  if (subresource === '' && given !== undefined) {
    const [first] = given;
    if (given.length === 0 || (given.length === 1 && isEmpty(first as Record<string, never>))) return [];
    const read = readEntriesOrNone(given);
    if (read.length > 0) return read;
  }
  return readEntriesOrNone(live?.metadata.managedFields);
}

export interface Tracking {
  readonly live: Json;
  readonly next: Json;
  readonly managed: readonly Managed[];
}

/** The managers after a plain write: who wrote has what changed, and nobody has what went. Throws FieldsProblem. */
export function track(
  versions: Versions,
  { live, next, managed }: Tracking,
  write: FieldWrite,
): readonly Managed[] {
  const [version] = versions;
  const changes = new Changes(versions, { live, next });
  const left = changes.leave(reconciled(versions, managed));
  const set = changes.at(version).changed;
  if (isEmpty(set)) return capUpdateManagers(left);
  const self: Managed = {
    manager: write.manager || UNKNOWN_MANAGER,
    operation: 'Update',
    apiVersion: version.apiVersion,
    subresource: write.subresource,
    time: timestamp(write.now),
    set,
    entry: undefined,
  };
  const index = left.findIndex((other) => isSameManager(other, self));
  if (index === -1) left.push(self);
  else left[index] = withSet(self, union(left[index]!.set, set));
  return capUpdateManagers(left);
}
