/** A dry run goes through everything that a write goes through, and writes nothing: neither objects nor allocations. */
import t from 'tap';
import type { KubeObject } from '../../schemas/definition.js';
import { context, everythingOf, openFixture } from './controllers-fixture.js';

const dryRun = { dryRun: true };
const NODE_PORT = { spec: { type: 'NodePort', ports: [{ port: 80 }] } };

const relabel = (current: KubeObject | undefined): KubeObject => {
  const next = structuredClone(current) as KubeObject;
  next.metadata.labels = { changed: 'yes' };
  return next;
};

t.test('no verb writes', async (t) => {
  const { client, registry, create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('services', 'demo', { metadata: { name: 'web' }, ...NODE_PORT });
  await create('configmaps', 'demo', { metadata: { name: 'held', finalizers: ['example.com/x'] } });
  await create('configmaps', 'demo', { metadata: { name: 'going', finalizers: ['example.com/x'] } });
  await registry('configmaps').delete(context, 'demo', 'going');
  const services = registry('services');
  const configMaps = registry('configmaps');
  const namespaces = registry('namespaces');
  const service = (name: string): KubeObject => ({
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name, namespace: 'demo' },
    ...structuredClone(NODE_PORT),
  });
  const attempts: readonly [what: string, attempt: () => Promise<unknown>][] = [
    ['create', () => services.create(context, service('dry'), dryRun)],
    ['update', () => services.update(context, 'demo', 'web', relabel, dryRun)],
    [
      'update that gives an address back',
      () =>
        services.update(
          context,
          'demo',
          'web',
          (current) => ({ ...(current as KubeObject), spec: { type: 'ExternalName', externalName: 'a.b' } }),
          dryRun,
        ),
    ],
    [
      'update through status',
      () => services.update(context, 'demo', 'web', relabel, { ...dryRun, subresource: 'status' }),
    ],
    ['delete', () => services.delete(context, 'demo', 'web', dryRun)],
    [
      'delete in the foreground',
      () => services.delete(context, 'demo', 'web', { ...dryRun, propagationPolicy: 'Foreground' }),
    ],
    ['delete that waits', () => configMaps.delete(context, 'demo', 'held', dryRun)],
    [
      'update that removes the last finalizer',
      () =>
        configMaps.update(
          context,
          'demo',
          'going',
          (current) => {
            const { finalizers: _, ...metadata } = (current as KubeObject).metadata;
            return { ...(current as KubeObject), metadata };
          },
          dryRun,
        ),
    ],
    ['delete of a namespace', () => namespaces.delete(context, '', 'demo', dryRun)],
    [
      'finalize',
      () =>
        namespaces.update(context, '', 'demo', (current) => ({ ...(current as KubeObject), spec: {} }), {
          ...dryRun,
          subresource: 'finalize',
        }),
    ],
    ['deletecollection', () => configMaps.deleteCollection(context, 'demo', everythingOf, dryRun)],
    ['deletecollection of services', () => services.deleteCollection(context, 'demo', everythingOf, dryRun)],
  ];
  for (const [what, attempt] of attempts) {
    const before = await client.currentRevision();
    await attempt();
    t.equal(await client.currentRevision(), before, what);
  }
  const real = await services.create(context, service('dry'));
  t.match(real.object['spec'], { clusterIP: /^10\./, ports: [{ nodePort: Number }] });
});

t.test('what it answers is what the write would have come to', async (t) => {
  const { registry, create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('configmaps', 'demo', { metadata: { name: 'a' } });
  const configMaps = registry('configmaps');
  const deleted = await configMaps.delete(context, 'demo', 'a', {
    ...dryRun,
    propagationPolicy: 'Foreground',
  });
  t.match(deleted.item.object.metadata, {
    finalizers: ['foregroundDeletion'],
    deletionTimestamp: /Z$/,
    deletionGracePeriodSeconds: 0,
  });
  t.notOk(deleted.removed);
  t.ok((await configMaps.delete(context, 'demo', 'a', dryRun)).removed);
  const namespace = await registry('namespaces').delete(context, '', 'demo', dryRun);
  t.match(namespace.item.object['status'], { phase: 'Terminating' });
});
