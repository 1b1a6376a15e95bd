/** No acknowledged entry is lost to a killed process, a power cut, or a full disk. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openSqliteLog } from '../../raft/log/sqlite.js';
import { CHILD_PAYLOAD_BYTES, CHILD_SCRIPT } from './log-child-facts.js';
import { entry, payloadOf } from './entries.js';
import { readAll } from './log-suite.js';
import { random } from './random.js';
import { readWal } from './wal.js';

const KILLS = 6;
const CUTS = 15;

class LogProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #listeners = new Set<() => void>();
  acked = 0;
  paused: number | undefined;
  error: string | undefined;

  /** @param fileBytesMax the size past which no file of the process may grow. */
  constructor(path: string, fileBytesMax?: number) {
    // The test runner's own hooks write files too, which the limit would forbid them.
    const limit = fileBytesMax === undefined ? '' : `unset NODE_OPTIONS; ulimit -f ${fileBytesMax / 512}; `;
    const command = `${limit}exec "$0" "$1" "$2"`;
    this.#child = spawn('sh', ['-c', command, process.execPath, CHILD_SCRIPT, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#exit = once(this.#child, 'close');
    const { stdout } = this.#child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#hear(line));
  }

  /** Resolves once `condition` holds, or the process has ended. */
  async until(condition: () => boolean): Promise<void> {
    const holds = new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#listeners.delete(check);
        resolve();
      };
      this.#listeners.add(check);
      check();
    });
    await Promise.race([holds, this.#exit]);
  }

  tell(command: 'pause' | 'go'): void {
    this.paused = undefined;
    this.#child.stdin?.write(`${command}\n`);
  }

  /** Resolves when it is dead and all it said is heard. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  async ended(): Promise<void> {
    await this.#exit;
  }

  #hear(line: string): void {
    const [word, value = ''] = line.split(' ');
    if (word === 'acked') this.acked = Math.max(this.acked, Number(value));
    if (word === 'paused') this.paused = Number(value);
    if (word === 'error') this.error = value;
    for (const listener of this.#listeners) listener();
  }
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'wherry-crash-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Opens the log and verifies every entry in it, that `acked` is there, and that it can be written. */
async function verify(t: Test, path: string, acked: number): Promise<void> {
  const log = await openSqliteLog({ path });
  try {
    const { firstIndex, lastIndex } = log;
    t.ok(lastIndex >= acked, `${acked} was acknowledged, the log ends at ${lastIndex}`);
    const read = await readAll(log, firstIndex);
    const wrong = read.find(({ index, term, payload }, i) => {
      const right = entry(firstIndex + i, Math.floor((firstIndex + i) / 1000) + 1);
      return (
        index !== right.index || term !== right.term || !payloadOf(index, CHILD_PAYLOAD_BYTES).equals(payload)
      );
    });
    t.equal(read.length, lastIndex - firstIndex + 1, 'all are there');
    t.equal(wrong, undefined, 'and what was written');
    const next = entry(lastIndex + 1, Math.floor((lastIndex + 1) / 1000) + 1, CHILD_PAYLOAD_BYTES);
    await log.append([next]);
  } finally {
    await log.close();
  }
}

t.test('kill -9 in the middle of concurrent appends loses nothing acknowledged', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  const path = join(folder(t), 'raft.db');
  for (let round = 0; round < KILLS; round += 1) {
    const child = new LogProcess(path);
    const before = child.acked;
    await child.until(() => child.acked > before);
    await delay(between(0, 250));
    await child.kill();

    t.equal(child.error, undefined);
    await verify(t, path, child.acked);
  }
});

t.test('kill -9 while the log is created leaves nothing that cannot be opened', async (t) => {
  const { seed, between } = random();
  t.comment(`seed ${seed}`);
  for (let round = 0; round < 4; round += 1) {
    const path = join(folder(t), 'raft.db');
    const child = new LogProcess(path);
    while (statSync(path, { throwIfNoEntry: false }) === undefined) await delay(1);
    await delay(between(0, 3));
    await child.kill();

    await verify(t, path, child.acked);
  }
});

for (const { name, warmUp } of [
  { name: 'a young WAL', warmUp: 20 },
  { name: 'a WAL that was written over', warmUp: 3000 },
]) {
  t.test(
    `a power cut loses nothing acknowledged: ${name}, cut at random after its last acknowledged sync`,
    async (t) => {
      const { seed, between } = random();
      t.comment(`seed ${seed}`);
      const dir = folder(t);
      const path = join(dir, 'raft.db');
      const child = new LogProcess(path);
      await child.until(() => child.acked >= warmUp);
      child.tell('pause');
      await child.until(() => child.paused !== undefined);
      const acked = child.paused ?? 0;
      execFileSync('cp', [`${path}-wal`, join(dir, 'acked-wal')]);
      child.tell('go');
      await child.until(() => child.acked >= acked + 60);
      await child.kill();

      const ackedWal = readWal(join(dir, 'acked-wal'));
      const lastWal = readWal(`${path}-wal`);
      t.ok(acked >= warmUp, `${acked} entries acknowledged, then ${child.acked - acked} more`);
      // Started anew meanwhile, the WAL needs none of its bytes for the entries before.
      const synced = ackedWal.salt === lastWal.salt ? ackedWal.committedBytes : 0;
      t.comment(`WAL of ${lastWal.committedBytes} bytes, ${synced} of them synced`);
      for (let round = 0; round < CUTS; round += 1) {
        const damaged = join(dir, `cut-${round}`);
        mkdirSync(damaged);
        const copy = join(damaged, 'raft.db');
        copyFileSync(path, copy);
        copyFileSync(`${path}-wal`, `${copy}-wal`);
        const cut = between(synced, lastWal.committedBytes);
        const atFrame = synced + Math.floor((cut - synced) / lastWal.frameBytes) * lastWal.frameBytes;
        if (round % 3 === 0) truncateSync(`${copy}-wal`, cut);
        else if (round % 3 === 1) truncateSync(`${copy}-wal`, atFrame);
        else overwrite(`${copy}-wal`, cut);

        await verify(t, copy, acked);
      }
    },
  );
}

t.test('a disk that takes no more ends the log, with everything acknowledged on it', async (t) => {
  const path = join(folder(t), 'raft.db');
  const child = new LogProcess(path, 2 ** 20);
  await child.ended();

  t.equal(child.error, 'failed');
  t.ok(child.acked > 0, `${child.acked} entries fitted`);
  await verify(t, path, child.acked);
});

/** Leaves garbage from `start` on, as a torn write does. */
function overwrite(path: string, start: number): void {
  const bytes = readFileSync(path);
  for (let i = start; i < bytes.length; i += 1) bytes[i] = (i * 31) & 0xff;
  writeFileSync(path, bytes);
}
