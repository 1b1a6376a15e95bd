/**
 * Runs the bundled server for a moment, so that it leaves V8's code cache behind and the user's first start is a fast
 * one. Where that fails the server still works, and makes the cache at the end of its first run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../dist/bundle/wherry.js', import.meta.url));
const readyMsMax = 20_000;
const stopMsMax = 5_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function request(url, init) {
  const response = await fetch(url, init);
  await response.arrayBuffer();
  return response.ok;
}

/** What most starts are followed by. */
async function use(url) {
  const maps = `${url}/api/v1/namespaces/default/configmaps`;
  const body = JSON.stringify({ metadata: { name: 'warm' }, data: { key: 'value' } });
  await request(maps, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await request(`${maps}/warm`);
  await request(maps);
  await request(`${maps}/warm`, { method: 'DELETE' });
}

async function warm() {
  const dataDir = await mkdtemp(join(tmpdir(), 'wherry-warm-'));
  const [port, securePort] = [await freePort(), await freePort()];
  const flags = ['--data-dir', dataDir, '--port', `${port}`, '--secure-port', `${securePort}`];
  const child = spawn(process.execPath, [command, 'serve', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => (complaint += chunk));
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + readyMsMax;
  try {
    while (!(await request(`${url}/readyz`).catch(() => false))) {
      if (child.exitCode !== null) throw new Error(complaint.trim());
      if (Date.now() > deadline) throw new Error(`not ready after ${readyMsMax} ms`);
      await sleep(20);
    }
    await use(url);
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(stopMsMax, undefined, { ref: false })]);
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  }
}

try {
  await warm();
} catch (error) {
  console.log(`wherry: built, but a first run failed: ${String(error.message).split('\n', 1)[0]}`);
}
