/**
 * Restores a backup and is killed on the way: `node restore-child.js FILE DATA_DIR STEP`. Each call of the file system in
 * this thread that changes something is a step; what the log's thread does lies between two of them.
 */
import fs from 'node:fs';
import { restoreBackup } from '../../storage/backup/restore.js';

const [file = '', dataDir = '', step = ''] = process.argv.slice(2);
let steps = 0;
const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of ['mkdirSync', 'openSync', 'writeSync', 'fsyncSync', 'renameSync']) {
  const original = calls[name];
  calls[name] = (...args) => {
    process.stdout.write(`${name}\n`);
    if (steps === Number(step)) process.kill(process.pid, 'SIGKILL');
    steps += 1;
    return original?.(...args);
  };
}

await restoreBackup({
  file,
  dataDir,
  own: { name: 'default', peerUrls: ['http://localhost:2380'] },
  token: 'etcd-cluster',
  bumpRevision: 100,
  markCompacted: true,
  skipHashCheck: false,
});
process.stdout.write('done\n');
