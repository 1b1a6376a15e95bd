/**
 * Bundles the command into dist/bundle/: `wherry.js` is small and answers --help and --version, `server.js` is all the
 * rest, loaded with V8's code cache; each worker thread has a file of its own. CommonJS, since that starts fastest:
 * measured on the 2-core machine with Fastify, zod, SQLite and TLS, 224 ms as an ES module, 210 ms as CommonJS, 146 ms
 * as CommonJS with the code cache. Nothing is minified, so that stack traces can be read; it gained nothing.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const outdir = `${root}dist/bundle`;

/** Worker threads by the name of their bundle. cli/bundle.ts knows the names of those that are not named alike in the sources. */
const workers = {
  'log-worker': 'raft/log/worker.ts',
  'checkpoint-worker': 'storage/mvcc/checkpoint-worker.ts',
  'snapshot-worker': 'storage/snapshot/worker.ts',
  'yaml-worker': 'apiserver/http/serializers/yaml-worker.ts',
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  format: 'cjs',
  outdir,
  // Native code, and what only servers on another's etcd load.
  external: ['better-sqlite3', '@grpc/grpc-js'],
  // What CommonJS calls `import.meta.url`.
  define: { 'import.meta.url': 'import_meta_url' },
  banner: { js: "const import_meta_url = require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
  logLevel: 'warning',
};

async function main() {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  // The package is made of ES modules; this folder is not.
  await writeFile(`${outdir}/package.json`, '{"type":"commonjs"}\n');
  const define = { ...shared.define, WHERRY_VERSION: JSON.stringify(version) };
  await build({ ...shared, define, entryPoints: { server: 'cli/programs.ts', ...workers } });
  // A code cache is only ever used with the very text it was made from.
  const text = await readFile(`${outdir}/server.js`);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  await build({
    ...shared,
    entryPoints: { wherry: 'cli/main.ts' },
    define: { ...define, WHERRY_SERVER_HASH: JSON.stringify(hash) },
  });
}

await main();
