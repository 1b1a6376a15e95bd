/** What the remote client promises when connections are cut, on whatever etcd is behind it. */
import { getEventListeners } from 'node:events';
import type { Test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdClient } from '../../storage/client/interface.js';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { EtcdError, NotSentError } from '../../storage/errors.js';
import { random } from '../raft/random.js';
import { CuttingProxy } from '../tools/cutting-proxy.js';
import type { EtcdProcess } from '../tools/etcd-process.js';
import { bytes, fails, prefix, revisionOf, silent, text, WatchReader } from './tools.js';

const CUTS = Number(process.env['WHERRY_REMOTE_CUTS'] ?? 200);
const WRITERS = 4;
/** Pause before a cut, in milliseconds. */
const CUT_MS_MIN = 0;
const CUT_MS_MAX = 15;
const PROGRESS_MS_MAX = 1000;

type Start = (options?: { readonly args?: readonly string[] }) => Promise<EtcdProcess>;

export function remoteFaults(t: Test, start: Start): void {
  const begin = async (t: Test, args: readonly string[] = []): Promise<EtcdProcess> => {
    const etcd = await start({ args });
    t.teardown(async () => {
      await etcd.stop('SIGKILL');
      await etcd.remove();
    });
    return etcd;
  };
  const client = (t: Test, endpoints: readonly string[]): EtcdClient => {
    const client = createRemoteClient({ endpoints, logger: silent, dialTimeoutMs: 500 });
    t.teardown(() => client.close());
    return client;
  };
  const proxyTo = async (t: Test, { address }: EtcdProcess): Promise<CuttingProxy> => {
    const proxy = await CuttingProxy.start({ port: Number(address.split(':')[1]) });
    t.teardown(() => proxy.close());
    return proxy;
  };

  t.test(`${CUTS} cuts: a watch loses and repeats nothing, a write is done at most once`, async (t) => {
    const { seed, between } = random();
    t.comment(`seed ${seed}`);
    const etcd = await begin(t);
    const proxy = await proxyTo(t, etcd);
    const cut = client(t, [proxy.url]);
    const straight = client(t, [etcd.url]);
    const first = await revisionOf(straight);
    const reader = new WatchReader(cut.watch());
    t.teardown(() => reader.stream.close());
    reader.stream.create({ ...prefix('cut/'), startRevision: first + 1 });

    const stop = new AbortController();
    const acknowledged = new Map<string, number>();
    let refused = 0;
    const write = async (writer: number): Promise<void> => {
      for (let count = 0; !stop.signal.aborted; count++) {
        const key = `cut/${writer}/${count}`;
        // Some values take several packets, so that cuts come within a message.
        const value = new Uint8Array(between(0, 9) === 0 ? 100_000 : 10);
        try {
          const { header } = await cut.put({ key: bytes(key), value }, { timeout: 2000 });
          acknowledged.set(key, header.revision);
        } catch (error) {
          if (!(error instanceof EtcdError)) throw error;
          refused += 1;
        }
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    for (let count = 0; count < CUTS; count++) {
      // On a busy machine connecting takes longer than any pause: something is to get through between two cuts.
      const { size } = acknowledged;
      const until = performance.now() + PROGRESS_MS_MAX;
      while (acknowledged.size === size && performance.now() < until) await sleep(1);
      await sleep(between(CUT_MS_MIN, CUT_MS_MAX));
      proxy.cut();
    }
    stop.abort();
    await Promise.all(writers);

    const { kvs, header } = await straight.range(prefix('cut/'));
    const stored = new Map(kvs.map((kv) => [text(kv.key), kv]));
    const lost = [...acknowledged].filter(([key, revision]) => stored.get(key)?.modRevision !== revision);
    t.same(lost, [], 'acknowledged writes are there');
    t.same(
      kvs.filter(({ version }) => version !== 1).map(({ key }) => text(key)),
      [],
      'no write was done twice',
    );
    const seen: number[] = [];
    while ((seen.at(-1) ?? first) < header.revision) {
      const { events, created } = await reader.next();
      if (created === true) t.equal(seen.length, 0, 'created is told once, and first');
      seen.push(...events.map(({ kv }) => kv.modRevision));
    }
    // Beyond the range's own: a write that was cut off may be done late.
    const all = seen.map((_, index) => first + 1 + index);
    t.same(seen, all, 'every revision, in order, once');
    t.comment(`${acknowledged.size} acknowledged, ${refused} not, ${seen.length} revisions seen`);
  });

  t.test('one of several endpoints goes, and comes back', async (t) => {
    const etcd = await begin(t);
    const [one, two] = [await proxyTo(t, etcd), await proxyTo(t, etcd)];
    const both = client(t, [one.url, two.url]);
    const reader = new WatchReader(both.watch());
    t.teardown(() => reader.stream.close());
    await both.put({ key: bytes('a'), value: bytes('0') });
    reader.stream.create({ key: bytes('a') });
    await reader.next();
    for (const gone of [one, two, one]) {
      one.accept(gone !== one);
      two.accept(gone !== two);
      gone.cut();
      // The first write may find the old connection just cut, and nobody can tell then whether it was done.
      await both.put({ key: bytes('a'), value: bytes('1') }).catch(() => undefined);
      const { header } = await both.put({ key: bytes('a'), value: bytes('2') });
      const responses = await reader.until(({ events }) => events.at(-1)?.kv.modRevision === header.revision);
      t.ok(responses.length > 0, 'writes and events go by the other');
    }
  });

  t.test('nobody answers: a clear error, and everything goes on when somebody does', async (t) => {
    const etcd = await begin(t);
    const proxy = await proxyTo(t, etcd);
    const told: string[] = [];
    const logger = {
      ...silent,
      info: (_: object, line: string) => told.push(line),
      warn: (_: object, line: string) => told.push(line),
    };
    const only = createRemoteClient({ endpoints: [proxy.url], logger });
    t.teardown(() => only.close());
    const closed = await CuttingProxy.start({ port: 1 });
    const { url: nobody } = closed;
    await closed.close();
    const alone = client(t, [nobody]);
    const error = await alone
      .put({ key: bytes('a'), value: bytes('') }, { timeout: 300 })
      .catch((error: unknown) => error);
    t.ok(error instanceof NotSentError);
    t.match((error as Error).message, `cannot connect to ${nobody}: connect ECONNREFUSED`);

    const start = await only.currentRevision();
    const reader = new WatchReader(only.watch());
    t.teardown(() => reader.stream.close());
    reader.stream.create({ key: bytes('a') });
    await reader.next();
    proxy.accept(false);
    proxy.cut();
    await t.rejects(only.currentRevision({ timeout: 300 }), { name: 'EtcdError' });
    await client(t, [etcd.url]).put({ key: bytes('a'), value: bytes('1') });
    const waiting = only.currentRevision();
    proxy.accept(true);
    t.ok((await waiting) > start, 'a read that waits is answered');
    t.same(await reader.events(1), [`put a=1 m${start + 1}`]);
    t.match(told, [/^no etcd answers at /, /^etcd answers at /]);
  });

  t.test('thousands of calls with one signal leave nothing behind', async (t) => {
    const etcd = await begin(t);
    const many = client(t, [etcd.url]);
    const { signal } = new AbortController();
    const key = bytes('a');
    for (let round = 0; round < 40; round++) {
      const calls = Array.from({ length: 50 }, () => many.range({ key }, { signal }));
      await Promise.all([...calls, many.currentRevision({ signal })]);
    }
    t.equal(getEventListeners(signal, 'abort').length, 0);
    const stop = new AbortController();
    const cancelled = many.range({ key }, { signal: stop.signal });
    stop.abort();
    await fails(t, cancelled, 'Canceled');
    const waiting = [many.range({ key }), many.put({ key, value: key }), many.leaseKeepAlive(1n)];
    await many.close();
    for (const { status } of await Promise.allSettled(waiting))
      t.equal(status, 'rejected', 'close ends them');
    await fails(t, many.range({ key }), 'Canceled');
    t.equal(await many.watch().closed, undefined);
  });

  t.test(
    'a watch that fell below the compacted revision while it was cut off ends as compacted',
    async (t) => {
      const etcd = await begin(t);
      const proxy = await proxyTo(t, etcd);
      const cut = client(t, [proxy.url]);
      const straight = client(t, [etcd.url]);
      const reader = new WatchReader(cut.watch());
      t.teardown(() => reader.stream.close());
      reader.stream.create({ key: bytes('a') });
      const { header } = await reader.next();
      proxy.accept(false);
      proxy.cut();
      for (const value of ['1', '2', '3']) await straight.put({ key: bytes('a'), value: bytes(value) });
      await straight.compact({ revision: header.revision + 3, physical: true });
      proxy.accept(true);
      t.match(await reader.next(), {
        watchId: 0,
        canceled: true,
        compactRevision: header.revision + 3,
        events: [],
      });
    },
  );
}
