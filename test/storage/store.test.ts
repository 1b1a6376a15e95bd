/** The data directory: creation, restart, refusals, checkpoints. */
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { EtcdError } from '../../storage/errors.js';
import { DataDirError } from '../../storage/mvcc/errors.js';
import { MemoryLog } from '../../raft/log/memory.js';
import { openStore, type StoreOptions } from '../../storage/open.js';
import { identity } from './fake-store.js';
import { brief, bytes, fails, prefix, temporaryFolder } from './tools.js';

const member = (dataDir: string, file: string) => path.join(dataDir, 'member', file);

async function filled(t: Test, options: Partial<StoreOptions> = {}): Promise<string> {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const store = await openStore({ dataDir, ...options });
  for (const key of ['a', 'b', 'c']) await store.client.put({ key: bytes(key), value: bytes(key) });
  await store.close();
  return dataDir;
}

/** One line of text that names the path. */
async function refuses(t: Test, dataDir: string, name: string, file: string): Promise<void> {
  try {
    const store = await openStore({ dataDir });
    await store.close();
    t.fail(`${name}: opened`);
  } catch (error) {
    t.ok(error instanceof DataDirError, String(error));
    const { name: actual, message } = error as DataDirError;
    t.equal(actual, name);
    t.ok(message.startsWith(`${file}: `), message);
    t.notMatch(message, /\n/);
  }
}

t.test('a new data directory', async (t) => {
  const dataDir = path.join(temporaryFolder(t), 'deep', 'data');
  const clusterId = 0xffff_ffff_ffff_fff1n;
  const store = await openStore({ dataDir, bootstrap: async () => identity(7n, clusterId) });
  const { header } = await store.client.put({ key: bytes('a'), value: bytes('1') });
  await store.close();
  const again = await openStore({ dataDir, bootstrap: () => Promise.reject(new Error('asked again')) });
  t.same([again.clusterId, again.memberId], [clusterId, 7n], 'who it is, is asked once');
  await again.close();

  t.equal(fs.statSync(dataDir).mode & 0o777, 0o700);
  t.same(fs.readdirSync(path.join(dataDir, 'member')).sort(), ['CURRENT', 'log.db', 'mvcc-1.db']);
  t.equal(fs.readFileSync(member(dataDir, 'CURRENT'), 'utf8'), 'mvcc-1.db\n');
  t.equal(header.clusterId, 0xffff_ffff_ffff_fff1n, 'ids are unsigned');
  const db = new Database(member(dataDir, 'mvcc-1.db'), { readonly: true });
  t.equal(db.pragma('auto_vacuum', { simple: true }), 2);
  t.equal(db.pragma('journal_mode', { simple: true }), 'wal');
  t.equal(db.pragma('application_id', { simple: true }), 0x57687279);
  db.close();
});

t.test('restart keeps data, ids, revision, leases, compaction; only the term grows', async (t) => {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const first = await openStore({ dataDir });
  const { id } = await first.client.leaseGrant({ ttl: 500 });
  await first.client.put({ key: bytes('a'), value: bytes('1'), lease: id });
  await first.client.put({ key: bytes('a'), value: bytes('2'), lease: id });
  const { header } = await first.client.compact({ revision: 3 });
  await first.close();

  const second = await openStore({ dataDir });
  const range = await second.client.range({ key: bytes('a') });
  const left = await second.client.leaseTimeToLive({ id, keys: true });
  await fails(t, second.client.range({ key: bytes('a'), revision: 2 }), 'Compacted');
  await second.close();

  t.same(range.kvs.map(brief), ['a=2 c2 m3 v2']);
  t.same(
    { ...range.header, raftTerm: 0 },
    { ...header, raftTerm: 0 },
    'cluster id, member id and revision stay',
  );
  t.ok(range.header.raftTerm > header.raftTerm);
  t.same([left.grantedTtl, left.keys.length], [500, 1]);
  t.ok(left.ttl >= 498, 'a lease has its full TTL again');
});

t.test('calls after close are refused as stopped; watches end', async (t) => {
  for (const dataDir of [':memory:', path.join(temporaryFolder(t), 'data')]) {
    const store = await openStore({ dataDir });
    const { client } = store;
    const key = bytes('a');
    const stream = client.watch();
    const pending = client.put({ key, value: bytes('1') }).catch((error: unknown) => error);
    await Promise.all([store.close(), client.close()]);
    const ended = await pending;
    t.ok(
      !(ended instanceof Error) || ended instanceof EtcdError,
      'what is in flight ends one way or the other',
    );

    await fails(t, client.put({ key, value: key }), 'Stopped');
    await fails(t, client.range({ key }), 'Stopped');
    await fails(t, client.range({ key, serializable: true }), 'Stopped');
    await fails(t, client.txn({ compare: [], success: [], failure: [] }), 'Stopped');
    await fails(t, client.leaseKeepAlive(1n), 'Stopped');
    await fails(t, client.leaseLeases(), 'Stopped');
    await fails(t, client.currentRevision(), 'Stopped');
    await fails(t, client.status(), 'Stopped');
    t.match(await stream.closed, { message: 'etcdserver: server stopped' });
    const late = client.watch();
    t.match(await late.closed, { message: 'etcdserver: server stopped' });
  }
});

t.test('options of a call: time-out and signal', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  const { client } = store;
  const key = bytes('a');
  await fails(t, client.put({ key, value: key }, { timeout: 0 }), 'DeadlineExceeded');
  await fails(t, client.put({ key, value: key }, { signal: AbortSignal.abort() }), 'Canceled');
  await store.close();
});

t.test('status', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  const { client, memberId } = store;
  await client.put({ key: bytes('a'), value: bytes('1') });
  const status = await client.status();
  t.match(status, { leader: memberId, isLearner: false, errors: [], raftTerm: 1 });
  t.match(status.version, /^3\.\d+\.\d+$/);
  t.ok(status.raftAppliedIndex > 0 && status.raftIndex === status.raftAppliedIndex);
  t.ok(status.dbSize >= status.dbSizeInUse && status.dbSizeInUse > 0);
  await store.close();
});

t.test('a locked directory is refused', async (t) => {
  const dataDir = await filled(t);
  const store = await openStore({ dataDir });
  await refuses(t, dataDir, 'DataDirLockedError', dataDir);
  await store.close();
  await (await openStore({ dataDir })).close();
});

t.test('a corrupt database is refused by name', async (t) => {
  const damage: Record<string, (file: string) => void> = {
    'no database at all': (file) => fs.writeFileSync(file, 'x'.repeat(9000)),
    'damaged first page': (file) => patch(file, 100, 300),
    'another application': (file) => patch(file, 68, 4),
    'damaged metadata': (file) => {
      const db = new Database(file);
      db.exec('UPDATE metadata SET compacted = 99');
      db.close();
    },
    'no metadata': (file) => {
      const db = new Database(file);
      db.exec('DELETE FROM metadata');
      db.close();
    },
    'damaged membership': (file) => {
      const db = new Database(file);
      db.exec("UPDATE metadata SET membership = '{'");
      db.close();
    },
    truncated: (file) => fs.truncateSync(file, 3 * 4096),
    'is missing': (file) => fs.rmSync(file),
  };
  for (const [what, apply] of Object.entries(damage)) {
    await t.test(what, async (t) => {
      const dataDir = await filled(t);
      const file = member(dataDir, 'mvcc-1.db');
      apply(file);
      await refuses(t, dataDir, 'DataDirCorruptError', file);
    });
  }
});

function patch(file: string, offset: number, length: number): void {
  const content = fs.readFileSync(file);
  content.fill(0xa5, offset, offset + length);
  fs.writeFileSync(file, content);
}

t.test('other refusals name their file', async (t) => {
  const current = await filled(t);
  fs.writeFileSync(member(current, 'CURRENT'), '../evil.db\n');
  await refuses(t, current, 'DataDirCorruptError', member(current, 'CURRENT'));

  const lost = await filled(t);
  fs.rmSync(member(lost, 'CURRENT'));
  await refuses(t, lost, 'DataDirCorruptError', member(lost, 'CURRENT'));
  t.ok(fs.existsSync(member(lost, 'mvcc-1.db')), 'and nothing is removed');

  const newer = await filled(t);
  const db = new Database(member(newer, 'mvcc-1.db'));
  db.pragma('user_version = 99');
  db.close();
  await refuses(t, newer, 'DataDirFormatError', member(newer, 'mvcc-1.db'));

  const log = await filled(t);
  fs.writeFileSync(member(log, 'log.db'), 'x'.repeat(9000));
  await refuses(t, log, 'DataDirCorruptError', member(log, 'log.db'));

  const shortened = await filled(t);
  fs.rmSync(member(shortened, 'log.db'));
  await refuses(t, shortened, 'DataDirCorruptError', member(shortened, 'log.db'));

  const file = path.join(temporaryFolder(t), 'file');
  fs.writeFileSync(file, '');
  await refuses(t, file, 'DataDirUnusableError', file);
});

t.test('what an interrupted creation or installation left behind is removed', async (t) => {
  const dataDir = await filled(t);
  for (const file of ['mvcc-2.db', 'mvcc-2.db-wal', 'mvcc-17.db']) {
    fs.writeFileSync(member(dataDir, file), 'half');
  }
  const store = await openStore({ dataDir });
  t.equal((await store.client.range(prefix('a'))).count, 1);
  await store.close();
  t.same(fs.readdirSync(path.join(dataDir, 'member')).sort(), ['CURRENT', 'log.db', 'mvcc-1.db']);

  const fresh = path.join(temporaryFolder(t), 'data');
  fs.mkdirSync(path.join(fresh, 'member'), { recursive: true });
  fs.writeFileSync(member(fresh, 'mvcc-1.db'), 'half');
  await (await openStore({ dataDir: fresh })).close();
});

t.test('checkpoints keep the WAL bounded while writes go on, and move the durable position', async (t) => {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const limits = { startBytes: 2 ** 20, holdBytes: 4 * 2 ** 20, walBytesMax: 8 * 2 ** 20 };
  const store = await openStore({
    dataDir,
    checkpointLimits: limits,
    onFatal: (error) => t.fail(error.message),
  });
  const value = new Uint8Array(16 * 1024).fill(1);
  let walBytesMax = 0;
  for (let round = 0; round < 60; round++) {
    const puts = Array.from({ length: 16 }, (_, key) => store.client.put({ key: bytes(`${key}`), value }));
    await Promise.all(puts);
    walBytesMax = Math.max(walBytesMax, fs.statSync(member(dataDir, 'mvcc-1.db-wal')).size);
  }
  await store.close();

  t.ok(walBytesMax > limits.startBytes, 'enough was written to tell');
  t.ok(walBytesMax < 3 * limits.holdBytes, `${walBytesMax} bytes of WAL, of 15 MiB written`);
  const again = await openStore({ dataDir });
  t.equal((await again.client.range({ key: bytes('0'), rangeEnd: bytes('\0') })).count, 16);
  await again.close();
});

t.test('the log of a store in memory is cut, too', async (t) => {
  let cutThrough = 0;
  let last = 0;
  const cut = Reflect.get<MemoryLog, 'compactPrefix'>(MemoryLog.prototype, 'compactPrefix');
  MemoryLog.prototype.compactPrefix = function (through) {
    cutThrough = through;
    last = this.lastIndex;
    return cut.call(this, through);
  };
  t.teardown(() => void (MemoryLog.prototype.compactPrefix = cut));
  const store = await openStore({ dataDir: ':memory:', snapshotCount: 100 });
  const key = bytes('a');
  for (let i = 0; i < 1000; i++) await store.client.put({ key, value: key });
  t.ok(cutThrough > 700, `through ${cutThrough} of ${last}`);
  t.equal(last - cutThrough, 100, 'what followers may need stays');
  t.equal((await store.client.range({ key })).kvs[0]?.version, 1000);
  await store.close();
});

t.test('compaction gives space back', async (t) => {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const store = await openStore({ dataDir, onFatal: (error) => t.fail(error.message) });
  const value = new Uint8Array(16 * 1024).fill(1);
  for (let round = 0; round < 100; round++) {
    await Promise.all([1, 2, 3, 4].map((key) => store.client.put({ key: bytes(`${key}`), value })));
  }
  const before = await store.client.status();
  await store.client.compact({ revision: before.header.revision, physical: true });
  const removed = await store.client.status();
  let after = removed;
  while (after.dbSize > before.dbSize / 2) {
    await delay(5);
    after = await store.client.status();
  }
  await store.close();

  t.ok(before.dbSize > 6 * 2 ** 20);
  t.ok(removed.dbSizeInUse < before.dbSize / 4, `${removed.dbSizeInUse} of ${before.dbSize} in use`);
  const db = new Database(member(dataDir, 'mvcc-1.db'), { readonly: true });
  const rows = db
    .prepare('SELECT (SELECT count(*) FROM history) + (SELECT count(*) FROM past)')
    .pluck()
    .get();
  t.equal(rows, 4, 'one version of each key, no past');
  t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  db.close();
});

t.test('no process is kept alive by an idle store that was closed', (t) => {
  const script = `
    import { openStore } from ${JSON.stringify(new URL('../../storage/open.js', import.meta.url).href)};
    const store = await openStore({ dataDir: ':memory:' });
    await store.client.leaseGrant({ ttl: 1000 });
    store.client.watch().create({ key: Buffer.from('a'), progressNotify: true });
    await store.close();
  `;
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000 });
  t.end();
});
