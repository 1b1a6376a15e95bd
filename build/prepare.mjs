/**
 * npm's `prepare`: compiles to dist/, bundles, warms the code cache and makes the test runner ready, so that `npm ci`
 * leaves a checkout that runs.
 * Without the development dependencies there is nothing to build with; that is said in one line and is no error.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const require = createRequire(import.meta.url);

function installed(name) {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const missing = ['typescript', 'esbuild'].filter((name) => !installed(name));
if (missing.length > 0) {
  console.log(
    `wherry: not built, ${missing.join(' and ')} not installed; npm ci with development dependencies builds it`,
  );
} else {
  rmSync(`${root}dist`, { recursive: true, force: true });
  run('node_modules/typescript/bin/tsc');
  run('build/bundle.mjs');
  run('build/warm.mjs');
  // tap is put together from the plugins that .taprc names.
  if (installed('tap')) run('node_modules/.bin/tap', 'build');
}
