/** The garbage collector: what goes with its owners, what stays, and deletions that wait for dependents. */
import t from 'tap';
import { bindPod } from '../../apiserver/registry/subresources.js';
import type { KubeObject } from '../../schemas/definition.js';
import { context } from './controllers-fixture.js';
import { widgets } from './registry-fixture.js';
import { NAMESPACE, openGarden, ownedBy, until } from './garbage-collector-fixture.js';

const ABSENT = '00000000-0000-4000-8000-000000000000';
const blocking = { blockOwnerDeletion: true };

t.test('background: dependents go when their owner is gone, over kinds and generations', async (t) => {
  const { plant, remove, isGone, all, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const child = await plant('secrets', 'child', [ownedBy(owner)]);
  const grandchild = await plant('services', 'grandchild', [ownedBy(child)]);
  await plant('secrets', 'stranger');
  await remove(owner);
  await until(() => isGone(grandchild));
  t.same(await all('configmaps', 'secrets', 'services'), ['Secret/stranger']);
});

t.test('what another owner holds stays, and loses the reference to the one that is gone', async (t) => {
  const { plant, remove, find, isGone, collect } = await openGarden(t);
  collect();
  const gone = await plant('configmaps', 'gone');
  const stays = await plant('configmaps', 'stays');
  const child = await plant('secrets', 'child', [ownedBy(gone), ownedBy(stays)]);
  await remove(gone);
  await until(async () => (await find(child))?.metadata.ownerReferences?.length === 1);
  t.same((await find(child))?.metadata.ownerReferences, [ownedBy(stays)]);
  await remove(stays);
  await until(() => isGone(child));
});

t.test('foreground: the owner waits for dependents that block it, and no others', async (t) => {
  const { plant, remove, find, isGone, change, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const holds = { finalizers: ['example.com/hold'] };
  const child = await plant('secrets', 'child', [ownedBy(owner, blocking)], holds);
  const loose = await plant('secrets', 'loose', [ownedBy(owner)], holds);
  const marked = await remove(owner, { propagationPolicy: 'Foreground' });
  t.same(marked.object.metadata.finalizers, ['foregroundDeletion']);
  await until(async () => (await find(child))?.metadata.deletionTimestamp !== undefined);
  await until(async () => (await find(loose))?.metadata.deletionTimestamp !== undefined);
  t.notOk(await isGone(owner));
  await change(child, (metadata) => delete metadata.finalizers);
  await until(() => isGone(owner));
  t.notOk(await isGone(loose), 'it does not block');
});

t.test('foreground: dependents that have dependents wait for them in turn', async (t) => {
  const { plant, remove, find, isGone, change, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const child = await plant('secrets', 'child', [ownedBy(owner, blocking)]);
  const holds = { finalizers: ['example.com/hold'] };
  const grandchild = await plant('services', 'grandchild', [ownedBy(child, blocking)], holds);
  await remove(owner, { propagationPolicy: 'Foreground' });
  await until(async () => (await find(grandchild))?.metadata.deletionTimestamp !== undefined);
  t.same((await find(child))?.metadata.finalizers, ['foregroundDeletion']);
  t.same((await find(owner))?.metadata.finalizers, ['foregroundDeletion']);
  await change(grandchild, (metadata) => delete metadata.finalizers);
  await until(() => isGone(owner));
  t.ok(await isGone(child));
});

t.test('foreground: what another owner holds is let go, and no longer waited for', async (t) => {
  const { plant, remove, find, isGone, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const other = await plant('configmaps', 'other');
  const child = await plant('secrets', 'child', [ownedBy(owner, blocking), ownedBy(other)]);
  await remove(owner, { propagationPolicy: 'Foreground' });
  await until(() => isGone(owner));
  t.same((await find(child))?.metadata.ownerReferences, [ownedBy(other)]);
});

t.test('foreground: a dependent that no longer blocks its owner lets it go', async (t) => {
  const { plant, remove, isGone, change, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const holds = { finalizers: ['example.com/hold'] };
  const child = await plant('secrets', 'child', [ownedBy(owner, blocking)], holds);
  await remove(owner, { propagationPolicy: 'Foreground' });
  await change(child, (metadata) => (metadata.ownerReferences = [ownedBy(owner)]));
  await until(() => isGone(owner));
  t.notOk(await isGone(child));
});

t.test('foreground: a circle of owners that block one another goes', async (t) => {
  const { plant, remove, isGone, change, collect } = await openGarden(t);
  collect();
  const first = await plant('configmaps', 'first');
  const second = await plant('secrets', 'second', [ownedBy(first, blocking)]);
  const third = await plant('services', 'third', [ownedBy(second, blocking)]);
  await change(first, (metadata) => (metadata.ownerReferences = [ownedBy(third, blocking)]));
  await remove(first, { propagationPolicy: 'Foreground' });
  await until(() => isGone(first));
  await until(() => isGone(second));
  await until(() => isGone(third));
});

t.test('who owns itself stays, and can be deleted in the foreground', async (t) => {
  const { plant, remove, isGone, find, change, collect } = await openGarden(t);
  const self = await plant('configmaps', 'self');
  await change(self, (metadata) => (metadata.ownerReferences = [ownedBy(self, blocking)]));
  collect();
  const other = await plant('configmaps', 'other', [{ ...ownedBy(self), uid: ABSENT }]);
  await until(() => isGone(other));
  t.ok(await find(self));
  await remove(self, { propagationPolicy: 'Foreground' });
  await until(() => isGone(self));
});

t.test('orphan: dependents lose the reference and stay, then the owner goes', async (t) => {
  const { plant, remove, find, isGone, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const other = await plant('configmaps', 'other');
  const children = await Promise.all([
    plant('secrets', 'a', [ownedBy(owner, blocking)]),
    plant('services', 'b', [ownedBy(other), ownedBy(owner)]),
    plant('serviceaccounts', 'c', [ownedBy(owner)]),
  ]);
  const marked = await remove(owner, { propagationPolicy: 'Orphan' });
  t.same(marked.object.metadata.finalizers, ['orphan']);
  await until(() => isGone(owner));
  const left = await Promise.all(children.map(find));
  t.same(
    left.map((child) => child?.metadata.ownerReferences),
    [undefined, [ownedBy(other)], undefined],
  );
});

t.test('orphan: what was there at the deletion is never lost, however late it is heard of', async (t) => {
  const { plant, remove, all, isGone, collect } = await openGarden(t);
  collect();
  for (let round = 0; round < 20; round++) {
    const owner = await plant('configmaps', `owner-${round}`);
    await Promise.all([
      plant('secrets', `child-${round}`, [ownedBy(owner)]),
      plant('services', `child-${round}`, [ownedBy(owner)]),
    ]);
    await remove(owner, { propagationPolicy: 'Orphan' });
    await until(() => isGone(owner));
  }
  t.equal((await all('secrets', 'services')).length, 40);
});

t.test('owners that never were', async (t) => {
  const { plant, find, isGone, names, collect, registry } = await openGarden(t);
  const owner = await plant('configmaps', 'owner');
  const node = await plant('nodes', 'node');
  const dangling = {
    'of another uid': ownedBy(owner, { uid: ABSENT }),
    'of another name': ownedBy(owner, { name: 'nobody' }),
    'of another kind': ownedBy(owner, { kind: 'Secret' }),
  };
  const lost: KubeObject[] = [];
  for (const [index, reference] of Object.values(dangling).entries()) {
    lost.push(await plant('secrets', `lost-${index}`, [reference]));
  }
  const elsewhere = await plant('secrets', 'elsewhere', [ownedBy(owner)], { namespace: 'other' });
  const ofNode = await plant('secrets', 'of-node', [ownedBy(node)], { namespace: 'other' });
  const unknown = await plant('secrets', 'unknown', [ownedBy(owner, { apiVersion: 'example.com/v1' })]);
  const both = await plant('secrets', 'both', [
    ownedBy(owner, { uid: ABSENT }),
    ownedBy(owner, { apiVersion: 'example.com/v1', uid: ABSENT.replace('8', '9') }),
  ]);
  const clusterScoped = await plant('nodes', 'cluster', [ownedBy(owner)]);
  const clusterAbsent = await plant('nodes', 'absent', [ownedBy(owner, { uid: ABSENT })]);
  const version = await plant('secrets', 'version', [ownedBy(owner, { apiVersion: 'v2' })]);
  collect();
  for (const object of [...lost, elsewhere]) await until(() => isGone(object));
  t.ok(await find(ofNode), 'a cluster-scoped owner owns in all namespaces');
  t.ok(await find(unknown), 'of a kind that is not served: nobody knows');
  t.ok(await find(version), 'of a version that is not served: nobody knows');
  t.ok(await find(both), 'nothing is done while one owner is of an unknown kind');
  t.ok(await find(clusterScoped), 'a namespaced owner of a cluster-scoped object is never asked for');
  t.ok(await find(clusterAbsent), 'not even where there is none');
  await until(async () => (await names('events', 'other')).length > 0);
  const [event = ''] = await names('events', 'other');
  const { object } = await registry('events').get(context, 'other', event);
  t.match(object, {
    metadata: { name: /^elsewhere\.[0-9a-f]{16}$/ },
    involvedObject: { kind: 'Secret', namespace: 'other', name: 'elsewhere', apiVersion: 'v1' },
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: ${owner.metadata.uid}] does not exist in namespace "other"`,
    type: 'Warning',
    source: { component: 'garbage-collector-controller' },
    count: 1,
  });
});

t.test('a dependent that is made after its owner has gone goes too', async (t) => {
  const { plant, remove, isGone, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  await remove(owner);
  for (let i = 0; i < 5; i++) {
    const late = await plant('secrets', `late-${i}`, [ownedBy(owner)]);
    await until(() => isGone(late));
  }
  const again = await plant('configmaps', 'owner');
  const wrong = await plant('secrets', 'wrong', [ownedBy(owner)]);
  const right = await plant('secrets', 'right', [ownedBy(again)]);
  await until(() => isGone(wrong));
  t.notOk(await isGone(right));
});

t.test('references that disagree about one uid: the right one counts', async (t) => {
  const { plant, remove, isGone, find, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const wrong = await plant('secrets', 'a-wrong', [ownedBy(owner, { name: 'nobody' })]);
  const right = await plant('secrets', 'b-right', [ownedBy(owner)]);
  await until(() => isGone(wrong));
  t.ok(await find(right));
  await remove(owner);
  await until(() => isGone(right));
});

t.test('what happened while nobody collected is made up for', async (t) => {
  const { plant, remove, isGone, find, all, collect } = await openGarden(t);
  const stop = collect();
  const owner = await plant('configmaps', 'owner');
  await plant('secrets', 'child', [ownedBy(owner)]);
  const other = await plant('configmaps', 'other');
  const orphan = await plant('secrets', 'orphan', [ownedBy(other)]);
  const third = await plant('configmaps', 'third');
  await plant('secrets', 'blocks', [ownedBy(third, blocking)]);
  await stop();
  await remove(owner);
  await remove(other, { propagationPolicy: 'Orphan' });
  await remove(third, { propagationPolicy: 'Foreground' });
  await plant('secrets', 'late', [ownedBy(owner)]);
  collect();
  for (const object of [other, third]) await until(() => isGone(object));
  await until(async () => (await all('secrets')).length === 1);
  t.same((await find(orphan))?.metadata.ownerReferences, undefined);
});

t.test('pods go with the grace of their node', async (t) => {
  const { plant, remove, isGone, find, registry, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  await plant('serviceaccounts', 'default');
  const free = await plant('pods', 'free', [ownedBy(owner, blocking)]);
  const bound = await plant('pods', 'bound', [ownedBy(owner, blocking)]);
  const target = { kind: 'Node', name: 'n' };
  const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'bound' }, target };
  await bindPod(registry('pods'), context, NAMESPACE, 'bound', binding, { now: Date.now() });
  await remove(owner, { propagationPolicy: 'Foreground' });
  await until(() => isGone(free));
  await until(async () => (await find(bound))?.metadata.deletionGracePeriodSeconds === 30);
  t.notOk(await isGone(owner));
  await remove(bound, { gracePeriodSeconds: 0 });
  await until(() => isGone(owner));
});

t.test('an object that carries a finalizer of a policy is deleted by that policy', async (t) => {
  const { plant, remove, find, isGone, collect } = await openGarden(t);
  collect();
  const owner = await plant('configmaps', 'owner');
  const child = await plant('secrets', 'child', [ownedBy(owner)], { finalizers: ['orphan'] });
  const grandchild = await plant('secrets', 'grandchild', [ownedBy(child)]);
  await remove(owner);
  await until(() => isGone(child));
  t.same((await find(grandchild))?.metadata.ownerReferences, undefined);
});

t.test('resources that come later are followed, and those that go are forgotten', async (t) => {
  const { plant, isGone, find, remove, registries, collect } = await openGarden(t);
  collect();
  const reference = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: ABSENT };
  const waits = await plant('secrets', 'waits', [reference]);
  const owner = await plant('configmaps', 'owner');
  const gone = await plant('secrets', 'gone', [ownedBy(owner, { uid: ABSENT })]);
  await until(() => isGone(gone));
  t.ok(await find(waits));
  const registry = registries.register(widgets);
  await until(() => isGone(waits));
  const { object: widget } = await registry.create(context, {
    kind: 'Widget',
    apiVersion: 'example.com/v1',
    metadata: { name: 'w', namespace: NAMESPACE, ownerReferences: [ownedBy(owner)] },
  });
  const child = await plant('secrets', 'child', [ownedBy(widget)]);
  await remove(owner);
  await until(() => isGone(child));
  t.ok(await isGone(widget));
  registries.unregister(widgets);
  const after = await plant('secrets', 'after', [ownedBy(widget)]);
  const again = await plant('configmaps', 'again', [ownedBy(owner)]);
  await until(() => isGone(again));
  t.ok(await find(after), 'of a kind that is not served: nobody knows');
});
