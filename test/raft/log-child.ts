/**
 * A process that writes a log and says what is durable, to be killed by a test: `log-child.js PATH`.
 *
 * Says `acked INDEX` whenever an append is acknowledged, `error CODE` when the log fails. On `pause` from standard
 * input it waits for what is in flight and says `paused INDEX`; on `go` it carries on.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LogError } from '../../raft/log/errors.js';
import { openSqliteLog, type SqliteLog } from '../../raft/log/sqlite.js';
import { entry } from './entries.js';
import { CHILD_PAYLOAD_BYTES } from './log-child-facts.js';

const WRITERS = 8;
/** Keeps the log short, so that the kill meets compaction too. */
const TAIL_ENTRIES = 500;

const say = (line: string) => writeSync(1, `${line}\n`);

let paused: Promise<void> | undefined;
let resume: () => void = () => undefined;
let writing = 0;

async function write(log: SqliteLog): Promise<void> {
  for (;;) {
    await paused;
    writing += 1;
    const index = log.lastIndex + 1;
    const appended = log.append([entry(index, Math.floor(index / 1000) + 1, CHILD_PAYLOAD_BYTES)]);
    await appended;
    writing -= 1;
    say(`acked ${index}`);
    log.release(log.durableIndex);
    if (log.durableIndex - log.firstIndex > 2 * TAIL_ENTRIES) {
      await log.compactPrefix(log.durableIndex - TAIL_ENTRIES);
    }
    if (paused !== undefined && writing === 0) say(`paused ${log.durableIndex}`);
  }
}

try {
  const [path = ''] = process.argv.slice(2);
  const log = await openSqliteLog({ path });
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'pause') paused = new Promise((resolve) => (resume = resolve));
    if (line === 'go') {
      paused = undefined;
      resume();
    }
  });
  await Promise.all(Array.from({ length: WRITERS }, () => write(log)));
} catch (error) {
  say(`error ${error instanceof LogError ? error.code : String(error)}`);
  process.exit(1);
}
