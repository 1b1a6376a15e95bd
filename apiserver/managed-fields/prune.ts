/** What an applier gives up leaves the object, unless somebody else owns it. */
import type { Json } from '../../schemas/walk.js';
import type { Managed } from './entries.js';
import { difference, intersection, isEmpty, NONE, union } from './field-set.js';
import { nameStructs, removeFields } from './remove.js';
import { setOfValue } from './set-of-value.js';
import type { FieldsV1 } from './types.js';
import { convert, type Version, type Versions } from './versions.js';

/**
 * The merged object without what `last` had and nobody in `managed` has, the applier among them with what it applies now.
 * What nobody ever owned stays, but not within what goes. Throws FieldsProblem.
 */
export function prune(
  versions: Versions,
  merged: Json,
  managed: readonly Managed[],
  last: Managed | undefined,
): Json {
  const [own] = versions;
  const version = last && versions.find(({ apiVersion }) => apiVersion === last.apiVersion);
  if (last === undefined || version === undefined || isEmpty(last.set)) return merged;
  const shape = version.shape();
  const before = convert(merged, own, version);
  const lastSet = nameStructs(shape, last.set);
  const owned = withOwned(
    versions,
    { version, merged: before, pruned: removeFields(shape, before, lastSet) },
    managed,
  );
  const gone = difference(namedSet(version, before), namedSet(version, owned));
  return convert(removeFields(shape, before, intersection(gone, lastSet)), version, own);
}

interface Pruned {
  readonly version: Version;
  readonly merged: Json;
  readonly pruned: Json;
}

/** Puts back what somebody owns, at the version of each; at the last applied one first, lest a conversion miss something. */
function withOwned(versions: Versions, start: Pruned, managed: readonly Managed[]): Json {
  let at = start;
  for (const version of [start.version, ...versions.filter((one) => one !== start.version)]) {
    const owners = managed.filter(({ apiVersion }) => apiVersion === version.apiVersion);
    if (owners.length === 0) continue;
    const set = owners.map((owner) => owner.set).reduce(union, NONE);
    const merged = convert(at.merged, at.version, version);
    const pruned = convert(at.pruned, at.version, version);
    const keep = union(namedSet(version, pruned), nameStructs(version.shape(), set));
    const gone = difference(namedSet(version, merged), keep);
    at = { version, merged, pruned: removeFields(version.shape(), merged, gone) };
  }
  return convert(at.pruned, at.version, start.version);
}

const namedSet = (version: Version, object: Json): FieldsV1 =>
  nameStructs(version.shape(), setOfValue(version.shape(), object));
