/** Server-side apply: merging, pruning, and whose the fields are then. */
import type { Json } from '../../schemas/walk.js';
import { deepEqual } from '../registry/deep-equal.js';
import { Changes, reconciled } from './changes.js';
import { type Conflict, conflictsOf } from './conflicts.js';
import { isSameManager, type Managed } from './entries.js';
import { difference, isEmpty, sameSet } from './field-set.js';
import { merge } from './merge.js';
import { prune } from './prune.js';
import { STRIPPED } from './reset-fields.js';
import { setOfValue } from './set-of-value.js';
import type { Versions } from './versions.js';

export interface Application {
  readonly versions: Versions;
  readonly live: Json;
  /** Fits the schema. */
  readonly applied: Json;
  readonly managed: readonly Managed[];
  readonly manager: Pick<Managed, 'manager' | 'subresource'>;
  readonly force: boolean;
}

export interface Outcome {
  /** The live object itself where nothing in it changes. */
  readonly object: Json;
  readonly managed: readonly Managed[];
}

/** Conflicts where others own what would change and it is not forced. `time` is that of the applier's entry. */
export function applyFields(
  { versions, live, applied, managed, manager, force }: Application,
  time: string,
): Outcome | readonly Conflict[] {
  const [version] = versions;
  const shape = version.shape();
  const self: Managed = {
    ...manager,
    operation: 'Apply',
    apiVersion: version.apiVersion,
    time: undefined,
    set: version.reset().filter(setOfValue(shape, applied)),
    entry: undefined,
  };
  const known = reconciled(versions, managed);
  const last = known.find((other) => isSameManager(other, self));
  const others = known.filter((other) => other !== last);
  const next = prune(versions, merge(shape, live, applied), [...others, self], last);
  const changes = new Changes(versions, { live, next });
  const contested = changes.contested(others);
  if (contested.length > 0 && !force) return conflictsOf(contested);
  const unchanged = deepEqual(live, next);
  const left = changes.leave(others);
  const set = difference(self.set, STRIPPED);
  // An applier that owns no field any more is forgotten.
  if (!isEmpty(set)) left.push(renewed(last, { ...self, set, time: unchanged ? last?.time : time }));
  return { object: unchanged ? live : next, managed: left };
}

/** The entry as it was, where it says the same. */
function renewed(last: Managed | undefined, now: Managed): Managed {
  const same = last?.time === now.time && last?.apiVersion === now.apiVersion && sameSet(last.set, now.set);
  return same ? last : now;
}
