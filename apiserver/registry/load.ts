/** Reads the whole state of one resource at one revision, page by page. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EtcdClient, KeyValue } from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import { ItemTree } from './item-tree.js';
import type { KeySpace } from './keys.js';
import type { StoredItem } from './stored-item.js';

/** Objects read at a time. */
const LOAD_PAGE = 1000;
/** Times that a load begins anew because its revision was compacted away meanwhile. */
const LOAD_ATTEMPTS_MAX = 5;

export interface Loaded {
  readonly tree: ItemTree;
  readonly revision: number;
}

type ToItem = (order: string, kv: KeyValue) => StoredItem | undefined;

/** Throws EtcdError. */
export async function load(client: EtcdClient, keys: KeySpace, toItem: ToItem): Promise<Loaded> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await loadOnce(client, keys, toItem);
    } catch (error) {
      const compacted = error instanceof EtcdError && error.is('Compacted');
      if (!compacted || attempt >= LOAD_ATTEMPTS_MAX) throw error;
    }
  }
}

async function loadOnce(client: EtcdClient, keys: KeySpace, toItem: ToItem): Promise<Loaded> {
  const tree = ItemTree.empty();
  let key = keys.prefix;
  let revision = 0;
  for (;;) {
    const page = await client.range({ key, rangeEnd: keys.rangeEnd, limit: LOAD_PAGE, revision });
    if (revision === 0) revision = page.header.revision;
    let order = '';
    for (const kv of page.kvs) {
      order = keys.orderOfEtcdKey(kv.key);
      const item = toItem(order, kv);
      if (item !== undefined) tree.set(order, item);
    }
    if (!page.more) return { tree, revision };
    // The embedded store answers within the call, and requests wait meanwhile.
    await nextTurn();
    key = keys.ofOrder(`${order}\0`);
  }
}

/**
 * Whether the state at this revision has not been compacted, so that whoever knows it hears of all that comes after. That a
 * watch can begin behind it does not say as much: an etcd before 3.5.18 begins one at the compacted revision, and has
 * forgotten what was deleted there. Throws EtcdError.
 */
export async function isReadable(client: EtcdClient, keys: KeySpace, revision: number): Promise<boolean> {
  try {
    await client.range({ key: keys.prefix, revision, countOnly: true });
    return true;
  } catch (error) {
    if (error instanceof EtcdError && error.is('Compacted')) return false;
    throw error;
  }
}
