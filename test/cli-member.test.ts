/** What etcd's flags come to, a cluster's layout, and what is said of both. */
import { advertisedAddress } from '../cli/advertise.js';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { clusterText } from '../cli/cluster/announce.js';
import { writeCredentials } from '../cli/cluster/credentials.js';
import { type Layout, openLayout } from '../cli/cluster/layout.js';
import { commonLine } from '../cli/cluster/log-stream.js';
import { memberArguments } from '../cli/cluster/member-arguments.js';
import { explain, flagsOfUrls } from '../cli/explain.js';
import { logLeaders } from '../cli/leader-log.js';
import { type MemberFlags, planMember } from '../cli/member-flags.js';
import { loadTlsFiles } from '../cli/tls-files.js';
import type { TlsFiles } from '../cli/tls-plan.js';
import { issueAuthority, issueLeaf } from '../cli/pki/issue.js';
import { BootstrapError, InitialClusterError } from '../storage/cluster/bootstrap.js';
import { FakeCluster, memberAt } from './storage/fake-cluster.js';

const FLAGS: MemberFlags = {
  dataDir: './wherry-data',
  logLevel: 'info',
  name: 'default',
  initialClusterToken: 'etcd-cluster',
  heartbeatInterval: 100,
  electionTimeout: 1000,
  snapshotCount: 10_000,
  clientCertAuth: false,
  autoTls: false,
  peerClientCertAuth: false,
  maxRequestBytes: 1_572_864,
  maxTxnOps: 128,
  quotaBackendBytes: 0,
  autoCompactionMode: 'periodic',
  autoCompactionRetention: '0',
  corruptCheckTime: 0,
  compactHashCheckTime: 60_000,
  featureGates: new Map(),
};
const PEER = 'http://127.0.0.1:12380';

const plan = (flags: Partial<MemberFlags>, byItself = false) =>
  planMember({ ...FLAGS, ...flags }, { byItself });

t.test('serve opens no port for others unless it is told to: many share a machine', async (t) => {
  const alone = plan({});
  t.equal(alone.peers, undefined);
  t.same(alone.listenClientUrls, []);
  t.same(alone.advertiseClientUrls, []);
  t.same(alone.own, { name: 'default', peerUrls: ['http://localhost:2380'] });
  t.equal(plan({ dataDir: ':memory:' }).peers, undefined);
});

t.test('each flag of a cluster makes serve a member of one', async (t) => {
  const mentions: readonly Partial<MemberFlags>[] = [
    { listenPeerUrls: [PEER] },
    { initialAdvertisePeerUrls: [PEER] },
    { initialCluster: [{ name: 'default', peerUrls: [PEER] }] },
    { initialClusterState: 'new' },
  ];
  for (const flags of mentions) t.ok(plan(flags).peers, Object.keys(flags).join());
  t.same(plan({ initialClusterState: 'new' }).peers?.listenUrls, ['http://localhost:2380'], 'etcd’s default');
  t.equal(plan({ listenClientUrls: [PEER] }).peers, undefined, 'a client port does not');
});

t.test('etcd listens where etcd does', async (t) => {
  const { peers, listenClientUrls, advertiseClientUrls, initial, state } = plan({}, true);
  t.same(peers, { listenUrls: ['http://localhost:2380'], tls: undefined });
  t.same([listenClientUrls, advertiseClientUrls], [['http://localhost:2379'], ['http://localhost:2379']]);
  t.same(initial, [{ name: 'default', peerUrls: ['http://localhost:2380'] }]);
  t.equal(state, 'new');
});

t.test('what is listened on is advertised, unless it is every address', async (t) => {
  t.same(plan({ listenPeerUrls: [PEER] }).own.peerUrls, [PEER]);
  t.same(plan({ listenPeerUrls: ['http://0.0.0.0:1'] }).own.peerUrls, ['http://localhost:2380']);
  const advertised = { listenPeerUrls: [PEER], initialAdvertisePeerUrls: ['http://10.0.0.1:1'] };
  t.same(plan(advertised).own.peerUrls, ['http://10.0.0.1:1']);
  t.same(plan({ listenClientUrls: [PEER] }).advertiseClientUrls, [PEER]);
  t.throws(() => plan({ listenClientUrls: ['http://[::]:2379'] }), {
    name: 'UsageError',
    message: /^--advertise-client-urls is required when --listen-client-urls is http:\/\/\[::\]:2379/,
  });
});

t.test('times are etcd’s, at their limits', async (t) => {
  t.ok(plan({ heartbeatInterval: 100, electionTimeout: 500 }));
  t.throws(() => plan({ heartbeatInterval: 100, electionTimeout: 499 }), /should be at least as 5 times/);
  t.ok(plan({ heartbeatInterval: 100, electionTimeout: 50_000 }));
  t.throws(() => plan({ heartbeatInterval: 100, electionTimeout: 50_001 }), /is too long/);
});

t.test('certificates belong together', async (t) => {
  const files = { peerCertFile: 'c', peerKeyFile: 'k' };
  const listenPeerUrls = ['https://127.0.0.1:1'];
  t.same(plan({ ...files, peerTrustedCaFile: 'a', peerClientCertAuth: true, listenPeerUrls }).peers?.tls, {
    type: 'files',
    side: 'peer',
    cert: 'c',
    key: 'k',
    trustedCa: 'a',
    clientCertAuth: true,
  });
  const wrong: readonly (readonly [Partial<MemberFlags>, RegExp])[] = [
    [{}, /cannot listen on TLS/],
    [{ peerCertFile: 'c' }, /must both be given/],
    [{ peerKeyFile: 'k' }, /must both be given/],
    [{ ...files, peerClientCertAuth: true }, /needs --peer-trusted-ca-file/],
    [{ peerTrustedCaFile: 'a' }, /--peer-trusted-ca-file needs/],
    [{ peerClientCertFile: 'c' }, /must both be given/],
  ];
  for (const [flags, message] of wrong) {
    t.throws(() => plan({ ...flags, listenPeerUrls }), { name: 'UsageError', message });
  }
});

t.test('plain HTTP beyond this machine is warned of, and certificates that are not used', async (t) => {
  t.same(plan({ listenPeerUrls: [PEER] }).warnings, []);
  t.match(plan({ listenPeerUrls: ['http://10.0.0.1:1'] }).warnings, [/^http:\/\/10.0.0.1:1 is plain HTTP/]);
  const unused = plan({ listenPeerUrls: [PEER], peerCertFile: 'c', peerKeyFile: 'k' });
  t.match(unused.warnings, [/scheme of http:\/\/127.0.0.1:12380 is http although certificates are given/]);
});

t.test('certificate files that cannot be read or do not fit are named', async (t) => {
  const now = Date.now();
  const authority = await issueAuthority('peers', now);
  const [one, two] = await Promise.all([
    issueLeaf(authority, { commonName: 'm1', usage: 'server' }, now),
    issueLeaf(authority, { commonName: 'm2', usage: 'server' }, now),
  ]);
  const folder = t.testdir({ ca: authority.cert, cert: one.cert, key: one.key, other: two.key, bad: 'x' });
  const path = (name: string) => join(folder, name);
  const files: TlsFiles = {
    type: 'files',
    side: 'peer',
    cert: path('cert'),
    key: path('key'),
    trustedCa: path('ca'),
    clientCertAuth: true,
  };
  t.same(loadTlsFiles(files), {
    cert: one.cert,
    key: one.key,
    trustedCa: authority.cert,
    clientCertAuth: true,
  });
  const { trustedCa: _none, ...alone } = files;
  t.equal(loadTlsFiles(alone).trustedCa, undefined);
  const wrong: readonly (readonly [Partial<TlsFiles>, RegExp])[] = [
    [{ cert: path('none') }, /^cannot read --peer-cert-file: ENOENT.*none'$/],
    [{ key: path('bad') }, /^--peer-key-file .*bad is not PEM that can be read$/],
    [{ cert: path('bad') }, /^--peer-cert-file .*bad is not PEM that can be read$/],
    [{ trustedCa: path('bad') }, /^--peer-trusted-ca-file .*bad is not PEM that can be read$/],
    [{ key: path('other') }, /^--peer-key-file .*other is not the key of --peer-cert-file .*cert$/],
  ];
  for (const [change, message] of wrong) {
    t.throws(() => loadTlsFiles({ ...files, ...change }), { name: 'UsageError', message });
  }
});

t.test('what starting threw names the flag', async (t) => {
  const ports = {
    dataDir: 'd',
    portFlags: new Map([...flagsOfUrls('--listen-peer-urls', [PEER]), [8080, '--port'] as [number, string]]),
  };
  const system = (code: string, port: number) =>
    Object.assign(new Error(code), { code, port, address: '127.0.0.1' });
  t.match(explain(system('EADDRINUSE', 12_380), ports), {
    name: 'StartupError',
    message: 'port 12380 on 127.0.0.1 is in use; choose another with --listen-peer-urls',
  });
  t.match(explain(system('EADDRNOTAVAIL', 12_380), ports), {
    message: /choose another with --listen-peer-urls$/,
  });
  t.match(explain(system('EADDRNOTAVAIL', 8080), ports), { message: /choose another with --bind-address$/ });
  t.match(explain(new InitialClusterError('x'), ports), { name: 'UsageError', message: 'x' });
  t.match(explain(new BootstrapError('x'), ports), { name: 'StartupError', message: 'x' });
});

t.test('the log says who leads, and how many are there when nobody does', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'm1'), memberAt(2n, 'm2'), memberAt(3n, '')]);
  const lines: string[] = [];
  const logger = {
    info: (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`),
    warn: (message: string) => lines.push(message),
  };
  const { consensus, isReachable } = cluster;
  const end = logLeaders({
    consensus,
    isReachable,
    logger: logger as unknown as Parameters<typeof logLeaders>[0]['logger'],
    patienceMs: 1,
  });
  cluster.lead(2n);
  cluster.lead(2n);
  cluster.lead(3n);
  t.same(lines.splice(0), [
    'this member leads {"leader":"m1"}',
    'another member leads {"leader":"m2"}',
    'another member leads {"leader":"http://127.0.0.1:2003"}',
  ]);
  cluster.unreachable.add(2n);
  cluster.lead(0n);
  while (lines.length === 0) await sleep(1);
  t.same(lines.splice(0), ['waiting for a leader: 2 of 3 members reachable']);
  cluster.lead(3n);
  t.same(
    lines.splice(0),
    ['another member leads {"leader":"http://127.0.0.1:2003"}'],
    'also the same one again',
  );
  cluster.present = { ...cluster.present, voters: [], members: [] };
  cluster.lead(0n);
  while (lines.length === 0) await sleep(1);
  t.same(lines, ['waiting to hear from the leader of the cluster']);
  end();
});

async function busyPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

t.test('a cluster’s layout: ports go up from the first ones, and stay as they were', async (t) => {
  const folder = t.testdir();
  const layout = await openLayout(folder, { size: 3, port: 18_080, securePort: 16_443, peerPort: 12_380 });
  t.match(layout.members, [
    { name: 'm1', port: 18_080, securePort: 16_443, peerPort: 12_380 },
    { name: 'm2', port: 18_081, securePort: 16_444, peerPort: 12_381 },
    { name: 'm3', port: 18_082, securePort: 16_445, peerPort: 12_382 },
  ]);
  const clientPorts = layout.members.map(({ clientPort }) => clientPort);
  t.equal(new Set(clientPorts).size, 3);
  t.ok(
    clientPorts.every((port) => port >= 20_000 && port < 30_000),
    'free ones, apart from outgoing connections',
  );
  t.same(await openLayout(folder, {}), layout, 'a second start needs no flags');
  t.same(await openLayout(folder, { size: 3, port: 18_080 }), layout, 'and may have the same');
  const file = join(folder, 'cluster.json');
  const contradictions = [{ size: 5 }, { port: 0 }, { securePort: 1 }, { peerPort: 1 }, { clientPort: 1 }];
  for (const options of contradictions) {
    await t.rejects(openLayout(folder, options), {
      name: 'UsageError',
      message: /is not what this cluster has/,
    });
  }
  t.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"format": 1', '"format": 2'));
  await t.rejects(openLayout(folder, {}), { name: 'StartupError', message: /damaged or of another version/ });
});

t.test('a layout without flags, without ports, and with ports that meet', async (t) => {
  const { members } = await openLayout(t.testdir(), {});
  t.same(
    members.map(({ port, securePort }) => [port, securePort]),
    [
      [8080, 6443],
      [8081, 6444],
      [8082, 6445],
    ],
  );
  const off = await openLayout(t.testdir(), { size: 2, port: 0, securePort: 0 });
  t.match(off.members, [
    { port: 0, securePort: 0 },
    { port: 0, securePort: 0 },
  ]);
  await t.rejects(openLayout(t.testdir(), { port: 8000, securePort: 8002 }), {
    name: 'UsageError',
    message: /port 8002 would be used twice/,
  });
  await t.rejects(openLayout(t.testdir(), { port: 65_534 }), {
    name: 'UsageError',
    message: /no port 65536/,
  });
  const busy = await busyPort(t);
  const given = await openLayout(t.testdir(), { size: 1, peerPort: busy });
  t.equal(
    given.members[0]?.peerPort,
    busy,
    'what the user says is not judged: the member tells that it is taken',
  );
});

const LAYOUT: Layout = {
  format: 1,
  token: 'token',
  members: [
    { name: 'm1', port: 8080, securePort: 6443, peerPort: 2380, clientPort: 2379 },
    { name: 'm2', port: 8081, securePort: 6444, peerPort: 2382, clientPort: 2381 },
  ],
};

t.test('a server is reached where it was said, where it listens, or at an address of its host', (t) => {
  const at = (address: string, internal = false) => ({
    address,
    internal,
    netmask: '',
    mac: '',
    ...(address.includes(':')
      ? { family: 'IPv6' as const, scopeid: 0, cidr: null }
      : { family: 'IPv4' as const, cidr: null }),
  });
  const interfaces = {
    lo: [at('127.0.0.1', true)],
    eth0: [at('fe80::1'), at('fd00::2'), at('169.254.0.1'), at('192.0.2.9')],
  };
  const reached = (bindAddress: string, more: object = {}) =>
    advertisedAddress({ bindAddress, securePort: 6443, ...more }, interfaces);
  t.same(reached('127.0.0.1'), { ip: '192.0.2.9', port: 6443 });
  t.same(reached('0.0.0.0'), { ip: '192.0.2.9', port: 6443 });
  t.same(reached('192.0.2.1'), { ip: '192.0.2.1', port: 6443 });
  t.same(reached('192.0.2.1', { advertiseAddress: '198.51.100.1' }), { ip: '198.51.100.1', port: 6443 });
  t.equal(reached('127.0.0.1', { securePort: 0 }), undefined, 'without a secure port nowhere');
  const listening = { bindAddress: '::', securePort: 6443 };
  t.same(advertisedAddress(listening, { eth0: [at('fd00::2')] }), { ip: 'fd00::2', port: 6443 });
  t.equal(advertisedAddress(listening, { lo: [at('127.0.0.1', true)] }), undefined, 'nor without a network');
  t.end();
});

t.test('a member is told everything by flags', async (t) => {
  const shared = {
    ...FLAGS,
    controllers: [],
    corsAllowedOrigins: ['a', 'b'],
    serviceAccountIssuer: ['https://i.example', 'other'],
    apiAudiences: [],
    serviceAccountSigningKeyFile: '/keys/sa.pem',
    etcdCompactionInterval: 60_000,
    serviceClusterIpRange: '10.96.0.0/16',
    serviceNodePortRange: { first: 31_000, last: 31_999 },
    advertiseAddress: '192.0.2.7',
  };
  const [, second] = LAYOUT.members;
  t.ok(second);
  if (second === undefined) return;
  const args = memberArguments('/data', LAYOUT, second, shared);
  t.equal(args[0], 'serve');
  for (const flag of [
    '--data-dir=/data/m2',
    '--name=m2',
    '--port=8081',
    '--listen-peer-urls=http://127.0.0.1:2382',
    '--listen-client-urls=http://127.0.0.1:2381',
    '--initial-cluster=m1=http://127.0.0.1:2380,m2=http://127.0.0.1:2382',
    '--initial-cluster-token=token',
    '--controllers=',
    '--cors-allowed-origins=a,b',
    '--service-account-issuer=https://i.example,other',
    '--api-audiences=',
    '--service-account-signing-key-file=/keys/sa.pem',
    '--etcd-compaction-interval=60000ms',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-node-port-range=31000-31999',
    '--advertise-address=192.0.2.7',
  ]) {
    t.ok(args.includes(flag), flag);
  }
});

t.test('one authority for all members, and a kubeconfig with a context for each', async (t) => {
  const folder = t.testdir();
  for (const { name } of LAYOUT.members) mkdirSync(join(folder, name));
  const file = await writeCredentials(folder, LAYOUT);
  const authority = readFileSync(join(folder, 'pki/ca.crt'), 'utf8');
  for (const { name } of LAYOUT.members) {
    t.equal(readFileSync(join(folder, name, 'pki/ca.crt'), 'utf8'), authority);
    t.equal(statSync(join(folder, name, 'pki/ca.key')).mode & 0o777, 0o600);
  }
  const text = readFileSync(file, 'utf8');
  t.match(text, /^current-context: wherry$/m);
  const servers = [...text.matchAll(/server: (\S+)/g)].map((match) => match[1]);
  t.same(servers, ['https://127.0.0.1:6443', 'https://127.0.0.1:6443', 'https://127.0.0.1:6444']);
  t.same(
    [...text.matchAll(/cluster: (\w+)/g)].map((match) => match[1]),
    ['wherry', 'm1', 'm2'],
  );
  await writeCredentials(folder, LAYOUT);
  t.equal(readFileSync(file, 'utf8'), text, 'a second start changes nothing');
  const members = LAYOUT.members.map((member) => ({ ...member, securePort: 0 }));
  const plain = readFileSync(await writeCredentials(folder, { ...LAYOUT, members }), 'utf8');
  t.match(plain, 'server: http://127.0.0.1:8081');
  t.notMatch(plain, 'data:');
});

t.test('each line of the common log says whose it is', async (t) => {
  const line =
    '{"level":40,"time":0,"pid":1,"hostname":"h","err":{"stack":"Error: x\\n    at y"},"msg":"oh"}';
  t.equal(commonLine('m1', line, false), `{"member":"m1",${line.slice(1)}\n`);
  t.match(JSON.parse(commonLine('m1', line, false)), { member: 'm1', msg: 'oh' });
  t.match(commonLine('m1', line, true), /^m1 \S+ WARN {2}oh\nm1 Error: x\nm1 {5}at y\n$/);
  t.equal(commonLine('m1', 'no JSON', true), 'm1 no JSON\n');
});

t.test('a person is told where each member is', async (t) => {
  const text = clusterText({
    layout: LAYOUT,
    folder: '/data',
    kubeconfig: '/data/kubeconfig',
    pidOf: () => 42,
  });
  const lines = text.split('\n');
  t.match(lines[0], /a cluster of 2 is ready. Data: \/data$/);
  t.match(
    lines[3],
    /^ {2}m2 +42 +http:\/\/127.0.0.1:8081 +https:\/\/127.0.0.1:6444 +http:\/\/127.0.0.1:2381 /,
  );
  t.match(text, 'KUBECONFIG=/data/kubeconfig kubectl get all -A');
});
