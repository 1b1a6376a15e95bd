import { execFile, execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { packEntries, unpackEntries, unpackFrames, packFrame, FrameError } from '../../raft/log/codec.js';
import { LogError, type LogErrorCode } from '../../raft/log/errors.js';
import { MemoryLog } from '../../raft/log/memory.js';
import { WAL_BYTES_MAX } from '../../raft/log/schema.js';
import { openSqliteLog, type SqliteLog, type SqliteLogOptions } from '../../raft/log/sqlite.js';
import { startLogThread } from '../../raft/log/thread.js';
import { EMPTY_LOG, LogView } from '../../raft/log/view.js';
import { entries, entry, payloadOf, plain } from './entries.js';
import { CHILD_SCRIPT } from './log-child-facts.js';
import { logSuite, readAll } from './log-suite.js';
import { readWal } from './wal.js';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'wherry-log-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function open(t: Test, options: SqliteLogOptions): Promise<SqliteLog> {
  const log = await openSqliteLog(options);
  t.teardown(() => log.close());
  return log;
}

async function rejectsWith(
  t: Test,
  promise: Promise<unknown>,
  code: LogErrorCode,
  path: string,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.ok(error instanceof LogError, `is refused with a LogError: ${String(error)}`);
  t.match(error, { code, path });
  t.match(String(error), path, 'the message names the file');
  t.notMatch(String(error), '\n', 'and is one line');
}

await logSuite(t, 'MemoryLog', () => Promise.resolve({ log: new MemoryLog() }));

await logSuite(t, 'SqliteLog', async (t) => {
  const path = join(folder(t), 'raft.db');
  const log = await open(t, { path });
  const reopen = async () => {
    await log.close();
    return await open(t, { path });
  };
  return { log, reopen };
});

t.test('codec: entries come back as they were, and a change of any byte is noticed', async (t) => {
  const written = [entry(1), { ...entry(2 ** 40, 2 ** 50, 0), type: 'noop' as const }, entry(3, 1, 5000)];

  t.same(plain(unpackEntries(packEntries(written))), plain(written));

  const packed = packEntries([entry(7, 3)]);
  const [frame] = unpackFrames(packed);
  if (frame === undefined) return;
  t.same(packFrame(frame), packed);
  t.throws(() => packFrame({ ...frame, index: 8 }), FrameError);
  t.throws(() => packFrame({ ...frame, term: 4 }), FrameError);
  for (let position = 0; position < frame.body.length; position += 1) {
    const body = Buffer.from(frame.body);
    body[position] = (body[position] ?? 0) ^ 0x10;
    t.throws(() => packFrame({ ...frame, body }), FrameError);
  }
  for (let length = 1; length < packed.length; length += 1) {
    t.throws(() => unpackEntries(packed.subarray(0, length)), FrameError);
  }
});

t.test('view: released entries leave memory past the bound, others never', async (t) => {
  const view = new LogView(EMPTY_LOG, 10_000);
  view.append(Array.from({ length: 100 }, (_, i) => entry(i + 1, 1, 1000)));

  view.release(0);
  t.equal(view.residentIndex, 1, 'nothing is released: all stay');
  view.release(50);
  t.equal(view.residentIndex, 51, 'what is released goes, what is not stays beyond the bound');
  view.release(100);

  t.ok(view.residentBytes <= 10_000);
  t.ok(view.residentIndex < 100, 'a tail stays within the bound');
  t.same(plain(view.read(view.residentIndex, 100)).at(-1), plain([entry(100, 1, 1000)])[0]);
  t.equal(view.term(1), 1, 'terms stay');
});

t.test('SqliteLog: entries that left memory are read from disk, the newest from memory', async (t) => {
  const path = join(folder(t), 'raft.db');
  const log = await open(t, { path, residentBytesMax: 10_000 });
  for (let index = 1; index <= 200; index += 1) {
    await log.append([entry(index, 1, 500)]);
    log.release(index);
  }

  t.ok(log.residentIndex > 150, `memory is bounded, the oldest entry is ${log.residentIndex}`);
  t.throws(() => log.read(1, 200), 'read gives what is in memory only');
  const read = await readAll(log, 1, 3000);
  t.same(plain(read), plain(Array.from({ length: 200 }, (_, i) => entry(i + 1, 1, 500))));
  t.equal((await log.readOld(1, 200, 1000)).length, 2, 'readOld keeps to maxBytes');
});

t.test('SqliteLog: readOld sees what was written before it', async (t) => {
  const path = join(folder(t), 'raft.db');
  const log = await open(t, { path, residentBytesMax: 0 });
  await log.append(entries(1, 10, 1));
  log.release(10);
  const truncated = log.truncateSuffix(6);
  const appended = log.append(entries(6, 7, 2));
  log.release(5);

  const read = await log.readOld(1, 7);

  t.same(plain(read), plain(entries(1, 5, 1)));
  await Promise.all([truncated, appended]);
});

t.test('SqliteLog: appends of one turn are one commit, appends during a sync share the next', async (t) => {
  const dir = folder(t);
  const path = join(dir, 'raft.db');
  const log = await open(t, { path });
  const commits = () => {
    // Another process copies it: reading it in this one would drop SQLite's lock.
    execFileSync('cp', [`${path}-wal`, join(dir, 'copy')]);
    return readWal(join(dir, 'copy')).commits;
  };
  await log.append([entry(1)]);
  const before = commits();

  await Promise.all(entries(2, 1001).map((item) => log.append([item])));
  t.equal(commits() - before, 1, '1000 appends of one turn');

  const appended = [];
  for (const item of entries(1002, 1301)) {
    appended.push(log.append([item]));
    await Promise.resolve();
    await Promise.resolve();
  }
  await Promise.all(appended);
  const shared = commits() - before - 1;
  t.ok(shared < 150, `300 appends, each posted alone, took ${shared} commits`);
});

t.test('SqliteLog: the WAL stays within its bound, and so does the file after a cut', async (t) => {
  const dir = folder(t);
  const path = join(dir, 'raft.db');
  const log = await open(t, { path });
  let index = 0;
  let walBytes = 0;
  for (let round = 0; round < 60; round += 1) {
    const batch = Array.from({ length: 100 }, () => entry((index += 1), 1, 8000));
    await log.append(batch);
    log.release(index);
    walBytes = Math.max(walBytes, statSync(`${path}-wal`).size);
  }

  t.ok(walBytes <= WAL_BYTES_MAX + 2 ** 21, `${walBytes} bytes of WAL at most, for 48 MB of entries`);
  await log.compactPrefix(index - 10);
  const full = statSync(path).size;
  for (let tries = 0; tries < 1000 && statSync(path).size > full / 2; tries += 1) await delay(10);
  t.ok(statSync(path).size <= full / 2, 'space goes back to the disk, above a reserve');
  t.equal((await readAll(log, log.firstIndex)).length, 10);
});

t.test('SqliteLog: the file has the settings that durability and vacuum need', async (t) => {
  const dir = folder(t);
  const path = join(dir, 'raft.db');
  const log = await openSqliteLog({ path });
  await log.append(entries(1, 3));
  await log.close();

  t.same(readdirSync(dir), ['raft.db'], 'a clean close leaves one file');
  const db = new Database(path, { readonly: true });
  t.teardown(() => db.close());
  t.equal(db.pragma('journal_mode', { simple: true }), 'wal');
  t.equal(db.pragma('auto_vacuum', { simple: true }), 2);
  t.equal(db.pragma('application_id', { simple: true }), 0x5768724c);
  t.equal(db.pragma('user_version', { simple: true }), 2);
});

t.test('SqliteLog: a second process, or a second log in this one, is refused', async (t) => {
  const path = join(folder(t), 'raft.db');
  const log = await open(t, { path });
  await log.append(entries(1, 2));

  await rejectsWith(t, openSqliteLog({ path }), 'locked', path);
  const { stdout } = await run(CHILD_SCRIPT, [path]);
  t.match(stdout, 'error locked');

  await log.append([entry(3)]);
  await log.close();
  const again = await open(t, { path });
  t.equal(again.lastIndex, 3);
});

t.test('SqliteLog: of two that create it at once, one gets it', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const path = join(folder(t), 'raft.db');
    const both = await Promise.allSettled([openSqliteLog({ path }), openSqliteLog({ path })]);
    const opened = both.filter((result) => result.status === 'fulfilled');
    const refused = both.filter((result) => result.status === 'rejected');
    t.equal(opened.length, 1);
    t.match(refused[0]?.reason, { code: 'locked' });
    await opened[0]?.value.close();
  }
});

t.test('SqliteLog: a file that is damaged or not ours is refused by name and left as it is', async (t) => {
  const dir = folder(t);
  const path = (name: string) => join(dir, name);

  writeFileSync(path('garbage.db'), Buffer.alloc(10_000, 'garbage'));
  await rejectsWith(t, openSqliteLog({ path: path('garbage.db') }), 'corrupt', path('garbage.db'));
  t.same(readFileSync(path('garbage.db')), Buffer.alloc(10_000, 'garbage'));

  const foreign = new Database(path('foreign.db'));
  foreign.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
  foreign.close();
  const before = readFileSync(path('foreign.db'));
  await rejectsWith(t, openSqliteLog({ path: path('foreign.db') }), 'incompatible', path('foreign.db'));
  t.same(readFileSync(path('foreign.db')), before);

  await (await openSqliteLog({ path: path('newer.db') })).close();
  edit(path('newer.db'), 'PRAGMA user_version = 3');
  await rejectsWith(t, openSqliteLog({ path: path('newer.db') }), 'incompatible', path('newer.db'));

  await (await openSqliteLog({ path: path('format.db') })).close();
  edit(path('format.db'), 'UPDATE metadata SET term = 17');
  await rejectsWith(t, openSqliteLog({ path: path('format.db') }), 'corrupt', path('format.db'));

  await rejectsWith(t, openSqliteLog({ path: path('no/raft.db') }), 'failed', path('no/raft.db'));
});

t.test('SqliteLog: it says whose it is, and nobody else takes it', async (t) => {
  const path = join(folder(t), 'raft.db');
  const owner = { clusterId: 2n ** 64n - 1n, memberId: 2n ** 63n };
  const log = await openSqliteLog({ path });
  log.claim(owner);
  log.claim(owner);
  await log.append([entry(1)]);
  await log.close();
  for (const other of [
    { ...owner, memberId: 1n },
    { ...owner, clusterId: 1n },
  ]) {
    const again = await openSqliteLog({ path });
    t.throws(() => again.claim(other), {
      code: 'foreign',
      message: `${path}: the log is of another member (member 8000000000000000 of cluster ffffffffffffffff)`,
    });
    await again.close();
  }
  // As logs were before they said so.
  edit(path, 'DROP TABLE owner; PRAGMA user_version = 1');
  const old = await openSqliteLog({ path });
  t.equal(old.lastIndex, 1);
  old.claim({ clusterId: 5n, memberId: 6n });
  await old.close();
  const claimed = await open(t, { path });
  t.throws(() => claimed.claim(owner), { code: 'foreign' });
  claimed.claim({ clusterId: 5n, memberId: 6n });
});

t.test('SqliteLog: damage to an entry is found when it is read, to the last one at once', async (t) => {
  const dir = folder(t);
  const make = async (name: string) => {
    const path = join(dir, name);
    const log = await openSqliteLog({ path });
    await log.append(entries(1, 500));
    await log.close();
    return path;
  };

  const inside = await make('inside.db');
  damage(inside, payloadOf(123));
  const log = await open(t, { path: inside });
  t.equal((await log.readOld(1, 122)).length, 122);
  await rejectsWith(t, log.readOld(100, 200), 'corrupt', inside);

  const last = await make('last.db');
  damage(last, payloadOf(500));
  await rejectsWith(t, openSqliteLog({ path: last }), 'corrupt', last);

  const missing = await make('missing.db');
  edit(missing, 'DELETE FROM entries WHERE entry_index = 1');
  await rejectsWith(t, openSqliteLog({ path: missing }), 'corrupt', missing);

  const short = await make('short.db');
  truncateSync(short, 8192);
  await rejectsWith(t, openSqliteLog({ path: short }), 'corrupt', short);
});

t.test(
  'SqliteLog: a thread that was started before opens it, and one that cannot run is told of',
  async (t) => {
    const path = join(folder(t), 'log.db');
    const thread = startLogThread();
    await delay(50);
    const log = await open(t, { path, thread });
    await log.append(entries(1, 1));
    t.equal(log.durableIndex, 1);

    const broken = startLogThread(new URL('./no-such-worker.js', import.meta.url));
    // It has failed by now, and nobody was told.
    await t.rejects(broken.first);
    await rejectsWith(t, openSqliteLog({ path, thread: broken }), 'failed', path);
  },
);

t.test('SqliteLog: after close every call is refused, and close may come twice', async (t) => {
  const path = join(folder(t), 'raft.db');
  const log = await openSqliteLog({ path });
  const appended = log.append([entry(1)]);
  const closed = log.close();
  await Promise.all([appended, closed, log.close()]);

  t.equal(log.durableIndex, 1, 'what was appended before is synced');
  await rejectsWith(t, log.append([entry(2)]), 'closed', path);
  await rejectsWith(t, log.truncateSuffix(1), 'closed', path);
  await rejectsWith(t, log.compactPrefix(1), 'closed', path);
  await rejectsWith(t, log.reset(5, 5), 'closed', path);
});

/** Runs a compiled script to its end. */
async function run(script: string, args: string[]): Promise<{ stdout: string }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (_error, stdout) => resolve({ stdout }));
  });
}

function edit(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

/** Flips a bit in the middle of `content` in a closed file. */
function damage(path: string, content: Buffer): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(content) + content.length / 2;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
