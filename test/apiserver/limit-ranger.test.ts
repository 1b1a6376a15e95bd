/** LimitRanger: what it sets and what it refuses, in kube-apiserver 1.36's words. */
import t from 'tap';
import { claimProblems } from '../../apiserver/admission/limit-constraints.js';
import type { KubeObject } from '../../schemas/definition.js';
import { openFixture, refusal } from './controllers-fixture.js';

type Test = Parameters<typeof openFixture>[0];

async function openNamespace(t: Test, ...limits: object[]) {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await fixture.create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  await fixture.create('limitranges', 'demo', { metadata: { name: 'bounds' }, spec: { limits } });
  return fixture;
}

const pod = (...resources: object[]) => ({
  metadata: { name: 'p' },
  spec: { containers: resources.map((resources, i) => ({ name: `c${i}`, image: 'i', resources })) },
});
const resourcesOf = (object: KubeObject) =>
  (object['spec'] as { containers: { resources: object }[] }).containers.map(({ resources }) => resources);

t.test('containers get what they do not say, and an annotation tells of it', async (t) => {
  const { create } = await openNamespace(t, {
    type: 'Container',
    default: { memory: '256Mi', cpu: '1' },
    defaultRequest: { cpu: '100m', memory: '64Mi' },
  });
  const made = await create('pods', 'demo', {
    metadata: { name: 'p', annotations: { mine: 'stays' } },
    spec: {
      initContainers: [{ name: 'first', image: 'i', resources: { limits: { cpu: '2', memory: '1Gi' } } }],
      containers: [
        { name: 'a', image: 'i' },
        { name: 'b', image: 'i', resources: { requests: { cpu: '300m' }, limits: { memory: '1Gi' } } },
      ],
    },
  });
  t.same(resourcesOf(made), [
    { limits: { cpu: '1', memory: '256Mi' }, requests: { cpu: '100m', memory: '64Mi' } },
    { limits: { memory: '1Gi', cpu: '1' }, requests: { cpu: '300m', memory: '1Gi' } },
  ]);
  t.same(made.metadata.annotations, {
    mine: 'stays',
    'kubernetes.io/limit-ranger':
      'LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; cpu limit for container b',
  });
  t.match(made['status'], { qosClass: 'Burstable' }, 'by what was set');
});

t.test('a namespace without limit ranges, and one beside it, are left alone', async (t) => {
  const { create } = await openNamespace(t, { type: 'Container', default: { cpu: '1' } });
  await create('namespaces', '', { metadata: { name: 'other' } });
  await create('serviceaccounts', 'other', { metadata: { name: 'default' } });
  const made = await create('pods', 'other', pod({}));
  t.same(resourcesOf(made), [{}]);
  t.equal(made.metadata.annotations, undefined);
});

t.test('containers are held to bounds and ratio', async (t) => {
  const { create } = await openNamespace(t, {
    type: 'Container',
    min: { cpu: '100m' },
    max: { cpu: '1' },
    default: { cpu: '500m' },
    defaultRequest: { cpu: '200m' },
    maxLimitRequestRatio: { cpu: '4' },
  });
  const refused = async (...resources: object[]) => {
    const { code, reason, message, details } = await refusal(create('pods', 'demo', pod(...resources)));
    t.same(
      { code, reason, details },
      { code: 403, reason: 'Forbidden', details: { name: 'p', kind: 'pods' } },
    );
    return message;
  };
  const cpu = (request: string, limit: string) => ({ requests: { cpu: request }, limits: { cpu: limit } });
  t.equal(
    await refused(cpu('50m', '100m')),
    'pods "p" is forbidden: minimum cpu usage per Container is 100m, but request is 50m',
  );
  t.equal(
    await refused(cpu('1', '2'), cpu('1', '2')),
    'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    'the same problem of two containers is told once',
  );
  t.equal(
    await refused(cpu('100m', '900m')),
    'pods "p" is forbidden: cpu max limit to request ratio per Container is 4, but provided ratio is 9.000000',
  );
  t.equal(
    await refused(cpu('50m', '2')),
    'pods "p" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, but limit is 2, cpu max limit to request ratio per Container is 4, but provided ratio is 40.000000]',
  );
  t.same(resourcesOf(await create('pods', 'demo', pod(cpu('250m', '1')))), [cpu('250m', '1')]);
});

t.test('pods are held to bounds of all their containers together', async (t) => {
  const { create } = await openNamespace(t, {
    type: 'Pod',
    min: { memory: '1Mi' },
    max: { cpu: '1' },
    maxLimitRequestRatio: { memory: '2' },
  });
  const half = { requests: { cpu: '600m', memory: '1Mi' }, limits: { cpu: '600m', memory: '1Mi' } };
  const { message } = await refusal(create('pods', 'demo', pod(half, half)));
  t.equal(message, 'pods "p" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m');
  const none = await refusal(create('pods', 'demo', pod({})));
  t.equal(
    none.message,
    'pods "p" is forbidden: [minimum memory usage per Pod is 1Mi.  No request is specified, maximum cpu usage per Pod is 1.  No limit is specified, memory max limit to request ratio per Pod is 2, but no request is specified or request is 0]',
  );
  await create('pods', 'demo', pod(half));
});

t.test('claims are held to bounds of what they request', (t) => {
  const claim = (storage: string) => ({
    kind: 'PersistentVolumeClaim',
    apiVersion: 'v1',
    metadata: {},
    spec: { resources: { requests: { storage } } },
  });
  const limits = [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } }];
  t.same(claimProblems(claim('1Gi'), limits), []);
  t.same(claimProblems(claim('1Mi'), limits), [
    'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
  ]);
  t.same(claimProblems(claim('3Gi'), limits), [
    'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  ]);
  t.end();
});
