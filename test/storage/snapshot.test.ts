/** Copies of the database, and taking them in: decision 3, "Snapshots and swaps". */
import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import {
  decodeConfiguration,
  encodeConfiguration,
  initialConfiguration,
} from '../../raft/core/configuration.js';
import type { IncomingSnapshot } from '../../raft/transport/transport.js';
import type { MvccMachine } from '../../storage/mvcc/machine.js';
import { openStore } from '../../storage/open.js';
import { SnapshotError, type SnapshotErrorReason } from '../../storage/snapshot/snapshots.js';
import { random } from '../raft/random.js';
import { identity, memoryMachine } from './fake-store.js';
import { arriving, contentOf, Entries, folderMachine, memberFile, transfer } from './machines.js';
import { stateHash, stateLines } from './state-hash.js';
import { bytes, temporaryFolder } from './tools.js';

async function* inPieces(content: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += size) yield content.subarray(start, start + size);
}

/** A log with keys, deletions, a lease, a compaction and a configuration in it. */
function someEntries(): Entries {
  const entries = new Entries(3);
  for (let number = 0; number < 300; number++) entries.put(`k${number % 40}`, 'v'.repeat(number));
  entries.add({ type: 'lease-grant', id: 77n, ttl: 500 });
  entries.add({ type: 'delete', request: { key: bytes('k3') } });
  entries.add({ type: 'put', request: { key: bytes('l'), value: bytes('1'), lease: 77n } });
  entries.add({ type: 'compact', revision: 100 });
  const members = [1n, 2n].map((id) => ({ id, name: `m${id}`, peerUrls: [`http://${id}`], clientUrls: [] }));
  entries.addRaw('configuration', encodeConfiguration(initialConfiguration(members)));
  return entries;
}

const kinds = {
  folder: (t: Test, memberId: bigint) => folderMachine(temporaryFolder(t), identity(memberId)).machine,
  memory: (_t: Test, memberId: bigint) => memoryMachine(identity(memberId)).machine,
};

for (const from of ['folder', 'memory'] as const) {
  for (const to of ['folder', 'memory'] as const) {
    t.test(`a copy goes from ${from} to ${to}`, async (t) => {
      const entries = someEntries();
      const source = kinds[from](t, 1n);
      const target = kinds[to](t, 2n);
      entries.applyTo(source);
      entries.applyTo(target, 10);
      await transfer(source, target);

      t.same(target.applied, { index: entries.all.length, term: 3 });
      t.same(target.durable, target.applied, 'a snapshot is durable when it is installed');
      t.equal(target.installedSnapshot, true);
      t.same(target.configuration, source.configuration);
      t.same(
        decodeConfiguration(target.configuration).voters,
        [1n, 2n],
        'that of the last entry of its kind',
      );
      t.equal(target.header(1).memberId, 2n, 'it is the state of the cluster, not of the member');
      t.equal(await hashOf(target), await hashOf(source));

      entries.put('after', '1');
      for (const machine of [source, target]) entries.applyTo(machine);
      t.equal(await hashOf(target), await hashOf(source), 'and goes on');
      t.equal(target.installedSnapshot, false, 'the log has what follows');
      await source.close();
      await target.close();
    });
  }
}

/** Of a copy, which may come from a database in memory or on disk. */
async function hashOf(machine: MvccMachine): Promise<string> {
  const snapshot = await machine.snapshot();
  const db = new Database(await contentOf(snapshot));
  await snapshot.release();
  const hash = stateHash(db);
  db.close();
  return hash;
}

t.test('an install leaves one database, and a restart opens it', async (t) => {
  const folder = temporaryFolder(t);
  const entries = someEntries();
  const source = memoryMachine().machine;
  const { machine } = folderMachine(folder, identity(2n));
  for (let round = 1; round <= 3; round++) {
    entries.put('round', `${round}`);
    entries.applyTo(source);
    await transfer(source, machine);
  }
  await machine.close();
  t.same(fs.readdirSync(folder).sort(), ['CURRENT', 'mvcc-4.db']);

  const again = folderMachine(folder).machine;
  t.same(again.applied, source.applied);
  t.equal(again.installedSnapshot, true, 'the log may lack the entry where it stands');
  t.equal(again.memberId, 2n);
  t.same(decodeConfiguration(again.configuration).voters, [1n, 2n]);
  entries.put('more', '1');
  entries.applyTo(again);
  await again.close();
  const restarted = folderMachine(folder).machine;
  t.equal(restarted.installedSnapshot, false);
  await restarted.close();
});

t.test('what is not whole, or not what it says, is refused and leaves nothing behind', async (t) => {
  const entries = someEntries();
  const source = memoryMachine().machine;
  entries.applyTo(source);
  const snapshot = await source.snapshot();
  const content = await contentOf(snapshot);
  const altered = (sql: string) => {
    const db = new Database(content);
    db.exec(sql);
    const result = db.serialize();
    db.close();
    return result;
  };
  const damaged = Buffer.from(content);
  damaged.fill(0xa5, 4 * 4096, 4 * 4096 + 100);
  const of = (bytes: Buffer): Partial<IncomingSnapshot> => ({ size: bytes.length, content: inPieces(bytes) });
  const failing = async function* () {
    yield content.subarray(0, 5000);
    throw new Error('the connection was reset');
  };
  const cases: Record<string, [SnapshotErrorReason, () => Partial<IncomingSnapshot>]> = {
    'one byte short': ['incomplete', () => ({ content: inPieces(content.subarray(0, -1)) })],
    'one byte long': ['incomplete', () => ({ size: content.length - 1, content: inPieces(content) })],
    'the sender fails': ['incomplete', () => ({ content: failing() })],
    'another index': ['unfit', () => ({ index: snapshot.index + 1 })],
    'another term': ['unfit', () => ({ term: snapshot.term + 1 })],
    'another configuration': ['unfit', () => ({ configuration: identity(9n).configuration })],
    'no database': ['unfit', () => of(Buffer.alloc(8192, 'x'))],
    'nothing at all': ['unfit', () => of(Buffer.alloc(0))],
    'a damaged page': ['unfit', () => of(damaged)],
    'another application': ['unfit', () => of(altered('PRAGMA application_id = 7'))],
    'a newer format': ['unfit', () => of(altered('PRAGMA user_version = 99'))],
    'another cluster': ['unfit', () => of(altered('UPDATE metadata SET cluster_id = 5'))],
    'no metadata': ['unfit', () => of(altered('DELETE FROM metadata'))],
    'a trigger': [
      'unfit',
      () => of(altered('CREATE TRIGGER x AFTER UPDATE ON metadata BEGIN DELETE FROM history; END')),
    ],
  };
  for (const kind of ['folder', 'memory'] as const) {
    const folder = temporaryFolder(t);
    const { machine } = kind === 'folder' ? folderMachine(folder) : memoryMachine();
    for (const [what, [reason, changes]] of Object.entries(cases)) {
      const incoming = { ...arriving(snapshot), content: inPieces(content), ...changes() };
      const error: unknown = await machine.stage(incoming).catch((thrown: unknown) => thrown);
      t.ok(error instanceof SnapshotError, `${kind}: ${what}: ${String(error)}`);
      t.equal((error as SnapshotError).reason, reason, `${kind}: ${what}`);
    }
    t.same(machine.applied, { index: 0, term: 0 });
    const staged = await machine.stage({ ...arriving(snapshot), content: inPieces(content) });
    await staged.discard();
    if (kind === 'folder') {
      const left = fs.readdirSync(folder).filter((name) => !name.startsWith('mvcc-1.db'));
      t.same(left, ['CURRENT'], 'neither does one that is discarded');
    }
    await machine.close();
  }
  await source.close();
});

t.test('copies: shared while fresh, removed when nobody reads them any more', async (t) => {
  const folder = temporaryFolder(t);
  const copies = () => fs.readdirSync(folder).filter((name) => name.startsWith('copy-'));
  const entries = someEntries();
  const { machine } = folderMachine(folder);
  entries.applyTo(machine);
  const [first, second] = await Promise.all([machine.snapshot(), machine.snapshot()]);
  entries.put('a', '1');
  entries.applyTo(machine);
  const third = await machine.snapshot();
  t.same(
    [second.index, third.index],
    [first.index, first.index],
    'whoever asks while it is made, or soon after, gets the same',
  );
  t.equal(copies().length, 1);
  for (let number = 0; number < 11; number++) entries.put('a', `${number}`);
  entries.applyTo(machine);
  const later = await machine.snapshot();
  t.equal(later.index, machine.applied.index, 'not when too much was applied since');
  t.equal(copies().length, 2);

  const content = await contentOf(first);
  t.equal(content.length, first.size);
  await first.release();
  await first.release();
  await second.release();
  t.equal(copies().length, 2, 'one still reads');
  t.ok((await contentOf(third)).equals(content));
  await third.release();
  t.equal(copies().length, 1);
  await later.release();
  t.same(copies(), []);

  const unreleased = await machine.snapshot();
  const making = machine.snapshot().catch((error: unknown) => error);
  await machine.close();
  await making;
  t.same(copies(), [], 'closing removes the rest');
  await unreleased.release();
  t.match(await machine.snapshot().catch((error: unknown) => error), { name: 'SnapshotError' });
  fs.writeFileSync(path.join(folder, 'copy-8.db'), 'of a process that was killed');
  await folderMachine(folder).machine.close();
  t.same(copies(), [], 'and so does the next start');
});

t.test('a copy made while entries are applied is the state at its index', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const entries = new Entries();
  const { machine } = folderMachine(temporaryFolder(t));
  const write = () => {
    for (let count = between(1, 20); count > 0; count--) {
      entries.put(`k${between(0, 500)}`, 'v'.repeat(between(0, 2000)));
    }
    entries.applyTo(machine);
  };
  for (let count = 0; count < 100; count++) write();
  for (let round = 0; round < 3; round++) {
    const progress = { made: false };
    const copying = machine.snapshot().finally(() => (progress.made = true));
    while (!progress.made) {
      write();
      await machine.ready();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const snapshot = await copying;
    const copy = new Database(await contentOf(snapshot));
    await snapshot.release();
    const replayed = memoryMachine();
    entries.applyTo(replayed.machine, snapshot.index);
    t.ok(snapshot.index < machine.applied.index, 'it went on meanwhile');
    t.same(stateLines(copy), stateLines(replayed.db), `at index ${snapshot.index}`);
    copy.close();
    await replayed.machine.close();
  }
  await machine.close();
});

t.test('a long read holds no apply back, up to a bound on the WAL', async (t) => {
  const folder = temporaryFolder(t);
  const limits = { startBytes: 2 ** 18, holdBytes: 2 ** 20, walBytesMax: 4 * 2 ** 20 };
  const { machine, generation } = folderMachine(folder, identity(), limits);
  const walBytes = () => fs.statSync(path.join(folder, 'mvcc-1.db-wal')).size;
  const entries = new Entries();
  const write = () => {
    for (let key = 0; key < 4; key++) entries.put(`k${key}`, 'v'.repeat(8192));
    entries.applyTo(machine);
  };
  write();
  const reader = new Database(path.join(folder, 'mvcc-1.db'));
  const end = generation().durability.reading();
  reader.exec('BEGIN; SELECT * FROM metadata');
  while (walBytes() < 3 * 2 ** 20) {
    write();
    t.equal(machine.ready(), undefined, 'nothing is held');
  }
  while (machine.ready() === undefined) write();
  t.ok(walBytes() < 6 * 2 ** 20, `held at ${walBytes()} bytes`);
  let held = true;
  const ready = machine.ready()?.then(() => (held = false));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(held, true, 'until the read is over');
  reader.exec('COMMIT');
  reader.close();
  end();
  await ready;
  t.same(machine.durable, machine.applied, 'then all of it is checkpointed');
  for (let round = 0; round < 50; round++) {
    write();
    await machine.ready();
  }
  t.ok(walBytes() <= 2 * 2 ** 20, `and the WAL is short again: ${walBytes()} bytes`);
  await machine.close();
});

t.test('a database of one member, as it was before there were several, is brought up to date', async (t) => {
  const dataDir = path.join(temporaryFolder(t), 'data');
  const store = await openStore({ dataDir });
  await store.client.put({ key: bytes('a'), value: bytes('1') });
  const { memberId } = store;
  await store.close();
  const db = new Database(memberFile(dataDir, 'mvcc-1.db'));
  db.prepare('UPDATE metadata SET membership = ?').run('{"voters":["1"],"learners":[]}');
  const tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
  const present = db.prepare(tables).pluck().all();
  const early = new Set<unknown>(['history', 'current', 'past', 'lease', 'metadata']);
  for (const name of present) if (!early.has(name)) db.exec(`DROP TABLE ${String(name)}`);
  db.pragma('user_version = 1');
  db.close();

  const again = await openStore({ dataDir });
  t.same(again.consensus.configuration().voters, [memberId]);
  t.equal((await again.client.range({ key: bytes('a') })).count, 1);
  await again.close();
  const upgraded = new Database(memberFile(dataDir, 'mvcc-1.db'));
  t.same(upgraded.prepare(tables).pluck().all(), present, 'with all the tables there are now');
  upgraded.close();
});
