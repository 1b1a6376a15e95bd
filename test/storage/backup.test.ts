/** Backups: the snapshot stream of etcd's Maintenance service, the file made of it, and a new cluster made of that. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { CHUNK_BYTES_MAX, snapshotStream } from '../../storage/backup/stream.js';
import { restoreBackup, type RestoreOptions } from '../../storage/backup/restore.js';
import { saveSnapshot } from '../../storage/backup/save.js';
import { backupStatus } from '../../storage/backup/status.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { GrpcCode } from '../../storage/errors.js';
import { openStore, type Store } from '../../storage/open.js';
import type { SnapshotChunk } from '../../storage/server/api.js';
import { SnapshotError } from '../../storage/snapshot/snapshots.js';
import { random } from '../raft/random.js';
import { brief, bytes, fails, put, temporaryFolder, text, txn, WatchReader } from './tools.js';

const ALL = { key: Buffer.from([0]), rangeEnd: Buffer.from([0]) };
const BILLION = 1_000_000_000;

async function open(t: Test, dataDir: string): Promise<Store> {
  const store = await openStore({ dataDir });
  t.teardown(() => store.close());
  return store;
}

/** A key that changed, one that went, a lease, a compaction; the rest of 600 kB. */
async function fill({ client }: Store): Promise<void> {
  for (const value of ['1', '2', '3']) await client.put({ key: bytes('a'), value: bytes(value) });
  await client.put({ key: bytes('b'), value: bytes('1') });
  await client.deleteRange({ key: bytes('b') });
  await client.leaseGrant({ id: 77n, ttl: 500 });
  await client.put({ key: bytes('leased'), value: bytes(''), lease: 77n });
  await client.compact({ revision: 3 });
  for (let n = 0; n < 20; n++) await client.put({ key: bytes(`k${n}`), value: Buffer.alloc(30_000, n) });
}

async function chunksOf(store: Store): Promise<SnapshotChunk[]> {
  const chunks: SnapshotChunk[] = [];
  for await (const chunk of store.snapshot()) chunks.push(chunk);
  return chunks;
}

async function savedFrom(t: Test, store: Store): Promise<string> {
  const file = path.join(temporaryFolder(t), 'backup.db');
  await saveSnapshot({ path: file, chunks: store.snapshot() });
  return file;
}

const own = { name: 'default', peerUrls: ['http://localhost:2380'] };

/** As `wherry snapshot restore` does when nothing else is said. */
async function restore(t: Test, file: string, more: Partial<RestoreOptions> = {}) {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const usual = {
    own,
    token: 'etcd-cluster',
    bumpRevision: BILLION,
    markCompacted: true,
    skipHashCheck: false,
  };
  const outcome = await restoreBackup({ file, dataDir, ...usual, ...more });
  return { dataDir, outcome };
}

const pairsOf = async (client: EtcdClient) => (await client.range(ALL)).kvs.map(brief);

for (const kind of ['on disk', 'in memory'] as const) {
  t.test(`the stream of a store ${kind}`, async (t) => {
    const dataDir = kind === 'on disk' ? temporaryFolder(t) : ':memory:';
    const store = await open(t, dataDir);
    await fill(store);
    const chunks = await chunksOf(store);
    const content = Buffer.concat(chunks.slice(0, -1).map(({ blob }) => blob));

    t.equal(content.length % 512, 0, 'whole pages: a client knows by the size that a checksum follows');
    t.same(chunks.at(-1)?.blob, createHash('sha256').update(content).digest(), 'which is the last message');
    let remaining = content.length;
    for (const { blob, remainingBytes, header, version } of chunks.slice(0, -1)) {
      remaining -= blob.length;
      t.equal(remainingBytes, remaining);
      t.ok(blob.length <= CHUNK_BYTES_MAX);
      t.equal(header.memberId, store.memberId);
      t.match(version, /^3\./);
    }
    t.equal(remaining, 0);
    t.equal(chunks.at(-1)?.remainingBytes, 0, 'the checksum does not count');
    const db = new Database(content);
    t.equal(db.pragma('quick_check', { simple: true }), 'ok');
    db.close();
  });
}

t.test('a copy lives as long as its stream', async (t) => {
  const dataDir = temporaryFolder(t);
  const store = await open(t, dataDir);
  await fill(store);
  const copies = () => fs.readdirSync(path.join(dataDir, 'member')).filter((name) => name.startsWith('copy'));
  await chunksOf(store);
  t.same(copies(), [], 'read to its end');

  const left = store.snapshot()[Symbol.asyncIterator]();
  await left.next();
  t.equal(copies().length, 1);
  await left.return?.();
  t.same(copies(), [], 'left by its reader');

  const cancel = new AbortController();
  const canceled = store.snapshot({ signal: cancel.signal })[Symbol.asyncIterator]();
  await canceled.next();
  cancel.abort();
  await fails(t, canceled.next(), 'Canceled');
  t.same(copies(), [], 'canceled');
  await fails(t, store.snapshot({ timeout: -1 })[Symbol.asyncIterator]().next(), 'DeadlineExceeded');

  await store.close();
  await fails(t, store.snapshot()[Symbol.asyncIterator]().next(), 'Stopped');
});

t.test('what the disk says is told', async (t) => {
  const { header } = await (await open(t, ':memory:')).client.range({ key: bytes('a') });
  const copy = () => Promise.reject(new SnapshotError('failed', 'database or disk is full'));
  const stream = snapshotStream({ copy, header: () => header });
  await t.rejects(stream.next(), {
    name: 'EtcdError',
    code: GrpcCode.Internal,
    message: 'the snapshot cannot be made: database or disk is full',
  });
});

t.test(
  'snapshots while writers write: each is of one moment, and of none before it was asked for',
  async (t) => {
    const store = await open(t, temporaryFolder(t));
    const { client } = store;
    const { seed, between } = random();
    t.comment(`seed ${seed}`);
    const accounts = Array.from({ length: 10 }, (_, number) => `account-${number}`);
    const total = 1000;
    const state = new Map(accounts.map((name) => [name, total / accounts.length]));
    await client.txn(txn(accounts.map((name) => put(name, `${state.get(name)}`))));
    const stop = new AbortController();
    // One writer, so that the model needs no compares; each transaction moves an amount, the sum stays.
    const write = async () => {
      for (let count = 1; !stop.signal.aborted; count++) {
        const [from, to] = [accounts[between(0, 4)] ?? '', accounts[between(5, 9)] ?? ''];
        const amount = between(1, 5);
        state.set(from, (state.get(from) ?? 0) - amount);
        state.set(to, (state.get(to) ?? 0) + amount);
        const pairs = [from, to].map((name) => put(name, `${state.get(name)}`));
        await client.txn(
          txn([...pairs, put('count', `${count}`), put(`filler-${count % 50}`, 'x'.repeat(5_000))]),
        );
      }
    };
    const writing = write();
    const countNow = async () =>
      Number(text((await client.range({ key: bytes('count') })).kvs[0]?.value ?? bytes('0')));
    for (let round = 0; round < 2; round++) {
      const before = await countNow();
      // Two at a time, of which the second must not be given a copy from before it came.
      const files = [savedFrom(t, store), savedFrom(t, store)];
      for (const file of await Promise.all(files)) {
        const { dataDir } = await restore(t, file);
        const restored = await openStore({ dataDir });
        const { kvs } = await restored.client.range(ALL);
        await restored.close();
        const values = new Map(kvs.map(({ key, value }) => [text(key), text(value)]));
        const sum = accounts.reduce((sum, name) => sum + Number(values.get(name)), 0);
        t.equal(sum, total, 'no transaction is there by half');
        t.ok(Number(values.get('count') ?? 0) >= before, 'all that was answered before is there');
      }
    }
    stop.abort();
    await writing;
    t.ok((await countNow()) > 2, 'writes went on');
  },
);

t.test('a backup as a file', async (t) => {
  const store = await open(t, temporaryFolder(t));
  await fill(store);
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'backup.db');
  fs.writeFileSync(file, 'an older one');
  const progress: number[] = [];
  const saved = await saveSnapshot({
    path: file,
    chunks: store.snapshot(),
    onProgress: ({ received }) => progress.push(received),
  });
  t.match(saved, { path: file, kind: 'wherry', hasChecksum: true });
  t.equal(fs.statSync(file).mode & 0o777, 0o600, 'secrets are in it');
  t.equal(progress.at(-1), fs.statSync(file).size);
  t.same(fs.readdirSync(folder), ['backup.db']);

  const good = fs.readFileSync(file);
  const failing = async function* () {
    yield { blob: good.subarray(0, 5000), remainingBytes: 1 };
    throw new Error('the connection was reset');
  };
  await t.rejects(saveSnapshot({ path: file, chunks: failing() }), { message: 'the connection was reset' });
  const altering = async function* () {
    for await (const chunk of store.snapshot()) {
      if (chunk.remainingBytes > 0) chunk.blob[17] = (chunk.blob[17] ?? 0) + 1;
      yield chunk;
    }
  };
  await t.rejects(saveSnapshot({ path: file, chunks: altering() }), { message: /checksum does not match/ });
  t.ok(fs.readFileSync(file).equals(good), 'what was there stays');
  t.same(fs.readdirSync(folder), ['backup.db']);
  await t.rejects(saveSnapshot({ path: path.join(folder, 'no/such/file'), chunks: store.snapshot() }), {
    name: 'BackupError',
    message: /^cannot write .*no such file/,
  });
});

t.test('what a backup holds', async (t) => {
  const store = await open(t, temporaryFolder(t));
  await fill(store);
  const file = await savedFrom(t, store);
  fs.chmodSync(file, 0o400);
  const status = backupStatus(file);
  t.match(status, {
    revision: 27,
    compactedRevision: 3,
    keys: 22,
    leases: 1,
    size: fs.statSync(file).size - 32,
    hasChecksum: true,
  });
  const other = await open(t, ':memory:');
  for (const { key, value, lease } of (await store.client.range(ALL)).kvs) {
    if (lease !== 0n) await other.client.leaseGrant({ id: lease, ttl: 9 });
    await other.client.put({ key, value, lease });
  }
  t.equal(backupStatus(await savedFrom(t, other)).hash, status.hash, 'the same pairs, the same hash');
  await other.client.put({ key: bytes('leased'), value: bytes('') });
  t.not(backupStatus(await savedFrom(t, other)).hash, status.hash, 'a lease counts');
});

t.test('a restored store is a new cluster with the old content', async (t) => {
  const before = await open(t, temporaryFolder(t));
  await fill(before);
  const file = await savedFrom(t, before);
  const { dataDir, outcome } = await restore(t, file);
  t.match(outcome, { revision: BILLION + 27, compacted: BILLION + 27 });
  t.not(outcome.clusterId, before.clusterId);
  t.not(outcome.memberId, before.memberId);

  const store = await open(t, dataDir);
  const { client } = store;
  t.equal(store.clusterId, outcome.clusterId);
  t.same(await pairsOf(client), await pairsOf(before.client), 'keys keep their revisions and versions');
  t.equal(await client.currentRevision(), BILLION + 27);
  t.match(await client.leaseTimeToLive({ id: 77n, keys: true }), {
    grantedTtl: 500,
    keys: [bytes('leased')],
  });
  await fails(t, client.range({ ...ALL, revision: 27 }), 'Compacted', 'a revision of before');
  await fails(
    t,
    client.range({ ...ALL, revision: 28 + 1000 }),
    'Compacted',
    'one that the old cluster came to later',
  );

  const watch = client.watch();
  const reader = new WatchReader(watch);
  watch.create({ ...ALL, startRevision: 28 });
  t.match((await reader.until(({ canceled }) => canceled === true)).at(-1), {
    compactRevision: BILLION + 27,
  });
  watch.create({ ...ALL, startRevision: BILLION + 28 });
  await client.put({ key: bytes('a'), value: bytes('4') });
  t.same(await reader.events(1), [`put a=4 m${BILLION + 28}`]);
  watch.close();
  t.match(brief((await client.range({ key: bytes('a') })).kvs[0] as never), 'a=4 c2 m1000000028 v4');

  await store.close();
  const again = await open(t, dataDir);
  t.equal(await again.client.currentRevision(), BILLION + 28, 'it is a store like any other');
  await again.client.compact({ revision: BILLION + 28, physical: true });
  t.equal((await pairsOf(again.client)).length, 22);
});

t.test('without a bump everything is as it was', async (t) => {
  const before = await open(t, ':memory:');
  await fill(before);
  const { dataDir } = await restore(t, await savedFrom(t, before), { bumpRevision: 0, markCompacted: false });
  const { client } = await open(t, dataDir);
  t.equal(await client.currentRevision(), 27);
  t.same((await client.range({ key: bytes('b'), revision: 5 })).kvs.map(brief), ['b=1 c5 m5 v1']);
  await fails(t, client.range({ ...ALL, revision: 2 }), 'Compacted');
  // Raised, but not compacted: history can still be read.
  const raised = await restore(t, await savedFrom(t, before), { bumpRevision: 100, markCompacted: false });
  const other = (await open(t, raised.dataDir)).client;
  t.equal(await other.currentRevision(), 127);
  t.same((await other.range({ key: bytes('b'), revision: 5 })).kvs.map(brief), ['b=1 c5 m5 v1']);
});

t.test(
  'members restored from one file are one cluster; from another, or in another way, they are not',
  async (t) => {
    const store = await open(t, ':memory:');
    await fill(store);
    const file = await savedFrom(t, store);
    const initial = ['m1', 'm2', 'm3'].map((name, n) => ({
      name,
      peerUrls: [`http://127.0.0.1:${7001 + n}`],
    }));
    const restored = async (name: string, more: Partial<RestoreOptions> = {}) => {
      const own = initial.find((member) => member.name === name) ?? { name, peerUrls: [] };
      return (await restore(t, more.file ?? file, { own, initial, ...more })).outcome;
    };
    const [m1, m2, again] = [await restored('m1'), await restored('m2'), await restored('m1')];
    t.equal(m1.clusterId, m2.clusterId);
    t.not(m1.memberId, m2.memberId);
    t.same(again, m1);
    await store.client.put({ key: bytes('a'), value: bytes('other') });
    const later = await savedFrom(t, store);
    for (const more of [{ file: later }, { bumpRevision: 5 }, { markCompacted: false }, { token: 'other' }]) {
      t.not((await restored('m2', more)).clusterId, m1.clusterId, JSON.stringify(Object.keys(more)));
    }
    await t.rejects(restored('m9'), { name: 'InitialClusterError' });
  },
);

t.test('what is damaged, or no backup, is refused and leaves nothing', async (t) => {
  const store = await open(t, ':memory:');
  await fill(store);
  const file = await savedFrom(t, store);
  const good = fs.readFileSync(file);
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const flipped = (position: number) => {
    const bytes = Buffer.from(good);
    bytes[position] = (bytes[position] ?? 0) ^ 0x10;
    return bytes;
  };
  const sealed = (content: Buffer) => Buffer.concat([content, createHash('sha256').update(content).digest()]);
  const altered = (sql: string) => {
    const db = new Database(good.subarray(0, -32));
    db.exec(sql);
    const content = db.serialize();
    db.close();
    return sealed(content);
  };
  const bbolt = Buffer.alloc(8192);
  bbolt.writeUInt32LE(0xed0cdaed, 16);
  const cases: Record<string, [Buffer, RegExp]> = {
    'a bit of the content': [flipped(between(100, good.length - 33)), /is damaged: its checksum/],
    'a bit of the checksum': [flipped(good.length - 1), /is damaged: its checksum/],
    'cut anywhere': [good.subarray(0, good.length - 32 - 100), /is no whole snapshot/],
    'a page less': [Buffer.concat([good.subarray(0, -4096 - 32), good.subarray(-32)]), /its checksum/],
    'without checksum': [good.subarray(0, -32), /has no checksum.*--skip-hash-check/],
    empty: [Buffer.alloc(0), /is no whole snapshot: it has 0 bytes/],
    'something else': [sealed(Buffer.alloc(8192, 'x')), /is no snapshot of Wherry or etcd/],
    'of a real etcd': [sealed(bbolt), /real etcd.*etcdutl.*wherry migrate/],
    'a damaged page': [
      sealed(Buffer.from(good.subarray(0, -32)).fill(0xa5, 4096 * 3, 4096 * 3 + 200)),
      /corrupt/,
    ],
    'no metadata': [altered('DELETE FROM metadata'), /corrupt \(no metadata\)/],
    'a later format': [altered('PRAGMA user_version = 99'), /has format 99/],
    'a trigger': [
      altered('CREATE TRIGGER x AFTER UPDATE ON metadata BEGIN DELETE FROM history; END'),
      /its tables/,
    ],
  };
  for (const [what, [content, message]] of Object.entries(cases)) {
    const damaged = path.join(temporaryFolder(t), 'damaged.db');
    fs.writeFileSync(damaged, content);
    const dataDir = path.join(temporaryFolder(t), 'data');
    await t.rejects(restore(t, damaged, { dataDir }), { name: 'BackupError', message }, what);
    await t.rejects(restore(t, damaged, { dataDir }), { message: damaged }, `${what}: the file is named`);
    t.notOk(fs.existsSync(dataDir), what);
  }
  await t.rejects(restore(t, '/no/such/file'), {
    name: 'BackupError',
    message: /cannot read \/no\/such\/file/,
  });

  const bare = path.join(temporaryFolder(t), 'bare.db');
  fs.writeFileSync(bare, good.subarray(0, -32));
  t.match(backupStatus(bare), { keys: 22, hasChecksum: false });
  const { outcome } = await restore(t, bare, { skipHashCheck: true });
  t.equal(outcome.revision, BILLION + 27);
});

t.test('a restore takes no folder that is in use', async (t) => {
  const store = await open(t, ':memory:');
  await fill(store);
  const file = await savedFrom(t, store);
  const dataDir = temporaryFolder(t);
  await restore(t, file, { dataDir });
  t.same(fs.readdirSync(dataDir), ['member'], 'an empty one is as good as none');
  t.equal(fs.statSync(path.join(dataDir, 'member')).mode & 0o777, 0o700);
  t.same(fs.readdirSync(path.join(dataDir, 'member')).sort(), ['CURRENT', 'log.db', 'mvcc-1.db']);
  await t.rejects(restore(t, file, { dataDir }), { name: 'BackupError', message: /is not empty/ });
  await (await openStore({ dataDir })).close();

  const started = temporaryFolder(t);
  fs.mkdirSync(path.join(started, 'member.restoring'));
  await t.rejects(restore(t, file, { dataDir: started }), { message: /did not get to its end/ });
  await t.rejects(openStore({ dataDir: started }), { message: /did not get to its end/ });
});

/** After a restore that was killed: what a start makes of it. */
async function whatIsThere(t: Test, dataDir: string): Promise<'nothing' | 'refused' | 'all'> {
  if (!fs.existsSync(dataDir) || fs.readdirSync(dataDir).length === 0) return 'nothing';
  if (!fs.existsSync(path.join(dataDir, 'member'))) {
    await t.rejects(openStore({ dataDir }), { message: /did not get to its end/ });
    return 'refused';
  }
  const store = await openStore({ dataDir });
  t.equal((await store.client.range({ key: bytes('a') })).header.revision, 102);
  t.equal((await store.client.range({ key: bytes('a') })).count, 1);
  await store.close();
  return 'all';
}

t.test('a restore that is killed leaves nothing, what a start refuses, or all of it', async (t) => {
  const store = await open(t, ':memory:');
  await store.client.put({ key: bytes('a'), value: bytes('1') });
  const file = await savedFrom(t, store);
  const child = fileURLToPath(new URL('./restore-child.js', import.meta.url));
  const outcomes = new Set<string>();
  // Each third step, which takes long enough.
  for (let step = 0, killed = true; killed; step += 3) {
    const dataDir = path.join(temporaryFolder(t), 'data');
    const { signal, stdout, stderr } = spawnSync(process.execPath, [child, file, dataDir, `${step}`], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    killed = signal === 'SIGKILL';
    if (!killed) t.match(stdout, 'done', stderr);
    const outcome = await whatIsThere(t, dataDir);
    t.comment(`${stdout.trim().split('\n').at(-1)}: ${outcome}`);
    // Once of each kind.
    if (outcomes.has(outcome)) continue;
    outcomes.add(outcome);
    if (outcome === 'all') continue;
    if (outcome === 'refused') {
      await t.rejects(restore(t, file, { dataDir }), { message: /did not get to its end/ });
      fs.rmSync(dataDir, { recursive: true });
    }
    t.equal((await restore(t, file, { dataDir })).outcome.revision, BILLION + 2, 'it can be restored again');
  }
  t.same([...outcomes].sort(), ['all', 'nothing', 'refused']);
});
