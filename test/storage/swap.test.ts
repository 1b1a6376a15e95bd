/**
 * After a snapshot install everything goes on from the new database: watchers without gap or duplicate, or ended as
 * compacted; leases; reads; and the API server's watch cache above (decision 16).
 */
import t, { type Test } from 'tap';
import { createRegistries } from '../../apiserver/registry/index.js';
import type { Registry, Watcher } from '../../apiserver/registry/types.js';
import type { WatchCreateRequest, WatchResponse, WatchStream } from '../../storage/client/interface.js';
import { all, demo, watchAll, widget, widgets } from '../apiserver/registry-fixture.js';
import { random } from '../raft/random.js';
import { fakeStore, identity, memoryMachine, settle } from './fake-store.js';
import { Entries, folderMachine, transfer } from './machines.js';
import { brief, briefEvent, bytes, fails, prefix, temporaryFolder } from './tools.js';

/** A follower that is handed entries or snapshots, and the leader that has them all. */
function pair() {
  const entries = new Entries();
  const leader = memoryMachine(identity(1n)).machine;
  const follower = fakeStore({}, identity(2n));
  return {
    entries,
    leader,
    follower,
    /** Applies what is new, one by one as a watcher could see it. */
    follow: () => {
      for (let index = follower.machine.applied.index + 1; index <= entries.all.length; index++) {
        entries.applyTo(follower.machine, index);
      }
    },
    install: async () => {
      entries.applyTo(leader);
      await transfer(leader, follower.machine);
    },
    close: async () => {
      await follower.close();
      await leader.close();
    },
  };
}

/** What a stream was told, by a receiver that can say "not now". */
class Told {
  readonly lines: string[] = [];
  open = true;
  constructor(readonly stream: WatchStream) {
    stream.deliver((response) => {
      if (!this.open) return false;
      this.lines.push(...linesOf(response));
      return true;
    });
  }

  resume(): void {
    this.open = true;
    this.stream.resume();
  }
}

function linesOf({ watchId, created, canceled, compactRevision, header, events }: WatchResponse): string[] {
  if (created === true) return [];
  if (compactRevision !== undefined) return [`compacted ${compactRevision}`];
  if (canceled === true) return ['canceled'];
  if (watchId === -1) return [`progress ${header.revision}`];
  return events.map(briefEvent);
}

t.test('a synced watch goes on where it was, and hears of nothing twice', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  const told = new Told(follower.client.watch());
  told.stream.create({ key: bytes('a'), prevKv: true });
  entries.put('a', '1');
  entries.put('b', '1');
  follow();
  entries.put('a', '2');
  entries.put('c', '1');
  entries.put('a', '3');
  told.stream.requestProgress();
  await install();
  told.stream.requestProgress();
  t.same(told.lines, ['put a=1 m2', 'progress 3'], 'progress waits for what the watch has to read');
  await settle();
  t.same(told.lines.splice(0), [
    'put a=1 m2',
    'progress 3',
    'put a=2 m4 was 1 m2',
    'put a=3 m6 was 2 m4',
    'progress 6',
  ]);

  entries.put('a', '4');
  follow();
  t.same(told.lines, ['put a=4 m7 was 3 m6'], 'and is synced again: told within the apply');
  await close();
});

t.test('watches that cannot go on end as compacted; those that start later wait', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  const told = new Told(follower.client.watch());
  const future = new Told(follower.client.watch());
  const paused = new Told(follower.client.watch());
  const atBound = new Told(follower.client.watch());
  told.stream.create({ key: bytes('a') });
  future.stream.create({ key: bytes('a'), startRevision: 9 });
  atBound.stream.create({ key: bytes('a'), startRevision: 6 });
  paused.stream.create({ key: bytes('a') });
  paused.open = false;
  entries.put('a', '1');
  follow();
  for (const value of ['2', '3', '4', '5']) entries.put('a', value);
  entries.add({ type: 'compact', revision: 6 });
  await install();
  await settle();
  t.same(told.lines, ['put a=1 m2', 'compacted 6']);
  t.same(future.lines, []);
  t.same(atBound.lines, ['put a=5 m6'], 'the compacted revision itself can be watched');
  paused.resume();
  await settle();
  t.same(paused.lines, ['put a=1 m2', 'compacted 6'], 'found out when it goes on');
  for (const value of ['6', '7', '8', '9']) entries.put('a', value);
  follow();
  t.same(future.lines, ['put a=8 m9', 'put a=9 m10']);
  await close();
});

t.test('a synced watch of which nothing has changed for long has missed nothing', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  const told = new Told(follower.client.watch());
  told.stream.create({ key: bytes('quiet') });
  for (const value of ['1', '2', '3']) entries.put('a', value);
  follow();
  entries.put('a', '4');
  entries.add({ type: 'compact', revision: 5 });
  await install();
  await settle();
  t.same(told.lines, [], 'although what it was told last is compacted');
  entries.put('quiet', '1');
  follow();
  t.same(told.lines, ['put quiet=1 m6']);
  await close();
});

t.test('reads, leases and compaction are those of the new database', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  const { client } = follower;
  entries.add({ type: 'lease-grant', id: 1n, ttl: 100 });
  entries.add({ type: 'lease-grant', id: 2n, ttl: 100 });
  for (const value of ['1', '2', '3']) entries.put('a', value);
  follow();
  // The follower proposes what is in the log of both then; its rows are not removed when the install comes.
  entries.add({ type: 'compact', revision: 4 });
  const compacting = client.compact({ revision: 4, physical: true });
  while (follower.machine.applied.index < entries.all.length) await Promise.resolve();
  follower.clock.advance(40_000);
  entries.add({ type: 'lease-revoke', id: 1n, term: 0 });
  entries.add({ type: 'lease-grant', id: 3n, ttl: 10 });
  entries.add({ type: 'put', request: { key: bytes('l'), value: bytes('1'), lease: 3n } });
  for (let number = 0; number < 300; number++) entries.put('a', `${number}`);
  entries.add({ type: 'compact', revision: 200 });
  await install();

  t.same((await client.range({ key: bytes('a') })).kvs.map(brief), ['a=299 c2 m305 v303']);
  await fails(t, client.range({ key: bytes('a'), revision: 199 }), 'Compacted');
  t.same((await client.range({ key: bytes('a'), revision: 200 })).kvs.map(brief), ['a=194 c2 m200 v198']);
  t.same((await client.leaseLeases()).leases, [3n, 2n]);
  t.equal((await client.leaseKeepAlive(1n)).ttl, 0);
  t.match(await client.leaseTimeToLive({ id: 3n, keys: true }), { ttl: 10, keys: [bytes('l')] });
  t.equal((await client.leaseTimeToLive({ id: 2n })).ttl, 60, 'one that stays keeps its time');
  await compacting;
  let isRemoved = false;
  const removed = follower.machine.compactor.removedThrough(4).then(() => (isRemoved = true));
  await Promise.resolve();
  t.equal(isRemoved, true, 'who waited for rows to go has waited for those of the new database');
  await removed;
  await close();
});

t.test('nothing of the old database is used after the swap', async (t) => {
  const entries = new Entries();
  const source = memoryMachine().machine;
  const { machine, generation } = folderMachine(temporaryFolder(t), identity(2n));
  for (let number = 0; number < 50; number++) entries.put(`k${number}`, '1');
  entries.applyTo(machine, 20);
  entries.applyTo(source);
  const old = generation();
  let seen: string | undefined;
  machine.onInstalled(() => {
    seen = `${machine.store.revision} ${machine.history.sequenceOf(51)} ${machine.applied.index}`;
  });
  await transfer(source, machine);
  t.equal(seen, '51 50 50', 'whoever is told of it sees the new one');
  while (old.db.open) await settle();
  t.throws(() => old.store.get(bytes('k1')), /not open/);
  t.equal(machine.sizes().total > 0, true);
  await machine.close();
  await source.close();
});

t.test('whatever happens between them, watchers have no gap and no duplicate', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  for (let run = 0; run < 12; run++) await watchThroughInstalls(t, between);
});

interface Watched {
  readonly told: Told;
  readonly start: number;
  readonly matches: (key: string) => boolean;
}

/** The log as a watcher of everything would be told it, from an uncompacted store. */
function changesOf(entries: Entries): { revision: number; key: string; line: string }[] {
  const { machine } = memoryMachine();
  const changes: { revision: number; key: string; line: string }[] = [];
  machine.onApplied((batch) => {
    for (const { type, kv } of batch.changes) {
      const line = briefEvent({ type, kv });
      changes.push({ revision: kv.modRevision, key: Buffer.from(kv.key).toString(), line });
    }
  });
  entries.applyTo(machine);
  return changes;
}

async function watchThroughInstalls(t: Test, between: (low: number, high: number) => number): Promise<void> {
  const { entries, leader, follower, follow, install, close } = pair();
  const watched: Watched[] = [];
  const key = () => `k${between(0, 5)}`;
  const compacted = () => follower.machine.store.compacted;
  const watch = () => {
    const told = new Told(follower.client.watch());
    const { revision } = follower.machine.store;
    const startRevision = between(Math.max(1, compacted()), revision + 3);
    const one = key();
    const [request, matches]: [WatchCreateRequest, (key: string) => boolean] =
      between(0, 1) === 0
        ? [{ key: bytes(one) }, (key) => key === one]
        : [prefix('k'), (key) => key.startsWith('k')];
    told.stream.create({ ...request, startRevision });
    watched.push({ told, start: startRevision, matches });
  };
  for (let step = 0; step < 120; step++) {
    const what = between(0, 99);
    if (what < 45) entries.put(key(), 'v'.repeat(between(1, 3000)));
    else if (what < 55) entries.add({ type: 'delete', request: prefix('k') });
    else if (what < 70) follow();
    else if (what < 76 && entries.all.length > follower.machine.applied.index) await install();
    else if (what < 80) {
      entries.applyTo(leader);
      const { revision } = leader.store;
      entries.add({ type: 'compact', revision: between(Math.max(1, revision - 30), revision) });
    } else if (what < 88) watch();
    else if (what < 94 && watched.length > 0) {
      const { told } = watched[between(0, watched.length - 1)] as Watched;
      if (told.open) told.open = false;
      else told.resume();
    } else await settle();
  }
  follow();
  for (const { told } of watched) told.resume();
  for (const { told } of watched) told.stream.requestProgress();
  for (let round = 0; round < 20; round++) await settle();

  const changes = changesOf(entries);
  const { revision } = follower.machine.store;
  t.equal(changes.at(-1)?.revision ?? 1, revision);
  for (const { told, start, matches } of watched) {
    const expected = changes.filter((change) => change.revision >= start && matches(change.key));
    const last = told.lines.at(-1) ?? '';
    const events = told.lines.filter((line) => !line.startsWith('progress') && !line.startsWith('compacted'));
    const wanted = expected.slice(0, events.length).map(({ line }) => line);
    t.same(events, wanted, `watch from ${start}`);
    if (last.startsWith('compacted')) {
      const missed = expected[events.length]?.revision ?? Infinity;
      t.ok(missed >= start, 'it ended because of what it had not seen');
    } else t.equal(events.length, expected.length, `watch from ${start} has everything`);
    if (start <= revision && !last.startsWith('compacted')) t.equal(last, `progress ${revision}`);
  }
  await close();
}

/** The API server's cache of widgets over a follower. */
async function cacheOver(t: Test, client: Parameters<typeof createRegistries>[0]['client']) {
  const errors: unknown[] = [];
  const registries = createRegistries({
    client,
    definitions: [widgets],
    admission: [],
    onError: (error) => errors.push(error),
  });
  t.teardown(() => registries.close());
  const registry = registries.table.find('example.com', 'v1', 'widgets') as Registry;
  const names = async () => {
    const { items } = await registry.list(demo, '', all);
    return items.map((item) => `${item.key}@${item.revision}`);
  };
  return { registry, names, errors };
}

const store = (entries: Entries, name: string) =>
  entries.put(`/registry/example.com/widgets/demo/${name}`, JSON.stringify(widget(name)));

const eventsOf = (watcher: Watcher) =>
  watcher.read(100).map(({ type, item }) => `${type} ${item.key}@${item.revision}`);

t.test('the watch cache goes on after an install', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  store(entries, 'a');
  store(entries, 'b');
  follow();
  const { registry, names, errors } = await cacheOver(t, follower.client);
  t.same(await names(), ['demo/a@2', 'demo/b@3']);
  const watcher = await registry.watch(demo, '', { ...watchAll, resourceVersion: 3 });
  store(entries, 'a');
  entries.put('elsewhere', '1');
  store(entries, 'c');
  await install();
  t.same(
    await names(),
    ['demo/a@4', 'demo/b@3', 'demo/c@6'],
    'a consistent list waits until it has caught up',
  );
  t.same(eventsOf(watcher), ['MODIFIED demo/a@4', 'ADDED demo/c@6']);
  store(entries, 'd');
  follow();
  t.same(eventsOf(watcher), ['ADDED demo/d@7']);
  t.same(errors, []);
  watcher.close();
  await close();
});

t.test('the watch cache loads again after an install that left a gap', async (t) => {
  const { entries, follower, follow, install, close } = pair();
  store(entries, 'a');
  store(entries, 'b');
  follow();
  const { registry, names, errors } = await cacheOver(t, follower.client);
  t.same(await names(), ['demo/a@2', 'demo/b@3']);
  const watcher = await registry.watch(demo, '', { ...watchAll, resourceVersion: 3 });
  entries.add({ type: 'delete', request: { key: bytes('/registry/example.com/widgets/demo/a') } });
  store(entries, 'c');
  store(entries, 'd');
  entries.add({ type: 'compact', revision: 6 });
  await install();
  t.same(await names(), ['demo/b@3', 'demo/c@5', 'demo/d@6'], 'a consistent list waits for that');
  t.throws(() => watcher.read(100), { code: 410 }, 'a watch that missed something has to list again');
  const next = await registry.watch(demo, '', { ...watchAll, resourceVersion: 6 });
  store(entries, 'e');
  follow();
  t.same(eventsOf(next), ['ADDED demo/e@7']);
  t.same(errors, []);
  watcher.close();
  next.close();
  await close();
});
