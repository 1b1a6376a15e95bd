/**
 * What watchers should have seen of what was written. Writers know every change of their own objects, and the revisions of
 * all but the deletions, which the watchers tell; then each watcher is held to the whole.
 */
import {
  type CutWatcher,
  keyOf,
  sayEvent,
  type Stretch,
  type WatchedMap,
  type WatchedPart,
} from './cut-watcher.js';
import type { Written } from './map-writers.js';

interface Change {
  readonly revision: number;
  readonly key: string;
  /** Undefined: deleted. */
  readonly map: WatchedMap | undefined;
}

export class WatchVerdict {
  /** All changes, in order. */
  readonly #changes: Change[] = [];
  readonly faults: string[] = [];

  constructor(written: readonly Written[], watchers: readonly CutWatcher[]) {
    const deletions = deletionsSeen(written, watchers);
    for (const [key, changes] of byKey(written)) {
      this.#add(key, changes, deletions.get(key) ?? new Set(), watchers);
    }
    this.#changes.sort((one, other) => one.revision - other.revision);
  }

  /** What is wrong with what a watcher saw; undefined: nothing. */
  faultOf(watcher: CutWatcher): string | undefined {
    for (const stretch of watcher.stretches) {
      const problem = this.#stateFault(stretch, watcher.part) ?? this.#eventFault(stretch, watcher.part);
      if (problem !== undefined) return `${watcher.description}, from ${stretch.from}: ${problem}`;
    }
    return undefined;
  }

  /** key@revision of all objects that are there in the end. */
  finalState(): string[] {
    return stateOf(this.#changes, {});
  }

  #add(
    key: string,
    changes: readonly Written[],
    deletions: ReadonlySet<number>,
    watchers: readonly CutWatcher[],
  ): void {
    let last = 0;
    let before: WatchedMap | undefined;
    let seen = 0;
    for (const [place, { map }] of changes.entries()) {
      if (map !== undefined) {
        last = Number(map.metadata.resourceVersion);
        this.#changes.push({ revision: last, key, map });
        before = map;
        continue;
      }
      const next = Number(changes[place + 1]?.map?.metadata.resourceVersion ?? Number.POSITIVE_INFINITY);
      const between = [...deletions].filter((revision) => last < revision && revision < next);
      if (between.length > 1) {
        this.faults.push(`${between.length} deletions of ${key} were seen between ${last} and ${next}`);
      }
      seen += between.length;
      last = between[0] ?? listedWithout(before, next, watchers);
      this.#changes.push({ revision: last, key, map });
    }
    if (deletions.size > seen)
      this.faults.push(`${deletions.size - seen} deletions of ${key} were seen that nobody did`);
  }

  #stateFault({ from, state }: Stretch, part: WatchedPart): string | undefined {
    const expected = stateOf(
      this.#changes.filter(({ revision }) => revision <= from),
      part,
    );
    return difference(expected, state, 'the list');
  }

  /** An expired stretch ends anywhere, a good one with the last change. */
  #eventFault({ from, events, expired }: Stretch, part: WatchedPart): string | undefined {
    const expected = eventsOf(this.#changes, from, part);
    return difference(expired ? expected.slice(0, events.length) : expected, events, 'its events');
  }
}

function byKey(written: readonly Written[]): Map<string, Written[]> {
  const found = new Map<string, Written[]>();
  for (const change of written) {
    const changes = found.get(change.key);
    if (changes === undefined) found.set(change.key, [change]);
    else changes.push(change);
  }
  return found;
}

/** Of DELETED, those that are no change of a label. */
function deletionsSeen(
  written: readonly Written[],
  watchers: readonly CutWatcher[],
): Map<string, Set<number>> {
  const puts = new Set(written.map(({ map }) => Number(map?.metadata.resourceVersion)));
  const deletions = new Map<string, Set<number>>();
  for (const event of watchers.flatMap(({ stretches }) => stretches).flatMap(({ events }) => events)) {
    const [, key = '', text = ''] = /^DELETED (\S+)@(\d+) /.exec(event) ?? [];
    const revision = Number(text);
    if (key === '' || puts.has(revision)) continue;
    deletions.set(key, (deletions.get(key) ?? new Set()).add(revision));
  }
  return deletions;
}

/**
 * Nobody was told of the deletion, since all had to list before they came to it: it was done before the first list without
 * the object, or where there is none, before the object was made again.
 */
function listedWithout(
  before: WatchedMap | undefined,
  next: number,
  watchers: readonly CutWatcher[],
): number {
  if (before === undefined) return next - 0.5;
  const last = Number(before.metadata.resourceVersion);
  const entry = `${keyOf(before)}@${last}`;
  const lists = watchers
    .filter(({ part }) => matches(before, part))
    .flatMap(({ stretches }) => stretches)
    .filter(({ from, state }) => last < from && from < next && !state.includes(entry));
  return Math.min(...lists.map(({ from }) => from), next - 0.5);
}

const matches = (map: WatchedMap | undefined, { namespace, name, tier }: WatchedPart): boolean =>
  map !== undefined &&
  (namespace === undefined || map.metadata.namespace === namespace) &&
  (name === undefined || map.metadata.name === name) &&
  (tier === undefined || map.metadata.labels?.tier === tier);

/** In the order of keys, as lists have it. */
function stateOf(changes: readonly Change[], part: WatchedPart): string[] {
  const present = new Map(changes.map(({ key, map }) => [key, map]));
  return [...present.values()]
    .filter((map) => map !== undefined && matches(map, part))
    .map((map) => `${keyOf(map as WatchedMap)}@${map?.metadata.resourceVersion}`)
    .sort();
}

/** What comes after a revision: an object that begins to match is added, one that ceases to is deleted as it was. */
function eventsOf(changes: readonly Change[], from: number, part: WatchedPart): string[] {
  const present = new Map<string, WatchedMap | undefined>();
  const events: string[] = [];
  for (const { revision, key, map } of changes) {
    const before = present.get(key);
    present.set(key, map);
    if (revision <= from) continue;
    const did = matches(before, part);
    if (map !== undefined && matches(map, part)) events.push(sayEvent(did ? 'MODIFIED' : 'ADDED', map));
    else if (before !== undefined && did) {
      const metadata = { ...before.metadata, resourceVersion: String(revision) };
      events.push(sayEvent('DELETED', { ...before, metadata }));
    }
  }
  return events;
}

function difference(expected: readonly string[], got: readonly string[], what: string): string | undefined {
  const length = Math.max(expected.length, got.length);
  for (let place = 0; place < length; place++) {
    if (expected[place] === got[place]) continue;
    return `${what} at ${place} of ${expected.length}: ${got[place]} instead of ${expected[place]}`;
  }
  return undefined;
}
