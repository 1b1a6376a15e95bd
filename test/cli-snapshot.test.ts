/** `wherry snapshot` as a user runs it: back up, look, restore one member or three, and what old clients then see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import t, { type Test } from 'tap';
import { wherryCommand } from '../cli/command.js';
import { snapshot } from '../cli/snapshot/index.js';
import { statusText } from '../cli/snapshot/status.js';
import { sizeText } from '../cli/progress-line.js';
import { ApiClient, type Answer } from './tools/api-client.js';
import { COLLECTION, listConfigMaps } from './tools/cluster-load.js';
import { Cluster } from './tools/cluster.js';
import type { MemberPlan } from './tools/cluster-member.js';
import { freePort, repository, startWherry, temporaryFolder, type Wherry } from './tools/wherry.js';

const command = join(repository, 'dist/bundle/wherry.js');
const BILLION = 1_000_000_000;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function folderOf(t: Test): Promise<string> {
  const folder = await temporaryFolder('backup');
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function wherry(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [command, ...args], { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const client = new ApiClient();
t.teardown(() => client.close());

async function send(server: { readonly url: string }, method: 'GET' | 'POST', path: string, body?: object) {
  const url = server.url + path;
  return client.send({ method, url, timeoutMs: 10_000, ...(body && { body }) });
}

async function createConfigMap(
  server: { readonly url: string },
  name: string,
  value: string,
): Promise<number> {
  const body = { metadata: { name }, data: { value } };
  return revisionIn(await send(server, 'POST', COLLECTION, body));
}

function revisionIn({ body }: Answer): number {
  return Number(
    (body as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion,
  );
}

/** What the server says to a watch from there, in its first words. */
async function watchFrom(
  server: { readonly url: string },
  revision: number,
): Promise<{ code: number; text: string }> {
  const stop = new AbortController();
  const response = await fetch(`${server.url}${COLLECTION}?watch=true&resourceVersion=${revision}`, {
    signal: stop.signal,
  });
  const { value } = (await response.body?.getReader().read()) ?? {};
  stop.abort();
  const text = Buffer.from((value as Uint8Array | undefined) ?? []).toString();
  return { code: response.status, text };
}

/** A server that was killed after some writes: what a backup must have is in its log, perhaps only there. */
async function usedDirectory(
  t: Test,
): Promise<{ dataDir: string; firstRevision: number; lastRevision: number }> {
  const dataDir = join(await folderOf(t), 'data');
  const server = await startWherry({ dataDir, args: ['--controllers='] });
  const firstRevision = await createConfigMap(server, 'first', '1');
  let lastRevision = 0;
  for (let n = 0; n < 20; n++) lastRevision = await createConfigMap(server, `c${n}`, `${n}`);

  const refused = await wherry(['snapshot', 'save', join(dataDir, 'x.db'), '--data-dir', dataDir]);
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /is in use by a running server; back that up with --endpoints .*--listen-client-urls/,
  );
  await server.stop('SIGKILL');
  return { dataDir, firstRevision, lastRevision };
}

t.test('from a backup to a server, and what old clients see', async (t) => {
  const { dataDir, firstRevision, lastRevision } = await usedDirectory(t);
  const folder = await folderOf(t);
  const file = join(folder, 'backup.db');
  const saved = await wherry(['snapshot', 'save', file, '--data-dir', dataDir]);
  t.same([saved.code, saved.stderr], [0, '']);
  t.match(saved.stdout, /^Snapshot saved at .*backup\.db \(\d+ kB, its checksum is right\)$/m);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.equal((await stat(file)).size % 512, 32);
  t.same(await readdir(folder), ['backup.db'], 'and nothing beside it');

  const status = await wherry(['snapshot', 'status', file, '-w', 'json']);
  t.equal(status.code, 0, status.stderr);
  const held = JSON.parse(status.stdout) as Record<string, unknown>;
  t.ok(Number(held['revision']) >= lastRevision);
  t.ok(Number(held['totalKey']) > 21);
  const simple = await wherry(['snapshot', 'status', file]);
  t.match(
    simple.stdout,
    new RegExp(`^[0-9a-f]{8}, ${String(held['revision'])}, \\d+, [\\d.]+ [kM]B, wherry-\\d+\n$`),
  );

  const restoredDir = join(folder, 'data');
  const restored = await wherry(['snapshot', 'restore', file, '--data-dir', restoredDir]);
  t.same([restored.code, restored.stderr], [0, '']);
  t.match(
    restored.stdout,
    /^Restored .* member [0-9a-f]+ of cluster [0-9a-f]+, revision 10000\d+, with nothing below it/,
  );
  const again = await wherry(['snapshot', 'restore', file, '--data-dir', restoredDir]);
  t.equal(again.code, 1);
  t.match(again.stderr, /^wherry: the data directory .* is not empty/);

  // What it makes by itself would be in the list, and new to the watches.
  const server = await startWherry({ dataDir: restoredDir, args: ['--controllers='] });
  t.teardown(() => server.stop('SIGKILL'));
  const list = await send(server, 'GET', COLLECTION);
  t.ok(revisionIn(list) > BILLION, 'a list says where the new store is');
  t.equal((await listConfigMaps(client, server.url)).size, 21);
  t.equal(
    revisionIn(await send(server, 'GET', `${COLLECTION}/first`)),
    firstRevision,
    'objects keep their versions',
  );

  // A client that knows the old cluster, up to the backup or beyond it, must not be left waiting for what never comes.
  for (const revision of [firstRevision, lastRevision + 500]) {
    const { code, text } = await watchFrom(server, revision);
    t.ok(code === 410 || /"type":"ERROR".*"code":410/.test(text), `watch from ${revision}: ${code} ${text}`);
    t.match(text, /too old resource version|Expired/, `watch from ${revision}`);
  }
  const exact = `${COLLECTION}?resourceVersion=${firstRevision}&resourceVersionMatch=Exact`;
  t.equal((await send(server, 'GET', exact)).status, 410);
  const watching = watchFrom(server, revisionIn(list));
  t.ok((await createConfigMap(server, 'after', '1')) > BILLION);
  t.match((await watching).text, /"type":"ADDED".*"name":"after"/);
});

/** Of a flag that the member is started with. */
function valueOf({ args }: MemberPlan, flag: string): string[] {
  return [flag, args[args.indexOf(flag) + 1] ?? ''];
}

t.test('three members restored from one file are a cluster; whoever joins it gets what it has', async (t) => {
  const { dataDir } = await usedDirectory(t);
  const folder = await folderOf(t);
  const file = join(folder, 'backup.db');
  await wherry(['snapshot', 'save', file, '--data-dir', dataDir]);
  const clusterIds = new Set<string | undefined>();
  const prepare = async (plan: MemberPlan) => {
    const flags = ['--name', '--initial-cluster', '--initial-advertise-peer-urls'].flatMap((flag) =>
      valueOf(plan, flag),
    );
    const { stdout, stderr } = await wherry([
      'snapshot',
      'restore',
      file,
      '--data-dir',
      plan.dataDir,
      ...flags,
    ]);
    t.equal(stderr, '');
    clusterIds.add(/of cluster ([0-9a-f]+)/.exec(stdout)?.[1]);
  };
  const cluster = await Cluster.start({ prepare });
  t.teardown(() => cluster.stop());
  t.equal(clusterIds.size, 1);
  const leader = await cluster.untilLed();
  const revision = await createConfigMap(leader, 'after', '1');
  t.ok(revision > BILLION);
  for (const member of cluster.members) {
    const maps = await listConfigMaps(client, member.url);
    t.equal(maps.get('c19')?.data?.value, '19', member.name);
    t.equal(maps.get('after')?.metadata.resourceVersion, `${revision}`, member.name);
    t.ok((await watchFrom(member, 10)).text.includes('410'), member.name);
  }

  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const added = await client.send({
    method: 'POST',
    url: `${leader.clientUrl}/v3/cluster/member/add`,
    body: { peerURLs: [peerUrl] },
    timeoutMs: 10_000,
  });
  t.equal(added.status, 200, JSON.stringify(added.body));
  const joining = await startJoining(leader.initialCluster, peerUrl);
  t.teardown(() => joining.stop('SIGKILL'));
  const maps = await listConfigMaps(client, joining.url);
  t.equal(maps.get('c19')?.data?.value, '19', 'what was there before the first entry of the log');
  t.same(cluster.crashes, []);
});

function startJoining(initialCluster: string, peerUrl: string): Promise<Wherry> {
  const args = [
    ['--name', 'joining'],
    ['--listen-peer-urls', peerUrl],
    ['--initial-cluster', `${initialCluster},joining=${peerUrl}`],
    ['--initial-cluster-state', 'existing'],
  ];
  return startWherry({ args: args.flat(), securePort: 0 });
}

t.test('what is wrong with a file or a flag is one line', async (t) => {
  const folder = await folderOf(t);
  const junk = join(folder, 'junk.db');
  await writeFile(junk, Buffer.alloc(4096 + 32, 'x'));
  const dataDir = join(folder, 'data');
  const cases: [string[], string, RegExp][] = [
    [['status', junk], 'StartupError', /^.*junk\.db is no snapshot of Wherry or etcd$/],
    [['restore', junk, '--data-dir', dataDir], 'StartupError', /is no snapshot of Wherry or etcd$/],
    [
      ['restore', join(folder, 'none'), '--data-dir', dataDir],
      'StartupError',
      /cannot read .*none: .*no such file.*$/,
    ],
    [
      ['restore', junk, '--data-dir', ':memory:'],
      'UsageError',
      /nothing can be restored into --data-dir :memory:/,
    ],
    [
      ['restore', junk, '--bump-revision', '0', '--mark-compacted'],
      'UsageError',
      /--mark-compacted needs a --bump-revision/,
    ],
    [
      ['restore', junk, '--bump-revision', '-1'],
      'CommanderError',
      /--bump-revision.*It must be a whole number/,
    ],
    [
      ['save', junk, '--data-dir', join(folder, 'none')],
      'StartupError',
      /none is no data directory with a store$/,
    ],
    [['save', junk, '--data-dir', dataDir, '--endpoints', 'http://127.0.0.1:1'], 'UsageError', /give one$/],
    [['save', junk, '--endpoints', 'ftp://127.0.0.1:1'], 'UsageError', /URL scheme must be http or https/],
    [['save', junk, '--cert', 'x'], 'UsageError', /--cert and --key must both be given/],
    [['save', junk, '--user', 'me'], 'UsageError', /--user me needs a password/],
    [['save'], 'CommanderError', /missing required argument 'file'/],
    [[], 'CommanderError', /say which: save, status or restore/],
  ];
  // Waits for a server while the rest is tried.
  const unreachable = wherry(['snapshot', 'save', junk], { ETCDCTL_ENDPOINTS: 'http://127.0.0.1:1' });
  for (const [args, name, message] of cases) {
    await t.rejects(inThisProcess(['snapshot', ...args]), { name, message }, args.join(' '));
  }
  const { code, stdout, stderr } = await unreachable;
  t.same([code, stdout], [1, '']);
  t.match(stderr, /^wherry: cannot connect to http:\/\/127\.0\.0\.1:1: .*\n$/);
  t.equal((await readFile(junk)).length, 4096 + 32, 'what was there stays');
  t.same(await readdir(folder), ['junk.db'], 'nothing was made');
});

/** Throws what the command would print. */
async function inThisProcess(args: readonly string[]): Promise<void> {
  const unused = () => Promise.reject(new Error('another command'));
  const others = { serve: unused, etcd: unused, cluster: unused, apiserver: unused, migrate: unused };
  const parsed = wherryCommand({ ...others, snapshot });
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({ outputError: () => undefined, writeErr: () => undefined });
    command.commands.forEach(quiet);
  };
  quiet(parsed);
  await parsed.parseAsync(args, { from: 'user' });
}

t.test('the forms of status are etcdctl’s', async (t) => {
  const found = {
    hash: `00c0ffee${'0'.repeat(56)}`,
    revision: 1_000_000_027,
    compactedRevision: 1_000_000_027,
    keys: 22,
    leases: 1,
    size: 2_129_920,
    format: 3,
    hasChecksum: true,
  };
  t.equal(statusText(found, 'simple'), '00c0ffee, 1000000027, 22, 2.1 MB, wherry-3\n');
  t.match(JSON.parse(statusText(found, 'json')), {
    hash: 0xc0ffee,
    revision: 1_000_000_027,
    totalKey: 22,
    totalSize: 2_129_920,
    version: 'wherry-3',
  });
  t.equal(
    statusText(found, 'table'),
    [
      '+----------+------------+------------+------------+----------+',
      '|     HASH |   REVISION | TOTAL KEYS | TOTAL SIZE |  VERSION |',
      '+----------+------------+------------+------------+----------+',
      '| 00c0ffee | 1000000027 |         22 |     2.1 MB | wherry-3 |',
      '+----------+------------+------------+------------+----------+',
      '',
    ].join('\n'),
  );
  t.same([0, 999, 20_480, 999_949_999, 12e12].map(sizeText), ['0 B', '999 B', '20 kB', '1000 MB', '12 TB']);
});
