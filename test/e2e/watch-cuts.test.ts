/** A watch cut at random points a thousand times never loses or repeats a change, while old history is compacted. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { Compactor } from '../../apiserver/compactor.js';
import { ChangeWindow } from '../../apiserver/registry/change-window.js';
import { createRegistries } from '../../apiserver/registry/index.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import { openStore } from '../../storage/open.js';
import { start as startHarness } from '../apiserver/http-harness.js';
import { random as newRandom } from '../raft/random.js';
import { Cluster } from '../tools/cluster.js';
import { etcdMissing } from '../tools/real-etcd.js';
import { freePort, startWherry, type Wherry } from '../tools/wherry.js';
import { type CutReport, type CutServer, type CutStory, cutWatches } from './watch-cuts.js';

const random = newRandom();
const CUTS_MIN = Number(process.env['WHERRY_TEST_CUTS'] ?? 1000);
/** On each of the other ways to run. */
const CUTS_MORE = Math.round(CUTS_MIN / 10);
const WRITERS = 12;
/** Nobody writes but the test's writers, and history is short. */
const ARGS = ['--controllers=', '--etcd-compaction-interval', '2s'];

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly 'certificate-authority-data': string } }];
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString();

async function cutServer(
  server: Pick<Wherry, 'url' | 'port' | 'securePort' | 'kubeconfig'>,
): Promise<CutServer> {
  const { clusters, users } = parse(await readFile(server.kubeconfig, 'utf8')) as Kubeconfig;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const credentials = createSecureContext({
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });
  return { url: server.url, port: server.port, secure: { port: server.securePort, credentials } };
}

function check(t: Test, report: CutReport, cutsMin: number): void {
  const { cuts, changes, connections, expired, bookmarks, reflected } = report;
  t.comment(
    `${cuts} cuts, ${connections} connections, ${changes} changes, ${expired} times listed again, ${bookmarks} bookmarks`,
  );
  for (const counts of reflected) t.comment(`a reflector: ${JSON.stringify(counts)}`);
  t.same(report.faults.slice(0, 5), [], `seed ${random.seed}`);
  t.ok(cuts >= cutsMin, `${cuts} cuts`);
}

t.test('a server, which is killed and started again half way', async (t) => {
  const [port, securePort] = [await freePort(), await freePort()];
  const dataDir = t.testdir();
  const start = () => startWherry({ backend: 'embedded', dataDir, port, securePort, args: ARGS });
  let server = await start();
  t.teardown(() => server.stop('SIGKILL'));
  const report = await cutWatches({
    servers: [await cutServer(server)],
    cutsMin: CUTS_MIN,
    writers: WRITERS,
    random,
    async halfWay() {
      await server.stop('SIGKILL');
      server = await start();
    },
  });
  check(t, report, CUTS_MIN);
});

t.test(
  'in this process, with a memory of few changes: most of it comes from history, or is gone',
  async (t) => {
    const store = await openStore({ dataDir: ':memory:' });
    const { client } = store;
    const logger = pino({ level: 'silent' });
    const registries = createRegistries({
      client,
      definitions: [configMaps, namespaces],
      admission: [],
      cache: { window: () => new ChangeWindow(5) },
    });
    const harness = await startHarness(t, { registries, client });
    const onCompacted = (revision: number) => registries.compacted(revision);
    const compactor = new Compactor({ client, intervalMs: 500, onCompacted, logger });
    compactor.start();
    t.teardown(async () => {
      await compactor.stop();
      registries.close();
      await store.close();
    });
    const { plain: url, port, securePort, certificates } = harness;
    const credentials = createSecureContext({ ca: certificates.ca, ...certificates.client });
    const servers: CutStory['servers'] = [{ url, port, secure: { port: securePort, credentials } }];
    const report = await cutWatches({ servers, cutsMin: CUTS_MORE, writers: WRITERS, random });
    check(t, report, CUTS_MORE);
  },
);

for (const backend of ['wherry-etcd', 'etcd'] as const) {
  const skip = backend === 'etcd' ? etcdMissing : false;
  t.test(`an API server alone, on ${backend}`, { skip }, async (t) => {
    const server = await startWherry({ backend, args: ARGS });
    t.teardown(() => server.stop());
    const servers: CutStory['servers'] = [await cutServer(server)];
    check(t, await cutWatches({ servers, cutsMin: CUTS_MORE, writers: WRITERS, random }), CUTS_MORE);
  });
}

t.test('a cluster of three, whose members each serve some of the watches', async (t) => {
  const cluster = await Cluster.start({ args: ARGS });
  t.teardown(() => cluster.stop());
  const [first, ...others] = cluster.members.map(({ url }) => ({ url, port: Number(new URL(url).port) }));
  if (first === undefined) return;
  const servers: CutStory['servers'] = [first, ...others];
  // Its compactions are agreed on by three servers.
  const halfWay = () => sleep(100);
  check(t, await cutWatches({ servers, cutsMin: CUTS_MORE, writers: WRITERS, random, halfWay }), CUTS_MORE);
  t.same(cluster.crashes, []);
});
