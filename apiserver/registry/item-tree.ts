/** The objects of one resource in the order of their keys. A clone costs nothing and never changes. */
import sortedBtree from 'sorted-btree';
import type { Scope } from './keys.js';
import type { StoredItem } from './stored-item.js';

const { default: BTree } = sortedBtree;
type Tree = InstanceType<typeof BTree<string, StoredItem>>;

/** What a callback of forRange returns to end it. */
const stop = { break: 0 };

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class ItemTree {
  private constructor(private readonly tree: Tree) {}

  static empty(): ItemTree {
    return new ItemTree(new BTree<string, StoredItem>(undefined, compare));
  }

  get size(): number {
    return this.tree.size;
  }

  get(order: string): StoredItem | undefined {
    return this.tree.get(order);
  }

  set(order: string, item: StoredItem): void {
    this.tree.set(order, item);
  }

  delete(order: string): void {
    this.tree.delete(order);
  }

  clone(): ItemTree {
    return new ItemTree(this.tree.clone());
  }

  /** All items of a scope, in order. */
  items({ low, high, key }: Scope): StoredItem[] {
    const items: StoredItem[] = [];
    if (key === undefined) {
      this.tree.forRange(low, high, false, (_, item) => {
        items.push(item);
      });
      return items;
    }
    const item = this.tree.get(low);
    return item === undefined ? items : [item];
  }

  /** Calls `visit` for each item of the range, in order, until it returns false. */
  visit(low: string, high: string, visit: (item: StoredItem, order: string) => boolean): void {
    this.tree.forRange(low, high, false, (order, item) => (visit(item, order) ? undefined : stop));
  }

  count(low: string, high: string): number {
    return this.tree.forRange(low, high, false);
  }

  /** Items in order, one after the other. The tree must not change meanwhile: iterate over a clone. */
  *iterate({ low, high }: Pick<Scope, 'low' | 'high'>): Generator<StoredItem, void, void> {
    for (const [order, item] of this.tree.entries(low)) {
      if (order >= high) return;
      yield item;
    }
  }
}
