/** `wherry apiserver`: on an etcd that is not there yet, that goes and comes back, and that several servers share. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { prefix, silent, text } from '../storage/tools.js';
import { type Wherry, freePort, spawnWherry, temporaryFolder, untilReady } from '../tools/wherry.js';
import { type EtcdProcess, startWherryEtcd } from '../tools/etcd-process.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';

const patienceMs = 60_000;

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await sleep(50);
  }
}

/** The status of a check that the server answers at all. */
const statusOf = (server: Wherry, path: string) =>
  fetch(server.url + path).then(
    ({ status }) => status,
    () => undefined,
  );

const apiserver = async (t: Test, urls: readonly string[], args: readonly string[] = []): Promise<Wherry> => {
  const server = await spawnWherry({ command: ['apiserver', '--etcd-servers', urls.join(',')], args });
  t.teardown(() => server.stop('SIGKILL'));
  return server;
};

const configMaps = (server: Wherry) => `${server.url}/api/v1/namespaces/default/configmaps`;

async function create(server: Wherry, name: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ metadata: { name } });
  return (await fetch(configMaps(server), { method: 'POST', headers, body })).status;
}

async function begin(
  t: Test,
  start: typeof startEtcd,
  options: Parameters<typeof startEtcd>[0] = {},
): Promise<EtcdProcess> {
  const etcd = await start(options);
  t.teardown(async () => {
    await etcd.stop('SIGKILL');
    await etcd.remove();
  });
  return etcd;
}

t.test('waits for an etcd that is not there yet, and for one that went', async (t) => {
  const port = await freePort();
  const server = await apiserver(t, [`http://127.0.0.1:${port}`]);
  await until('it says that it is not ready', async () => (await statusOf(server, '/readyz')) === 500);
  t.equal(await statusOf(server, '/readyz/etcd'), 500, 'etcd is why');
  const line = `no etcd answers at http://127.0.0.1:${port}; will keep trying`;
  await until('the log says so', () => server.output().includes(line));
  const dataDir = await temporaryFolder('etcd');
  const etcd = await begin(t, startWherryEtcd, { port, dataDir });
  await untilReady(server);
  t.equal(await create(server, 'a'), 201);
  const watch = await fetch(`${configMaps(server)}?watch=true&fieldSelector=metadata.name=b`);
  const seen = watch.text();

  await etcd.stop('SIGKILL');
  await until('it is not ready', async () => (await statusOf(server, '/readyz')) === 500);
  const again = await begin(t, startWherryEtcd, { port, dataDir });
  await untilReady(server);
  t.equal(await statusOf(server, '/livez'), 200);
  t.equal(await create(server, 'b'), 201);
  await server.stop();
  t.match(await seen, /"type":"ADDED".*"name":"b"/, 'a watch goes on');
  await again.stop();
});

for (const { name, skip, start } of [
  { name: 'a real etcd', skip: etcdMissing, start: startEtcd },
  { name: 'wherry etcd', skip: false, start: startWherryEtcd },
] as const) {
  t.test(
    `servers share ${name}: one runs the controllers, both see every write at once`,
    { skip },
    async (t) => {
      const etcd = await begin(t, start);
      const args = ['--etcd-prefix', '/elsewhere/'];
      const servers = [await apiserver(t, [etcd.url], args), await apiserver(t, [etcd.url], args)] as const;
      await Promise.all(servers.map((server) => untilReady(server)));
      const [one, two] = servers;
      for (const [name, writer, reader] of [
        ['a', one, two],
        ['b', two, one],
      ] as const) {
        t.equal(await create(writer, name), 201);
        t.equal((await fetch(`${configMaps(reader)}/${name}`)).status, 200, 'a read is consistent');
      }
      const leads = (server: Wherry) => server.output().includes('this member runs the controllers');
      await until('one leads', () => servers.some(leads));
      const accounts = async (): Promise<number> => {
        const list = (await (await fetch(`${two.url}/api/v1/serviceaccounts`)).json()) as {
          items: unknown[];
        };
        return list.items.length;
      };
      await until('its controllers work', async () => (await accounts()) >= 4);
      t.notOk(servers.every(leads));
      const client = createRemoteClient({ endpoints: [etcd.url], logger: silent });
      t.teardown(() => client.close());
      const { kvs } = await client.range({ ...prefix('/'), keysOnly: true });
      t.same(
        kvs.map(({ key }) => text(key)).filter((key) => !key.startsWith('/elsewhere/')),
        [],
        'all keys are below the prefix',
      );
      t.equal(await one.stop(), 0);
      t.equal(await two.stop(), 0);
    },
  );
}
