/** `wherry etcd`: what etcd's flags, its environment variables and its configuration file come to. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { wherryCommand } from '../cli/command.js';
import { type CommandLine, withTwoDashes } from '../cli/etcd/command.js';
import { flagTables } from '../cli/etcd/docs.js';
import { flagGroups } from '../cli/etcd/flag.js';
import { etcdHelp } from '../cli/etcd/help.js';
import { settingsOf } from '../cli/etcd/settings.js';
import { etcdFlags, isEtcdFlag } from '../cli/etcd/table.js';
import { cipherSuites, duration, tlsVersion } from '../cli/etcd/values.js';
import { forPerson, createLogger } from '../cli/logger.js';
import { type AutoCompactionMode, autoCompactionOf } from '../cli/upkeep-flags.js';
import { repository } from './tools/wherry.js';

/** What `wherry etcd` is told by these arguments. Rejects with a CommanderError. */
async function commandLineOf(...args: readonly string[]): Promise<Record<string, string>> {
  let told: CommandLine = new Map();
  const unused = () => Promise.reject(new Error('another command runs'));
  const programs = new Proxy({}, { get: (_none, name) => (name === 'etcd' ? take : unused) });
  const take = async (commandLine: CommandLine) => void (told = commandLine);
  const command = wherryCommand(programs as Parameters<typeof wherryCommand>[0]);
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr() {}, writeOut() {}, outputError() {} });
  }
  await command.parseAsync(withTwoDashes(['etcd', ...args]), { from: 'user' });
  return Object.fromEntries(told);
}

const isInstalled = spawnSync('etcd', ['--version']).status === 0;
const NEEDS_ETCD = { skip: isInstalled ? false : 'etcd is not installed' };

type Environment = Readonly<Record<string, string>>;
const settings = (flags: Readonly<Record<string, string>>, environment: Environment = {}) =>
  settingsOf(new Map(Object.entries(flags)), environment);

t.test('flags in Go’s forms: one dash or two, with an equals sign or without, booleans alone', async (t) => {
  const expected = { name: 'a', 'max-txn-ops': '7', 'client-cert-auth': 'true', 'pre-vote': 'false' };
  const forms = [
    ['--name=a', '--max-txn-ops', '7', '--client-cert-auth', '--pre-vote=false'],
    ['-name', 'a', '-max-txn-ops=7', '-client-cert-auth=true', '-pre-vote=false'],
  ];
  for (const args of forms) t.same(await commandLineOf(...args), expected);
  t.same(await commandLineOf('--name=a', '--name=b'), { name: 'b' }, 'the last counts');
  t.same(await commandLineOf('--quota-backend-bytes', '-1'), { 'quota-backend-bytes': '-1' });
  t.same(await commandLineOf('--initial-cluster', 'a=http://b:1'), { 'initial-cluster': 'a=http://b:1' });
  t.same(await commandLineOf('-config-file', 'x.yml'), { 'config-file': 'x.yml' });
});

t.test('an unknown flag is an error, with the nearest known one', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      '--listen-client-url=x',
      /unknown option '--listen-client-url=x'\s*\(Did you mean --listen-client-urls\?\)/,
    ],
    ['-nope', /unknown option '-nope'/],
    ['gateway', /too many arguments/],
  ];
  for (const [arg, message] of cases) {
    await t.rejects(commandLineOf(arg), { name: 'CommanderError', message });
  }
});

t.test('every flag that etcd 3.4 names in its help is known', NEEDS_ETCD, async (t) => {
  const help = spawnSync('etcd', ['--help'], { encoding: 'utf8' });
  const names = [...`${help.stdout}${help.stderr}`.matchAll(/^ +--([\w-]+)/gm)].map(([, name = '']) => name);
  t.ok(names.length >= 80);
  t.same(
    names.filter((name) => !isEtcdFlag(name)),
    [],
  );
});

t.test('the table: names are unique, defaults are good values, other names are of flags', async (t) => {
  t.equal(new Set(etcdFlags.map(({ name }) => name)).size, etcdFlags.length);
  for (const { name, byDefault, parse, sameAs, description } of etcdFlags) {
    t.ok(description.length > 0 && !description.endsWith('.'), name);
    if (byDefault !== undefined) t.doesNotThrow(() => parse(byDefault), name);
    if (sameAs !== undefined) t.ok(isEtcdFlag(sameAs), name);
  }
});

t.test('help and docs/etcd.md name every flag, in etcd’s groups', async (t) => {
  const help = etcdHelp();
  const docs = await readFile(join(repository, 'docs/etcd.md'), 'utf8');
  for (const group of flagGroups) t.match(help, `\n${group}:\n`);
  for (const { name } of etcdFlags) t.match(help, new RegExp(`--${name}(?![\\w-])`));
  t.ok(docs.includes(flagTables()), 'node build/etcd-flags.mjs brings the page up to date');
  t.ok(help.split('\n').every((line) => line.length <= 110));
});

t.test('without anything said: etcd’s defaults', async (t) => {
  const { options, warnings } = await settings({});
  t.same(warnings, []);
  t.match(options, {
    name: 'default',
    dataDir: './wherry-data',
    heartbeatInterval: 100,
    electionTimeout: 1000,
    maxTxnOps: 128,
    maxRequestBytes: 1_572_864,
    quotaBackendBytes: 0,
    grpcKeepaliveMinTime: 5000,
    grpcKeepaliveInterval: 7_200_000,
    grpcKeepaliveTimeout: 20_000,
    authToken: 'simple',
    authTokenTtl: 300,
    metrics: 'basic',
    logLevel: 'info',
    maxLearners: 1,
    watchProgressNotifyInterval: 600_000,
    clientCertAuth: false,
    corruptCheckTime: 0,
    compactHashCheckTime: 60_000,
    tlsMinVersion: 'TLSv1.2',
  });
  t.same(options.featureGates, new Map());
  t.equal(options.listenClientUrls, undefined, 'where it listens is decided with the rest');
});

t.test('the environment counts where the command line says nothing', async (t) => {
  const environment = {
    ETCD_NAME: 'etcd',
    WHERRY_HEARTBEAT_INTERVAL: '50',
    ETCD_HEARTBEAT_INTERVAL: '60',
    ETCD_MAX_TXN_OPS: '',
    ETCD_AUTO_TLS: '1',
    ETCD_SERVICE_PORT: '2379',
    ETCDCTL_API: '3',
    PATH: '/bin',
  };
  const { options, warnings } = await settings({}, environment);
  t.match(options, { name: 'etcd', heartbeatInterval: 50, maxTxnOps: 128, autoTls: true });
  t.same(warnings, ['unrecognized environment variable ETCD_SERVICE_PORT'], 'etcdctl’s are not the server’s');
  const both = await settings({ name: 'flag' }, { ETCD_NAME: 'etcd' });
  t.equal(both.options.name, 'flag');
  t.same(both.warnings, [
    'conflicting environment variable ETCD_NAME is shadowed by corresponding command-line flag',
  ]);
});

t.test(
  'what has no meaning here is accepted with a line that says why; nothing is said of what is not given',
  async (t) => {
    const { warnings } = await settings({ 'wal-dir': 'x', 'experimental-memory-mlock': 'true' });
    t.same(warnings, [
      '--wal-dir has no meaning here: the log is kept in the data directory, whose lock it is',
      '--experimental-memory-mlock has no meaning here: the store is SQLite, which has no such setting',
    ]);
  },
);

t.test('what others would rely on in vain is refused, unless it is off', async (t) => {
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ 'force-new-cluster': 'true' }, /^--force-new-cluster: it is not offered here/],
    [{ discovery: 'https://discovery.example' }, /^--discovery: there is no discovery service here/],
    [{ 'discovery-srv': 'example.org' }, /^--discovery-srv: /],
    [{ proxy: 'on' }, /^--proxy: there is no v2 proxy/],
    [{ 'feature-gates': 'Nope=true' }, /^--feature-gates .* unrecognized feature gate: Nope/],
  ];
  for (const [flags, message] of cases) await t.rejects(settings(flags), { name: 'UsageError', message });
  const off = await settings({ 'force-new-cluster': 'false', discovery: '', proxy: 'off' });
  t.same(off.warnings, []);
});

t.test('a bad value is named with where it stands', async (t) => {
  const cases: readonly (readonly [Record<string, string>, Environment, RegExp])[] = [
    [{ 'heartbeat-interval': 'x' }, {}, /^--heartbeat-interval "x" is invalid\. .*above 0/],
    [{}, { ETCD_PRE_VOTE: 'maybe' }, /^ETCD_PRE_VOTE "maybe" is invalid\. It must be true or false/],
    [{ 'grpc-keepalive-timeout': '5' }, {}, /a duration such as/],
    [{ 'initial-cluster-state': 'old' }, {}, /one of new, existing/],
    [{ 'cipher-suites': 'foo' }, {}, /unexpected TLS cipher suite "foo"/],
    [{ metrics: 'all' }, {}, /one of basic, extensive/],
    [{ 'log-level': 'loud' }, {}, /one of debug, info/],
    [{ 'experimental-max-learners': '0' }, {}, /^--experimental-max-learners "0" is invalid/],
    [{ 'wal-dir': 'x', 'max-wals': '-1' }, {}, /must not be negative/],
  ];
  for (const [flags, environment, message] of cases) {
    await t.rejects(settings(flags, environment), { name: 'UsageError', message });
  }
});

t.test('older names count for the newer ones, feature gates for their flags', async (t) => {
  const older = await settings({
    'experimental-corrupt-check-time': '1h30m',
    'experimental-initial-corrupt-check': 'true',
    debug: 'true',
  });
  t.match(older.options, { corruptCheckTime: 5_400_000, logLevel: 'debug' });
  t.same([...older.options.featureGates], [['InitialCorruptCheck', true]]);
  const both = await settings({ 'experimental-max-learners': '2', 'max-learners': '3' });
  t.equal(both.options.maxLearners, 3);
  t.same(both.warnings, ['--experimental-max-learners is passed over: --max-learners is given']);
  const gates = await settings({
    'feature-gates': 'InitialCorruptCheck=true,CompactHashCheck=false,LeaseCheckpoint=true',
  });
  t.equal(gates.options.featureGates.get('InitialCorruptCheck'), true);
  t.equal(gates.options.featureGates.get('CompactHashCheck'), false);
  t.same(gates.warnings, ['--feature-gates: LeaseCheckpoint has no meaning here']);
});

const FILE = `
name: from-file
data-dir: /var/lib/etcd
listen-client-urls: https://10.0.0.1:2379
initial-cluster-state: new
initial-cluster: a=http://10.0.0.1:2380
cors:
wal-dir: ''
auto-compaction-retention: "1"
grpc-keepalive-min-time: 10000000000
corrupt-check-time: 2h
log-outputs: [stderr]
cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
strict-reconfig-check: false
made-up: 1
client-transport-security:
  cert-file: server.crt
  key-file: server.key
  client-cert-auth: true
  trusted-ca-file: ca.crt
  auto-tls: false
peer-transport-security:
  allowed-cn: member
`;

t.test('etcd’s configuration file takes the place of flags and environment', async (t) => {
  const folder = t.testdir({ 'etcd.yml': FILE });
  const file = join(folder, 'etcd.yml');
  const { options, warnings } = await settings(
    { 'config-file': file, name: 'flag' },
    { ETCD_MAX_TXN_OPS: '1' },
  );
  t.match(options, {
    name: 'from-file',
    dataDir: '/var/lib/etcd',
    listenClientUrls: ['https://10.0.0.1:2379'],
    initialCluster: [{ name: 'a', peerUrls: ['http://10.0.0.1:2380'] }],
    autoCompactionRetention: '1',
    grpcKeepaliveMinTime: 10_000,
    corruptCheckTime: 7_200_000,
    logOutputs: ['stderr'],
    cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'],
    certFile: 'server.crt',
    keyFile: 'server.key',
    clientCertAuth: true,
    trustedCaFile: 'ca.crt',
    peerCertAllowedCn: 'member',
    maxTxnOps: 128,
  });
  t.equal(options.peerCertFile, undefined);
  t.same(warnings, [
    `loaded server configuration from ${file}, other configuration command line flags and environment variables will be ignored if provided`,
    `unrecognized key made-up in ${file}`,
    `strict-reconfig-check in ${file} has no meaning here: such a change is always refused`,
  ]);
  t.equal((await settings({}, { ETCD_CONFIG_FILE: file })).options.name, 'from-file');
});

t.test('a configuration file that cannot be used', async (t) => {
  const folder = t.testdir({
    'broken.yml': 'name: [',
    'list.yml': '- a',
    'nested.yml': 'name: {a: 1}',
    'strict.yml': 'client-transport-security: {allowed-cn: somebody}',
    'bad.yml': 'election-timeout: soon',
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    ['none.yml', /^cannot read --config-file: ENOENT/],
    ['broken.yml', /broken\.yml is not YAML: /],
    ['list.yml', /does not hold keys and values/],
    ['nested.yml', /^name in .*nested\.yml must be one value/],
    ['strict.yml', /^client-transport-security\.allowed-cn in .* is not offered here/],
    ['bad.yml', /^election-timeout in .*bad\.yml "soon" is invalid/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(settings({ 'config-file': join(folder, name) }), { name: 'UsageError', message });
  }
});

t.test('durations are Go’s, suites and versions of TLS have Go’s names', async (t) => {
  const durations: readonly (readonly [string, number])[] = [
    ['300ms', 300],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['2us', 0.002],
    ['0', 0],
    ['-1s', -1000],
  ];
  for (const [text, ms] of durations) t.equal(duration(text), ms, text);
  for (const text of ['', '5', '5 m', '1d', 'ms', '1h-30m']) t.throws(() => duration(text), text);
  t.same(cipherSuites('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256'), [
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'TLS_AES_128_GCM_SHA256',
  ]);
  t.equal(tlsVersion('TLS1.3'), 'TLSv1.3');
  t.equal(tlsVersion(''), undefined);
  t.throws(() => tlsVersion('TLS1.1'), /must be one of: TLS1.2, TLS1.3/);
});

t.test('auto compaction: a bare number counts hours or revisions', async (t) => {
  const of = (autoCompactionMode: AutoCompactionMode, autoCompactionRetention: string) =>
    autoCompactionOf({ autoCompactionMode, autoCompactionRetention });
  t.same(of('periodic', '2'), { mode: 'periodic', retention: 7_200_000 });
  t.same(of('periodic', '5m'), { mode: 'periodic', retention: 300_000 });
  t.same(of('revision', '1000'), { mode: 'revision', retention: 1000 });
  t.same(of('periodic', '0'), { mode: 'periodic', retention: 0 });
  for (const [mode, retention] of [
    ['periodic', 'x'],
    ['revision', '5m'],
    ['periodic', '-5m'],
  ] as const) {
    t.throws(() => of(mode, retention), {
      name: 'UsageError',
      message: /is none for --auto-compaction-mode/,
    });
  }
});

t.test('the log goes where it is told to, in the form it is told to', async (t) => {
  const folder = t.testdir();
  const files = [join(folder, 'a.log'), join(folder, 'b.log')] as const;
  const logger = createLogger({ logLevel: 'warn', logOutputs: files }, true);
  logger.info('not this');
  logger.warn({ key: 1 }, 'this');
  const [first, second] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  t.match(first, /^\d\d:\d\d:\d\d WARN {2}this key=1\n$/);
  t.equal(second, first);
  createLogger({ logLevel: 'info', logOutputs: [files[0]], logFormat: 'json' }, true).info('more');
  const [, line = ''] = (await readFile(files[0], 'utf8')).split('\n');
  t.match(forPerson(line), /INFO {2}more\n$/);
  t.throws(() => createLogger({ logLevel: 'info', logOutputs: [join(folder, 'none/x')] }, false), {
    name: 'UsageError',
    message: /^cannot use --log-outputs: ENOENT/,
  });
});
