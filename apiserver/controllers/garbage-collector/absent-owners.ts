/** Owners that the store had not, so that it is asked once for all their dependents. The latest few hundred. */
import type { Coordinates } from './node.js';

/** Upstream's number. */
export const ABSENT_OWNERS_MAX = 500;

export interface Owner {
  readonly uid: string;
  readonly coordinates: Coordinates;
  /** Of the dependent, where the owner's kind has namespaces. */
  readonly namespace: string;
}

/** It is nowhere, or in another namespace than those who refer to it. */
export type Absence = 'gone' | 'misplaced';

const keyOf = ({ uid, coordinates: { apiVersion, kind, name }, namespace }: Owner): string =>
  `${uid}/${apiVersion}/${kind}/${namespace}/${name}`;

export class AbsentOwners {
  private readonly known = new Map<string, Absence>();

  /** Once an object is gone no other one gets its uid. */
  add(owner: Owner, absence: Absence): void {
    const key = keyOf(owner);
    this.known.delete(key);
    this.known.set(key, absence);
    if (this.known.size <= ABSENT_OWNERS_MAX) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }

  /** Undefined: it may be there. */
  find(owner: Owner): Absence | undefined {
    const absence = this.known.get(keyOf(owner));
    if (absence !== undefined) this.add(owner, absence);
    return absence;
  }
}
