/** Snapshots and moves over gRPC: Wherry's own client, the commands, and etcdctl, on a store that is served. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { migrate } from '../../cli/migrate/index.js';
import type { MigrateOptions } from '../../cli/migrate/options.js';
import { save } from '../../cli/snapshot/save.js';
import { restoreBackup } from '../../storage/backup/restore.js';
import { backupStatus } from '../../storage/backup/status.js';
import { createRemoteClient, type RemoteClient } from '../../storage/client/remote/index.js';
import type { SnapshotChunk } from '../../storage/server/api.js';
import { random } from '../raft/random.js';
import { serveStore, type ServedStore } from '../tools/served-store.js';
import { fillStore, sameContent } from './migrate-content.js';
import { bytes, fails, temporaryFolder, WatchReader } from './tools.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

function clientOf(t: Test, ...endpoints: readonly string[]): RemoteClient {
  const client = createRemoteClient({ endpoints, logger: silent });
  t.teardown(() => client.close());
  return client;
}

/** More than a connection's windows hold. */
async function fillLarge({ store }: ServedStore): Promise<void> {
  for (let n = 0; n < 24; n++)
    await store.client.put({ key: bytes(`k${n}`), value: Buffer.alloc(2 ** 20, n) });
}

async function until(what: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !what(); round++) await sleep(10);
}

t.test('a snapshot over gRPC comes as fast as it is taken', async (t) => {
  const dataDir = temporaryFolder(t);
  const served = await serveStore(t, dataDir);
  await fillLarge(served);
  const copies = () => fs.readdirSync(path.join(dataDir, 'member')).filter((name) => name.startsWith('copy'));
  const client = clientOf(t, 'http://127.0.0.1:1', served.url);

  const chunks: SnapshotChunk[] = [];
  for await (const chunk of client.snapshot()) {
    chunks.push(chunk);
    if (chunks.length % 20 === 1) await sleep(20);
  }
  const size = chunks.reduce((sum, { blob }) => sum + blob.length, 0);
  t.ok(size > 24 * 2 ** 20);
  t.equal(size % 512, 32);
  t.equal(chunks[0]?.header.revision, 25);
  await until(() => copies().length === 0);
  t.same(copies(), [], 'its copy is gone');

  const left = client.snapshot()[Symbol.asyncIterator]();
  await left.next();
  t.equal(copies().length, 1);
  await left.return?.();
  await until(() => copies().length === 0);
  t.same(copies(), [], 'also when its reader went');

  const cancel = new AbortController();
  const canceled = client.snapshot({ signal: cancel.signal })[Symbol.asyncIterator]();
  await canceled.next();
  cancel.abort();
  await fails(t, canceled.next(), 'Canceled');
  await until(() => copies().length === 0);
  t.same(copies(), [], 'also when it was canceled');
});

t.test(
  'save takes the first endpoint that answers; what is restored tells an old watch the truth',
  async (t) => {
    const served = await serveStore(t);
    const { client } = served.store;
    for (let n = 0; n < 10; n++) await client.put({ key: bytes('a'), value: bytes(`${n}`) });
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'backup.db');
    await save({ file, endpoints: ['http://127.0.0.1:1', served.url] });
    t.match(backupStatus(file), { revision: 11, keys: 1, hasChecksum: true });

    const dataDir = path.join(folder, 'data');
    const own = { name: 'default', peerUrls: ['http://localhost:2380'] };
    await restoreBackup({
      file,
      dataDir,
      own,
      token: 't',
      bumpRevision: 1000,
      markCompacted: true,
      skipHashCheck: false,
    });
    const restored = clientOf(t, (await serveStore(t, dataDir)).url);
    const stream = restored.watch();
    const reader = new WatchReader(stream);
    stream.create({ key: bytes('a'), startRevision: 5 });
    const answers = await reader.until(({ canceled }) => canceled === true);
    t.match(answers.at(-1), { compactRevision: 1011 });
    await fails(t, restored.range({ key: bytes('a'), revision: 11 }), 'Compacted');
    t.match((await restored.range({ key: bytes('a') })).kvs, [{ modRevision: 11, version: 10 }]);
    stream.close();
  },
);

const move = (from: string, to: string, more: Partial<MigrateOptions> = {}) =>
  migrate({ from: [from], to: [to], prefix: '', batch: 128, overwrite: false, follow: false, ...more });

t.test('migrate between two servers', async (t) => {
  const [source, target] = [await serveStore(t), await serveStore(t)];
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  await fillStore(source.store.client, between, 1500);
  await move(source.url, target.url);
  await sameContent(t, source.store.client, target.store.client);
  await t.rejects(move(source.url, target.url), { name: 'StartupError', message: /is not empty/ });
  await t.rejects(move(source.url, source.url), { name: 'StartupError', message: /are the same cluster/ });
  await t.rejects(move(source.url, 'http://127.0.0.1:1', { toCert: 'x' }), {
    name: 'UsageError',
    message: '--to-cert and --to-key must both be given',
  });
});

const env = { ...process.env, ETCDCTL_API: '3' };
const missing = spawnSync('etcdctl', ['version'], { env }).status === 0 ? false : 'etcdctl is not installed';

t.test('etcdctl saves a snapshot, which is the same as ours', { skip: missing }, async (t) => {
  const served = await serveStore(t, temporaryFolder(t));
  await fillLarge(served);
  const folder = temporaryFolder(t);
  const [ours, theirs] = [path.join(folder, 'ours.db'), path.join(folder, 'theirs.db')];
  await save({ file: ours, endpoints: [served.url] });
  const child = spawn('etcdctl', ['--endpoints', served.url, 'snapshot', 'save', theirs], { env });
  t.same(await once(child, 'exit'), [0, null]);
  t.ok(fs.readFileSync(theirs).equals(fs.readFileSync(ours)));
  t.match(backupStatus(theirs), { revision: 25, keys: 24 });
});
