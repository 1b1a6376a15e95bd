/** The official JavaScript client: informers, and the two examples as a user runs them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  ListWatch,
  type V1ConfigMap,
  Watch,
  makeInformer,
} from '@kubernetes/client-node';
import t, { type Test } from 'tap';
import { CuttingProxy } from '../tools/cutting-proxy.js';
import { freePort, repository, startWherry, temporaryFolder } from '../tools/wherry.js';

const patienceMs = 60_000;

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await sleep(50);
  }
}

function startExample(name: string, kubeconfig: string, ...args: string[]) {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(repository, `dist/examples/${name}.js`), ...args],
    {
      env: { ...process.env, KUBECONFIG: kubeconfig, LEASE_SECONDS: '2' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  return {
    output: () => output,
    async stop(signal: NodeJS.Signals) {
      child.kill(signal);
      await exited;
    },
  };
}

function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

t.test('an informer sees what is there and every change after', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const config = configOf(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = 'default';
  const write = (name: string, value: string): V1ConfigMap => ({ metadata: { name }, data: { value } });
  await core.createNamespacedConfigMap({ namespace, body: write('before', '0') });
  const seen: string[] = [];
  const informer = makeInformer<V1ConfigMap>(config, '/api/v1/namespaces/default/configmaps', () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name} ${object.data?.['value']}`));
  }
  await informer.start();
  t.teardown(() => informer.stop());
  await core.createNamespacedConfigMap({ namespace, body: write('after', '1') });
  await core.replaceNamespacedConfigMap({ name: 'after', namespace, body: write('after', '2') });
  await core.deleteNamespacedConfigMap({ name: 'after', namespace });
  await until('the deletion is seen', () => seen.some((line) => line.startsWith('delete')));
  t.same(
    seen.filter((line) => !line.includes('kube-root-ca')),
    ['add before 0', 'add after 1', 'update after 2', 'delete after 2'],
  );
});

/** An informer of ConfigMaps that is started again whenever it gives up, as its users are told to, and what it saw. */
function followMaps(t: Test, config: KubeConfig) {
  const core = config.makeApiClient(CoreV1Api);
  // What makeInformer makes, which hides how far it has come.
  const informer = new ListWatch<V1ConfigMap>(
    '/api/v1/configmaps',
    new Watch(config),
    () => core.listConfigMapForAllNamespaces(),
    false,
  );
  const seen: string[] = [];
  const counts = { lists: 0, errors: 0 };
  let stopped = false;
  const say = ({ metadata, data }: V1ConfigMap) =>
    `${metadata?.namespace}/${metadata?.name} ${data?.['value']}`;
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (map) => {
      if (map.data?.['value'] !== undefined) seen.push(`${verb} ${say(map)}`);
    });
  }
  informer.on('connect', () => {
    if (informer.latestResourceVersion() === '') counts.lists += 1;
  });
  informer.on('error', () => {
    counts.errors += 1;
    setTimeout(() => void (stopped || informer.start()), 50).unref();
  });
  t.teardown(() => {
    stopped = true;
    return informer.stop();
  });
  return {
    informer,
    seen,
    counts,
    /** What it holds, in order. */
    state: () =>
      informer
        .list()
        .filter(({ data }) => data?.['value'] !== undefined)
        .map(say)
        .sort(),
  };
}

t.test(
  'an informer goes on over restarts, lists again when its place is compacted, and sees a namespace go',
  async (t) => {
    const dataDir = await temporaryFolder('informer');
    const [port, securePort] = [await freePort(), await freePort()];
    const start = () =>
      startWherry({ dataDir, port, securePort, args: ['--etcd-compaction-interval', '500ms'] });
    let server = await start();
    const proxy = await CuttingProxy.start({ port });
    t.teardown(async () => {
      await proxy.close();
      await server.stop();
    });
    const direct = configOf(server.kubeconfig).makeApiClient(CoreV1Api);
    const watching = new KubeConfig();
    watching.loadFromClusterAndUser(
      { name: 'cut', server: proxy.url, skipTLSVerify: true },
      { name: 'nobody' },
    );
    const maps = followMaps(t, watching);
    const body = (name: string, value: string): V1ConfigMap => ({ metadata: { name }, data: { value } });
    const namespace = 'informed';
    await direct.createNamespace({ body: { metadata: { name: namespace } } });
    await direct.createNamespacedConfigMap({ namespace, body: body('a', '1') });
    await direct.createNamespacedConfigMap({ namespace: 'default', body: body('b', '1') });
    await maps.informer.start();
    await until('the state', () => maps.state().length === 2);

    await server.stop('SIGKILL');
    server = await start();
    await direct.replaceNamespacedConfigMap({ name: 'a', namespace, body: body('a', '2') });
    await until('the change after a restart', () => maps.seen.includes('update informed/a 2'));
    t.equal(maps.counts.lists, 1, 'by the same watch, from where it was');

    // Away while something goes, while its revision is compacted, and while the server forgets what it has in memory.
    proxy.accept(false);
    proxy.cut();
    await direct.deleteNamespacedConfigMap({ name: 'a', namespace });
    const compacted = Number(maps.informer.latestResourceVersion()) + 1;
    await until('a compaction', async () => {
      await direct.replaceNamespacedConfigMap({ name: 'b', namespace: 'default', body: body('b', '2') });
      const exact = { limit: 1, resourceVersion: String(compacted), resourceVersionMatch: 'Exact' };
      return direct.listNamespacedConfigMap({ namespace, ...exact }).then(
        () => false,
        (error: unknown) => (error as { readonly code?: number }).code === 410,
      );
    });
    await server.stop('SIGKILL');
    server = await start();
    await direct.createNamespacedConfigMap({ namespace, body: body('c', '1') });
    proxy.accept(true);
    await until('a list after 410', () => maps.counts.lists === 2);
    await until('the state after it', () => maps.state().join() === 'default/b 2,informed/c 1');
    t.ok(maps.seen.includes('delete informed/a 2'), 'what went meanwhile is told');

    await direct.deleteNamespace({ name: namespace });
    await until('the namespace is empty', () => maps.state().join() === 'default/b 2');
    t.equal(maps.seen.at(-1), 'delete informed/c 1');
    for (const line of new Set(maps.seen)) {
      const times = maps.seen.filter((other) => other === line).length;
      t.equal(times, 1, `once: ${line}`);
    }
  },
);

t.test('the toy controller keeps Pods and status in step, also after the server was away', async (t) => {
  const dataDir = await temporaryFolder('toy');
  const [port, securePort] = [await freePort(), await freePort()];
  let server = await startWherry({ dataDir, port, securePort });
  const controller = startExample('toy-controller', server.kubeconfig);
  t.teardown(async () => {
    await controller.stop('SIGKILL');
    await server.stop();
  });
  const config = configOf(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const namespace = 'default';
  const labels = { app: 'web' };
  const spec = {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'nginx' }] } },
  };
  const running = async (): Promise<number> => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
    return items.filter((pod) => pod.status?.phase === 'Running').length;
  };
  const ready = async (): Promise<number | undefined> =>
    (await apps.readNamespacedDeployment({ name: 'web', namespace })).status?.readyReplicas;

  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'web' }, spec } });
  await until('three pods run', async () => (await running()) === 3 && (await ready()) === 3);

  await server.stop('SIGKILL');
  server = await startWherry({ dataDir, port, securePort });
  const scale = { metadata: { name: 'web', namespace }, spec: { replicas: 1 } };
  await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: scale });
  await until('one pod runs', async () => (await running()) === 1 && (await ready()) === 1);
  await apps.deleteNamespacedDeployment({ name: 'web', namespace });
  await until('no pod is left', async () => (await running()) === 0);
  t.pass('scaled and removed after a restart of the server');
});

t.test('leader election: one leads, and when it is killed another one does', async (t) => {
  const server = await startWherry();
  const names = ['one', 'two', 'three'];
  const candidates = new Map(
    names.map((name) => [name, startExample('leader-election', server.kubeconfig, name)]),
  );
  t.teardown(async () => {
    for (const candidate of candidates.values()) await candidate.stop('SIGKILL');
    await server.stop();
  });
  const leaders = () => names.filter((name) => candidates.get(name)?.output().includes('I lead') === true);

  await until('somebody leads', () => leaders().length > 0);
  const [first = ''] = leaders();
  t.equal(leaders().length, 1, 'one leader');
  await candidates.get(first)?.stop('SIGKILL');
  await until('another one leads', () => leaders().some((name) => name !== first));
  t.equal(leaders().length, 2, 'one new leader');
});
