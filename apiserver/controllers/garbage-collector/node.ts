/** One object of the graph: what owns it and what it owns. */
import type { Registry } from '../../registry/types.js';

/** A resource whose objects the graph is told of. */
export interface Followed {
  readonly apiVersion: string;
  readonly kind: string;
  /** Another one when the resource has been defined anew. */
  registry: Registry;
  /** Counts the watches: what a later one does not tell of is gone. */
  epoch: number;
}

/** How references name an object, beside its uid. One value for the owner and all references that agree with it. */
export interface Coordinates {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export const sameCoordinates = (a: Coordinates, b: Coordinates): boolean =>
  a.name === b.name && a.kind === b.kind && a.apiVersion === b.apiVersion;

export interface Reference {
  /** May have gone: then the graph does not hear of what its uid becomes. */
  owner: Node;
  readonly coordinates: Coordinates;
  /** The owner, deleted in the foreground, waits for who says this. */
  readonly blocks: boolean;
}

const nobody: ReadonlyMap<Node, boolean> = new Map();

export class Node {
  /** Where its object is; undefined while it is known from references alone. */
  resource: Followed | undefined;
  /** That watch of the resource which told of it last. */
  epoch = 0;
  owners: readonly Reference[] = [];
  /** Each with whether it blocks this one. */
  dependents = nobody;
  /** How many of the dependents block. */
  blocking = 0;
  deleting = false;
  /** It goes when the dependents that block it have gone. */
  foreground = false;
  /** It goes when its dependents no longer refer to it. */
  orphans = false;
  /** The graph knows of all dependents that were there when its deletion began. */
  complete = false;
  /** It names a kind that is not served: to be looked at again when kinds come. */
  parked = false;
  /** It is no longer in the graph. */
  gone = false;

  constructor(
    readonly uid: string,
    public coordinates: Coordinates,
    public namespace: string,
  ) {}

  /** `blocks` undefined: it is no dependent any more. */
  setDependent(dependent: Node, blocks: boolean | undefined): void {
    const before = this.dependents.get(dependent) === true;
    // Most nodes own nothing.
    const dependents =
      this.dependents === nobody ? new Map<Node, boolean>() : (this.dependents as Map<Node, boolean>);
    if (blocks === undefined) dependents.delete(dependent);
    else dependents.set(dependent, blocks);
    this.dependents = dependents.size === 0 ? nobody : dependents;
    // Who owns itself does not wait for itself.
    if (dependent !== this) this.blocking += Number(blocks === true) - Number(before);
  }
}
