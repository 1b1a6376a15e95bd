/** The watch hub: no gap and no duplicate, whatever readers, restarts and compactions do; bounded memory. */
import * as fc from 'fast-check';
import Database from 'better-sqlite3';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { WatchResponse, WatchStream } from '../../storage/client/interface.js';
import { systemClock } from '../../storage/clock.js';
import { openStore, type Store } from '../../storage/open.js';
import { keyRange } from '../../storage/bytes.js';
import { WatcherGroups, type Group } from '../../storage/watch/groups.js';
import { WatchHub } from '../../storage/watch/hub.js';
import type { HistoryReader } from '../../storage/watch/history.js';
import { ResponseQueue } from '../../storage/watch/queue.js';
import { RecentHistory } from '../../storage/watch/recent.js';
import type { Watcher } from '../../storage/watch/watcher.js';
import { random, type Random } from '../raft/random.js';
import { fakeStore, memoryMachine, settle } from './fake-store.js';
import { briefEvent, bytes, del, prefix, put, temporaryFolder, text, txn, WatchReader } from './tools.js';
import { encodeCommand } from '../../storage/command.js';

/** Collects what is delivered; refuses while `isOpen` is false. */
class Receiver {
  readonly responses: WatchResponse[] = [];
  isOpen = true;
  refused = 0;
  constructor(readonly stream: WatchStream) {
    stream.deliver((response) => {
      if (!this.isOpen) {
        this.refused += 1;
        return false;
      }
      this.responses.push(response);
      return true;
    });
  }

  get events(): string[] {
    return this.responses.flatMap(({ events }) => events.map(briefEvent));
  }

  open(): void {
    this.isOpen = true;
    this.stream.resume();
  }
}

t.test('a synced watch is told within the apply, before the writer', async (t) => {
  const { client } = fakeStore();
  const receiver = new Receiver(client.watch());
  receiver.stream.create(prefix('a'));
  let told = -1;
  await client.put({ key: bytes('a'), value: bytes('1') }).then(() => (told = receiver.events.length));
  t.equal(told, 1);
  t.match(receiver.responses[0], { created: true }, 'created is delivered by the call itself');
});

t.test('progress of synced watches is answered by the call itself', async (t) => {
  const { client } = fakeStore();
  await client.put({ key: bytes('a'), value: bytes('1') });
  const receiver = new Receiver(client.watch());
  receiver.stream.requestProgress();
  t.same(receiver.responses, [], 'a stream without watches has nothing to say');
  receiver.stream.create({ key: bytes('b') });
  t.same(
    receiver.responses.map(({ watchId, header }) => [watchId, header.revision]),
    [
      [0, 2],
      [-1, 2],
    ],
    'until it has one',
  );
  receiver.stream.create({ key: bytes('b'), startRevision: 3 });
  receiver.stream.requestProgress();
  t.equal(receiver.responses.at(-1)?.watchId, -1, 'a start right after the newest revision misses nothing');
  receiver.stream.create({ key: bytes('b'), startRevision: 5 });
  receiver.stream.requestProgress();
  const waiting = receiver.responses.length;
  for (const value of ['2', '3']) await client.put({ key: bytes('a'), value: bytes(value) });
  t.equal(receiver.responses.length, waiting + 1, 'a start in the future waits for the revision before it');
  t.match(receiver.responses.at(-1), { watchId: -1, header: { revision: 4 } });
});

t.test('progress asked for within a delivery comes after the events of that revision', async (t) => {
  const { client } = fakeStore();
  const other = new Receiver(client.watch());
  const asking = client.watch();
  asking.deliver(({ events }) => {
    if (events.length > 0) other.stream.requestProgress();
    return true;
  });
  asking.create(prefix('a'));
  other.stream.create(prefix('a'));
  other.stream.create({ key: bytes('a') });
  await client.put({ key: bytes('a'), value: bytes('1') });
  const ids = other.responses.slice(2).map(({ watchId }) => watchId);
  t.same(
    ids.slice(0, 2).toSorted((a, b) => a - b),
    [0, 1],
  );
  t.same(ids.slice(2), [-1]);
});

t.test(
  'progress asked for within the delivery of created comes after the history of that watch',
  async (t) => {
    const { client } = fakeStore();
    for (const value of ['1', '2', '3']) await client.put({ key: bytes('a'), value: bytes(value) });
    const stream = client.watch();
    const told: string[] = [];
    stream.deliver(({ created, watchId, events }) => {
      if (created === true) stream.requestProgress();
      told.push(...(watchId === -1 ? ['progress'] : events.map(briefEvent)));
      return true;
    });
    stream.create({ key: bytes('a'), startRevision: 2 });
    stream.create({ key: bytes('a'), startRevision: 4 });
    await settle();

    t.same(told, ['put a=1 m2', 'put a=2 m3', 'put a=3 m4', 'put a=3 m4', 'progress']);
  },
);

t.test('a database that cannot be read ends the watch that needs it, not the process', async (t) => {
  const { client, history } = fakeStore();
  for (let count = 0; count < 3; count++) await client.put({ key: bytes('a'), value: bytes(`${count}`) });
  const hub = new WatchHub({
    state: {
      store: { revision: 4, compacted: -1 },
      history: {
        read: () => {
          throw new Database.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT');
        },
        previous: (change) => history.previous(change),
      },
    },
    header: () => ({ clusterId: 1n, memberId: 1n, revision: 4, raftTerm: 1 }),
    clock: systemClock,
  });
  const stream = hub.open();
  stream.create({ key: bytes('a'), startRevision: 2 });
  t.match(await stream.closed, { message: 'etcdserver: corrupt cluster' });
});

t.test('a stream that says "not now" keeps one response and reads history when it goes on', async (t) => {
  const { client } = fakeStore();
  const receiver = new Receiver(client.watch());
  receiver.stream.create({ ...prefix('a'), prevKv: true });
  receiver.isOpen = false;
  const expected: string[] = [];
  for (let number = 2; number < 40; number++) {
    await client.put({ key: bytes('a'), value: bytes(`${number}`) });
    expected.push(`put a=${number} m${number}${number === 2 ? '' : ` was ${number - 1} m${number - 1}`}`);
  }
  t.equal(receiver.refused, 1, 'it is not asked again until it resumes');
  receiver.stream.requestProgress();
  receiver.open();
  await settle();
  t.same(receiver.events, expected);
  t.equal(receiver.responses.at(-1)?.watchId, -1, 'progress when it has caught up');
  await client.put({ key: bytes('a'), value: bytes('x') });
  t.equal(receiver.events.length, expected.length + 1, 'and is synced again');
});

t.test('a stream that does not read delays no other', async (t) => {
  const { client } = fakeStore();
  const slow = new Receiver(client.watch());
  slow.stream.create(prefix('a'));
  slow.isOpen = false;
  const fast = new Receiver(client.watch());
  fast.stream.create(prefix('a'));
  await client.put({ key: bytes('a'), value: bytes('1') });
  await client.put({ key: bytes('a'), value: bytes('2') });
  t.equal(fast.events.length, 2);
});

t.test('an iterated stream that is not read holds a bounded number of bytes', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  const reader = new WatchReader(store.client.watch());
  reader.stream.create(prefix('big'));
  await reader.next();
  const value = new Uint8Array(256 * 1024);
  for (let count = 0; count < 64; count++) await store.client.put({ key: bytes('big'), value });
  // 16 MiB were written; what the stream holds is at most 1 MiB and one response.
  let events = 0;
  let last = 1;
  while (events < 64) {
    for (const { kv } of (await reader.next()).events) {
      t.equal(kv.modRevision, last + 1);
      last = kv.modRevision;
      events += 1;
    }
  }
  await store.close();
});

t.test('a queue takes 1 MiB of events or 1,024 responses, and asks for more when half empty', async (t) => {
  let resumed = 0;
  const queue = new ResponseQueue({ resume: () => (resumed += 1), close: () => undefined });
  const header = { clusterId: 1n, memberId: 1n, revision: 2, raftTerm: 1 };
  const kv = {
    key: bytes('a'),
    value: new Uint8Array(2 ** 17 - 65),
    createRevision: 2,
    modRevision: 2,
    version: 1,
    lease: 0n,
  };
  const large: WatchResponse = { header, watchId: 0, events: [{ type: 'put', kv }] };
  const small: WatchResponse = { header, watchId: 0, events: [] };
  let taken = 0;
  while (queue.receive(large)) taken += 1;
  t.equal(taken, 8);
  for (let count = 0; count < 3; count++) await queue.next();
  t.equal(resumed, 0);
  await queue.next();
  t.equal(resumed, 1);
  queue.take();
  taken = 0;
  while (queue.receive(small)) taken += 1;
  t.equal(taken, 1024);
});

t.test('a receiver that throws ends its stream, not the apply', async (t) => {
  const { client } = fakeStore();
  const broken = client.watch();
  broken.deliver(({ created }) => {
    if (created !== true) throw new Error('broken');
    return true;
  });
  broken.create(prefix('a'));
  const receiver = new Receiver(client.watch());
  receiver.stream.create(prefix('a'));
  await client.put({ key: bytes('a'), value: bytes('1') });
  t.match(await broken.closed, { message: 'broken' });
  t.equal(receiver.events.length, 1);
});

t.test('a receiver may call back into its stream', async (t) => {
  const { client } = fakeStore();
  const stream = client.watch();
  const ids: [number, string][] = [];
  stream.deliver((response) => {
    const what = response.created ? 'created' : response.canceled ? 'canceled' : 'events';
    ids.push([response.watchId, what]);
    if (what === 'events') {
      stream.create(prefix('a'));
      stream.cancel(response.watchId);
    }
    return true;
  });
  stream.create(prefix('a'));
  await client.put({ key: bytes('a'), value: bytes('1') });
  await client.put({ key: bytes('a'), value: bytes('2') });
  t.same(ids.slice(0, 5), [
    [0, 'created'],
    [0, 'events'],
    [1, 'created'],
    [0, 'canceled'],
    [1, 'events'],
  ]);
});

t.test('fragments', async (t) => {
  const { client } = fakeStore({ watchFragmentBytesMax: 1000 });
  const split = new Receiver(client.watch());
  split.stream.create({ ...prefix('a'), fragment: true });
  const whole = new Receiver(client.watch());
  whole.stream.create(prefix('a'));
  await client.txn(txn(Array.from({ length: 10 }, (_, n) => put(`a${n}`, 'x'.repeat(300)))));
  await client.put({ key: bytes('a'), value: bytes('small') });

  const shape = (receiver: Receiver) =>
    receiver.responses.slice(1).map(({ events, fragment }) => [events.length, fragment ?? false]);
  t.same(shape(whole), [
    [10, false],
    [1, false],
  ]);
  t.same(shape(split), [
    [2, true],
    [2, true],
    [2, true],
    [2, true],
    [2, false],
    [1, false],
  ]);
  t.same(split.events, whole.events);
});

t.test('periodic progress: for watches that asked and were told nothing', async (t) => {
  const { client, clock } = fakeStore();
  const receiver = new Receiver(client.watch());
  receiver.stream.create({ ...prefix('a'), progressNotify: true });
  receiver.stream.create(prefix('a'));
  const minutes = (count: number) => clock.advance(count * 60_000);
  minutes(9);
  t.equal(receiver.responses.length, 2);
  minutes(1);
  t.match(receiver.responses[2], { watchId: 0, events: [] });
  await client.put({ key: bytes('a'), value: bytes('1') });
  minutes(10);
  t.equal(receiver.responses.length, 5, 'events stand for progress');
  minutes(10);
  t.match(receiver.responses[5], { watchId: 0, events: [], header: { revision: 2 } });
  receiver.isOpen = false;
  minutes(30);
  t.equal(receiver.refused, 1, 'a stream that refuses gets no more');
  receiver.stream.cancel(0);
});

t.test('a watch that falls below the compacted revision is cancelled with it', async (t) => {
  const { client } = fakeStore();
  const receiver = new Receiver(client.watch());
  receiver.stream.create(prefix('a'));
  receiver.isOpen = false;
  for (let number = 2; number < 10; number++)
    await client.put({ key: bytes('a'), value: bytes(`${number}`) });
  await client.compact({ revision: 9 });
  receiver.open();
  await settle();
  t.match(receiver.responses.at(-1), { watchId: 0, canceled: true, compactRevision: 9, events: [] });
  t.same(receiver.events, ['put a=2 m2'], 'after the response that it had refused');
});

t.test('the bytes of an event are shared by all its watchers', async (t) => {
  const { client } = fakeStore();
  const receivers = Array.from({ length: 3 }, () => new Receiver(client.watch()));
  for (const receiver of receivers) receiver.stream.create({ ...prefix('a'), prevKv: true });
  receivers[2]?.stream.create({ key: bytes('a') });
  await client.put({ key: bytes('a'), value: bytes('1') });
  await client.put({ key: bytes('a'), value: bytes('2') });
  const events = receivers.flatMap(({ responses }) => responses.flatMap(({ events }) => events));
  const second = events.filter(({ kv }) => kv.modRevision === 3);
  t.equal(new Set(second.map(({ kv }) => kv)).size, 1);
  t.equal(new Set(second.map(({ prevKv }) => prevKv)).size, 2, 'one, and none for the watch without');
});

t.test('gapless and without duplicates under slow readers, compactions and restarts', async (t) => {
  const rng = random();
  t.comment(`seed ${rng.seed}`);
  const dataDir = path.join(temporaryFolder(t), 'data');
  let store = await openStore({ dataDir });
  const written: string[] = [];
  let watchers = Array.from({ length: 8 }, () => new Resuming(rng, store));
  for (let round = 0; round < 6; round++) {
    for (let step = 0; step < 60; step++) {
      await writeRandomly(store, rng, written);
      if (rng.between(0, 3) === 0) for (const watcher of watchers) watcher.act();
      if (rng.between(0, 9) === 0) await nextTurn();
      if (rng.between(0, 59) === 0) await compactSomewhere(store, rng);
    }
    await store.close();
    store = await openStore({ dataDir });
    watchers = watchers.map((watcher) => watcher.reopen(store));
  }
  const end = await store.client.currentRevision();
  for (const watcher of watchers) {
    while (watcher.next <= end) {
      watcher.open();
      await nextTurn();
    }
    const missing = written.filter((event) => revisionOf(event) >= watcher.from && !watcher.skipped(event));
    t.same(watcher.events, missing);
  }
  await store.close();
});

const revisionOf = (event: string) => Number(/ m(\d+)$/.exec(event)?.[1]);

async function writeRandomly({ client }: Store, { between }: Random, written: string[]): Promise<void> {
  const key = `k${between(0, 9)}`;
  if (between(0, 3) > 0) {
    const { header } = await client.put({ key: bytes(key), value: bytes('v') });
    written.push(`put ${key}=v m${header.revision}`);
    return;
  }
  const { header, responses } = await client.txn(
    txn([put('p', 'v'), del('k0', 'k3'), put('q', 'v'), del(key)]),
  );
  written.push(`put p=v m${header.revision}`);
  const keys = responses.flatMap((response) => (response.type === 'delete' ? [response.deleted] : []));
  // Which keys were deleted, the history tells: read it from a watch of its own.
  const events = await eventsOf(client, header.revision);
  if (events.length !== 2 + keys.reduce((a, b) => a + b, 0)) throw new Error('history lacks deletions');
  written.push(...events.slice(1));
}

async function eventsOf(client: Store['client'], revision: number): Promise<string[]> {
  const reader = new WatchReader(client.watch());
  reader.stream.create({ key: bytes('\0'), rangeEnd: bytes('\0'), startRevision: revision });
  await reader.next();
  const { events } = await reader.next();
  reader.stream.close();
  return events.map(briefEvent);
}

async function compactSomewhere({ client }: Store, { between }: Random): Promise<void> {
  const revision = await client.currentRevision();
  await client.compact({ revision: between(Math.max(1, revision - 60), revision) }).catch(() => undefined);
}

/** A client that reads when it likes and resumes where it was; a compaction makes it skip. */
class Resuming {
  readonly events: string[] = [];
  readonly #skipped: [number, number][] = [];
  readonly from: number;
  next: number;
  #isOpen = true;
  #stream!: WatchStream;

  constructor(
    private readonly rng: Random,
    store: Store,
  ) {
    this.from = store.status().header.revision + 1;
    this.next = this.from;
    this.#watch(store);
  }

  reopen(store: Store): this {
    this.#isOpen = true;
    this.#watch(store);
    return this;
  }

  skipped(event: string): boolean {
    const revision = revisionOf(event);
    return this.#skipped.some(([from, to]) => revision >= from && revision < to);
  }

  act(): void {
    if (this.#isOpen) this.#isOpen = this.rng.between(0, 2) > 0;
    else if (this.rng.between(0, 2) === 0) this.open();
    if (this.rng.between(0, 5) === 0) this.#stream.requestProgress();
  }

  open(): void {
    this.#isOpen = true;
    this.#stream.resume();
    this.#stream.requestProgress();
  }

  #watch(store: Store): void {
    const stream = store.client.watch();
    this.#stream = stream;
    stream.deliver((response) => {
      if (!this.#isOpen) return false;
      this.events.push(...response.events.map(briefEvent));
      if (response.compactRevision !== undefined) {
        this.#skipped.push([this.next, response.compactRevision]);
        this.next = response.compactRevision;
        setImmediate(() => this.#create());
      } else if (response.watchId === -1) {
        this.next = Math.max(this.next, response.header.revision + 1);
      }
      const last = response.events.at(-1);
      if (last !== undefined) this.next = Math.max(this.next, last.kv.modRevision + 1);
      return true;
    });
    this.#create();
  }

  #create(): void {
    this.#stream.create({ key: bytes('\0'), rangeEnd: bytes('\0'), startRevision: this.next });
  }
}

t.test('history readers', async (t) => {
  const { machine, history } = memoryMachine();
  const recent = new RecentHistory(1, (change) => history.previous(change), {
    changesMax: 600,
    bytesMax: 60_000,
  });
  const log: string[] = [];
  machine.onApplied(({ changes }) => {
    for (const change of changes) {
      recent.record(change, text(change.kv.key));
      log.push(`${change.type} ${text(change.kv.key)} m${change.kv.modRevision}.${change.sub}`);
    }
  });
  const rng = random();
  t.comment(`seed ${rng.seed}`);
  for (let index = 1; index <= 3000; index++) {
    const ops = Array.from({ length: rng.between(0, 9) === 0 ? 60 : 1 }, (_, n) =>
      put(`k${n}`, 'v'.repeat(50)),
    );
    if (rng.between(0, 3) === 0) ops.length = 0;
    const request = txn(ops.length > 0 ? ops : [del('k0', `k${rng.between(0, 9)}`)]);
    const payload = encodeCommand({ type: 'txn', request });
    machine.apply([
      { format: 1, index, term: 1, type: 'normal', requestId: { session: 1n, counter: index }, payload },
    ]);
  }
  const { revision } = machine.store;

  /** All chunks from a revision on; checks that none splits a revision. */
  const readAll = (reader: HistoryReader, from: number, range: ReturnType<typeof keyRange>) => {
    const lines: string[] = [];
    for (let next = from; next <= revision; ) {
      const chunk = reader.read({ range, from: next, prevKv: false, bytesMax: 500 });
      if (chunk === undefined) return undefined;
      if (chunk.next <= next) throw new Error('no way forward');
      for (const { change } of chunk.changes) {
        if (change.kv.modRevision < next || change.kv.modRevision >= chunk.next) throw new Error('split');
        lines.push(`${change.type} ${text(change.kv.key)} m${change.kv.modRevision}.${change.sub}`);
      }
      next = chunk.next;
    }
    return lines;
  };
  const ranges = [
    keyRange(bytes('k'), bytes('\0')),
    keyRange(bytes('k1'), bytes('k2')),
    keyRange(bytes('k3'), undefined),
  ];
  const isIn = [
    (key: string) => key >= 'k',
    (key: string) => key >= 'k1' && key < 'k2',
    (key: string) => key === 'k3',
  ];

  t.test('from the database', (t) => {
    for (const [index, range] of ranges.entries()) {
      const from = index === 0 ? 1 : rng.between(1, revision);
      const expected = log.filter((line) => {
        const [, key = '', at = ''] = line.split(' ');
        return isIn[index]?.(key) && Number.parseInt(at.slice(1), 10) >= from;
      });
      t.same(readAll(history, from, range), expected, `range ${index} from ${from}`);
    }
    t.end();
  });
  t.test('from memory: small changes do not keep the requests that made them', (t) => {
    const recent = new RecentHistory(1, () => undefined);
    const count = 100;
    for (let revision = 2; revision < 2 + count; revision++) {
      const request = Buffer.alloc(2 ** 16, revision);
      const [key, value] = [request.subarray(0, 1), request.subarray(1, 3)];
      const kv = { key, value, createRevision: revision, modRevision: revision, version: 1, lease: 0n };
      recent.record({ type: 'put', kv, sub: 0, previous: 0 }, String.fromCodePoint(revision));
    }
    const query = { range: keyRange(bytes('\0'), bytes('\0')), from: 2, prevKv: false, bytesMax: 1000 };
    const kept = recent.read(query)?.changes.map(({ change }) => change.kv) ?? [];
    t.equal(kept.length, count);
    for (const { key, value, modRevision: byte } of kept)
      t.same([...key, ...value], [byte, byte, byte], `revision ${byte}`);
    const held = new Set(kept.flatMap(({ key, value }) => [key.buffer, value.buffer]));
    t.ok([...held].reduce((sum, { byteLength }) => sum + byteLength, 0) < 2 ** 17);
    t.end();
  });
  t.test('from memory: the same, or not so far back', (t) => {
    t.equal(readAll(recent, 1, ranges[0] as (typeof ranges)[0]), undefined);
    let known = 0;
    for (let from = revision - 700; from <= revision + 1; from++) {
      for (const range of ranges) {
        const lines = readAll(recent, from, range);
        if (lines === undefined) continue;
        known += 1;
        t.same(lines, readAll(history, from, range), `from ${from}`);
      }
    }
    t.ok(known > 10, 'goes back some way');
    t.end();
  });
});

t.test('groups match exactly the ranges that hold a key', (t) => {
  const key = fc
    .constantFrom('', 'a', 'ab', 'b', 'ba', 'c', '\xff', '\xff\xff')
    .map((letters) => `x${letters}`);
  const range = fc.record({
    start: key,
    end: fc.option(fc.oneof(key, fc.constant('\0')), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(fc.record({ range, keep: fc.boolean() })), key, (added, wanted) => {
      const groups = new WatcherGroups();
      const watchers = added.map(
        ({ range: { start, end } }, id) =>
          ({ id, range: keyRange(bytes(start), end === undefined ? undefined : bytes(end)) }) as Watcher,
      );
      for (const watcher of watchers) groups.add(watcher);
      groups.match(wanted, () => undefined);
      for (const [id, { keep }] of added.entries()) if (!keep) groups.remove(watchers[id] as Watcher);
      const found: Group[] = [];
      groups.match(wanted, (group) => found.push(group));
      const ids = found.flatMap(({ watchers }) => [...watchers].map(({ id }) => id)).sort((a, b) => a - b);
      const expected = added.flatMap(({ range: { start, end }, keep }, id) => {
        const isIn = end === undefined ? wanted === start : wanted >= start && (end === '\0' || wanted < end);
        return keep && isIn ? [id] : [];
      });
      return JSON.stringify(ids) === JSON.stringify(expected);
    }),
  );
  t.end();
});
