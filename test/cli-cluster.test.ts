/** `wherry cluster` and `wherry etcd` as a user runs them: real processes on loopback ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Layout } from '../cli/cluster/layout.js';
import { issueAuthority, issueLeaf } from '../cli/pki/issue.js';
import { freePort, repository, temporaryFolder } from './tools/wherry.js';

const command = join(repository, 'dist/bundle/wherry.js');
/** For what has no bound of its own: the machine may be busy. */
const WAIT_MS_MAX = 60_000;

interface Started {
  readonly process: ChildProcess;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  readonly output: () => string;
}

function start(t: Test, args: readonly string[]): Started {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return { process: child, exited, output: () => output };
}

async function stop({ process, exited }: Started): Promise<number | null> {
  process.kill('SIGINT');
  return exited;
}

/** Waits until `check` is true. What it throws counts as false: who is asked may not be there yet. */
async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  started?: Started,
): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const isSo = await Promise.resolve()
      .then(check)
      .catch(() => false);
    if (isSo) return;
    if (started !== undefined && started.process.exitCode !== null) break;
    if (Date.now() > deadline) break;
    await sleep(25);
  }
  throw new Error(`${what}: not so. ${started?.output() ?? ''}`);
}

async function isOk(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

interface ListedMember {
  readonly ID: string;
  readonly clientURLs?: readonly string[];
  readonly name?: string;
  readonly isLearner?: boolean;
}

async function membersAt(clientUrl: string): Promise<ListedMember[]> {
  const { members } = await post(`${clientUrl}/v3/cluster/member/list`, {});
  return members as ListedMember[];
}

async function leaderAt(clientUrl: string): Promise<ListedMember | undefined> {
  const { leader } = await post(`${clientUrl}/v3/maintenance/status`, {});
  return (await membersAt(clientUrl)).find(({ ID }) => ID === leader);
}

async function areNamed(url: string, names: readonly string[]): Promise<boolean> {
  const found = (await membersAt(url)).map(({ name = '' }) => name).toSorted();
  return found.join() === names.join();
}

async function createMap(url: string, name: string): Promise<void> {
  await post(`${url}/api/v1/namespaces/default/configmaps`, { metadata: { name } });
}

async function mapsAt(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/v1/namespaces/default/configmaps`);
  const { items } = (await response.json()) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}

const plainUrl = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;
const clientUrl = ({ clientPort }: { readonly clientPort: number }) => `http://127.0.0.1:${clientPort}`;

interface ReadyLine {
  readonly members: readonly { readonly name: string; readonly pid: number }[];
}

function readyLine({ output }: Started): ReadyLine | undefined {
  const line = output()
    .split('\n')
    .find((line) => line.includes('"msg":"the cluster is ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as ReadyLine);
}

/** Two ports in a row that are free, and the two after them: for a cluster's --port and --secure-port. */
async function firstPorts(size: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const servers = Array.from({ length: 2 * size }, (_, offset) =>
      createServer().listen(first + offset, '127.0.0.1'),
    );
    const free = await Promise.all(
      servers.map((server) =>
        once(server, 'listening').then(
          () => true,
          () => false,
        ),
      ),
    );
    for (const server of servers) if (server.listening) await once(server.close(), 'close');
    if (free.every(Boolean)) return first;
  }
}

t.test(
  'a cluster of three: it serves through each, outlives a member, stops, and is there again',
  async (t) => {
    const folder = await temporaryFolder('cluster');
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const port = await firstPorts(3);
    const args = ['cluster', '--data-dir', folder, '--port', `${port}`, '--secure-port', `${port + 3}`];
    const first = start(t, args);
    await until('ready', () => readyLine(first) !== undefined, first);
    const layout = JSON.parse(await readFile(join(folder, 'cluster.json'), 'utf8')) as Layout;
    const [m1, m2, m3] = layout.members;
    if (m1 === undefined || m2 === undefined || m3 === undefined) throw new Error('three were to be started');

    await t.test('a write through one is read through each', async (t) => {
      await createMap(plainUrl(m1), 'one');
      for (const member of layout.members)
        t.ok((await mapsAt(plainUrl(member))).includes('one'), member.name);
      await until('all have told their names', () => areNamed(clientUrl(m2), ['m1', 'm2', 'm3']));
      const logs = first.output().trimEnd().split('\n');
      t.ok(
        logs.every((line) => 'level' in JSON.parse(line)),
        'one stream of lines of JSON',
      );
      t.ok(logs.some((line) => JSON.parse(line).member === 'm3'));
    });

    await t.test('one of them runs the controllers, by its lease', async (t) => {
      const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/wherry-controller-manager';
      await until('a lease', () => isOk(plainUrl(m1) + path));
      const lease = (await (await fetch(plainUrl(m1) + path)).json()) as { spec: { holderIdentity: string } };
      t.match(lease.spec.holderIdentity, /^m[123]_[0-9a-f]{16}$/);
    });

    await t.test('the leader is killed: the others serve, and it comes back', async (t) => {
      const { leader } = await post(`${clientUrl(m1)}/v3/maintenance/status`, {});
      const name = (await membersAt(clientUrl(m1))).find(({ ID }) => ID === leader)?.name;
      const killed = readyLine(first)?.members.find((member) => member.name === name);
      t.ok(killed);
      if (killed === undefined) return;
      process.kill(killed.pid, 'SIGKILL');
      const other = layout.members.find((member) => member.name !== name) ?? m1;
      await createMap(plainUrl(other), 'two');
      t.match(first.output(), new RegExp(`${name} has ended \\(SIGKILL\\) and is started again in 1 s`));
      const back = layout.members.find((member) => member.name === name) ?? m1;
      await until('back', () => isOk(`${plainUrl(back)}/readyz`));
      t.ok((await mapsAt(plainUrl(back))).includes('two'));
    });

    await t.test('a second one on the same folder is refused', async (t) => {
      const second = start(t, args);
      t.equal(await second.exited, 1);
      t.match(second.output(), /wherry: m[123] did not start: .*in use/);
    });

    t.equal(await stop(first), 0);
    await t.rejects(fetch(plainUrl(m2)), 'nothing of it is left');

    const again = start(t, ['cluster', '--data-dir', folder]);
    await until('ready', () => readyLine(again) !== undefined, again);
    t.same((await mapsAt(plainUrl(m3))).filter((name) => name === 'one' || name === 'two').toSorted(), [
      'one',
      'two',
    ]);
    await memberComesAndGoes(t, folder, layout);
    await supervisorDies(t, again, layout);
  },
);

/** A fourth member: added as a learner, promoted, removed. */
async function memberComesAndGoes(t: Test, folder: string, { members }: Layout): Promise<void> {
  await t.test('a fourth joins, is promoted, and ends when it is removed', async (t) => {
    const [m1] = members;
    if (m1 === undefined) throw new Error('no member');
    const [peerPort, clientPort, port] = [await freePort(), await freePort(), await freePort()];
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const initial = members.map((member) => `${member.name}=http://127.0.0.1:${member.peerPort}`);
    const dataDir = join(folder, 'm4');
    await mkdir(join(dataDir, 'pki'), { recursive: true });
    await cp(join(folder, 'pki/ca.crt'), join(dataDir, 'pki/ca.crt'));
    await cp(join(folder, 'pki/ca.key'), join(dataDir, 'pki/ca.key'));
    const flags = {
      'data-dir': dataDir,
      name: 'm4',
      port,
      'secure-port': 0,
      'listen-peer-urls': peerUrl,
      'listen-client-urls': `http://127.0.0.1:${clientPort}`,
      'initial-cluster': [...initial, `m4=${peerUrl}`].join(','),
      'initial-cluster-state': 'existing',
    };
    const args = ['serve', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];

    const early = start(t, args);
    t.equal(await early.exited, 1);
    t.match(early.output(), /wherry: error validating peerURLs .*add it there first\n/);

    const added = await post(`${clientUrl(m1)}/v3/cluster/member/add`, {
      peerURLs: [peerUrl],
      isLearner: true,
    });
    const { ID } = added['member'] as ListedMember;
    const fourth = start(t, args);
    await until('ready', () => isOk(`http://127.0.0.1:${port}/readyz`), fourth);
    t.ok((await mapsAt(`http://127.0.0.1:${port}`)).includes('one'), 'a learner serves, too');
    const own = async () => (await membersAt(clientUrl(m1))).find((member) => member.ID === ID);
    await until('its name is known', async () => (await own())?.name === 'm4');
    await until('promoted', async () => {
      await post(`${clientUrl(m1)}/v3/cluster/member/promote`, { ID });
      return true;
    });
    t.equal((await own())?.isLearner, undefined);
    await createMap(`http://127.0.0.1:${port}`, 'three');
    t.ok((await mapsAt(plainUrl(m1))).includes('three'));

    const [leaderUrl] = (await leaderAt(clientUrl(m1)))?.clientURLs ?? [];
    await post(`${leaderUrl}/v3/maintenance/transfer-leadership`, { targetID: ID });
    await until('it leads', async () => (await leaderAt(clientUrl(m1)))?.ID === ID);
    const left = await post(`http://127.0.0.1:${clientPort}/v3/cluster/member/remove`, { ID });
    t.equal((left['members'] as ListedMember[]).length, 3, 'a leader commits that it goes, and answers');
    t.equal(await fourth.exited, 1);
    t.match(
      fourth.output(),
      /\nwherry: this member was removed from the cluster; its data directory is of no more use\n/,
    );
    t.equal((await membersAt(clientUrl(m1))).length, 3);
  });
}

async function supervisorDies(t: Test, supervisor: Started, { members }: Layout): Promise<void> {
  await t.test('members do not outlive their supervisor', async (t) => {
    supervisor.process.kill('SIGKILL');
    await supervisor.exited;
    await until('gone', async () => {
      const answers = await Promise.allSettled(members.map((member) => fetch(plainUrl(member))));
      return answers.every(({ status }) => status === 'rejected');
    });
    t.pass('their ports are free again');
  });
}

t.test('a cluster that cannot start says why, and leaves nothing behind', async (t) => {
  const folder = t.testdir();
  const port = await firstPorts(3);
  const busy = createServer().listen(port + 1, '127.0.0.1');
  await once(busy, 'listening');
  t.teardown(() => busy.close());
  const args = ['cluster', '--data-dir', folder, '--port', `${port}`, '--secure-port', '0'];
  const failing = start(t, args);
  t.equal(await failing.exited, 1);
  t.match(
    failing.output(),
    `wherry: m2 did not start: port ${port + 1} on 127.0.0.1 is in use; choose another with --port\n`,
  );
  const refused = start(t, ['cluster', '--data-dir', folder, '--size', '5']);
  t.equal(await refused.exited, 2);
  t.match(refused.output(), /^wherry: --size 5 is not what this cluster has, which is 3/);
  const serving = start(t, [
    'serve',
    '--data-dir',
    folder,
    '--port',
    '0',
    '--secure-port',
    `${await freePort()}`,
  ]);
  t.equal(await serving.exited, 1);
  t.match(serving.output(), /holds a cluster; start it with wherry cluster/);
  const single = t.testdir({ member: {} });
  const mixed = start(t, ['cluster', '--data-dir', single]);
  t.equal(await mixed.exited, 1);
  t.match(mixed.output(), /holds a single server; choose another folder/);
});

t.test(
  'three of etcd over TLS with client certificates; without a majority they say so, and recover',
  async (t) => {
    const folder = t.testdir();
    const now = Date.now();
    const authority = await issueAuthority('peers', now);
    const request = { commonName: 'peer', ipAddresses: ['127.0.0.1'] };
    const pair = await issueLeaf(authority, { ...request, usage: 'peer' }, now);
    await writeFile(join(folder, 'ca.pem'), authority.cert);
    await writeFile(join(folder, 'cert.pem'), pair.cert);
    await writeFile(join(folder, 'key.pem'), pair.key);
    const names = ['a', 'b', 'c'];
    const peerPorts = await Promise.all(names.map(() => freePort()));
    const clientPorts = await Promise.all(names.map(() => freePort()));
    const urls = clientPorts.map((port) => `http://127.0.0.1:${port}`);
    const initial = names
      .map((name, position) => `${name}=https://127.0.0.1:${peerPorts[position]}`)
      .join(',');
    const argsOf = (position: number): string[] => {
      const flags = {
        'data-dir': join(folder, names[position] ?? ''),
        name: names[position],
        'listen-peer-urls': `https://127.0.0.1:${peerPorts[position]}`,
        'listen-client-urls': urls[position],
        'initial-cluster': initial,
        'peer-cert-file': join(folder, 'cert.pem'),
        'peer-key-file': join(folder, 'key.pem'),
        'peer-trusted-ca-file': join(folder, 'ca.pem'),
        'peer-client-cert-auth': 'true',
      };
      return ['etcd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
    };
    const one = start(t, argsOf(0));
    await until('alive', () => isOk(`${urls[0]}/livez`), one);
    t.equal((await fetch(`${urls[0]}/health`)).status, 503, 'one of three is no majority');
    await until(
      'the log says so',
      () => one.output().includes('waiting for a leader: 1 of 3 members reachable'),
      one,
    );
    const two = start(t, argsOf(1));
    await until('healthy', () => isOk(`${urls[0]}/health`), two);
    start(t, argsOf(2));
    await until('all are healthy', async () =>
      (await Promise.all(urls.map((url) => isOk(`${url}/readyz`)))).every(Boolean),
    );
    await until('all have told their names', () => areNamed(urls[2] ?? '', names));
    t.equal(await stop(two), 0);

    await rm(join(folder, 'b'), { recursive: true });
    const lost = start(t, argsOf(1));
    t.equal(await lost.exited, 1);
    t.match(lost.output(), /wherry: member [0-9a-f]+ has already been bootstrapped/);
  },
);
