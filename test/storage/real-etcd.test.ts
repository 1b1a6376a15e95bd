/** The client suite against a real etcd, where one is installed: what checks the suite itself. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { clientSuite } from './client-suite.js';
import { gatewayClient } from './gateway-client.js';
import { temporaryFolder } from './tools.js';

const isInstalled = spawnSync('etcd', ['--version']).status === 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function realEtcd(t: Test) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'etcd',
    [
      ['--data-dir', temporaryFolder(t)],
      ['--listen-client-urls', url],
      ['--advertise-client-urls', url],
      ['--listen-peer-urls', peerUrl],
      ['--initial-advertise-peer-urls', peerUrl],
      ['--initial-cluster', `default=${peerUrl}`],
    ].flat(),
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const isHealthy = () =>
    fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isHealthy())) await delay(50);
  return { client: gatewayClient(url), watches: false };
}

t.test('a real etcd', { skip: isInstalled ? false : 'etcd is not installed' }, async (t) => {
  clientSuite(t, realEtcd);
});
