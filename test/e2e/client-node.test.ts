/** The official JavaScript client: informers, and the two examples as a user runs them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppsV1Api, CoreV1Api, KubeConfig, type V1ConfigMap, makeInformer } from '@kubernetes/client-node';
import t from 'tap';
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
