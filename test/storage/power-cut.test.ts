/**
 * A power cut takes from the MVCC database what was not synced: any part of its WAL since the last checkpoint. The log
 * has all of it, and replaying it leads to the same state.
 */
import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { readWal } from '../raft/wal.js';
import { random } from '../raft/random.js';
import { openStore, type Store } from '../../storage/open.js';
import { bytes, del, put, temporaryFolder, txn, WatchReader, briefEvent } from './tools.js';

const CUTS = 12;
const member = (dataDir: string, file: string) => path.join(dataDir, 'member', file);

/** Everything that members must agree on. */
async function stateOf({ client }: Store): Promise<string[]> {
  const everything = { key: bytes('\0'), rangeEnd: bytes('\0') };
  const { kvs, header } = await client.range(everything);
  const lines = kvs.map((kv) =>
    [
      Buffer.from(kv.key).toString('hex'),
      Buffer.from(kv.value).toString('hex'),
      kv.modRevision,
      kv.version,
      kv.lease,
    ].join(),
  );
  const reader = new WatchReader(client.watch());
  reader.stream.create({ ...everything, startRevision: 20, prevKv: true });
  reader.stream.requestProgress();
  const responses = await reader.until(({ watchId }) => watchId === -1);
  reader.stream.close();
  const leases = [];
  for (const id of (await client.leaseLeases()).leases.toSorted((a, b) => Number(a - b))) {
    const { keys, grantedTtl } = await client.leaseTimeToLive({ id, keys: true });
    leases.push(`lease ${id} ${grantedTtl} ${keys.map((key) => Buffer.from(key).toString('hex')).join()}`);
  }
  return [
    `revision ${header.revision}`,
    ...lines,
    ...leases,
    ...responses.flatMap(({ events }) => events.map(briefEvent)),
  ];
}

async function writeSome({ client }: Store, from: number, count: number): Promise<void> {
  for (let number = from; number < from + count; number += 4) {
    await Promise.all([
      client.put({ key: bytes(`k${number % 11}`), value: bytes('v'.repeat(number % 700)), prevKv: true }),
      client.txn(
        txn([put(`t${number % 7}`, `${number}`), put(`u${number}`, 'x'), del(`k${(number + 3) % 11}`)]),
      ),
      client.deleteRange({ key: bytes('u'), rangeEnd: bytes(`u${number - 40}`) }),
      client.put({ key: bytes(`l${number % 5}`), value: bytes(`${number}`), lease: 9n }),
    ]);
  }
}

t.test('cut at any frame since the last sync, the store replays to the same state', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const folder = temporaryFolder(t);
  const dataDir = path.join(folder, 'data');
  const first = await openStore({ dataDir });
  await first.client.leaseGrant({ id: 9n, ttl: 1000 });
  await first.client.leaseGrant({ id: 10n, ttl: 1000 });
  await writeSome(first, 100, 40);
  // Closing checkpoints and syncs: what follows is not.
  await first.close();
  const store = await openStore({ dataDir });
  await writeSome(store, 140, 60);
  await store.client.compact({ revision: 20, physical: true });
  await store.client.leaseRevoke(10n);
  await writeSome(store, 200, 40);
  // The files as they are now, the WAL uncut; the log's last sync was before the last answer.
  const copy = path.join(folder, 'copy');
  fs.cpSync(dataDir, copy, { recursive: true, filter: (file) => !file.endsWith('-shm') });
  const expected = await stateOf(store);
  await store.close();
  const { frameBytes, committedBytes } = readWal(member(copy, 'mvcc-1.db-wal'));
  const frames = Math.floor(committedBytes / frameBytes);
  t.ok(frames > 100, `${frames} frames to cut`);

  for (let count = 0; count < CUTS; count++) {
    const cut = path.join(folder, `cut-${count}`);
    fs.cpSync(copy, cut, { recursive: true });
    const kept = count === 0 ? 0 : between(0, frames);
    // Also within a frame, and with frames of the future that were written before those of the past.
    const length = 32 + kept * frameBytes + (kept < frames ? between(0, frameBytes - 1) : 0);
    const wal = member(cut, 'mvcc-1.db-wal');
    if (between(0, 1) === 0) fs.truncateSync(wal, length);
    else blank(wal, length, length + between(1, 3) * frameBytes);

    const replayed = await openStore({ dataDir: cut, onFatal: (error) => t.fail(error.message) });
    t.same(await stateOf(replayed), expected, `cut after frame ${kept}`);
    await replayed.close();
    checkIntegrity(t, member(cut, 'mvcc-1.db'));
    const again = await openStore({ dataDir: cut });
    t.same(await stateOf(again), expected, 'and opens again');
    await again.close();
  }
});

/** Sectors that never reached the disk, before others that did. */
function blank(file: string, from: number, to: number): void {
  const content = fs.readFileSync(file);
  content.fill(0, from, Math.min(to, content.length));
  fs.writeFileSync(file, content);
}

function checkIntegrity(t: Test, file: string): void {
  const db = new Database(file, { readonly: true });
  t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  const dangling = db
    .prepare(
      `SELECT (SELECT count(*) FROM current c LEFT JOIN history h USING (sequence) WHERE h.sequence IS NULL)
         + (SELECT count(*) FROM past p LEFT JOIN history h USING (sequence) WHERE h.sequence IS NULL)`,
    )
    .pluck()
    .get();
  t.equal(dangling, 0, 'each version has its row');
  db.close();
}
