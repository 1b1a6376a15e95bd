/** Lists: which state a request wants, and the page of it that it gets. */
import { EtcdError } from '../../storage/errors.js';
import { badRequest, expired, toStatusError } from '../errors.js';
import { matches } from './change.js';
import { decodeContinue, encodeContinue, LATEST } from './continue-token.js';
import type { ItemTree } from './item-tree.js';
import { keyOfOrder, orderOf, type Scope, scopeOf } from './keys.js';
import { reach, type Resource, storeCall } from './resource.js';
import type { StoredItem } from './stored-item.js';
import type { ListOptions, ObjectList } from './types.js';

/** Objects read from the store at a time where memory no longer has the revision. */
const STORE_PAGE = 500;

/** What is looked for, and how much of it. */
interface Query {
  readonly resource: Resource;
  readonly scope: Scope;
  readonly options: ListOptions;
  /** Key to begin with, in order form. */
  readonly low: string;
  /** 0: all. */
  readonly limit: number;
}

interface Page {
  readonly items: readonly StoredItem[];
  /** Key of the last object looked at, in order form, if there is more behind it. */
  readonly last: string | undefined;
  /** Objects behind it. */
  readonly remaining: number;
}

/** Throws StatusError: 400 for a bad token, 410 when the revision is gone, 504 when it is not there yet. */
export async function list(resource: Resource, namespace: string, options: ListOptions): Promise<ObjectList> {
  const scope = scopeOf(resource.definition.namespaced, namespace, options.fields.exactName);
  const query = { resource, scope, options, low: scope.low, limit: options.limit };
  const { resourceVersion: wanted, resourceVersionMatch: match, continueToken, limit } = options;
  if (continueToken !== undefined) return nextPage(query, namespace, continueToken);
  // Without a match, pages of many objects are exact; of one object there are none.
  const isPage = limit > 0 && scope.key === undefined;
  const exact = match === 'Exact' || (match === undefined && isPage && wanted !== 0);
  const instead = await reach(resource, wanted);
  if (exact && wanted !== undefined) return pageAt(query, namespace, Number(wanted), false);
  if (instead !== undefined) return pageAt(query, namespace, instead, false);
  // A list that takes whatever is there is never split.
  return presentPage(wanted === 0 ? { ...query, limit: 0 } : query, namespace);
}

/** All that matches, as the store has it at this revision. Throws StatusError. */
export async function itemsAt(
  resource: Resource,
  scope: Scope,
  options: ListOptions,
  revision: number,
): Promise<readonly StoredItem[]> {
  const { items } = await storeCall(
    storePage({ resource, scope, options, low: scope.low, limit: 0 }, revision),
  );
  return items;
}

async function nextPage(query: Query, namespace: string, token: string): Promise<ObjectList> {
  const { resource, scope, options } = query;
  const { revision, start } = decodeContinue(token);
  if (options.resourceVersion !== undefined && options.resourceVersion !== 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const from = orderOf(namespace === '' ? start : `${namespace}/${start}`);
  const rest = { ...query, low: from > scope.low ? from : scope.low };
  const instead = await reach(resource, revision === LATEST ? undefined : revision);
  if (revision !== LATEST) return pageAt(rest, namespace, revision, true);
  return instead === undefined ? presentPage(rest, namespace) : pageAt(rest, namespace, instead, true);
}

function presentPage(query: Query, namespace: string): ObjectList {
  const { cache } = query.resource;
  const page = pageOf(cache.tree, query);
  if (page.last !== undefined) cache.keepState();
  return answer(query, namespace, page, cache.revision);
}

async function pageAt(
  query: Query,
  namespace: string,
  revision: number,
  continued: boolean,
): Promise<ObjectList> {
  const { cache } = query.resource;
  const state = cache.stateAt(revision);
  if (state !== undefined) {
    const page = pageOf(state, query);
    if (page.last !== undefined && state === cache.tree) cache.keepState();
    return answer(query, namespace, page, revision);
  }
  try {
    return answer(query, namespace, await storePage(query, revision), revision);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    if (continued && error.is('Compacted')) throw tooOldToContinue(query, namespace);
    throw toStatusError(error);
  }
}

function answer({ options }: Query, namespace: string, page: Page, revision: number): ObjectList {
  const { items, last, remaining } = page;
  if (last === undefined) return { items, revision };
  const counted = options.labels.empty && options.fields.empty;
  return {
    items,
    revision,
    continueToken: encodeContinue({ revision, start: `${below(namespace, last)}\0` }),
    ...(counted ? { remainingItemCount: remaining } : {}),
  };
}

/** A key as tokens hold it: without the namespace that the list is limited to. */
const below = (namespace: string, order: string): string =>
  keyOfOrder(namespace === '' ? order : order.slice(namespace.length + 1));

function tooOldToContinue({ low }: Query, namespace: string): Error {
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    { continue: encodeContinue({ revision: LATEST, start: below(namespace, low) }) },
  );
}

/** Whatever matches, up to the limit; there is more if any object follows, whether it matches or not, as upstream has it. */
function pageOf(tree: ItemTree, { scope, options, low, limit }: Query): Page {
  const { labels, fields } = options;
  const from: Scope = { ...scope, low };
  if (limit === 0 || scope.key !== undefined) {
    const all = low > scope.low && scope.key !== undefined ? [] : tree.items(from);
    const items = labels.empty && fields.empty ? all : all.filter((item) => matches(item, labels, fields));
    return { items, last: undefined, remaining: 0 };
  }
  const items: StoredItem[] = [];
  let last = '';
  let next: string | undefined;
  tree.visit(low, scope.high, (item, order) => {
    if (items.length === limit) {
      next = order;
      return false;
    }
    if (matches(item, labels, fields)) items.push(item);
    last = order;
    return true;
  });
  if (next === undefined) return { items, last: undefined, remaining: 0 };
  const counted = labels.empty && fields.empty;
  return { items, last, remaining: counted ? tree.count(next, scope.high) : 0 };
}

/** The same from the store. Throws EtcdError. */
async function storePage(query: Query, revision: number): Promise<Page> {
  const { resource, scope, options, limit } = query;
  const { labels, fields } = options;
  const { client, keys, format } = resource;
  const items: StoredItem[] = [];
  const { rangeEnd } = keys.etcdRange(scope);
  const pageSize = limit > 0 && labels.empty && fields.empty ? Math.min(limit, STORE_PAGE) : STORE_PAGE;
  let key = keys.ofOrder(query.low);
  let last = '';
  for (;;) {
    const page = await client.range({ key, rangeEnd, limit: pageSize, revision });
    let looked = 0;
    for (const kv of page.kvs) {
      if (limit > 0 && items.length === limit) return { items, last, remaining: page.count - looked };
      looked += 1;
      last = keys.orderOfEtcdKey(kv.key);
      const item = format.fromValue(keyOfOrder(last), kv.value, kv.modRevision);
      if (matches(item, labels, fields)) items.push(item);
    }
    if (!page.more) return { items, last: undefined, remaining: 0 };
    if (limit > 0 && items.length === limit) return { items, last, remaining: page.count - looked };
    key = keys.ofOrder(`${last}\0`);
  }
}
