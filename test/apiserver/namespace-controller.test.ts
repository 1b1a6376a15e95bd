/** What a terminating namespace says of its removal, and in which order its content goes. */
import t from 'tap';
import { ControllerManager, controllersNamed } from '../../apiserver/controllers/index.js';
import { conditionsAfter } from '../../apiserver/controllers/namespace/conditions.js';
import { bindPod } from '../../apiserver/registry/subresources.js';
import type { KubeObject } from '../../schemas/definition.js';
import { type Fixture, context, logger, openFixture, refusal } from './controllers-fixture.js';
import { until } from './garbage-collector-fixture.js';

async function open(t: Parameters<typeof openFixture>[0]): Promise<Fixture> {
  const fixture = await openFixture(t);
  const controllers = controllersNamed(['namespace-controller']);
  const manager = new ControllerManager({ table: fixture.table, logger, controllers });
  manager.start();
  t.teardown(() => manager.stop());
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  return fixture;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const conditionsOf = (namespace: KubeObject): readonly Condition[] =>
  (namespace['status'] as { conditions?: Condition[] }).conditions ?? [];

const isGone = async ({ names }: Fixture): Promise<boolean> =>
  !(await names('namespaces', '')).includes('demo');

/** Waits until a condition says this. */
async function says({ get }: Fixture, type: string, message: string): Promise<readonly Condition[]> {
  let conditions: readonly Condition[] = [];
  await until(async () => {
    conditions = conditionsOf(await get('namespaces', '', 'demo'));
    return conditions.some((condition) => condition.type === type && condition.message === message);
  }, `${type}: ${message}`);
  return conditions;
}

const letGo = (current: KubeObject | undefined): KubeObject => {
  const next = structuredClone(current) as KubeObject;
  delete next.metadata.finalizers;
  return next;
};

t.test('finalizers hold it, and its conditions say which and where', async (t) => {
  const fixture = await open(t);
  const { create, registry } = fixture;
  for (const name of ['a', 'b', 'free']) {
    const finalizers = name === 'free' ? [] : ['example.com/x', `example.com/${name}`];
    await create('configmaps', 'demo', { metadata: { name, finalizers } });
  }
  await create('secrets', 'demo', { metadata: { name: 's', finalizers: ['example.com/x'] } });
  await registry('namespaces').delete(context, '', 'demo');
  const message =
    'Some content in the namespace has finalizers remaining: example.com/a in 1 resource instances, example.com/b in 1 resource instances, example.com/x in 3 resource instances';
  const conditions = await says(fixture, 'NamespaceFinalizersRemaining', message);
  t.same(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [
      [
        'NamespaceDeletionDiscoveryFailure',
        'False',
        'ResourcesDiscovered',
        'All resources successfully discovered',
      ],
      [
        'NamespaceDeletionGroupVersionParsingFailure',
        'False',
        'ParsedGroupVersions',
        'All legacy kube types successfully parsed',
      ],
      [
        'NamespaceDeletionContentFailure',
        'False',
        'ContentDeleted',
        'All content successfully deleted, may be waiting on finalization',
      ],
      [
        'NamespaceContentRemaining',
        'True',
        'SomeResourcesRemain',
        'Some resources are remaining: configmaps. has 2 resource instances, secrets. has 1 resource instances',
      ],
      ['NamespaceFinalizersRemaining', 'True', 'SomeFinalizersRemain', message],
    ],
  );
  const late = await refusal(create('configmaps', 'demo', { metadata: { name: 'late' } }));
  t.match(late.toStatus(), {
    code: 403,
    details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
  });
  for (const name of ['a', 'b']) await registry('configmaps').update(context, 'demo', name, letGo);
  await says(
    fixture,
    'NamespaceContentRemaining',
    'Some resources are remaining: secrets. has 1 resource instances',
  );
  await registry('secrets').update(context, 'demo', 's', letGo);
  await until(() => isGone(fixture));
});

t.test('pods go first, with the grace of their node, and the rest when none is left', async (t) => {
  const fixture = await open(t);
  const { create, get, names, registry } = fixture;
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  await create('configmaps', 'demo', { metadata: { name: 'needed' } });
  for (const name of ['bound', 'free']) {
    await create('pods', 'demo', { metadata: { name }, spec: { containers: [{ name: 'c', image: 'x' }] } });
  }
  const target = { kind: 'Node', name: 'n' };
  const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'bound' }, target };
  await bindPod(registry('pods'), context, 'demo', 'bound', binding, { now: Date.now() });
  await registry('namespaces').delete(context, '', 'demo');
  const conditions = await says(
    fixture,
    'NamespaceContentRemaining',
    'Some resources are remaining: pods. has 1 resource instances',
  );
  t.match(
    conditions.find(({ type }) => type === 'NamespaceDeletionContentFailure'),
    { status: 'False' },
    'its time is not over',
  );
  t.equal((await get('pods', 'demo', 'bound')).metadata.deletionGracePeriodSeconds, 30);
  t.same(await names('configmaps', 'demo'), ['needed']);
  t.same(await names('serviceaccounts', 'demo'), ['default']);
  await registry('pods').delete(context, 'demo', 'bound', { gracePeriodSeconds: 0 });
  await until(() => isGone(fixture));
  t.same(await names('configmaps', 'demo'), []);
});

t.test('pods that are still there when their time is over are a failure', async (t) => {
  const fixture = await open(t);
  const { create, registry } = fixture;
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const spec = { containers: [{ name: 'c', image: 'x' }], terminationGracePeriodSeconds: 1 };
  await create('pods', 'demo', { metadata: { name: 'bound' }, spec });
  const target = { kind: 'Node', name: 'n' };
  const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'bound' }, target };
  await bindPod(registry('pods'), context, 'demo', 'bound', binding, { now: Date.now() });
  await registry('namespaces').delete(context, '', 'demo');
  const conditions = await says(
    fixture,
    'NamespaceDeletionContentFailure',
    'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: demo for gvr: /v1, Resource=pods',
  );
  t.match(
    conditions.find(({ type }) => type === 'NamespaceDeletionContentFailure'),
    { status: 'True', reason: 'ContentDeletionFailed' },
  );
  await registry('pods').delete(context, 'demo', 'bound', { gracePeriodSeconds: 0 });
  await until(() => isGone(fixture));
});

t.test('events and leases go, too; other finalizers of the namespace keep it', async (t) => {
  const fixture = await open(t);
  const { create, get, names, registry } = fixture;
  const involvedObject = { kind: 'Pod', namespace: 'demo', name: 'p' };
  await create('events', 'demo', { metadata: { name: 'e' }, involvedObject });
  await registry('leases', 'coordination.k8s.io').create(context, {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: { name: 'l', namespace: 'demo' },
  });
  const hold = (current: KubeObject | undefined): KubeObject => ({
    ...(current as KubeObject),
    spec: { finalizers: ['kubernetes', 'example.com/mine'] },
  });
  await registry('namespaces').update(context, '', 'demo', hold, { subresource: 'finalize' });
  await registry('namespaces').delete(context, '', 'demo');
  const finalizers = async () =>
    ((await get('namespaces', '', 'demo'))['spec'] as { finalizers: string[] }).finalizers;
  await until(async () => (await finalizers()).length === 1);
  t.same(await finalizers(), ['example.com/mine']);
  t.same(await names('events', 'demo'), []);
  const { items } = await registry('leases', 'coordination.k8s.io').list(context, 'demo', {
    limit: 0,
    labels: { empty: true, matches: () => true },
    fields: { empty: true, matches: () => true },
  });
  t.same(items, []);
  const done = (current: KubeObject | undefined): KubeObject => ({ ...(current as KubeObject), spec: {} });
  await registry('namespaces').update(context, '', 'demo', done, { subresource: 'finalize' });
  t.ok(await isGone(fixture));
});

t.test('a condition keeps its time while its status stays, and conditions of others stay', (t) => {
  const outcome = { remaining: new Map([['configmaps.', 2]]), finalizers: new Map(), failures: [] };
  const mine = { type: 'Mine', status: 'True' } as const;
  const first = conditionsAfter([mine], outcome, 'T1') ?? [];
  t.match(first[0], mine);
  t.equal(first.length, 6);
  t.equal(conditionsAfter(first, outcome, 'T2'), undefined, 'nothing to write');
  const fewer = conditionsAfter(first, { ...outcome, remaining: new Map([['configmaps.', 1]]) }, 'T2') ?? [];
  const remaining = (conditions: typeof first) =>
    conditions.find(({ type }) => type === 'NamespaceContentRemaining');
  t.match(remaining(fewer), { lastTransitionTime: 'T1', message: /has 1 resource/ });
  const none = conditionsAfter(fewer, { ...outcome, remaining: new Map() }, 'T3') ?? [];
  t.match(remaining(none), { status: 'False', lastTransitionTime: 'T3', reason: 'ContentRemoved' });
  t.end();
});
