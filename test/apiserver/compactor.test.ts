/** Old history goes by itself: what is compacted, when, and how API servers over one store agree on it. */
import t from 'tap';
import { type After, COMPACT_REVISION_KEY, Compactor } from '../../apiserver/compactor.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { EtcdError } from '../../storage/errors.js';
import { openStore } from '../../storage/open.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';

type Test = Pick<typeof t, 'teardown'>;

const FIVE_MINUTES_MS = 300_000;
const key = Buffer.from(COMPACT_REVISION_KEY);

async function openClient(t: Test): Promise<EtcdClient> {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  return store.client;
}

interface Server {
  readonly compactor: Compactor;
  /** Lets the interval pass, and resolves when the round that it begins has ended. */
  readonly round: () => Promise<void>;
  /** Compacted revisions that it was told. */
  readonly told: number[];
  readonly warnings: string[];
  /** Milliseconds asked for so far. */
  readonly waits: number[];
}

function start(client: Pick<EtcdClient, 'txn' | 'compact'>, intervalMs = FIVE_MINUTES_MS): Server {
  const told: number[] = [];
  const warnings: string[] = [];
  const waits: number[] = [];
  let due: (() => void) | undefined;
  let waiting: () => void = () => undefined;
  const after: After = (ms, callback) => {
    waits.push(ms);
    due = callback;
    waiting();
    return () => (due = undefined);
  };
  const logger = {
    debug: () => undefined,
    warn: (fields: { readonly err: Error }) => void warnings.push(fields.err.message),
  } as unknown as ConstructorParameters<typeof Compactor>[0]['logger'];
  const onCompacted = (revision: number) => void told.push(revision);
  const compactor = new Compactor({ client, intervalMs, onCompacted, logger, after });
  compactor.start();
  const round = async () => {
    const next = new Promise<void>((resolve) => (waiting = resolve));
    due?.();
    await next;
  };
  return { compactor, round, told, warnings, waits };
}

const put = async (client: EtcdClient, name: string): Promise<number> =>
  (await client.put({ key: Buffer.from(name), value: Buffer.from('x') })).header.revision;

const remove = async (client: EtcdClient, name: string): Promise<number> =>
  (await client.deleteRange({ key: Buffer.from(name) })).header.revision;

const isReadable = (client: EtcdClient, revision: number): Promise<boolean> =>
  client.range({ key: Buffer.from('a'), revision }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof EtcdError && error.is('Compacted')) return false;
      throw error;
    },
  );

async function agreement(client: EtcdClient): Promise<{ readonly version: number; readonly value: string }> {
  const { kvs } = await client.range({ key });
  const [kv] = kvs;
  return { version: kv?.version ?? 0, value: Buffer.from(kv?.value ?? []).toString() };
}

t.test('what is older than an interval goes, and nothing younger', async (t) => {
  const client = await openClient(t);
  const before = await put(client, 'a');
  const { round, told, waits } = start(client);
  t.equal(await client.currentRevision(), before, 'nothing happens at the start');
  await round();
  t.same(
    await agreement(client),
    { version: 1, value: '0' },
    'the first round only notes where the store is',
  );
  t.ok(await isReadable(client, before));
  const between = await put(client, 'a');
  await round();
  t.same(told, [before + 1], 'the revision of the round before, at which the key was written');
  t.same(await agreement(client), { version: 2, value: `${before + 1}` });
  t.notOk(await isReadable(client, before));
  t.ok(await isReadable(client, between));
  await round();
  t.notOk(await isReadable(client, between));
  t.same(waits, [FIVE_MINUTES_MS, FIVE_MINUTES_MS, FIVE_MINUTES_MS, FIVE_MINUTES_MS]);
});

t.test(
  'of several servers one compacts in each interval, and another goes on when that one is gone',
  async (t) => {
    const client = await openClient(t);
    await put(client, 'a');
    const first = start(client);
    const second = start(client);
    await first.round();
    const noted = await client.currentRevision();
    await second.round();
    t.equal((await agreement(client)).version, 1, 'the second only learns where the first is');
    for (let i = 0; i < 3; i++) {
      const wanted = await client.currentRevision();
      await put(client, 'a');
      await first.round();
      await second.round();
      t.equal((await agreement(client)).version, i + 2, 'one round in an interval');
      t.same([first.told.at(-1), second.told.at(-1)], [wanted, wanted], 'both are told');
    }
    t.equal(first.told[0], noted);
    await first.compactor.stop();
    const last = await client.currentRevision();
    await second.round();
    t.equal(
      second.told.at(-1),
      last,
      'the second takes over where the first was, without a round in between',
    );
  },
);

t.test('a deletion is never at the compacted revision, where older etcds forget it', async (t) => {
  const client = await openClient(t);
  await put(client, 'a');
  const first = start(client);
  const second = start(client);
  await first.round();
  const written = await client.currentRevision();
  const removed = await remove(client, 'a');
  await second.round();
  await put(client, 'b');
  await second.round();
  t.same(second.told, [written]);
  t.ok(written < removed);
});

t.test('when the key was removed by hand, it begins anew', async (t) => {
  const client = await openClient(t);
  const { round, told } = start(client);
  await round();
  await round();
  const done = told.length;
  await remove(client, COMPACT_REVISION_KEY);
  await round();
  t.equal(told.length, done, 'a round that only learns');
  await round();
  await round();
  t.equal((await agreement(client)).version, 2);
  t.equal(told.length, done + 1);
});

t.test('0 turns it off', async (t) => {
  const client = await openClient(t);
  const { waits, compactor } = start(client, 0);
  t.same(waits, []);
  await compactor.stop();
});

t.test('a store that went further by itself is no failure', async (t) => {
  const client = await openClient(t);
  const { round, told, warnings } = start(client);
  await round();
  const noted = await client.currentRevision();
  await client.compact({ revision: await put(client, 'a') });
  await round();
  t.same(warnings, []);
  t.same(told, [noted], 'nothing at it or before is read any more');
});

t.test('a store that does not answer is asked again in the next round', async (t) => {
  const client = await openClient(t);
  let fails = true;
  const refuse = () => Promise.reject(EtcdError.of('NoLeader'));
  const { round, told, warnings } = start({
    txn: (request) => (fails ? refuse() : client.txn(request)),
    compact: (request) => client.compact(request),
  });
  await round();
  t.same(warnings, ['etcdserver: no leader']);
  fails = false;
  await round();
  await round();
  t.equal(told.length, 1);
});

t.test('a stop waits for the round under way, and there is none after it', async (t) => {
  const client = await openClient(t);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { compactor, round, waits, told } = start({
    txn: (request) => client.txn(request),
    compact: (request) => held.then(() => client.compact(request)),
  });
  await round();
  void round();
  const stopping = compactor.stop();
  let stopped = false;
  void stopping.then(() => (stopped = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.notOk(stopped);
  release();
  await stopping;
  t.equal(told.length, 1);
  t.equal(waits.length, 2);
});

t.test('on a real etcd, beside another server', { skip: etcdMissing }, async (t) => {
  const etcd = await startEtcd();
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const client = createRemoteClient({ endpoints: [etcd.url], logger });
  t.teardown(async () => {
    await client.close();
    await etcd.stop();
    await etcd.remove();
  });
  const before = await put(client, 'a');
  const first = start(client);
  const second = start(client);
  await first.round();
  await second.round();
  const noted = await client.currentRevision();
  await put(client, 'a');
  await second.round();
  await first.round();
  t.same([first.told, second.told], [[noted], [noted]]);
  t.notOk(await isReadable(client, before));
  t.ok(await isReadable(client, noted));
});
