/** Property: whatever happens between writers, readers and the store, every watcher rebuilds the state exactly. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { Change } from '../../apiserver/registry/change.js';
import { ChangeWindow } from '../../apiserver/registry/change-window.js';
import { FreshRevision } from '../../apiserver/registry/fresh-revision.js';
import { createRegistries } from '../../apiserver/registry/index.js';
import { openStore } from '../../storage/open.js';
import { createPools, DecodedPool } from '../../apiserver/registry/decoded-pool.js';
import { Slab } from '../../apiserver/registry/slab.js';
import { ItemFormat } from '../../apiserver/registry/stored-item.js';
import type { Registry, Selector, Watcher, WatchEvent } from '../../apiserver/registry/types.js';
import { decodeStoredProtobuf } from '../../apiserver/http/serializers/index.js';
import { protobufKind } from '../../apiserver/http/serializers/protobuf-kinds.js';
import { pods } from '../../schemas/core/v1/pod.js';
import type { KubeObject } from '../../schemas/definition.js';
import {
  demo,
  everything,
  labelIs,
  nameIsExactly,
  openFixture,
  widget,
  widgets,
} from './registry-fixture.js';
import type { FakeEtcd } from './registry-fake-etcd.js';

const prefix = '/registry/example.com/widgets/';
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32 */
function generator(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

const pick = <T>(random: (below: number) => number, choices: readonly T[]): T =>
  choices[random(choices.length)] as T;

/** After so long, in milliseconds, a watcher has missed something. */
const SETTLE_MS_MAX = 60_000;

type State = Map<string, number>;

/** Everything that ever changed in the store, by revision. */
interface Log {
  readonly commits: FakeEtcd['commits'];
}

/** key → revision of the objects that a watch with such a scope and selectors knows at a revision, from the store's log. */
function stateAt({ commits }: Log, revision: number, wanted: Wanted): State {
  const state: State = new Map();
  for (const commit of commits) {
    if (commit.revision > revision) break;
    for (const { type, kv } of commit.events) {
      const path = Buffer.from(kv.key).toString();
      if (!path.startsWith(prefix)) continue;
      const key = path.slice(prefix.length);
      const object =
        type === 'put' ? (JSON.parse(Buffer.from(kv.value).toString()) as KubeObject) : undefined;
      const inScope = wanted.namespace === '' || key.startsWith(`${wanted.namespace}/`);
      if (object !== undefined && inScope && wanted.labels.matches(object) && wanted.fields.matches(object)) {
        state.set(key, kv.modRevision);
      } else state.delete(key);
    }
  }
  return state;
}

const textOf = (state: State): string =>
  [...state]
    .map(([key, revision]) => `${key}@${revision}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join(' ');

interface Wanted {
  readonly namespace: string;
  readonly labels: Selector;
  readonly fields: Selector;
}

class Rebuilder {
  readonly state: State;
  revision: number;
  failure: StatusError | undefined;
  problems: string[] = [];
  ready = true;

  constructor(
    readonly watcher: Watcher,
    readonly wanted: Wanted,
    /** undefined: the initial state comes first. */
    start: { readonly state: State; readonly revision: number } | undefined,
  ) {
    this.state = new Map(start?.state);
    this.revision = start?.revision ?? -1;
    watcher.onReady = () => {
      this.ready = true;
    };
  }

  /** Reads once. Returns whether anything came. */
  read(etcd: Log, max: number): boolean {
    let events: readonly WatchEvent[];
    try {
      events = this.watcher.read(max);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.failure = error;
      return false;
    }
    for (const event of events) this.apply(event);
    if (events.length === 0) this.ready = false;
    else if (this.revision >= 0) this.compare(etcd);
    return events.length > 0;
  }

  private apply({ type, item, initialEventsEnd }: WatchEvent): void {
    if (type === 'BOOKMARK') {
      if (initialEventsEnd !== true && item.revision < this.revision)
        this.problems.push('a bookmark went back');
      this.revision = item.revision;
      return;
    }
    const known = this.state.get(item.key);
    if ((type === 'ADDED') !== (known === undefined))
      this.problems.push(`${type} ${item.key}@${item.revision} after ${known}`);
    if (known !== undefined && item.revision <= known)
      this.problems.push(`${item.key} went back to ${item.revision}`);
    if (type === 'DELETED') this.state.delete(item.key);
    else this.state.set(item.key, item.revision);
    if (this.revision < 0) return;
    if (item.revision < this.revision) this.problems.push(`revision ${item.revision} after ${this.revision}`);
    this.revision = item.revision;
  }

  compare(etcd: Log): void {
    const expected = stateAt(etcd, this.revision, this.wanted);
    if (textOf(expected) !== textOf(this.state)) {
      this.problems.push(`at ${this.revision}: ${textOf(this.state)} instead of ${textOf(expected)}`);
    }
  }
}

async function openRebuilder(
  registry: Registry,
  etcd: Log & { readonly revision: number },
  random: (below: number) => number,
): Promise<Rebuilder> {
  const wanted: Wanted = {
    namespace: pick(random, ['', 'demo', 'demo', 'other']),
    labels: pick(random, [everything, everything, labelIs('tier', 'x'), labelIs('tier', 'y')]),
    fields: pick(random, [everything, everything, nameIsExactly('w1')]),
  };
  if (random(2) === 0) {
    const options = { allowBookmarks: true, sendInitialEvents: true, resourceVersion: 0 };
    return new Rebuilder(
      await registry.watch(demo, wanted.namespace, { ...wanted, ...options }),
      wanted,
      undefined,
    );
  }
  const revision = 1 + random(etcd.revision);
  const watcher = await registry.watch(demo, wanted.namespace, {
    ...wanted,
    allowBookmarks: random(2) === 0,
    resourceVersion: revision,
  });
  return new Rebuilder(watcher, wanted, { state: stateAt(etcd, revision, wanted), revision });
}

function writeSomething(etcd: FakeEtcd, random: (below: number) => number): void {
  const path = () => `${prefix}${pick(random, ['demo', 'demo', 'other'])}/w${random(6)}`;
  const value = (key: string) => {
    const tier = pick(random, ['x', 'y', 'z']);
    return JSON.stringify(
      widget(key.slice(key.lastIndexOf('/') + 1), {
        spec: { size: random(1000) },
        metadata: { labels: { tier } },
      }),
    );
  };
  if (random(10) === 0) {
    const keys = new Set([path(), path(), path()]);
    const success = [...keys].map(
      (key) => ({ type: 'put', key: Buffer.from(key), value: Buffer.from(value(key)) }) as const,
    );
    etcd.txnNow({ compare: [], success, failure: [] });
    return;
  }
  const key = random(12) === 0 ? '/registry/other/x' : path();
  etcd.write(key, random(4) === 0 ? undefined : value(key));
}

async function run(runSeed: number): Promise<string[]> {
  const random = generator(runSeed);
  const {
    widgets: registry,
    etcd,
    registries,
    errors,
  } = openFixture({
    cache: { window: () => new ChangeWindow(pick(random, [2, 5, 20, 1000])) },
  });
  let now = Date.now();
  etcd.immediate = random(2) === 0;
  for (let i = 0; i < 20; i++) writeSomething(etcd, random);
  await registry.list(demo, '', { limit: 0, labels: everything, fields: everything, resourceVersion: 0 });
  const readers: Rebuilder[] = [];
  for (let step = 0; step < 150; step++) {
    const what = random(100);
    if (what < 45) writeSomething(etcd, random);
    else if (what < 55 && readers.length < 25) readers.push(await openRebuilder(registry, etcd, random));
    else if (what < 80 && readers.length > 0) pick(random, readers).read(etcd, 1 + random(8));
    else if (what < 90) etcd.flush();
    else if (what < 92) etcd.cut();
    else if (what < 93) etcd.compactNow(Math.max(etcd.compacted, etcd.revision - random(30)));
    else if (what < 96) registries.tick((now += 60_000));
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await settle(readers, etcd, registry);
  const problems = readers.flatMap((reader) => reader.problems);
  for (const reader of readers) {
    if (reader.failure === undefined) {
      if (textOf(reader.state) !== textOf(stateAt(etcd, etcd.revision, reader.wanted))) {
        problems.push('a watcher never heard of the last changes');
      }
    } else {
      const [, at = 0, oldest = 0] = (
        /^too old resource version: (\d+) \((\d+)\)$/.exec(reader.failure.message) ?? []
      ).map(Number);
      if (!(at < oldest && oldest <= etcd.compacted)) problems.push(reader.failure.message);
    }
    reader.watcher.close();
  }
  registries.close();
  return [...problems, ...errors.map(String)];
}

/** Lets everything catch up, which takes a second, since lost watches are opened again after a pause, and more on a busy machine. */
async function settle(readers: readonly Rebuilder[], etcd: FakeEtcd, registry: Registry): Promise<void> {
  etcd.immediate = true;
  etcd.flush();
  await registry.list(demo, '', { limit: 0, labels: everything, fields: everything });
  for (const until = Date.now() + SETTLE_MS_MAX; Date.now() < until; ) {
    for (const reader of readers) while (reader.failure === undefined && reader.read(etcd, 50));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const done = readers.every(
      ({ failure, state, wanted }) =>
        failure !== undefined || textOf(state) === textOf(stateAt(etcd, etcd.revision, wanted)),
    );
    if (done) return;
  }
}

t.test(`every watcher rebuilds the state, seed ${seed}`, async (t) => {
  const runs = Number(process.env['RUNS'] ?? 40);
  const found = await Promise.all(Array.from({ length: runs }, (_, i) => run(seed + i)));
  for (const [i, problems] of found.entries()) t.same(problems.slice(0, 3), [], `seed ${seed + i}`);
});

t.test(`the same over the real store, with writers through the registry, seed ${seed}`, async (t) => {
  const random = generator(seed);
  const store = await openStore({ dataDir: ':memory:' });
  const { client } = store;
  const registries = createRegistries({
    client,
    definitions: [widgets],
    admission: [],
    cache: { window: () => new ChangeWindow(20) },
  });
  t.teardown(async () => {
    registries.close();
    await store.close();
  });
  const registry = registries.table.find('example.com', 'v1', 'widgets');
  if (registry === undefined) throw new Error('not served');
  const log = { commits: [] as FakeEtcd['commits'], revision: 1 };
  const everythingStored = client.watch();
  let hears: () => void = () => undefined;
  const hearing = new Promise<void>((resolve) => (hears = resolve));
  everythingStored.deliver(({ events, watchId }) => {
    if (watchId === -1) hears();
    for (const event of events) {
      log.revision = event.kv.modRevision;
      log.commits.push({ revision: log.revision, events: [event] });
    }
    return true;
  });
  everythingStored.create({
    key: Buffer.from(prefix),
    rangeEnd: Buffer.from(`${prefix.slice(0, -1)}0`),
    startRevision: 1,
  });
  // From here on it is told within each write, and so before anybody that it is compared with.
  everythingStored.requestProgress();
  await hearing;
  const readers: Rebuilder[] = [];
  const writer = async () => {
    for (let i = 0; i < 60; i++) await writeThrough(registry, random);
  };
  const watching = async () => {
    for (let i = 0; i < 400; i++) {
      if (random(5) === 0 && readers.length < 30) readers.push(await openRebuilder(registry, log, random));
      else if (readers.length > 0) pick(random, readers).read(log, 1 + random(8));
      if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all([...Array.from({ length: 8 }, writer), watching()]);
  const behind = () =>
    readers.filter(({ state, wanted }) => textOf(state) !== textOf(stateAt(log, log.revision, wanted)));
  for (const until = Date.now() + 10_000; behind().length > 0 && Date.now() < until; ) {
    for (const reader of readers) while (reader.read(log, 50));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.equal(behind().length, 0, 'everybody hears of everything');
  t.same(
    readers.flatMap(({ problems, failure }) => [
      ...problems,
      ...(failure === undefined ? [] : [failure.message]),
    ]),
    [],
  );
  everythingStored.close();
});

/** A write as clients make it; that another writer is faster is no failure. */
async function writeThrough(registry: Registry, random: (below: number) => number): Promise<void> {
  const name = `w${random(6)}`;
  const namespace = pick(random, ['demo', 'demo', 'other']);
  const context = { ...demo, info: { ...demo.info, namespace } };
  const made = () =>
    widget(name, {
      spec: { size: random(1000) },
      metadata: { labels: { tier: pick(random, ['x', 'y', 'z']) } },
    });
  const writing =
    random(4) === 0
      ? registry.delete(context, namespace, name)
      : registry.update(context, namespace, name, made, { allowCreate: true });
  await writing.catch((error: unknown) => {
    if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error;
  });
}

t.test('the window holds N changes and not N + 1, and so many bytes', (t) => {
  const format = new ItemFormat(widgets, createPools(), new Slab());
  const change = (revision: number) => {
    const item = format.fromValue('demo/w', format.toValue(widget('w')), revision);
    return new Change(revision, 'demo/w', 'demo', item, undefined);
  };
  const window = new ChangeWindow(100);
  for (let revision = 1; revision <= 100; revision++) window.push(change(revision));
  t.same([window.first, window.end, window.floor], [0, 100, 0]);
  window.push(change(101));
  t.same([window.first, window.end, window.floor], [1, 101, 1]);
  t.equal(window.at(window.firstAfter(50))?.revision, 51);
  t.equal(window.firstAfter(101), 101);
  const bytes = change(1).bytes;
  const small = new ChangeWindow(100, bytes * 3);
  for (let revision = 1; revision <= 3; revision++) small.push(change(revision));
  t.equal(small.first, 0);
  small.push(change(4));
  t.equal(small.floor, 1);
  small.reset(9);
  t.same([small.first, small.end, small.floor], [4, 4, 9]);
  t.end();
});

t.test('decoded objects are forgotten when there are too many', (t) => {
  const pools = { ...createPools(), decoded: new DecodedPool(1000) };
  const format = new ItemFormat(widgets, pools, new Slab());
  const item = format.fromValue('demo/w', format.toValue(widget('w')), 5);
  const first = item.object;
  t.equal(item.object, first, 'kept');
  for (let i = 0; i < 50; i++) t.ok(format.fromValue('demo/x', format.toValue(widget('x')), 6).object);
  t.not(item.object, first, 'forgotten and decoded again');
  t.same(item.object, first);
  t.end();
});

t.test('a pod that a real cluster has stored looks as Go prints it', (t) => {
  const format = new ItemFormat(pods, createPools(), new Slab(), decodeStoredProtobuf);
  const spec = { containers: [{ name: 'c', image: 'i', resources: {} }], hostNetwork: true };
  const metadata = { name: 'p', namespace: 'demo', uid: 'u', creationTimestamp: '2026-01-02T03:04:05Z' };
  const pod = { kind: 'Pod', apiVersion: 'v1', metadata, spec, status: { phase: 'Pending' } };
  const { json } = format.fromValue('demo/p', protobufKind(pods)?.encode(pod) ?? Buffer.alloc(0), 7);
  t.equal(
    json.toString(),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"demo","uid":"u","resourceVersion":"7","creationTimestamp":"2026-01-02T03:04:05Z"},' +
      '"spec":{"containers":[{"name":"c","image":"i","resources":{}}],"hostNetwork":true},"status":{"phase":"Pending"}}',
  );
  t.end();
});

t.test('behind every object in memory is the newline that answers end with', (t) => {
  const format = new ItemFormat(widgets, createPools(), new Slab());
  const value = format.toValue(widget('w'));
  const kept = [1, 2, 3].map((revision) => format.fromValue('demo/w', value, revision, true));
  const foreign = Buffer.from(`${JSON.stringify(widget('f'))}\n`);
  const bookmark = format.unnamed({ metadata: {} }, 9);
  for (const item of [
    ...kept,
    format.fromValue('demo/w', value, 4),
    format.fromValue('demo/f', foreign, 5),
    format.fromObject('demo/w', widget('w')),
    kept[0]!.at(1000),
    bookmark,
  ]) {
    t.equal(item.line.toString(), `${item.json.toString()}\n`);
    t.equal(JSON.stringify(JSON.parse(item.json.toString())), item.json.toString());
  }
  t.end();
});

t.test('objects in another encoding are made once, and forgotten when there are too many', (t) => {
  const pools = { ...createPools(), encoded: new DecodedPool(1000) };
  const format = new ItemFormat(widgets, pools, new Slab());
  const made = (name: string) => format.fromValue(`demo/${name}`, format.toValue(widget(name)), 5);
  let encoded = 0;
  const encoder = { encode: ({ metadata }: KubeObject) => Buffer.from(`${metadata.name} ${++encoded}`) };
  const [item, passing] = [made('w'), made('p')];
  t.equal(item.encodedBy(encoder, true).toString(), 'w 1');
  t.equal(item.encodedBy(encoder, true).toString(), 'w 1', 'kept');
  t.equal(item.encodedBy(encoder, false).toString(), 'w 1', 'for all who ask');
  t.equal(passing.encodedBy(encoder, false).toString(), 'p 2');
  t.equal(passing.encodedBy(encoder, false).toString(), 'p 3', 'not kept for who will not ask again');
  for (let i = 0; i < 50; i++) made('x').encodedBy(encoder, true);
  t.equal(item.encodedBy(encoder, true).toString(), 'w 54', 'forgotten and made again');
  t.end();
});

t.test('slabs give separate memory', (t) => {
  const slab = new Slab();
  const taken = [10, 5000, 10, 16_000, 4096, 4096, 4096, 4096].map((bytes, i) => slab.take(bytes).fill(i));
  for (const [i, buffer] of taken.entries()) t.ok(buffer.every((byte) => byte === i));
  t.end();
});

t.test('who asks in the middle of a round shares the next', async (t) => {
  const open: ((answer: number) => void)[] = [];
  const currentRevision = () => new Promise<number>((resolve) => open.push(resolve));
  const rounds = new FreshRevision({ currentRevision });
  const first = rounds.get();
  const second = rounds.get();
  const third = rounds.get();
  t.equal(open.length, 1);
  open[0]?.(1);
  t.equal(await first, 1);
  while (open.length < 2) await new Promise((resolve) => setImmediate(resolve));
  open[1]?.(2);
  t.same(await Promise.all([second, third]), [2, 2]);
});
