/**
 * Installs a snapshot and is killed on the way: `node snapshot-child.js FOLDER CONTENT HEADER 'step N'`, or `'ms N'` for
 * so many milliseconds after the content has arrived. Each call of the file system in this thread is a step, and so is
 * each piece of the content.
 */
import fs from 'node:fs';
import type { SnapshotHeader } from '../../raft/transport/transport.js';
import { identity } from './fake-store.js';
import { folderMachine } from './machines.js';

const PIECE_BYTES = 128 * 1024;

const [folder = '', contentFile = '', header = '', kill = ''] = process.argv.slice(2);
const [unit, number] = kill.split(' ');
let steps = 0;

function step(what: string): void {
  process.stdout.write(`${what}\n`);
  if (unit === 'step' && steps === Number(number)) process.kill(process.pid, 'SIGKILL');
  steps += 1;
}

const self = identity(2n);
const { index, term } = JSON.parse(header) as SnapshotHeader;
const bytes = fs.readFileSync(contentFile);
const { machine } = folderMachine(folder, self);

const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync']) {
  const original = calls[name];
  calls[name] = (...args) => {
    step(name);
    return original?.(...args);
  };
}
const remove = fs.promises.rm;
fs.promises.rm = (...args) => {
  step('rm');
  return remove(...args);
};

async function* content(): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    step('content');
    yield bytes.subarray(start, start + PIECE_BYTES);
  }
  step('end of content');
  if (unit === 'ms') setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(number));
}

const size = bytes.length;
const { configuration } = self;
const staged = await machine.stage({
  from: 1n,
  senderTerm: term,
  index,
  term,
  configuration,
  size,
  content: content(),
});
step('staged');
await staged.install();
step('installed');
await machine.close();
process.stdout.write('done\n');
