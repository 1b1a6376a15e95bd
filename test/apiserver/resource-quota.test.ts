/** Resource quotas: what is charged, refused and counted, in kube-apiserver 1.36's words. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { resourceQuota } from '../../apiserver/admission/resource-quota.js';
import type { AdmissionPlugin } from '../../apiserver/admission/plugin.js';
import { ControllerManager, controllersNamed } from '../../apiserver/controllers/index.js';
import { toAmounts } from '../../apiserver/quota/amounts.js';
import { sameAmounts } from '../../schemas/core/v1/resource-lists.js';
import { counts, isInScopes, usageOf } from '../../apiserver/quota/usage.js';
import { createRegistries } from '../../apiserver/registry/index.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { pods } from '../../schemas/core/v1/pod.js';
import { services } from '../../schemas/core/v1/service.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { context, type Fixture, logger, openFixture, refusal } from './controllers-fixture.js';

type Test = Parameters<typeof openFixture>[0];
type Amounts = Readonly<Record<string, string>>;

const WAIT_MS_MAX = 20_000;
const statusOf = (quota: KubeObject) => quota['status'] as { hard?: Amounts; used?: Amounts };

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${check.toString()}`);
    await sleep(5);
  }
}

async function openNamespace(t: Test): Promise<Fixture> {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await fixture.create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  return fixture;
}

/** A quota as the controller leaves it. */
async function grant(fixture: Fixture, name: string, spec: { hard: Amounts }, used: Amounts = {}) {
  await fixture.create('resourcequotas', 'demo', { metadata: { name }, spec });
  const none = Object.fromEntries(Object.keys(spec.hard).map((resource) => [resource, '0']));
  const status = { hard: spec.hard, used: { ...none, ...used } };
  const update = (quota: KubeObject | undefined) => ({ ...quota, status }) as KubeObject;
  await fixture.registry('resourcequotas').update(context, 'demo', name, update, { subresource: 'status' });
}

const usedOf = async ({ get }: Fixture, name: string) =>
  statusOf(await get('resourcequotas', 'demo', name)).used;

const pod = (name: string, resources: object = {}, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', resources }], ...spec },
});

t.test('what is created is charged, until nothing is left', async (t) => {
  const fixture = await openNamespace(t);
  const { create, names } = fixture;
  await grant(fixture, 'q', { hard: { pods: '2', 'requests.cpu': '1' } });
  await create('pods', 'demo', pod('a', { requests: { cpu: '300m' } }));
  t.same(await usedOf(fixture, 'q'), { pods: '1', 'requests.cpu': '300m' });
  const cpu = await refusal(create('pods', 'demo', pod('b', { requests: { cpu: '800m' } })));
  t.equal(cpu.code, 403);
  t.equal(
    cpu.message,
    'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=800m, used: requests.cpu=300m, limited: requests.cpu=1',
  );
  t.same(cpu.details, { name: 'b', kind: 'pods' });
  await create('pods', 'demo', pod('b', { requests: { cpu: '700m' } }));
  const both = await refusal(create('pods', 'demo', pod('c', { requests: { cpu: '1' } })));
  t.equal(
    both.message,
    'pods "c" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1, used: pods=2,requests.cpu=1, limited: pods=2,requests.cpu=1',
  );
  t.same(await names('pods', 'demo'), ['a', 'b']);
  t.same(await usedOf(fixture, 'q'), { pods: '2', 'requests.cpu': '1' });
});

t.test('containers must say what a quota counts', async (t) => {
  const fixture = await openNamespace(t);
  await grant(fixture, 'q', { hard: { 'limits.cpu': '2', 'requests.memory': '1Gi' } });
  const { message } = await refusal(fixture.create('pods', 'demo', pod('a')));
  t.equal(
    message,
    'pods "a" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c',
  );
});

t.test('a quota that is not counted yet refuses, one that grants nothing yet lets pass', async (t) => {
  const fixture = await openNamespace(t);
  const { create, registry } = fixture;
  await create('resourcequotas', 'demo', { metadata: { name: 'q' }, spec: { hard: { secrets: '0' } } });
  await create('secrets', 'demo', { metadata: { name: 'a' } });
  const update = (quota: KubeObject | undefined) =>
    ({ ...quota, status: { hard: { secrets: '1' } } }) as unknown as KubeObject;
  await registry('resourcequotas').update(context, 'demo', 'q', update, { subresource: 'status' });
  const { message } = await refusal(create('secrets', 'demo', { metadata: { name: 'b' } }));
  t.equal(message, 'secrets "b" is forbidden: status unknown for quota: q, resources: secrets');
});

t.test('a dry run is refused as the real one, and charged nothing', async (t) => {
  const fixture = await openNamespace(t);
  await grant(fixture, 'q', { hard: { configmaps: '1', 'count/configmaps': '1' } });
  const dry = (name: string) =>
    fixture
      .registry('configmaps')
      .create(
        context,
        { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'demo' } },
        { dryRun: true },
      );
  await dry('a');
  t.same(await usedOf(fixture, 'q'), { configmaps: '0', 'count/configmaps': '0' });
  await fixture.create('configmaps', 'demo', { metadata: { name: 'a' } });
  t.equal(
    (await refusal(dry('b'))).message,
    'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1,count/configmaps=1, used: configmaps=1,count/configmaps=1, limited: configmaps=1,count/configmaps=1',
  );
});

t.test('of two quotas neither is charged where one has nothing left', async (t) => {
  const fixture = await openNamespace(t);
  await grant(fixture, 'a', { hard: { secrets: '5' } });
  await grant(fixture, 'b', { hard: { secrets: '1' } }, { secrets: '1' });
  const { message } = await refusal(fixture.create('secrets', 'demo', { metadata: { name: 's' } }));
  t.match(message, /exceeded quota: b, requested: secrets=1/);
  t.same(await usedOf(fixture, 'a'), { secrets: '0' });
});

t.test(
  'a service that comes to need more is charged the difference, and gives back what it gives up',
  async (t) => {
    const fixture = await openNamespace(t);
    const hard = { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' };
    await grant(fixture, 'q', { hard });
    await fixture.create('services', 'demo', { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    const retype = (type: string) =>
      fixture
        .registry('services')
        .update(
          context,
          'demo',
          's',
          (s) => ({ ...s, spec: { ...(s?.['spec'] as object), type } }) as KubeObject,
        );
    await retype('NodePort');
    t.same(await usedOf(fixture, 'q'), { ...hard, services: '1' });
    t.equal(
      (await refusal(retype('LoadBalancer'))).message,
      'services "s" is forbidden: exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0',
    );
    await retype('ClusterIP');
    t.same(await usedOf(fixture, 'q'), { ...hard, services: '1', 'services.nodeports': '0' });
  },
);

t.test('two servers that create at once never grant more than there is', async (t) => {
  const fixture = await openNamespace(t);
  await grant(fixture, 'q', { hard: { 'count/configmaps': '10' } });
  const admission: AdmissionPlugin[] = [];
  const other = createRegistries({ client: fixture.client, definitions: builtinResources, admission });
  t.teardown(() => other.close());
  admission.push(resourceQuota(other));
  const second = other.table.find('', 'v1', 'configmaps');
  if (second === undefined) throw new Error('no configmaps');
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) =>
      (i % 2 === 0 ? fixture.registry('configmaps') : second).create(context, {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { name: `c${i}`, namespace: 'demo' },
      }),
    ),
  );
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  t.equal(refused.length, 40);
  for (const outcome of refused) t.match(outcome, { reason: { code: 403, message: /exceeded quota: q/ } });
  t.equal((await fixture.names('configmaps', 'demo')).length, 10);
  t.same(await usedOf(fixture, 'q'), { 'count/configmaps': '10' });
});

t.test('the controller counts what is there, what goes, and what was charged in vain', async (t) => {
  const fixture = await openNamespace(t);
  const { create, get, registry, table } = fixture;
  await create('configmaps', 'demo', { metadata: { name: 'before' } });
  const hard = { configmaps: '3', pods: '1', 'count/jobs.batch': '4', 'unknown.example.com/thing': '1' };
  await create('resourcequotas', 'demo', { metadata: { name: 'q' }, spec: { hard } });
  const controllers = controllersNamed(['resourcequota-controller']);
  const manager = new ControllerManager({ table, logger, controllers });
  manager.start();
  t.teardown(() => manager.stop());
  const isUsed = (used: Amounts) => async () => sameAmounts(used, await usedOf(fixture, 'q'));
  await until(isUsed({ configmaps: '1', 'count/jobs.batch': '0', pods: '0' }));
  t.same(statusOf(await get('resourcequotas', 'demo', 'q')).hard, hard);

  await create('pods', 'demo', pod('p'));
  await create('configmaps', 'demo', { metadata: { name: 'second' } });
  await refusal(create('pods', 'demo', pod('late')));
  await registry('configmaps').delete(context, 'demo', 'before');
  await until(isUsed({ configmaps: '1', 'count/jobs.batch': '0', pods: '1' }));

  const finished = (p: KubeObject | undefined) =>
    ({ ...p, status: { ...(p?.['status'] as object), phase: 'Succeeded' } }) as KubeObject;
  await registry('pods').update(context, 'demo', 'p', finished, { subresource: 'status' });
  await until(isUsed({ configmaps: '1', 'count/jobs.batch': '0', pods: '0' }));

  // Its name is taken, which is found out only after it was charged.
  await refusal(create('configmaps', 'demo', { metadata: { name: 'second' } }));
  t.match(await usedOf(fixture, 'q'), { configmaps: '2' });
  await until(isUsed({ configmaps: '1', 'count/jobs.batch': '0', pods: '0' }));
});

t.test('what objects use', (t) => {
  const usage = (definition: ResourceDefinition, spec: object, more: object = {}) =>
    toAmounts(usageOf(definition, { kind: '', apiVersion: '', metadata: {}, spec, ...more }));
  const container = (requests: object, limits: object = {}) => ({
    name: 'c',
    resources: { requests, limits },
  });
  const compute = {
    containers: [
      container({ cpu: '1', 'x.io/gpu': '2' }, { cpu: '2', 'x.io/gpu': '2' }),
      container({ cpu: '500m' }),
    ],
    initContainers: [container({ cpu: '1', 'hugepages-2Mi': '4Mi' })],
  };
  t.same(usage(pods, compute), {
    'count/pods': '1',
    pods: '1',
    'requests.cpu': '1500m',
    cpu: '1500m',
    'requests.x.io/gpu': '2',
    'requests.hugepages-2Mi': '4Mi',
    'hugepages-2Mi': '4Mi',
    'limits.cpu': '2',
  });
  t.match(
    usage(pods, { ...compute, overhead: { cpu: '250m', memory: '120Mi' } }),
    {
      'requests.cpu': '1750m',
      'limits.cpu': '2250m',
      'requests.memory': '120Mi',
      'limits.memory': undefined,
    },
    'what its runtime class costs is on top, of limits only where there are any',
  );
  t.same(usage(pods, compute, { status: { phase: 'Failed' } }), { 'count/pods': '1' });
  const ports = [{ port: 1 }, { port: 2, nodePort: 30_000 }];
  t.same(usage(services, { type: 'LoadBalancer', ports, allocateLoadBalancerNodePorts: false }), {
    'count/services': '1',
    services: '1',
    'services.nodeports': '1',
    'services.loadbalancers': '1',
  });
  t.same(usage(configMaps, {}), { 'count/configmaps': '1', configmaps: '1' });
  const claims = { ...configMaps, kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims' };
  const gold = { storageClassName: 'gold', resources: { requests: { storage: '1Gi' } } };
  const charged = usage(claims, gold);
  t.same(charged, {
    'count/persistentvolumeclaims': '1',
    persistentvolumeclaims: '1',
    'requests.storage': '1Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
    'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
  });
  t.ok(Object.keys(charged).every((name) => counts(claims, name)));
  t.notOk(counts(pods, 'requests.storage'));
  t.end();
});

t.test('scopes tell which objects a quota counts', (t) => {
  const object = (spec: object): KubeObject => ({ kind: '', apiVersion: '', metadata: {}, spec });
  const quota = (...matchExpressions: object[]) => object({ scopeSelector: { matchExpressions } });
  const scoped = (spec: object, ...scopes: string[]) => isInScopes(pods, object(spec), object({ scopes }));
  const idle = { containers: [{ name: 'c' }] };
  t.ok(scoped(idle, 'BestEffort', 'NotTerminating'));
  t.notOk(scoped({ ...idle, activeDeadlineSeconds: 5 }, 'BestEffort', 'NotTerminating'));
  t.notOk(scoped(idle, 'NotBestEffort'));
  t.ok(scoped({ ...idle, activeDeadlineSeconds: 5 }, 'Terminating'));
  t.notOk(scoped(idle, 'CrossNamespacePodAffinity'));
  const affinity = {
    podAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: { namespaces: ['x'] } }],
    },
  };
  t.ok(scoped({ ...idle, affinity }, 'CrossNamespacePodAffinity'));
  const priority = (operator: string, name?: string) =>
    isInScopes(
      pods,
      object(name === undefined ? idle : { ...idle, priorityClassName: name }),
      quota({ scopeName: 'PriorityClass', operator, ...(operator.endsWith('In') && { values: ['high'] }) }),
    );
  t.same(
    ['In', 'NotIn', 'Exists', 'DoesNotExist'].map((operator) => [
      priority(operator),
      priority(operator, 'high'),
      priority(operator, 'low'),
    ]),
    [
      [false, true, false],
      [true, false, true],
      [false, true, true],
      [true, false, false],
    ],
  );
  t.notOk(isInScopes(services, object({}), object({ scopes: ['Terminating'] })), 'services are in no scope');
  t.end();
});
