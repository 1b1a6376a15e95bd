/** What a new state of an object takes from the managers of the present one. */
import type { Json } from '../../schemas/walk.js';
import { compare, type Difference } from './compare.js';
import type { Contested } from './conflicts.js';
import { type Managed, withSet } from './entries.js';
import { difference, intersection, isEmpty } from './field-set.js';
import { reconcile } from './reconcile.js';
import { convert, type Version, versionAt, type Versions } from './versions.js';

/** An object in the version of the write. */
export interface States {
  readonly live: Json;
  readonly next: Json;
}

/** Compares two states at each version that managers have written at, once. Throws FieldsProblem. */
export class Changes {
  /** Nearly all managers have written at the version of this write. */
  #own: Difference | undefined;
  readonly #others = new Map<Version, Difference>();

  constructor(
    private readonly versions: Versions,
    private readonly states: States,
  ) {}

  /** Without the fields that a write through this subresource cannot set. */
  at(version: Version): Difference {
    if (version === this.versions[0]) return (this.#own ??= this.#compare(version));
    let found = this.#others.get(version);
    if (found === undefined) {
      found = this.#compare(version);
      this.#others.set(version, found);
    }
    return found;
  }

  #compare(version: Version): Difference {
    const [own] = this.versions;
    const { live, next } = this.states;
    const { changed, removed } = compare(
      version.compared(),
      convert(live, own, version),
      convert(next, own, version),
    );
    const { filter } = version.reset();
    return { changed: filter(changed), removed: filter(removed) };
  }

  /** What each of the managers owns of what changes: they have set it to another value, or it was not there. */
  contested(managed: readonly Managed[]): Contested[] {
    return managed
      .map((manager) => ({ manager, fields: intersection(manager.set, this.#of(manager).changed) }))
      .filter(({ fields }) => !isEmpty(fields));
  }

  /** The managers without what changes or goes; who owns nothing is gone. */
  leave(managed: readonly Managed[]): Managed[] {
    const left: Managed[] = [];
    for (const manager of managed) {
      const { changed, removed } = this.#of(manager);
      const set = difference(difference(manager.set, changed), removed);
      if (!isEmpty(set)) left.push(withSet(manager, set));
    }
    return left;
  }

  #of({ apiVersion }: Managed): Difference {
    const version = versionAt(this.versions, apiVersion);
    return version === undefined ? NOTHING : this.at(version);
  }
}

const NOTHING: Difference = { changed: {}, removed: {} };

/** Managers at versions that are served, with their sets as the schema has them. */
export function reconciled(versions: Versions, managed: readonly Managed[]): Managed[] {
  const known: Managed[] = [];
  for (const manager of managed) {
    const version = versionAt(versions, manager.apiVersion);
    if (version === undefined) continue;
    known.push(withSet(manager, reconcile(version.shape(), manager.set)));
  }
  return known;
}
