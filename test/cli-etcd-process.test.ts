/** `wherry etcd` as its users run it: its flags, its environment, TLS on its ports, and its metrics. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type KeyPair, issueAuthority, issueLeaf } from '../cli/pki/issue.js';
import { freePort, repository } from './tools/wherry.js';

interface Running {
  readonly process: ChildProcess;
  /** Messages of the log. */
  readonly messages: () => string[];
}

/** Resolves when it is ready. */
async function start(
  t: Test,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const command = join(repository, 'dist/bundle/wherry.js');
  const child = spawn(process.execPath, [command, 'etcd', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const messages = () =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
  while (!messages().includes('ready')) {
    if (child.exitCode !== null) throw new Error(`it has ended: ${output}`);
    await sleep(20);
  }
  return { process: child, messages };
}

const url = async (scheme: string) => `${scheme}://127.0.0.1:${await freePort()}`;

/** Status and body, or what became of the connection. */
function fetchWith(address: string, ca: string, pair?: KeyPair): Promise<string> {
  return new Promise((resolve) => {
    const request = get(address, { ca, agent: false, ...pair }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    request.on('error', () => resolve('refused'));
  });
}

t.test('flags, environment and metrics of a single member', async (t) => {
  const [client, peer, metrics] = [await url('http'), await url('http'), await url('http')];
  const { messages } = await start(
    t,
    [
      ['-data-dir', t.testdir()],
      [`--listen-client-urls=${client}`],
      ['--listen-peer-urls', peer],
      ['--listen-metrics-urls', metrics],
      ['--metrics=extensive'],
      ['--wal-dir=/elsewhere'],
      ['--quota-backend-bytes', '100000000'],
    ].flat(),
    { ETCD_NAME: 'from-etcd', ETCD_MAX_WALS: '3', ETCD_MADE_UP: '1', ETCDCTL_API: '3' },
  );
  const warnings = messages().filter((line) => /meaning|recognized/.test(line));
  t.match(warnings, [
    'unrecognized environment variable ETCD_MADE_UP',
    /^--wal-dir has no meaning here/,
    /^ETCD_MAX_WALS has no meaning here/,
  ]);
  t.same(await (await fetch(`${client}/health`)).json(), { health: 'true', reason: '' });
  t.equal((await fetch(`${metrics}/v3/kv/range`, { method: 'POST' })).status, 405, 'no key is read there');
  for (const base of [client, metrics]) {
    const page = await (await fetch(`${base}/metrics`)).text();
    t.match(page, /^etcd_server_has_leader 1$/m);
    t.match(page, /^etcd_server_quota_backend_bytes 100000000$/m);
    t.match(page, /^etcd_disk_wal_fsync_duration_seconds_count [1-9]/m);
    t.match(page, /^grpc_server_handling_seconds_count\{.*"Range".*\} 0$/m);
    t.match(page, /^process_resident_memory_bytes \d+$/m);
  }
  const members = await fetch(`${client}/v3/cluster/member/list`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  t.match(await members.json(), { members: [{ name: 'from-etcd', clientURLs: [client], peerURLs: [peer] }] });
});

t.test('TLS on the client urls: who has no certificate of the authority is not served', async (t) => {
  const now = Date.now();
  const authority = await issueAuthority('authority', now);
  const issue = (signer: KeyPair) =>
    issueLeaf(signer, { commonName: 'x', usage: 'peer', ipAddresses: ['127.0.0.1'] }, now);
  const [server, client] = [await issue(authority), await issue(authority)];
  const stranger = await issue(await issueAuthority('strangers', now));
  const folder = t.testdir();
  const contents = { cert: server.cert, key: server.key, ca: authority.cert };
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
  const file = join(folder, 'etcd.yml');
  const [clientUrl, peerUrl, metricsUrl] = [await url('https'), await url('http'), await url('https')];
  writeFileSync(
    file,
    `data-dir: ${join(folder, 'data')}
listen-client-urls: ${clientUrl}
listen-peer-urls: ${peerUrl}
listen-metrics-urls: ${metricsUrl}
client-transport-security:
  cert-file: ${join(folder, 'cert')}
  key-file: ${join(folder, 'key')}
  trusted-ca-file: ${join(folder, 'ca')}
  client-cert-auth: true
`,
  );
  const { messages } = await start(t, ['--config-file', file, '--name', 'x']);
  t.match(messages()[0], /^loaded server configuration from .*etcd\.yml, other configuration/);
  for (const base of [clientUrl, metricsUrl]) {
    t.equal(await fetchWith(`${base}/health`, authority.cert, client), '200 {"health":"true","reason":""}');
    t.equal(await fetchWith(`${base}/health`, authority.cert), 'refused');
    t.equal(await fetchWith(`${base}/health`, authority.cert, stranger), 'refused');
  }
});

t.test('--auto-tls: a certificate of its own', async (t) => {
  const folder = t.testdir();
  const [client, peer] = [await url('https'), await url('https')];
  const { messages } = await start(t, [
    `--data-dir=${folder}`,
    '--auto-tls',
    '--peer-auto-tls',
    `--listen-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
  ]);
  t.ok(messages().includes('--auto-tls encrypts, but nobody can tell who answers'));
  t.ok(messages().includes('--peer-auto-tls encrypts, but nobody can tell who answers'));
  const certificate = readFileSync(join(folder, 'fixtures/client/cert.pem'), 'utf8');
  t.match(await fetchWith(`${client}/health`, certificate), /^200 /);
});
