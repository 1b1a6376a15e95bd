/** The command as a user runs it: exit codes, one-line errors, what is written, and how it stops. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { readyText } from '../cli/announce.js';
import { forPerson } from '../cli/logger.js';
import { freePort, repository, startWherry, temporaryFolder } from './tools/wherry.js';

const bundle = join(repository, 'dist/bundle');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  args: readonly string[],
  env: Record<string, string> = {},
  command = join(bundle, 'wherry.js'),
): Promise<Outcome> {
  const child = spawn(process.execPath, [command, ...args], { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Flags of a server on ports of its own. */
async function flags(dataDir: string): Promise<string[]> {
  const ports = [await freePort(), await freePort()];
  return ['serve', '--data-dir', dataDir, '--port', `${ports[0]}`, '--secure-port', `${ports[1]}`];
}

t.test('help and version need nothing of the server', async (t) => {
  const alone = t.testdir();
  for (const file of ['wherry.js', 'package.json']) await copyFile(join(bundle, file), join(alone, file));
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  const command = join(alone, 'wherry.js');
  t.same(await run(['--version'], {}, command), { code: 0, stdout: `${version}\n`, stderr: '' });
  for (const args of [
    ['--help'],
    ['serve', '--help'],
    ['etcd', '--help'],
    ['apiserver', '--help'],
    ['cluster', '--help'],
    [],
  ]) {
    const { code, stdout, stderr } = await run(args, {}, command);
    t.same([code, stderr], [0, ''], args.join(' '));
    t.match(stdout, /^Usage: wherry/);
  }
});

t.test('who reads no more of its help is told nothing', async (t) => {
  const child = spawn(process.execPath, [join(bundle, 'wherry.js'), '--help']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  t.same([code, stderr], [0, '']);
});

t.test('only what works is advertised', async (t) => {
  const { stdout } = await run(['--help']);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]);
  t.same(commands, ['serve', 'etcd', 'apiserver', 'cluster', 'snapshot', 'migrate']);
});

t.test('an unknown flag or a bad value: exit code 2 and one line', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp, Record<string, string>?])[] = [
    [['serve', '--nope'], /unknown option '--nope'/],
    [['serve', '--prt', '1'], /unknown option '--prt' \(Did you mean --port\?\)/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['serve', 'more'], /too many arguments/],
    [['serve', '--port'], /argument missing/],
    [['serve', '--port', '65536'], /--port .*'65536' is invalid.*0 to 65535/],
    [['serve', '--port', '-1'], /--port .*invalid/],
    [['serve', '--secure-port', 'x'], /--secure-port .*invalid/],
    [['serve', '--bind-address', 'localhost'], /--bind-address .*IP address/],
    [['serve', '--data-dir', ''], /--data-dir .*empty/],
    [['serve', '--etcd-compaction-interval', '5'], /--etcd-compaction-interval .*must be a duration/],
    [['apiserver', '--etcd-compaction-interval', '-1s'], /--etcd-compaction-interval .*must not be negative/],
    [['serve', '--controllers', 'foo'], /foo is none of \*, namespace-controller/],
    [['serve', '--cors-allowed-origins', '('], /"\(" is not a regular expression/],
    [['serve', '--log-level', 'loud'], /--log-level .*Allowed choices/],
    [['serve', '--service-account-issuer', ''], /--service-account-issuer .*not be empty/],
    [['serve', '--service-cluster-ip-range', 'x'], /service-cluster-ip-range is not a valid cidr\./],
    [['serve', '--service-cluster-ip-range', '10.0.0.0/33'], /service-cluster-ip-range is not a valid cidr/],
    [
      ['serve', '--service-cluster-ip-range', '10.0.0.0/24,fd00::/112'],
      /services get IPv4 addresses only, of one range/,
    ],
    [['serve', '--service-cluster-ip-range', '10.0.0.0/30'], /must be at least 8 IP addresses/],
    [['serve', '--service-node-port-range', 'a-b'], /unable to parse port range: a-b/],
    [['serve', '--service-node-port-range', '9-8'], /end port cannot be less than start port: 9-8/],
    [['serve', '--service-node-port-range', '1+65535'], /cannot be greater than 65535: 1\+65535/],
    [['serve', '--advertise-address', '127.0.0.1'], /must be an address that others can reach/],
    [['serve', '--service-account-issuer', 'a,http://'], /"http:\/\/" has a colon and is no URL/],
    [
      ['serve', '--data-dir', ':memory:', '--service-account-key-file', '/nowhere'],
      /cannot read --service-account-key-file: .*\/nowhere/,
    ],
    [
      ['serve', '--data-dir', ':memory:', '--service-account-signing-key-file', '/dev/null'],
      /--service-account-signing-key-file \/dev\/null: it holds no private key in PEM/,
    ],
    [['serve', '--max-txn-ops', '0'], /--max-txn-ops .*above 0/],
    [['serve', '--port', '0', '--secure-port', '0'], /may not both be 0/],
    [['apiserver'], /required option '--etcd-servers <urls>' not specified/],
    [['apiserver', '--etcd-servers', ''], /--etcd-servers .*not be empty/],
    [
      ['apiserver', '--etcd-servers', 'http://a'],
      /URL address does not have the form "host:port": http:\/\/a/,
    ],
    [['apiserver', '--etcd-servers', 'a:1'], /URL scheme must be http or https: a:1/],
    [['apiserver', '--etcd-servers', 'http://a:1', '--name', 'x'], /unknown option '--name'/],
    [['serve', '--etcd-servers', 'http://a:1', '--name', 'x'], /--name is of a store/],
    [
      ['serve', '--etcd-servers', 'http://a:1'],
      /--max-txn-ops is of a store, and with --etcd-servers this server has none/,
      { WHERRY_MAX_TXN_OPS: '9' },
    ],
    [['serve', '--etcd-cafile', '/nowhere'], /need --etcd-servers/],
    [['apiserver', '--etcd-servers', 'https://a:1', '--etcd-certfile', 'x'], /must both be given/],
    [
      ['apiserver', '--etcd-servers', 'https://a:1', '--etcd-cafile', '/nowhere'],
      /cannot read --etcd-cafile: .*\/nowhere/,
    ],
    [['apiserver', '--etcd-servers', 'http://a:1', '--etcd-prefix', '/'], /--etcd-prefix .*not be empty/],
    [['serve'], /'abc' from env 'WHERRY_PORT' is invalid/, { WHERRY_PORT: 'abc' }],
    [['etcd', '--listen-peer-urls', 'http://peers.example:1'], /expected IP in URL for binding/],
    [
      ['etcd', '--listen-client-urls', 'https://127.0.0.1:1'],
      /cannot listen on TLS for https:\/\/127.0.0.1:1: --cert-file and --key-file are not given/,
    ],
    [['etcd', '--initial-cluster', 'm1'], /"m1" does not have the form name=url/],
    [['etcd', '--initial-cluster', 'm1=127.0.0.1:1'], /URL scheme must be http or https: 127.0.0.1:1/],
    [['etcd', '--initial-cluster-state', 'old'], /--initial-cluster-state .*one of new, existing/],
    [['etcd', '--name', 'a=b'], /--name .*equals sign/],
    [['etcd', '--peer-client-cert-auth=maybe'], /must be true or false/],
    [['etcd'], /WHERRY_PEER_CLIENT_CERT_AUTH "no" is invalid/, { WHERRY_PEER_CLIENT_CERT_AUTH: 'no' }],
    [['etcd', '--heartbeat-interval', '0'], /--heartbeat-interval .*above 0/],
    [
      ['serve', '--election-timeout', '499'],
      /--election-timeout\[499ms\] should be at least as 5 times as --heartbeat-interval\[100ms\]/,
    ],
    [['serve', '--election-timeout', '50001'], /is too long, and should be set less than 50000ms/],
    [
      ['serve', '--listen-peer-urls', 'http://127.0.0.1:1', '--data-dir', ':memory:'],
      /a member must remember how it voted/,
    ],
    [
      ['serve', '--listen-peer-urls', 'https://127.0.0.1:1'],
      /cannot listen on TLS for https:\/\/127.0.0.1:1: --peer-cert-file and --peer-key-file are not given/,
    ],
    [['cluster', '--size', '8'], /--size .*at most 7/],
    [['cluster', '--peer-port', '0'], /--peer-port .*not be 0/],
    [['cluster', '--data-dir', ':memory:'], /members must remember how they voted/],
  ];
  for (const [args, expected, env] of cases) {
    const { code, stdout, stderr } = await run(args, env);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /^wherry: [^\n]+\n$/);
    t.match(stderr, expected);
  }
});

t.test('a port in use: exit code 1 and a line that names it and its flag', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  t.teardown(() => busy.close());
  const address = busy.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const dataDir = t.testdir();
  for (const [flag, other] of [
    ['--port', '--secure-port'],
    ['--secure-port', '--port'],
  ] as const) {
    const args = ['serve', '--data-dir', dataDir, flag, `${port}`, other, `${await freePort()}`];
    const { code, stderr } = await run(args);
    t.equal(code, 1);
    t.equal(stderr, `wherry: port ${port} on 127.0.0.1 is in use; choose another with ${flag}\n`);
  }
});

t.test('a second process on the same data directory is refused, and leaves no trace', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const before = await readFile(server.kubeconfig, 'utf8');
  const { code, stderr } = await run(await flags(server.dataDir));
  t.equal(code, 1);
  t.equal(stderr, `wherry: data directory ${server.dataDir} is in use by another process\n`);
  t.equal(await readFile(server.kubeconfig, 'utf8'), before);
  t.equal((await fetch(`${server.url}/readyz`)).status, 200);
});

t.test('a data directory that cannot be used: exit code 1 and one line that names the file', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'file');
  await writeFile(file, 'not a directory');
  const blocked = await run(await flags(join(file, 'data')));
  t.equal(blocked.code, 1);
  t.match(blocked.stderr, /^wherry: [^\n]+\n$/);
  t.match(blocked.stderr, file);
  const corrupt = join(dir, 'corrupt');
  await mkdir(join(corrupt, 'member'), { recursive: true });
  await writeFile(
    join(corrupt, 'member', 'log.db'),
    'this is no database, and long enough to be sure of it'.repeat(99),
  );
  const refused = await run(await flags(corrupt));
  t.equal(refused.code, 1);
  t.match(refused.stderr, /^wherry: [^\n]+\n$/);
  t.match(refused.stderr, join(corrupt, 'member', 'log.db'));
});

t.test('what is written is for its owner alone, and the same after a restart', async (t) => {
  const dataDir = join(t.testdir(), 'data');
  const first = await startWherry({ dataDir });
  const modeOf = async (path: string) => (await stat(join(dataDir, path))).mode & 0o777;
  t.equal(await modeOf('.'), 0o700);
  t.equal(await modeOf('pki'), 0o700);
  t.equal(await modeOf('kubeconfig'), 0o600);
  for (const name of await readdir(join(dataDir, 'pki')))
    t.equal(await modeOf(join('pki', name)), 0o600, name);
  const files = () =>
    Promise.all(
      ['ca.crt', 'apiserver.crt', 'admin.crt'].map((name) => readFile(join(dataDir, 'pki', name), 'utf8')),
    );
  const before = await files();
  const namespaces = async (url: string) => {
    const list = (await (await fetch(`${url}/api/v1/namespaces`)).json()) as { items: unknown[] };
    return list.items;
  };
  const listed = await namespaces(first.url);
  t.equal(await first.stop(), 0);
  const second = await startWherry({ dataDir });
  t.same(await files(), before);
  t.same(await namespaces(second.url), listed);
  t.equal(await second.stop(), 0);
});

/** Value of one line of the kubeconfig. */
const field = (text: string, name: string): string => new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '';

t.test('the kubeconfig makes its holder the administrator of the secure port', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const text = await readFile(server.kubeconfig, 'utf8');
  const pem = (name: string) => Buffer.from(field(text, name), 'base64');
  t.equal(field(text, 'current-context'), 'wherry');
  t.equal(field(text, 'server'), server.secureUrl);
  const ca = pem('certificate-authority-data');
  const call = async (path: string, credentials: object): Promise<number | undefined> => {
    const sent = request(server.secureUrl + path, { ca, ...credentials });
    sent.end();
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  const holder = { cert: pem('client-certificate-data'), key: pem('client-key-data') };
  t.equal(await call('/api/v1/namespaces', holder), 200);
  t.equal(await call('/api/v1/namespaces', {}), 401);
  t.equal(await call('/readyz', {}), 200);
});

t.test('SIGINT and SIGTERM end watches and exit with 0', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const server = await startWherry();
    const watch = await fetch(`${server.url}/api/v1/namespaces?watch=true`);
    const ended = watch.text();
    t.equal(await server.stop(signal), 0);
    t.match(await ended, /"type":"ADDED"/);
  }
});

t.test('the code cache that a run leaves is good for the next one, which leaves it alone', async (t) => {
  const cache = async () => {
    const [name = 'none'] = await readdir(join(bundle, 'cache'));
    const { mtimeMs, ino } = await stat(join(bundle, 'cache', name));
    return { name, mtimeMs, ino };
  };
  const serveOnce = async () => {
    const server = await startWherry();
    await server.stop();
  };
  await serveOnce();
  const before = await cache();
  await serveOnce();
  t.same(await cache(), before);
});

t.test('the log is JSON lines where standard output is no terminal', async (t) => {
  const server = await startWherry();
  t.equal(await server.stop(), 0);
  const lines = server.output().trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(
    entries.find(({ msg }) => msg === 'ready'),
    { url: server.url, secureUrl: server.secureUrl, kubeconfig: server.kubeconfig },
  );
  t.ok(entries.some(({ msg }) => String(msg).includes('whoever reaches it is the administrator')));
});

t.test('on a terminal: URLs, the kubeconfig and a line to try; log lines for a person', async (t) => {
  const reach = { bindAddress: '0.0.0.0', port: 8080, securePort: 6443, dataDir: './wherry-data' };
  const text = readyText({ ...reach, kubeconfig: join(process.cwd(), 'wherry-data/kubeconfig') });
  t.match(text, 'https://127.0.0.1:6443');
  t.match(text, 'curl http://127.0.0.1:8080/api/v1/namespaces');
  t.match(text, 'KUBECONFIG=wherry-data/kubeconfig kubectl get all -A');
  t.match(text, 'whoever reaches it is the administrator');
  const quiet = readyText({ ...reach, port: 0, bindAddress: '::1', kubeconfig: '/elsewhere/kubeconfig' });
  t.match(quiet, 'https://[::1]:6443');
  t.notMatch(quiet, 'curl');
  const line = forPerson('{"level":40,"time":0,"pid":1,"hostname":"h","path":"/api","took":3,"msg":"slow"}');
  t.match(line, /^\d\d:\d\d:\d\d WARN {2}slow path=\/api took=3\n$/);
});

t.test(':memory: keeps nothing, not even the folder of its kubeconfig', async (t) => {
  const before = await readdir(tmpdir());
  const server = await startWherry({ dataDir: ':memory:' });
  const ready = server
    .output()
    .split('\n')
    .find((line) => line.includes('"ready"'));
  const { kubeconfig } = JSON.parse(ready ?? '{}') as { kubeconfig: string };
  t.match(await readFile(kubeconfig, 'utf8'), 'current-context: wherry');
  t.equal(await server.stop(), 0);
  await t.rejects(stat(kubeconfig), { code: 'ENOENT' });
  t.notOk(before.includes(basename(dirname(kubeconfig))), 'it was made for this run');
});

t.test('flags also come from the environment, and flags win', async (t) => {
  const dataDir = await temporaryFolder('env');
  const port = await freePort();
  const env = {
    ...process.env,
    WHERRY_DATA_DIR: dataDir,
    WHERRY_PORT: '1',
    WHERRY_SECURE_PORT: '0',
    WHERRY_CONTROLLERS: '',
  };
  const child = spawn(process.execPath, [join(bundle, 'wherry.js'), 'serve', '--port', `${port}`], { env });
  t.teardown(() => child.kill('SIGKILL'));
  const ready = async () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await ready())) await sleep(20);
  t.match(await readFile(join(dataDir, 'kubeconfig'), 'utf8'), `server: http://127.0.0.1:${port}\n`);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  t.equal(code, 0);
});

t.test(
  '--controllers= runs none: the namespaces and the kubernetes service are there all the same',
  async (t) => {
    const server = await startWherry({ args: ['--controllers='] });
    t.teardown(() => server.stop());
    const names = async (path: string) => {
      const list = (await (await fetch(server.url + path)).json()) as {
        items: { metadata: { name: string } }[];
      };
      return list.items.map(({ metadata }) => metadata.name);
    };
    t.same(await names('/api/v1/namespaces'), ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    t.same(await names('/api/v1/services'), ['kubernetes']);
    t.same(await names('/api/v1/serviceaccounts'), []);
  },
);
