/** Damaged, missing and mixed up files: refused at a start with one line that names the file, and left as they are. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { encodeConfiguration, initialConfiguration } from '../../raft/core/configuration.js';
import { LogDatabase } from '../../raft/log/database.js';
import { LogError } from '../../raft/log/errors.js';
import { DataDirError } from '../../storage/mvcc/errors.js';
import { openLiveDatabase } from '../../storage/mvcc/files.js';
import { openStore, type Store } from '../../storage/open.js';
import { WatchReader, bytes, fails, temporaryFolder } from './tools.js';

// The compactor's own timers keep no process alive.
const awake = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(awake));

const PAGE_BYTES = 4096;
const LOG = 'log.db';
const STORE = 'mvcc-1.db';
const CURRENT = 'CURRENT';
const command = new URL('../../../dist/bundle/wherry.js', import.meta.url).pathname;

const only =
  (memberId: bigint, clusterId = 1n) =>
  async () => {
    const member = { id: memberId, name: '', peerUrls: [], clientUrls: [] };
    return { clusterId, memberId, configuration: encodeConfiguration(initialConfiguration([member])) };
  };

/** The files of a member that was closed, with small and large values, old versions and deletions. */
async function makeMember(dataDir: string, memberId = 1n, clusterId = 1n): Promise<string> {
  const store = await openStore({ dataDir, bootstrap: only(memberId, clusterId) });
  const { client } = store;
  const write = (round: number) => {
    const keys = Array.from({ length: 60 }, (_, key) => bytes(`key-${key}`));
    return Promise.all(keys.map((key, place) => client.put({ key, value: Buffer.alloc(place * 40, round) })));
  };
  await write(1);
  await write(2);
  await client.put({ key: bytes('large'), value: Buffer.alloc(20 * PAGE_BYTES, 7) });
  await client.deleteRange({ key: bytes('key-1') });
  await store.close();
  return dataDir;
}

const fileOf = (dataDir: string, name: string) => path.join(dataDir, 'member', name);

/** Of every file of a member; what SQLite keeps in shared memory beside them does not count. */
function contents(dataDir: string): Record<string, string> {
  const folder = path.join(dataDir, 'member');
  const names = fs.readdirSync(folder).filter((name) => !/-(shm|wal)$/.test(name));
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(fs.readFileSync(path.join(folder, name)))
        .digest('hex'),
    ]),
  );
}

function overwrite(file: string, at: number, content: Buffer): void {
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, content, 0, content.length, at);
  fs.closeSync(descriptor);
}

interface Damage {
  readonly what: string;
  /** Named in the refusal. */
  readonly file: string;
  readonly make: (dataDir: string) => void;
}

function otherwise(name: string, others: Readonly<Record<string, string>>): Damage[] {
  const damage = (what: string, make: (file: string) => void): Damage => ({
    what,
    file: name,
    make: (dataDir) => make(fileOf(dataDir, name)),
  });
  return [
    damage('is missing', (file) => fs.rmSync(file)),
    damage('is empty', (file) => fs.truncateSync(file)),
    damage('ends after a page', (file) => fs.truncateSync(file, PAGE_BYTES)),
    damage('ends in its middle', (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))),
    damage('ends within a page', (file) => fs.truncateSync(file, fs.statSync(file).size - 100)),
    damage('has another header', (file) => overwrite(file, 0, Buffer.alloc(100, 'x'))),
    damage('is text', (file) => fs.writeFileSync(file, 'what is this?\n'.repeat(1000))),
    damage('is a database of somebody else', (file) => {
      fs.rmSync(file);
      const db = new Database(file);
      db.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
      db.close();
    }),
    ...Object.entries(others).map(([what, source]) =>
      damage(`is ${what}`, (file) => fs.copyFileSync(source, file)),
    ),
  ];
}

/** The member of the same log whose vote is another's. */
async function siblings(t: Test) {
  const folder = temporaryFolder(t);
  const sound = await makeMember(path.join(folder, 'sound'));
  const ofCluster = await makeMember(path.join(folder, 'cluster'), 1n, 2n);
  const ofMember = await makeMember(path.join(folder, 'member'), 2n, 1n);
  return { folder, sound, ofCluster, ofMember };
}

function openError(open: () => { close(): unknown }): unknown {
  try {
    open().close();
    return 'it was opened';
  } catch (error) {
    return error;
  }
}

t.test('a damaged page is noticed, whichever it is', async (t) => {
  const sound = await makeMember(path.join(temporaryFolder(t), 'data'));
  const noise = Buffer.from(Array.from({ length: PAGE_BYTES }, (_, place) => (place * 167 + 13) % 256));
  const folder = path.join(sound, 'member');
  const fill = () => t.fail('no database is made');
  const open: Readonly<Record<string, () => { close(): unknown }>> = {
    [STORE]: () => openLiveDatabase({ folder, mayCreate: false, fill }),
    [LOG]: () => LogDatabase.open(fileOf(sound, LOG)),
  };
  for (const [name, openFile] of Object.entries(open)) {
    const file = fileOf(sound, name);
    const whole = fs.readFileSync(file);
    const pages = whole.length / PAGE_BYTES;
    t.ok(pages > 30, `${name} has ${pages} pages`);
    for (let page = 0; page < pages; page++) {
      const content = page % 2 === 0 ? Buffer.alloc(PAGE_BYTES) : noise;
      overwrite(file, page * PAGE_BYTES, content);
      const damaged = fs.readFileSync(file);
      const error = openError(openFile);
      const isNamed = error instanceof DataDirError || error instanceof LogError;
      if (!isNamed || !error.message.startsWith(`${file}: `) || error.message.includes('\n')) {
        t.fail(`page ${page + 1} of ${name}: ${String(error)}`);
      }
      if (!fs.readFileSync(file).equals(damaged)) t.fail(`page ${page + 1} of ${name}: the file was altered`);
      fs.writeFileSync(file, whole);
    }
    openFile().close();
  }
});

t.test('other damage is refused by name, in one line, and nothing is altered', async (t) => {
  const { folder, sound, ofCluster, ofMember } = await siblings(t);
  const damages: Damage[] = [
    ...otherwise(STORE, { 'the log': fileOf(sound, LOG) }),
    ...otherwise(LOG, {
      'the store': fileOf(sound, STORE),
      'the log of another cluster': fileOf(ofCluster, LOG),
      'the log of another member': fileOf(ofMember, LOG),
    }),
    { what: 'is missing', file: CURRENT, make: (dataDir) => fs.rmSync(fileOf(dataDir, CURRENT)) },
    { what: 'is empty', file: CURRENT, make: (dataDir) => fs.truncateSync(fileOf(dataDir, CURRENT)) },
    {
      what: 'names no database',
      file: CURRENT,
      make: (dataDir) => fs.writeFileSync(fileOf(dataDir, CURRENT), '../../x\n'),
    },
    {
      what: 'is not the one that CURRENT names',
      file: 'mvcc-7.db',
      make: (dataDir) => fs.writeFileSync(fileOf(dataDir, CURRENT), 'mvcc-7.db\n'),
    },
    // Then the log is another's: it does not matter which of the two was put there.
    ...[ofCluster, ofMember].map((other) => ({
      what: 'beside the store of another',
      file: LOG,
      make: (dataDir: string) => fs.copyFileSync(fileOf(other, STORE), fileOf(dataDir, STORE)),
    })),
  ];
  for (const [number, { what, file, make }] of damages.entries()) {
    const dataDir = path.join(folder, `damaged-${number}`);
    fs.cpSync(sound, dataDir, { recursive: true });
    make(dataDir);
    const before = contents(dataDir);
    const told = await refusal(dataDir);
    const isTold = told.includes(fileOf(dataDir, file)) && !told.includes('\n');
    if (!isTold) t.fail(`${file} ${what}: ${told}`);
    const after = contents(dataDir);
    if (JSON.stringify(after) !== JSON.stringify(before)) t.same(after, before, `${file} ${what}: altered`);
    fs.rmSync(dataDir, { recursive: true });
  }
  const store = await openStore({ dataDir: sound });
  t.equal((await store.client.range({ key: bytes('large') })).count, 1, 'and what is sound opens');
  await store.close();
});

async function refusal(dataDir: string): Promise<string> {
  try {
    const store = await openStore({ dataDir });
    await store.close();
    return 'it was opened';
  } catch (error) {
    return error instanceof DataDirError ? error.message : `not refused but failed: ${String(error)}`;
  }
}

/** A page of values in the middle of the file, which nothing has read yet. */
function damageValues(dataDir: string): void {
  const db = new Database(fileOf(dataDir, STORE), { readonly: true });
  const page = db
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'history'")
    .pluck()
    .get() as number;
  db.close();
  const file = fs.readFileSync(fileOf(dataDir, STORE));
  // The children of the table's root: the last cell's is in the middle of it.
  const root = file.subarray((page - 1) * PAGE_BYTES, page * PAGE_BYTES);
  const cell = root.readUInt16BE(12 + 2 * Math.floor(root.readUInt16BE(3) / 2));
  overwrite(
    fileOf(dataDir, STORE),
    (root.readUInt32BE(cell) - 1) * PAGE_BYTES,
    Buffer.alloc(PAGE_BYTES, 0xff),
  );
}

/** A store whose file is damaged under it: too large to be verified at a start, it would be the same. */
async function damagedLater(t: Test): Promise<{ store: Store; fatal: Promise<Error>; dataDir: string }> {
  const dataDir = await makeMember(path.join(temporaryFolder(t), 'data'));
  let tell: (error: Error) => void;
  const fatal = new Promise<Error>((resolve) => (tell = resolve));
  const store = await openStore({ dataDir, onFatal: (error) => tell(error) });
  t.teardown(() => store.close());
  damageValues(dataDir);
  return { store, fatal, dataDir };
}

t.test('damage that a read meets later fails the read, and ends the store with the same line', async (t) => {
  const reads: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
    range: async (store) =>
      fails(t, store.client.range({ key: bytes('\0'), rangeEnd: bytes('\0') }), 'Corrupt'),
    hash: (store) => fails(t, store.upkeep.hashKv({ revision: 0 }), 'Corrupt'),
    watch: async (store) => {
      const reader = new WatchReader(store.client.watch());
      reader.stream.create({ key: bytes('\0'), rangeEnd: bytes('\0'), startRevision: 1 });
      await t.rejects(reader.until(() => false));
    },
  };
  for (const [what, read] of Object.entries(reads)) {
    const { store, fatal, dataDir } = await damagedLater(t);
    await read(store);
    const error = await fatal;
    t.match(error, { name: 'DataDirCorruptError' }, what);
    t.match(error.message, `${fileOf(dataDir, STORE)}: the database is corrupt`);
    t.notMatch(error.message, '\n');
    while (
      await store.client.put({ key: bytes('x'), value: bytes('') }).then(
        () => true,
        () => false,
      )
    )
      await delay(5);
    t.pass('nothing is accepted any more');
  }
});

/** The real command, which must end by itself. */
async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

t.test('the command ends with 1 and one line that says what to do', async (t) => {
  const { folder, sound, ofMember } = await siblings(t);
  const cases: readonly Damage[] = [
    { what: 'header', file: STORE, make: (dir) => overwrite(fileOf(dir, STORE), 0, Buffer.alloc(100)) },
    { what: 'page', file: STORE, make: damageValues },
    { what: 'truncated', file: LOG, make: (dir) => fs.truncateSync(fileOf(dir, LOG), 2 * PAGE_BYTES) },
    { what: 'missing', file: CURRENT, make: (dir) => fs.rmSync(fileOf(dir, CURRENT)) },
    { what: 'foreign', file: LOG, make: (dir) => fs.copyFileSync(fileOf(ofMember, LOG), fileOf(dir, LOG)) },
  ];
  const advice =
    'restore it with "wherry snapshot restore", or remove this member from its cluster and add it again with an empty data directory';
  for (const { what, file, make } of cases) {
    const dataDir = path.join(folder, what);
    fs.cpSync(sound, dataDir, { recursive: true });
    make(dataDir);
    const before = contents(dataDir);
    const free = ['--listen-client-urls', 'http://127.0.0.1:0', '--listen-peer-urls', 'http://127.0.0.1:0'];
    const { code, output } = await run('etcd', '--data-dir', dataDir, ...free, '--log-level', 'error');
    t.equal(code, 1, what);
    const lines = output.trimEnd().split('\n');
    t.equal(lines.length, 1, output);
    t.match(lines[0], `cannot use the data directory: ${fileOf(dataDir, file)}: `);
    t.ok(lines[0]?.endsWith(`; ${advice}`), output);
    t.same(contents(dataDir), before, 'nothing is altered');
  }
});
