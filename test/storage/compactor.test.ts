/** Removing rows takes a share of the thread (storage/DESIGN.md), which the pauses between its steps show. */
import t from 'tap';
import { Compactor } from '../../storage/mvcc/compactor.js';
import { insertMetadata, newMetadata } from '../../storage/mvcc/metadata.js';
import { createDatabase } from '../../storage/mvcc/schema.js';
import { identity } from './fake-store.js';

const ROWS = 2000;
const KEYS = 10;
/** Of a whole step, on the clock below. */
const STEP_MS = 19 * 0.0625;

/** A database in which every revision overwrites the one of ten before. */
function database() {
  const db = createDatabase(':memory:', (db) => insertMetadata(db, newMetadata(identity())));
  const insert = db.prepare(
    `INSERT INTO history (sequence, revision, sub, key, create_revision, version, previous, value)
     VALUES (?, ?, 0, ?, 1, 1, ?, 'v')`,
  );
  for (let row = 1; row <= ROWS; row++) {
    insert.run(row, row, Buffer.from(`k${row % KEYS}`), row > KEYS ? row - KEYS : null);
  }
  return db;
}

t.test('compaction takes a fifth of the thread, and a half where writers are faster than that', async (t) => {
  const db = database();
  // The compactor's own timers keep no process alive.
  const awake = setInterval(() => undefined, 1000);
  t.teardown(() => {
    clearInterval(awake);
    db.close();
  });
  // Time passes only where it is looked at: before and after a step, at its begin and end, and after each of 16 rows.
  let now = 0;
  t.intercept(performance, 'now', { value: () => (now += 0.0625) });
  const timers = t.capture(globalThis, 'setTimeout', setTimeout);
  let compacted = 1000;
  const compactor = new Compactor({
    db,
    removed: -1,
    compacted: () => compacted,
    sequenceOf: (revision) => revision,
    hold: () => undefined,
    committed: () => undefined,
    onFailure: (error) => t.fail(error.message),
  });
  const pauses = () => timers().map(({ args }) => args[1]);
  compactor.start();
  await compactor.removedThrough(300);
  const usual = pauses();
  t.same(new Set(usual), new Set([0, 4 * STEP_MS]), 'four times as long as a step');

  compacted = 1800;
  await compactor.removedThrough(1000);
  t.ok(
    pauses().includes(STEP_MS),
    'as long as a step, as the next compaction has come before the last was done',
  );
  await compactor.removedThrough(1800);
  const last = pauses();
  t.ok(last.includes(4 * STEP_MS) && !last.includes(STEP_MS), 'and the last one has its time again');
  const left = db.prepare('SELECT count(*) FROM history').pluck().get();
  t.equal(left, ROWS - 1800 + KEYS);
});
