/**
 * A selection of the API server's end-to-end tests on the other stores it can stand on; `npm run test:backends` runs all
 * of them.
 */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { BACKEND_VARIABLE, backends } from '../tools/backend.js';
import { etcdMissing } from '../tools/real-etcd.js';

const FILE_SECONDS_MAX = '250';

const files = {
  'wherry-etcd': ['transcript', 'curl', 'client-node', '../apiserver/resource-versions'],
  etcd: ['transcript', 'client-node', '../apiserver/resource-versions'],
} as const;

t.jobs = 2;
for (const backend of backends) {
  if (backend === 'embedded') continue;
  const skip = backend === 'etcd' ? etcdMissing : false;
  t.test(`on ${backend}`, { skip }, async (t) => {
    for (const file of files[backend]) {
      const path = fileURLToPath(new URL(`./${file}.test.js`, import.meta.url));
      const env = { ...process.env, TAP_TIMEOUT: FILE_SECONDS_MAX, [BACKEND_VARIABLE]: backend };
      await t.spawn(process.execPath, [path], { env }, file);
    }
  });
}
