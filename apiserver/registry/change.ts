/** One change of one object, shared by all watchers of the resource. */
import type { Selector, WatchEvent } from './types.js';
import type { StoredItem } from './stored-item.js';

export class Change {
  private modified: WatchEvent | undefined;
  private deleted: WatchEvent | undefined;

  /** At least one of `current` and `previous` is there. */
  constructor(
    readonly revision: number,
    readonly key: string,
    readonly namespace: string,
    readonly current: StoredItem | undefined,
    readonly previous: StoredItem | undefined,
  ) {}

  get bytes(): number {
    return (this.current ?? this.previous)?.json.length ?? 0;
  }

  /**
   * What a watcher with these selectors sees: an object that begins to match is ADDED, one that stops matching is DELETED
   * with its previous state under the revision of this change.
   */
  eventFor(labels: Selector, fields: Selector): WatchEvent | undefined {
    const now = this.current !== undefined && matches(this.current, labels, fields);
    const before = this.previous !== undefined && matches(this.previous, labels, fields);
    if (now) return before ? this.asModified() : this.current?.added;
    return before ? this.asDeleted() : undefined;
  }

  private asModified(): WatchEvent | undefined {
    if (this.current === undefined) return undefined;
    return (this.modified ??= { type: 'MODIFIED', item: this.current });
  }

  private asDeleted(): WatchEvent | undefined {
    if (this.previous === undefined) return undefined;
    return (this.deleted ??= { type: 'DELETED', item: this.previous.at(this.revision) });
  }
}

/** Objects are decoded only where a selector has to look into them. */
export const matches = (item: StoredItem, labels: Selector, fields: Selector): boolean =>
  (labels.empty || labels.matches(item.object)) && (fields.empty || fields.matches(item.object));
