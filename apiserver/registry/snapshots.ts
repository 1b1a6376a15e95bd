/** States of one resource at earlier revisions, so that the pages of a list can be served from memory at one revision. */
import type { ItemTree } from './item-tree.js';

/** Snapshots kept for one resource. Each shares all that has not changed with the present state. */
const SNAPSHOTS_MAX = 8;
/** How long after its last use a snapshot is kept, in milliseconds. */
const SNAPSHOT_IDLE_MS = 60_000;

interface Snapshot {
  readonly tree: ItemTree;
  /** It is the state at every revision from `from` to `to`; Infinity until the next change. */
  readonly from: number;
  to: number;
  usedAt: number;
}

export class Snapshots {
  private held: Snapshot[] = [];

  /** Keeps the present state, which has been the same since revision `from`. */
  keep(tree: ItemTree, from: number, now: number): void {
    const newest = this.held.at(-1);
    if (newest?.from === from) {
      newest.usedAt = now;
      return;
    }
    this.held.push({ tree: tree.clone(), from, to: Number.POSITIVE_INFINITY, usedAt: now });
    if (this.held.length > SNAPSHOTS_MAX) this.held.shift();
  }

  /** The present state is about to change at `revision`. */
  changing(revision: number): void {
    const newest = this.held.at(-1);
    if (newest !== undefined && newest.to === Number.POSITIVE_INFINITY) newest.to = revision - 1;
  }

  at(revision: number, now: number): ItemTree | undefined {
    const snapshot = this.held.find(({ from, to }) => from <= revision && revision <= to);
    if (snapshot !== undefined) snapshot.usedAt = now;
    return snapshot?.tree;
  }

  /** The store has forgotten the states before this revision. */
  compacted(revision: number): void {
    this.held = this.held.filter(({ to }) => to >= revision);
  }

  /** Lets go of what has not been used for a while. */
  prune(now: number): void {
    if (this.held.length > 0) this.held = this.held.filter(({ usedAt }) => now - usedAt < SNAPSHOT_IDLE_MS);
  }

  clear(): void {
    this.held = [];
  }
}
