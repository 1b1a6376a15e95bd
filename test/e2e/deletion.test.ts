/** Deletions over HTTP against the real command: propagation, absent owners, namespaces, and without the collector. */
import t from 'tap';
import { startWherry } from '../tools/wherry.js';
import { clientOf, owner, until } from './deletion-client.js';

const ABSENT = '00000000-0000-4000-8000-000000000000';

t.test('one server', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const { ask, create, remove, letGo, isGone, untilGone, pathOf } = clientOf(server.url);
  await until('a service account', async () => !(await isGone('serviceaccounts', 'default')));

  /** A Deployment, its ReplicaSet and its Pod, which is held. */
  const workload = async (name: string) => {
    const deployment = await create('deployments', name);
    const replicaSet = await create('replicasets', name, [owner(deployment, true)]);
    await create('pods', name, [owner(replicaSet, true)], { finalizers: ['example.com/hold'] });
  };
  const finalizersOf = async (plural: string, name: string) =>
    (await ask('GET', pathOf(plural, name))).body.metadata.finalizers;

  await t.test('background: the owner goes at once, the rest after it', async (t) => {
    await workload('back');
    const answer = await remove('deployments', 'back');
    t.match(answer, { status: 200, body: { kind: 'Status', status: 'Success' } });
    t.ok(await isGone('deployments', 'back'));
    await untilGone('replicasets', 'back');
    await until('the pod is terminating', async () => {
      const { body } = await ask('GET', pathOf('pods', 'back'));
      return body.metadata.deletionTimestamp !== undefined;
    });
    await letGo('pods', 'back');
    await untilGone('pods', 'back');
  });

  await t.test('foreground: from the leaves up', async (t) => {
    await workload('front');
    const answer = await remove('deployments', 'front', { propagationPolicy: 'Foreground' });
    t.match(answer, {
      status: 200,
      body: { kind: 'Deployment', metadata: { finalizers: ['foregroundDeletion'] } },
    });
    await until('the pod is terminating', async () => {
      const { body } = await ask('GET', pathOf('pods', 'front'));
      return body.metadata.deletionTimestamp !== undefined;
    });
    t.same(await finalizersOf('replicasets', 'front'), ['foregroundDeletion']);
    t.same(await finalizersOf('deployments', 'front'), ['foregroundDeletion']);
    await letGo('pods', 'front');
    await untilGone('deployments', 'front');
    t.ok(await isGone('replicasets', 'front'));
    t.ok(await isGone('pods', 'front'));
  });

  await t.test('orphan: the dependents stay, without the reference', async (t) => {
    await workload('orphan');
    const answer = await remove('deployments', 'orphan', { propagationPolicy: 'Orphan' });
    t.match(answer.body.metadata.finalizers, ['orphan']);
    await untilGone('deployments', 'orphan');
    const { body } = await ask('GET', pathOf('replicasets', 'orphan'));
    t.notOk('ownerReferences' in body.metadata);
    t.notOk(await isGone('pods', 'orphan'));
  });

  await t.test('the old orphanDependents, in the query', async (t) => {
    await create('configmaps', 'held', [], { finalizers: ['example.com/hold'] });
    const waiting = await ask('DELETE', `${pathOf('configmaps', 'held')}?orphanDependents=false`);
    t.match(waiting, { status: 202, body: { kind: 'ConfigMap' } });
    await letGo('configmaps', 'held');
    const old = await create('configmaps', 'old');
    await create('configmaps', 'young', [owner(old)]);
    t.equal((await ask('DELETE', `${pathOf('configmaps', 'old')}?orphanDependents=true`)).status, 200);
    await untilGone('configmaps', 'old');
    t.notOk(await isGone('configmaps', 'young'));
  });

  await t.test('dependents of owners that never were, or have long gone', async (t) => {
    const here = await create('configmaps', 'here');
    await create('configmaps', 'lost', [{ ...owner(here), uid: ABSENT }]);
    await create('configmaps', 'half', [owner(here), { ...owner(here), uid: ABSENT }]);
    await untilGone('configmaps', 'lost');
    await until('the reference is gone', async () => {
      const { body } = await ask('GET', pathOf('configmaps', 'half'));
      return body.metadata.ownerReferences?.length === 1;
    });
    await remove('configmaps', 'here');
    await untilGone('configmaps', 'half');
    await create('configmaps', 'late', [owner(here)]);
    await untilGone('configmaps', 'late');
    t.pass();
  });

  await t.test('a namespace: its conditions, 403 meanwhile, and its end', async (t) => {
    const inside = clientOf(server.url, 'temp');
    await ask('POST', '/api/v1/namespaces', { metadata: { name: 'temp' } });
    await inside.create('configmaps', 'held', [], { finalizers: ['example.com/x'] });
    await inside.create('configmaps', 'free');
    const { body } = await ask('DELETE', '/api/v1/namespaces/temp');
    t.match(body, { kind: 'Namespace', status: { phase: 'Terminating' } });
    const message = 'Some resources are remaining: configmaps. has 1 resource instances';
    await until(message, async () => {
      const { body } = await ask('GET', '/api/v1/namespaces/temp');
      return body.status?.conditions?.some((condition) => condition.message === message) === true;
    });
    const late = await ask('POST', inside.pathOf('configmaps'), { metadata: { name: 'late' } });
    t.match(late, {
      status: 403,
      body: {
        message:
          'configmaps "late" is forbidden: unable to create new content in namespace temp because it is being terminated',
      },
    });
    await inside.letGo('configmaps', 'held');
    await until('gone', async () => (await ask('GET', '/api/v1/namespaces/temp')).status === 404);
    for (const name of ['default', 'kube-system', 'kube-public']) {
      t.match(await ask('DELETE', `/api/v1/namespaces/${name}`), {
        status: 403,
        body: { message: `namespaces "${name}" is forbidden: this namespace may not be deleted` },
      });
    }
  });
});

t.test('without the collector nothing is collected', async (t) => {
  const server = await startWherry({ args: ['--controllers=*,-garbagecollector'] });
  t.teardown(() => server.stop());
  const { ask, create, remove, isGone } = clientOf(server.url);
  const first = await create('configmaps', 'first');
  await create('configmaps', 'second', [owner(first)]);
  await remove('configmaps', 'first');
  // The other controllers run: what they do after this deletion is done.
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'temp' } });
  await ask('DELETE', '/api/v1/namespaces/temp');
  await until('gone', async () => (await ask('GET', '/api/v1/namespaces/temp')).status === 404);
  t.notOk(await isGone('configmaps', 'second'));
});
