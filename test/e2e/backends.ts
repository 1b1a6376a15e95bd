/**
 * The API server's end-to-end tests on every store it can stand on: `npm run test:backends`, or with the names of some
 * (embedded, wherry-etcd, etcd). Each file is what `npm test` runs on the embedded store.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BACKEND_VARIABLE, type Backend, backends } from '../tools/backend.js';
import { etcdMissing } from '../tools/real-etcd.js';

/** What these ask for is the API's, not the store's own. */
const files = [
  'curl',
  'transcript',
  'create-defaults',
  'client-node',
  'kubectl-read',
  'kubectl-write',
  'deletion',
];

const FILE_SECONDS_MAX = '600';

const pathOf = (file: string) => fileURLToPath(new URL(`./${file}.test.js`, import.meta.url));

/** `12 of 12` or why there is nothing to count. */
function summary(output: string): string {
  const counts = /^# \{ total: (\d+), pass: (\d+)(.*)\}$/m.exec(output);
  return counts === null ? 'no result' : `${counts[2]} of ${counts[1]}${counts[3]?.trimEnd()}`;
}

function runOn(backend: Backend): boolean {
  if (backend === 'etcd' && etcdMissing !== false) {
    console.log(`${backend}: skipped, ${etcdMissing}`);
    return true;
  }
  let passed = true;
  for (const file of files) {
    const env = { TAP_TIMEOUT: FILE_SECONDS_MAX, ...process.env, [BACKEND_VARIABLE]: backend };
    const { status, stdout } = spawnSync(process.execPath, [pathOf(file)], { env, encoding: 'utf8' });
    console.log(`${backend}: ${file}: ${status === 0 ? 'passed' : 'FAILED'}, ${summary(stdout)}`);
    if (status === 0) continue;
    passed = false;
    console.log(stdout);
  }
  return passed;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !backends.some((backend) => backend === name));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: none of ${backends.join(', ')}`);
  process.exitCode = 2;
} else {
  const chosen = backends.filter((backend) => wanted.length === 0 || wanted.includes(backend));
  const results = chosen.map(runOn);
  process.exitCode = results.every(Boolean) ? 0 : 1;
}
