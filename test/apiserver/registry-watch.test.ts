/** Rules of watches: where they begin, what they send, bookmarks, and what happens to readers that are slow or cut off. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { ChangeWindow } from '../../apiserver/registry/change-window.js';
import type { Registry, WatchOptions } from '../../apiserver/registry/types.js';
import { leases } from '../../schemas/coordination/v1/lease.js';
import type { KubeObject } from '../../schemas/definition.js';
import {
  all,
  contextOf,
  demo,
  everything,
  type Fixture,
  labelIs,
  nameIsExactly,
  openFixture,
  Reader,
  say,
  startOfTime,
  watchAll,
  widget,
} from './registry-fixture.js';

const prefix = '/registry/example.com/widgets/';

const open = async (
  registry: Registry,
  options: Partial<WatchOptions> = {},
  namespace = 'demo',
  max?: number,
) => new Reader(await registry.watch(demo, namespace, { ...watchAll, ...options }), max);

const resize = (registry: Registry, name: string, size: number) =>
  registry.update(demo, 'demo', name, () => widget(name, { spec: { size } }));

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Two objects, a@2 and b@3. */
async function filled(options: Parameters<typeof openFixture>[0] = {}): Promise<Fixture> {
  const fixture = openFixture(options);
  await fixture.widgets.create(demo, widget('a', { metadata: { labels: { tier: 'x' } } }));
  await fixture.widgets.create(demo, widget('b'));
  return fixture;
}

t.test('where a watch begins', async (t) => {
  t.test('without a resourceVersion: with the present state', async (t) => {
    const { widgets: registry } = await filled();
    const reader = await open(registry);
    await reader.until(({ events }) => events.length === 2);
    await resize(registry, 'a', 5);
    await registry.delete(demo, 'demo', 'b');
    await reader.until(({ events }) => events.length === 4);
    t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'MODIFIED a@4', 'DELETED b@5']);
    t.same(reader.events[3]?.item.object['spec'], { size: 1 }, 'the last state');
    t.equal(reader.events[3]?.item.object.metadata.resourceVersion, '5', 'of the deletion');
  });
  t.test('without a resourceVersion: consistent, also where the cache is late', async (t) => {
    const { widgets: registry, etcd } = await filled();
    await registry.list(demo, 'demo', all);
    etcd.immediate = false;
    etcd.write(`${prefix}demo/late`, JSON.stringify(widget('late')));
    const opening = open(registry);
    setTimeout(() => etcd.flush(), 1);
    const reader = await opening;
    await reader.until(({ events }) => events.length === 3);
    t.same(reader.said.at(-1), 'ADDED late@4');
  });
  t.test('at 0: with whatever is there', async (t) => {
    const { widgets: registry, etcd } = await filled();
    await registry.list(demo, 'demo', all);
    etcd.immediate = false;
    etcd.write(`${prefix}demo/late`, JSON.stringify(widget('late')));
    const reader = await open(registry, { resourceVersion: 0 });
    await reader.until(({ events }) => events.length === 2);
    etcd.flush();
    await reader.until(({ events }) => events.length === 3);
    t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'ADDED late@4']);
  });
  t.test('at N: after N, without a gap or a duplicate', async (t) => {
    const { widgets: registry } = await filled();
    await registry.list(demo, 'demo', all);
    for (let size = 2; size < 6; size++) await resize(registry, 'a', size);
    for (const [from, first] of [
      [3, 'MODIFIED a@4'],
      [4, 'MODIFIED a@5'],
      [6, 'MODIFIED a@7'],
    ] as const) {
      const reader = await open(registry, { resourceVersion: from });
      await reader.until(({ events }) => events.length === 7 - from);
      t.equal(reader.said[0], first);
    }
    const none = await open(registry, { resourceVersion: 7 });
    await turn();
    t.same(none.said, []);
    await resize(registry, 'a', 9);
    await none.until(({ events }) => events.length === 1);
    t.same(none.said, ['MODIFIED a@8']);
  });
  t.test('at N before the cache was loaded: from the history of the store', async (t) => {
    const { widgets: registry } = await filled();
    await resize(registry, 'a', 2);
    const reader = await open(registry, { resourceVersion: 1 });
    await reader.until(({ events }) => events.length === 3);
    await resize(registry, 'a', 3);
    await reader.until(({ events }) => events.length === 4);
    t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'MODIFIED a@4', 'MODIFIED a@5']);
  });
  t.test('in the future: nothing until then', async (t) => {
    const { widgets: registry } = await filled();
    const reader = await open(registry, { resourceVersion: 5 });
    for (let size = 2; size < 6; size++) await resize(registry, 'a', size);
    await reader.until(({ events }) => events.length > 0);
    t.same(reader.said, ['MODIFIED a@6', 'MODIFIED a@7']);
  });
  t.test('sendInitialEvents false: from now on only', async (t) => {
    const { widgets: registry } = await filled();
    const reader = await open(registry, { sendInitialEvents: false });
    await resize(registry, 'a', 2);
    await reader.until(({ events }) => events.length > 0);
    t.same(reader.said, ['MODIFIED a@4']);
  });
  t.end();
});

t.test('WatchList', async (t) => {
  const { widgets: registry } = await filled();
  const options = { sendInitialEvents: true, allowBookmarks: true };
  const reader = await open(registry, options);
  await reader.until(({ events }) => events.length === 3);
  await resize(registry, 'a', 2);
  await reader.until(({ events }) => events.length === 4);
  t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'BOOKMARK@3!', 'MODIFIED a@4']);
  const resumed = await open(registry, { ...options, resourceVersion: 4 });
  await resumed.until(({ events }) => events.length === 3);
  t.same(resumed.said, ['ADDED a@4', 'ADDED b@3', 'BOOKMARK@4!'], 'not older than 4');
  const silent = await open(registry, { sendInitialEvents: true });
  await silent.until(({ events }) => events.length === 2);
  await turn();
  t.same(silent.said, ['ADDED a@4', 'ADDED b@3'], 'no bookmark where none is allowed');
  const small = await open(registry, options, 'demo', 1);
  await small.until(({ events }) => events.length === 3);
  t.same(small.said, ['ADDED a@4', 'ADDED b@3', 'BOOKMARK@4!'], 'read one by one');
  const { widgets: empty } = openFixture();
  const nothing = await open(empty, options);
  await nothing.until(({ events }) => events.length === 1);
  t.same(nothing.said, ['BOOKMARK@1!']);
});

t.test(
  'a store that cannot say how far it has told of events is read itself (etcd before 3.4.31)',
  async (t) => {
    const { widgets: registry, etcd } = await filled();
    await registry.list(demo, 'demo', all);
    etcd.immediate = false;
    etcd.tellsProgress = false;
    const names = ({ items }: { items: readonly { key: string }[] }) => items.map(({ key }) => key);
    etcd.write(`${prefix}demo/b`, undefined);
    etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c')));
    etcd.write('/registry/other/x', '{}');

    const list = await registry.list(demo, 'demo', all);
    t.same([names(list), list.revision], [['demo/a', 'demo/c'], 6]);
    t.equal((await registry.get(demo, 'demo', 'c')).revision, 5);
    await t.rejects(registry.get(demo, 'demo', 'b'), { code: 404 });
    t.equal((await registry.get(demo, 'demo', 'c', { resourceVersion: 6 })).revision, 5, 'not older than 6');
    await t.rejects(registry.get(demo, 'demo', 'c', { resourceVersion: 7 }), { code: 504 }, 'the future');
    t.equal(
      (await registry.get(demo, 'demo', 'b', { resourceVersion: 0 })).revision,
      3,
      'whatever is at hand',
    );
    const page = await registry.list(demo, 'demo', { ...all, limit: 1 });
    t.same([names(page), page.revision, page.remainingItemCount], [['demo/a'], 6, 1]);
    const { continueToken = '' } = page;
    t.same(names(await registry.list(demo, 'demo', { ...all, limit: 1, continueToken })), ['demo/c']);

    const reader = await open(registry, { sendInitialEvents: true, allowBookmarks: true });
    await reader.until(({ events }) => events.length === 3);
    etcd.write(`${prefix}demo/d`, JSON.stringify(widget('d')));
    etcd.flush();
    await reader.until(({ events }) => events.length === 4);
    t.same(
      reader.said,
      ['ADDED a@2', 'ADDED c@5', 'BOOKMARK@6!', 'ADDED d@7'],
      'late events are not sent again',
    );
    const late = setInterval(() => etcd.flush(), 10);
    const { item } = await resize(registry, 'a', 2);
    clearInterval(late);
    const { revision } = await registry.get(demo, 'demo', 'a', { resourceVersion: 0 });
    t.equal(revision, item.revision, 'a write waits for its own event');
  },
);

t.test('#214: bookmarks hold what Go always prints', async (t) => {
  const { widgets: registry } = openFixture({}, leases);
  const reader = await open(registry, { sendInitialEvents: true, allowBookmarks: true });
  await reader.until(({ events }) => events.length === 1);
  t.equal(
    reader.events[0]?.item.json.toString(),
    '{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{}}',
  );
});

t.test('a watch that begins while the state changes sees the state it began with', async (t) => {
  const { widgets: registry } = await filled();
  const reader = await open(registry);
  reader.watcher.onReady = undefined;
  await registry.delete(demo, 'demo', 'a');
  await resize(registry, 'b', 2);
  reader.drain();
  t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'DELETED a@4', 'MODIFIED b@5']);
});

t.test('selectors: objects come and go as they match', async (t) => {
  const { widgets: registry } = await filled();
  const reader = await open(registry, { labels: labelIs('tier', 'x') });
  const label = (name: string, tier: string, size: number) =>
    registry.update(demo, 'demo', name, () =>
      widget(name, { spec: { size }, metadata: { labels: { tier } } }),
    );
  await label('b', 'x', 1);
  await label('a', 'x', 2);
  await label('a', 'y', 3);
  await label('a', 'y', 4);
  await registry.delete(demo, 'demo', 'a');
  await registry.delete(demo, 'demo', 'b');
  await reader.until(({ events }) => events.length === 5);
  t.same(reader.said, ['ADDED a@2', 'ADDED b@4', 'MODIFIED a@5', 'DELETED a@6', 'DELETED b@9']);
  const { object } = reader.events[3]?.item ?? {};
  t.same(object?.['spec'], { size: 2 }, 'the previous object');
  t.same(object?.metadata.labels, { tier: 'x' });
  t.equal(object?.metadata.resourceVersion, '6', 'the new resourceVersion');
});

t.test('a change is one event for all watchers', async (t) => {
  const { widgets: registry } = await filled();
  const readers = await Promise.all([
    open(registry),
    open(registry, { labels: labelIs('tier', 'x') }),
    open(registry, {}, ''),
  ]);
  await registry.update(demo, 'demo', 'a', (current) => ({ ...(current as KubeObject), spec: { size: 4 } }));
  await registry.delete(demo, 'demo', 'a');
  for (const reader of readers) await reader.until(({ said }) => said.includes('DELETED a@5'));
  const find = (text: string) => readers.map(({ events }) => events.find((event) => say(event) === text));
  for (const text of ['MODIFIED a@4', 'DELETED a@5', 'ADDED a@2']) {
    const [first, ...others] = find(text);
    t.ok(first);
    for (const other of others) t.equal(other, first, text);
  }
});

t.test('watchers of other names and namespaces are left alone', async (t) => {
  const { widgets: registry } = await filled();
  const named = await open(registry, { fields: nameIsExactly('a') });
  const elsewhere = await open(registry, {}, 'other');
  await turn();
  let woken = 0;
  const count = (reader: Reader) => {
    reader.watcher.onReady = () => {
      woken += 1;
      reader.drain();
    };
  };
  count(named);
  count(elsewhere);
  for (let size = 2; size < 8; size++) await resize(registry, 'b', size);
  await turn();
  t.equal(woken, 0);
  await resize(registry, 'a', 2);
  await registry.create(contextOf({ namespace: 'other' }), widget('o'));
  await turn();
  t.equal(woken, 2);
  t.same(named.said, ['ADDED a@2', 'MODIFIED a@10']);
  t.same(elsewhere.said, ['ADDED o@11']);
});

t.test('one wake-up for many changes, and none while unread ones wait', async (t) => {
  const { widgets: registry } = await filled();
  const reader = await open(registry);
  await turn();
  let woken = 0;
  reader.watcher.onReady = () => {
    woken += 1;
  };
  for (let size = 2; size < 8; size++) await resize(registry, 'b', size);
  await turn();
  t.equal(woken, 1);
  await resize(registry, 'b', 9);
  await turn();
  t.equal(woken, 1);
  reader.drain();
  await resize(registry, 'b', 10);
  await turn();
  t.equal(woken, 2);
});

t.test('a transaction with several changes is read whole', async (t) => {
  const { widgets: registry, etcd } = await filled();
  const reader = await open(registry);
  await turn();
  reader.watcher.onReady = undefined;
  const put = (name: string) =>
    ({
      type: 'put',
      key: Buffer.from(`${prefix}demo/${name}`),
      value: Buffer.from(JSON.stringify(widget(name))),
    }) as const;
  etcd.txnNow({ compare: [], success: [put('m'), put('n'), put('o')], failure: [] });
  await resize(registry, 'a', 2);
  t.same(reader.watcher.read(2).map(say), ['ADDED m@4', 'ADDED n@4', 'ADDED o@4']);
  t.same(reader.watcher.read(2).map(say), ['MODIFIED a@5']);
  t.equal(reader.watcher.read(2).length, 0);
});

const tiny = { cache: { window: () => new ChangeWindow(4) } };

t.test('a reader that falls out of the window', async (t) => {
  t.test('goes on from the history of the store, and then from memory again', async (t) => {
    const { widgets: registry, etcd } = await filled(tiny);
    const reader = await open(registry);
    await turn();
    const { onReady } = reader.watcher;
    reader.watcher.onReady = undefined;
    for (let size = 2; size < 30; size++) await resize(registry, 'b', size);
    const streams = etcd.streams.size;
    reader.watcher.onReady = onReady;
    reader.drain();
    await reader.until(({ said }) => said.at(-1) === 'MODIFIED b@31');
    await turn();
    t.equal(etcd.streams.size, streams, 'the private watch is closed');
    await resize(registry, 'b', 99);
    await reader.until(({ said }) => said.at(-1) === 'MODIFIED b@32');
    t.same(
      reader.said.slice(2),
      Array.from({ length: 29 }, (_, i) => `MODIFIED b@${i + 4}`),
    );
  });
  t.test('costs nothing while it does not read', async (t) => {
    const { widgets: registry, etcd } = await filled(tiny);
    const reader = await open(registry);
    await turn();
    reader.watcher.onReady = undefined;
    const streams = etcd.streams.size;
    for (let size = 2; size < 30; size++) await resize(registry, 'b', size);
    t.equal(etcd.streams.size, streams);
  });
  t.test('is held to a bounded number of changes', async (t) => {
    const { widgets: registry, etcd } = await filled(tiny);
    const reader = await open(registry, { labels: labelIs('tier', 'x') });
    await turn();
    const { onReady } = reader.watcher;
    reader.watcher.onReady = undefined;
    for (let size = 2; size < 1000; size++) {
      await registry.update(demo, 'demo', 'a', () =>
        widget('a', { spec: { size }, metadata: { labels: { tier: 'x' } } }),
      );
    }
    etcd.immediate = false;
    t.equal(reader.watcher.read(10).length, 0, 'asks the store');
    await turn();
    reader.events.push(...reader.watcher.read(10));
    const [stream] = [...etcd.streams].slice(-1);
    t.ok(stream?.isHeld, 'the store keeps the rest');
    t.equal(
      stream?.sentRevision,
      3 + 10 + 256 + 1,
      'what was read, 256 changes, and the one that was refused',
    );
    reader.watcher.onReady = onReady;
    etcd.immediate = true;
    reader.drain();
    await reader.until(({ said }) => said.at(-1) === 'MODIFIED a@1001');
    t.equal(reader.events.length, 1 + 998);
    t.equal(etcd.streams.size, 1);
  });
  t.test('gets 410 once when history is gone', async (t) => {
    const { widgets: registry, etcd } = await filled(tiny);
    const reader = await open(registry);
    await turn();
    reader.watcher.onReady = undefined;
    for (let size = 2; size < 12; size++) await resize(registry, 'b', size);
    etcd.compactNow(8);
    try {
      reader.watcher.read(10);
      t.fail('nothing was thrown');
    } catch (error) {
      t.match((error as StatusError).toStatus(), {
        code: 410,
        reason: 'Expired',
        message: 'too old resource version: 3 (8)',
      });
    }
    t.equal(reader.watcher.read(10).length, 0);
  });
  for (const [what, namespace] of [
    ['with changes behind it', 'demo'],
    ['with nothing behind it', 'other'],
  ] as const) {
    t.test(`a deletion that the store forgets before its stream gets there is no gap, ${what}`, async (t) => {
      const { widgets: registry, etcd } = await filled(tiny);
      const reader = await open(registry);
      await turn();
      const { onReady } = reader.watcher;
      reader.watcher.onReady = undefined;
      await registry.delete(demo, 'demo', 'a');
      for (let size = 2; size < 7; size++)
        etcd.write(`${prefix}${namespace}/c`, JSON.stringify(widget('c', { spec: { size } })));
      etcd.immediate = false;
      t.equal(reader.watcher.read(10).length, 0, 'asks the store');
      for (let i = 0; i < 10; i++) await Promise.resolve();
      // Nothing has come yet. From here on the store tells, behind 3, of what happened behind 4.
      etcd.compactNow(4);
      etcd.immediate = true;
      reader.watcher.onReady = onReady;
      await reader.until(({ failure }) => failure !== undefined);
      t.equal((reader.failure as StatusError).message, 'too old resource version: 3 (4)');
      t.same(reader.said, ['ADDED a@2', 'ADDED b@3'], 'nothing from behind the gap');
    });
  }
  t.test('and neither is one that it forgets while the reader does not go on', async (t) => {
    const { widgets: registry, etcd } = await filled(tiny);
    const reader = await open(registry);
    await turn();
    const { onReady } = reader.watcher;
    reader.watcher.onReady = undefined;
    const held = 3 + 256 + 1;
    for (let revision = 4; revision <= held; revision++) await resize(registry, 'b', revision);
    await registry.delete(demo, 'demo', 'a');
    for (let size = 2; size < 7; size++) await resize(registry, 'b', size);
    reader.watcher.read(10);
    await turn();
    const [stream] = [...etcd.streams].slice(-1);
    t.equal(stream?.sentRevision, held, 'up to the deletion');
    etcd.compactNow(held + 1);
    reader.watcher.onReady = onReady;
    reader.drain();
    await reader.until(({ failure }) => failure !== undefined);
    t.equal(reader.said.at(-1), `MODIFIED b@${held - 1}`, 'all that came before is told');
    t.equal(
      (reader.failure as StatusError).message,
      `too old resource version: ${held - 1} (${held})`,
      'what came later is not',
    );
  });
  t.test('selectors work on history alike', async (t) => {
    const { widgets: registry } = await filled(tiny);
    const label = (tier: string, size: number) =>
      registry.update(demo, 'demo', 'b', () =>
        widget('b', { spec: { size }, metadata: { labels: { tier } } }),
      );
    await label('x', 2);
    await label('x', 3);
    await label('y', 4);
    await label('y', 5);
    await registry.delete(demo, 'demo', 'b');
    await registry.list(demo, 'demo', all);
    const reader = await open(registry, { resourceVersion: 1, labels: labelIs('tier', 'x') });
    await reader.until(({ said }) => said.at(-1)?.startsWith('DELETED') === true);
    t.same(reader.said, ['ADDED a@2', 'ADDED b@4', 'MODIFIED b@5', 'DELETED b@6']);
    t.same(reader.events[3]?.item.object['spec'], { size: 3 });
  });
  t.end();
});

t.test('a watch from before the compaction gets 410', async (t) => {
  const { widgets: registry, etcd } = await filled(tiny);
  for (let size = 2; size < 12; size++) await resize(registry, 'b', size);
  etcd.compactNow(8);
  await registry.list(demo, 'demo', all);
  const reader = await open(registry, { resourceVersion: 4 });
  await reader.until(({ failure }) => failure !== undefined);
  t.equal((reader.failure as StatusError).message, 'too old resource version: 4 (8)');
  const just = await open(registry, { resourceVersion: 8 });
  await just.until(({ events }) => events.length === 5);
  t.equal(just.said[0], 'MODIFIED b@9');
});

t.test('bookmarks', async (t) => {
  t.test('come about once a minute, at the newest revision, to those who allow them', async (t) => {
    let now = startOfTime;
    const { widgets: registry, registries, etcd } = await filled({ now: () => now });
    const reader = await open(registry, { allowBookmarks: true });
    const silent = await open(registry);
    await turn();
    etcd.write('/registry/other/x', '{}');
    now += 30_000;
    registries.tick(now);
    await turn();
    t.same(reader.said, ['ADDED a@2', 'ADDED b@3']);
    now += 30_000;
    registries.tick(now);
    await turn();
    registries.tick(now + 1000);
    await turn();
    t.same(reader.said, ['ADDED a@2', 'ADDED b@3', 'BOOKMARK@4']);
    registries.tick(now + 60_000);
    await turn();
    t.equal(reader.said.length, 4);
    t.same(silent.said, ['ADDED a@2', 'ADDED b@3']);
    await resize(registry, 'a', 2);
    await reader.until(({ events }) => events.length === 5);
  });
  t.test('never overtake what has not been read', async (t) => {
    let now = startOfTime;
    const { widgets: registry, registries } = await filled({ now: () => now });
    const reader = await open(registry, { allowBookmarks: true });
    await turn();
    reader.watcher.onReady = undefined;
    for (let size = 2; size < 6; size++) await resize(registry, 'a', size);
    now += 60_000;
    registries.tick(now);
    t.same(reader.watcher.read(2).map(say), ['MODIFIED a@4', 'MODIFIED a@5']);
    t.same(reader.watcher.read(2).map(say), ['MODIFIED a@6', 'MODIFIED a@7']);
    t.same(reader.watcher.read(2).map(say), ['BOOKMARK@7']);
    t.equal(reader.watcher.read(2).length, 0);
  });
  t.test('come once more shortly before the watch ends', async (t) => {
    let now = startOfTime;
    const { widgets: registry, registries } = await filled({ now: () => now });
    const reader = await open(registry, { allowBookmarks: true, timeoutSeconds: 10 });
    await turn();
    now += 7000;
    registries.tick(now);
    await turn();
    t.equal(reader.said.length, 2);
    now += 1000;
    registries.tick(now);
    await turn();
    t.equal(reader.said.at(-1), 'BOOKMARK@3');
  });
  t.end();
});

t.test('when the cache loses its own watch', async (t) => {
  t.test('to a cut connection, nobody notices', async (t) => {
    const { widgets: registry, etcd } = await filled();
    const reader = await open(registry);
    await turn();
    etcd.cut();
    for (let size = 2; size < 5; size++)
      etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c', { spec: { size } })));
    await reader.until(({ events }) => events.length === 5);
    t.same(reader.said.slice(2), ['ADDED c@4', 'MODIFIED c@5', 'MODIFIED c@6']);
  });
  t.test('to a compaction, it loads again; watchers that can go on do, others get 410', async (t) => {
    const { widgets: registry, etcd } = await filled();
    const behind = await open(registry);
    await turn();
    const { onReady } = behind.watcher;
    behind.watcher.onReady = undefined;
    await resize(registry, 'a', 2);
    const upToDate = await open(registry, { resourceVersion: 4 });
    await turn();
    etcd.cut();
    etcd.write(`${prefix}other/z`, JSON.stringify(widget('z')));
    etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c')));
    etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c', { spec: { size: 2 } })));
    etcd.compactNow(6);
    const list = await registry.list(demo, 'demo', all);
    t.same(
      list.items.map(({ key, revision }) => `${key}@${revision}`),
      ['demo/a@4', 'demo/b@3', 'demo/c@7'],
    );
    await upToDate.until(({ failure }) => failure !== undefined);
    t.equal(
      (upToDate.failure as StatusError).message,
      'too old resource version: 4 (6)',
      'revision 5 is gone',
    );
    behind.watcher.onReady = onReady;
    behind.drain();
    await behind.until(({ failure }) => failure !== undefined);
    t.equal((behind.failure as StatusError).message, 'too old resource version: 3 (6)');
    const fresh = await open(registry, { resourceVersion: 6 });
    await fresh.until(({ events }) => events.length === 1);
    t.same(fresh.said, ['MODIFIED c@7']);
  });
  t.test(
    'and a deletion at the compacted revision is forgotten, as older etcds do, nobody is misled',
    async (t) => {
      const { widgets: registry, etcd } = await filled(tiny);
      const upToDate = await open(registry, { resourceVersion: 3 });
      await turn();
      etcd.cut();
      etcd.write(`${prefix}demo/a`, undefined);
      etcd.compactNow(4);
      t.same(
        (await registry.list(demo, 'demo', all)).items.map(({ name }) => name),
        ['b'],
        'the state was loaded again: a watch from 4 on tells nothing',
      );
      await upToDate.until(({ failure }) => failure !== undefined);
      t.equal((upToDate.failure as StatusError).message, 'too old resource version: 3 (4)');
    },
  );
  t.test('and watchers were at its last revision, they go on without a gap', async (t) => {
    const { widgets: registry, etcd } = await filled();
    const reader = await open(registry);
    await turn();
    etcd.write('/registry/other/x', '{}');
    etcd.write('/registry/other/x', '{}');
    await registry.get(demo, 'demo', 'a');
    etcd.cut();
    etcd.compactNow(5);
    etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c')));
    etcd.write(`${prefix}demo/c`, JSON.stringify(widget('c', { spec: { size: 2 } })));
    await registry.get(demo, 'demo', 'c');
    await reader.until(({ events }) => events.length === 4);
    t.same(reader.said.slice(2), ['ADDED c@6', 'MODIFIED c@7']);
  });
  t.end();
});

t.test('a closed watch is silent, a resource that goes ends its watches', async (t) => {
  const { widgets: registry, registries } = await filled();
  const closed = await open(registry);
  await turn();
  closed.watcher.close();
  closed.watcher.close();
  const other = await open(registry);
  await turn();
  await resize(registry, 'a', 2);
  await turn();
  t.equal(closed.watcher.read(10).length, 0);
  t.equal(other.events.length, 3);
  registries.unregister(registry.definition);
  await other.until(({ failure }) => failure !== undefined);
  t.equal((other.failure as StatusError).code, 404);
});

t.test('a reader that throws does not stop the others', async (t) => {
  const { widgets: registry, errors } = await filled();
  const bad = await registry.watch(demo, 'demo', watchAll);
  bad.onReady = () => {
    throw new Error('mine');
  };
  const good = await open(registry);
  await good.until(({ events }) => events.length === 2);
  t.match(errors, [/mine/]);
});

t.test('selectors that match little do not end a reader early', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  for (let i = 0; i < 3000; i++) etcd.write(`${prefix}demo/w${i}`, JSON.stringify(widget(`w${i}`)));
  const rare = {
    labels: { ...everything, empty: false, matches: ({ metadata }: KubeObject) => metadata.name === 'w999' },
  };
  const reader = await open(registry, rare);
  await reader.until(({ events }) => events.length === 1);
  for (let i = 0; i < 3000; i++)
    etcd.write(`${prefix}demo/w${i}`, JSON.stringify(widget(`w${i}`, { spec: {} })));
  await reader.until(({ events }) => events.length === 2);
  t.match(reader.said, ['ADDED w999@1001', 'MODIFIED w999@4001']);
});
