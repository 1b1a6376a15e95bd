/** The README's tour with the real curl, and a watch over a web socket, against the real command. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { run } from '../tools/kubectl.js';
import { repository, startWherry } from '../tools/wherry.js';

const missing = spawnSync('curl', ['--version']).error === undefined ? false : 'there is no curl here';

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Record<string, string> }];
  readonly users: readonly [{ readonly user: Record<string, string> }];
}

t.test('the tour, as the README has it', { skip: missing }, async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const lines = readme.split('\n').filter((line) => line.startsWith('curl '));
  const [list = '', create = '', get = '', watch = '', patch = ''] = lines.map((line) =>
    line.replaceAll('http://127.0.0.1:8080', server.url),
  );
  const shell = async (line: string): Promise<unknown> => {
    const { code, stdout, stderr } = await run('sh', ['-c', line.replace('curl ', 'curl -sS ')]);
    t.equal(code, 0, `${line} ${stderr}`);
    return JSON.parse(stdout);
  };

  t.match(await shell(list), { kind: 'NamespaceList', items: [{ metadata: { name: 'default' } }] });
  t.match(await shell(create), { kind: 'ConfigMap', metadata: { name: 'settings', uid: /^[0-9a-f-]{36}$/ } });
  t.match(await shell(get), { kind: 'ConfigMap', metadata: { name: 'settings' } });

  const watching = spawn('sh', ['-c', `exec ${watch.replace('curl ', 'curl -sS ')}`]);
  let seen = '';
  watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const line = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(seen)) await once(watching.stdout, 'data');
  };
  await line(/"type":"ADDED".*"name":"settings"/);
  t.match(await shell(patch), { data: { mode: 'dark' } });
  await line(/"type":"MODIFIED".*"mode":"dark"/);
  watching.kill();
  t.pass('the watch shows what is there and what changes');
  t.match(await shell(create), { kind: 'Status', code: 409, reason: 'AlreadyExists' });
});

t.test("over HTTPS with the kubeconfig's certificates, and without", { skip: missing }, async (t) => {
  const server = await startWherry();
  const { clusters, users } = parse(readFileSync(server.kubeconfig, 'utf8')) as Kubeconfig;
  const folder = t.testdir({
    'ca.pem': Buffer.from(clusters[0].cluster['certificate-authority-data'] ?? '', 'base64').toString(),
    'cert.pem': Buffer.from(users[0].user['client-certificate-data'] ?? '', 'base64').toString(),
    'key.pem': Buffer.from(users[0].user['client-key-data'] ?? '', 'base64').toString(),
  });
  t.teardown(() => server.stop());
  const curl = async (...args: string[]): Promise<string> =>
    (await run('curl', ['-sS', '--cacert', join(folder, 'ca.pem'), ...args])).stdout;
  const identity = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];
  const url = `${server.secureUrl}/api/v1/namespaces/default`;
  const status = ['-o', '/dev/null', '-w', '%{http_code} %{http_version}'];

  t.match(JSON.parse(await curl(...identity, url)), { kind: 'Namespace', metadata: { name: 'default' } });
  t.equal(await curl(...identity, ...status, url), '200 2', 'HTTP/2 by negotiation');
  t.equal(await curl(...identity, '--http1.1', ...status, url), '200 1.1');
  t.match(JSON.parse(await curl(url)), { kind: 'Status', code: 401, reason: 'Unauthorized' });
  t.equal(await curl(`${server.secureUrl}/readyz`), 'ok', 'health needs no credentials');
});

t.test('a watch over a web socket, on the URL of the watch', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const collection = `${server.url}/api/v1/namespaces/default/secrets`;
  const socket = new WebSocket(`${collection.replace('http', 'ws')}?watch=true`);
  const events: { type: string; object: { metadata: { name: string } } }[] = [];
  socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ metadata: { name: 'over-a-socket' } });
  await fetch(collection, { method: 'POST', headers, body });
  await fetch(`${collection}/over-a-socket`, { method: 'DELETE' });
  while (events.length < 2) await once(socket, 'message');
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  t.same(
    events.map(({ type, object }) => `${type} ${object.metadata.name}`),
    ['ADDED over-a-socket', 'DELETED over-a-socket'],
  );
});
