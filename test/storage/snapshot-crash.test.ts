/** Decision 3, "Snapshots and swaps": a crash at any point of an install leaves the old state or the new one. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readCurrent } from '../../storage/mvcc/files.js';
import { openStore } from '../../storage/open.js';
import { random } from '../raft/random.js';
import { identity, memoryMachine } from './fake-store.js';
import { contentOf, Entries } from './machines.js';
import { bytes, temporaryFolder } from './tools.js';

t.test('killed at any point of an install, a member starts with the old state or the new one', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const folder = temporaryFolder(t);
  const dataDir = path.join(folder, 'data');
  const self = identity(2n);
  const before = await openStore({ dataDir, bootstrap: async () => self });
  await before.client.put({ key: bytes('old'), value: bytes('1') });
  await before.close();
  const entries = new Entries(5);
  const source = memoryMachine(self).machine;
  for (let number = 0; number < 200; number++) entries.put(`k${number}`, 'v'.repeat(500));
  entries.applyTo(source);
  const snapshot = await source.snapshot();
  const content = path.join(folder, 'content');
  fs.writeFileSync(content, await contentOf(snapshot));
  const header = { index: snapshot.index, term: snapshot.term };
  const child = fileURLToPath(new URL('./snapshot-child.js', import.meta.url));

  const outcomes = new Set<string>();
  const crash = async (kill: string): Promise<boolean> => {
    const copy = path.join(folder, 'crashed');
    fs.rmSync(copy, { recursive: true, force: true });
    fs.cpSync(dataDir, copy, { recursive: true });
    const args = [child, path.join(copy, 'member'), content, JSON.stringify(header), kill];
    const { signal, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 30_000,
    });
    if (signal !== 'SIGKILL') t.match(stdout, 'done', stderr);
    const store = await openStore({ dataDir: copy, onFatal: (error) => t.fail(error.message) });
    const old = await store.client.range({ key: bytes('old') });
    const installed = await store.client.range({ key: bytes('k199') });
    await store.client.put({ key: bytes('new'), value: bytes('1') });
    await store.close();
    t.equal(old.count + installed.count, 1, `${kill}: ${stdout.trim().split('\n').at(-1)}`);
    outcomes.add(installed.count === 1 ? 'new' : 'old');
    const name = readCurrent(path.join(copy, 'member')) ?? '';
    t.same(fs.readdirSync(path.join(copy, 'member')).sort(), ['CURRENT', 'log.db', name]);
    return signal === 'SIGKILL';
  };
  let steps = 0;
  while (await crash(`step ${steps}`)) steps += 1;
  t.ok(steps >= 12, `${steps} steps`);
  t.same([...outcomes].sort(), ['new', 'old']);
  for (let count = 0; count < 2; count++) await crash(`ms ${between(0, 60)}`);
  await source.close();
});
