/** Admission: texts and objects as kube-apiserver 1.36.2 has them. */
import t from 'tap';
import { mergeTolerations } from '../../apiserver/admission/tolerations.js';
import type { KubeObject } from '../../schemas/definition.js';
import { context, openFixture, refusal } from './controllers-fixture.js';

const pod = (spec: object = {}) => ({
  metadata: { name: 'ok' },
  spec: { containers: [{ name: 'main', image: 'alpine:3.20' }], ...spec },
});
const specOf = (object: KubeObject) => object['spec'] as Record<string, unknown>;

t.test('NamespaceLifecycle: nothing is created in a namespace that is absent', async (t) => {
  const { create } = await openFixture(t);
  const { code, message, details } = await refusal(
    create('configmaps', 'nowhere', { metadata: { name: 'a' } }),
  );
  t.equal(code, 404);
  t.equal(message, 'namespaces "nowhere" not found');
  t.same(details, { name: 'nowhere', kind: 'namespaces' });
});

t.test('NamespaceLifecycle: nothing is created in a namespace that is being deleted', async (t) => {
  const { create, registry } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'temp' } });
  await registry('namespaces').delete(context, '', 'temp');
  const { code, message, details } = await refusal(
    create('configmaps', 'temp', { metadata: { name: 'late' } }),
  );
  t.equal(code, 403);
  t.equal(
    message,
    'configmaps "late" is forbidden: unable to create new content in namespace temp because it is being terminated',
  );
  t.same(details, {
    name: 'late',
    kind: 'configmaps',
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: 'namespace temp is being terminated',
        field: 'metadata.namespace',
      },
    ],
  });
});

t.test('NamespaceLifecycle: what the system stands on is not deleted, the rest is', async (t) => {
  const { create, registry } = await openFixture(t);
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    await create('namespaces', '', { metadata: { name } });
  }
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const { code, message } = await refusal(registry('namespaces').delete(context, '', name));
    t.equal(code, 403);
    t.equal(message, `namespaces "${name}" is forbidden: this namespace may not be deleted`);
  }
  const { item } = await registry('namespaces').delete(context, '', 'kube-node-lease');
  t.match(item.object['status'], { phase: 'Terminating' });
});

t.test('pods get an account, its token, tolerations and a priority', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const spec = specOf(await create('pods', 'demo', pod()));
  const volume = (spec['volumes'] as { name: string }[])[0];
  t.match(volume?.name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.same(spec['volumes'], [
    {
      name: volume?.name,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
        defaultMode: 420,
      },
    },
  ]);
  t.match((spec['containers'] as object[])[0], {
    volumeMounts: [
      { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
  });
  t.match(spec, { serviceAccountName: 'default', serviceAccount: 'default' });
  t.match(spec, { priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  t.same(spec['tolerations'], [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    },
  ]);
});

t.test('ServiceAccount: an account that is absent refuses the pod', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  const { code, message, details } = await refusal(
    create('pods', 'demo', pod({ serviceAccountName: 'ghost' })),
  );
  t.equal(code, 403);
  t.equal(
    message,
    'pods "ok" is forbidden: error looking up service account demo/ghost: serviceaccount "ghost" not found',
  );
  t.same(details, { name: 'ok', kind: 'pods' });
});

t.test('ServiceAccount: a pod waits a moment for the account `default` of a new namespace', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  const waiting = create('pods', 'demo', pod());
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  t.match(await waiting, { spec: { serviceAccountName: 'default' } });
});

t.test('ServiceAccount: the pod, then the account, says whether the token is mounted', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', {
    metadata: { name: 'default' },
    automountServiceAccountToken: false,
  });
  const without = await create('pods', 'demo', { ...pod(), metadata: { name: 'without' } });
  t.equal(specOf(without)['volumes'], undefined);
  const asked = pod({ automountServiceAccountToken: true });
  const having = await create('pods', 'demo', { ...asked, metadata: { name: 'with' } });
  t.equal((specOf(having)['volumes'] as object[]).length, 1);
});

t.test(
  'ServiceAccount: what is mounted at the path already stays, and pull secrets come from the account',
  async (t) => {
    const { create } = await openFixture(t);
    await create('namespaces', '', { metadata: { name: 'demo' } });
    await create('serviceaccounts', 'demo', {
      metadata: { name: 'default' },
      imagePullSecrets: [{ name: 'registry' }],
    });
    const mount = { name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const containers = [{ name: 'main', image: 'a', volumeMounts: [mount] }];
    const spec = specOf(
      await create('pods', 'demo', pod({ containers, volumes: [{ name: 'own', emptyDir: {} }] })),
    );
    t.same(spec['volumes'], [{ name: 'own', emptyDir: {} }]);
    t.same(spec['imagePullSecrets'], [{ name: 'registry' }]);
  },
);

t.test('ServiceAccount: an account may limit its pods to the secrets it lists', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', {
    metadata: { name: 'default', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } },
    secrets: [{ name: 'listed' }],
  });
  const volumes = (secretName: string) => [{ name: 'v', secret: { secretName } }];
  const { message } = await refusal(create('pods', 'demo', pod({ volumes: volumes('other') })));
  t.match(message, 'volume with secret.secretName="other" is not allowed because service account default');
  t.ok(await create('pods', 'demo', pod({ volumes: volumes('listed') })));
});

t.test('Priority: classes of the system are known, numbers come from classes alone', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const critical = await create('pods', 'demo', pod({ priorityClassName: 'system-node-critical' }));
  t.equal(specOf(critical)['priority'], 2_000_001_000);
  const unknown = await refusal(create('pods', 'demo', pod({ priorityClassName: 'mine' })));
  t.equal(unknown.message, 'pods "ok" is forbidden: no PriorityClass with name mine was found');
  const number = await refusal(create('pods', 'demo', pod({ priority: 7 })));
  t.equal(
    number.message,
    'pods "ok" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  );
});

t.test('Priority: pods take the class that they name, else the default one', async (t) => {
  const { create, registry } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const classes = registry('priorityclasses', 'scheduling.k8s.io');
  const add = (name: string, more: object) =>
    classes.create(context, {
      kind: 'PriorityClass',
      apiVersion: 'scheduling.k8s.io/v1',
      metadata: { name },
      ...more,
    });
  await add('mild', { value: 5, preemptionPolicy: 'Never' });
  await add('usual', { value: 9, globalDefault: true });
  await add('greater', { value: 99, globalDefault: true });
  const made = async (name: string, spec: object) =>
    specOf(await create('pods', 'demo', { ...pod(spec), metadata: { name } }));
  t.match(await made('a', { priorityClassName: 'mild' }), { priority: 5, preemptionPolicy: 'Never' });
  t.match(await made('b', {}), {
    priorityClassName: 'usual',
    priority: 9,
    preemptionPolicy: 'PreemptLowerPriority',
  });
});

t.test('DefaultTolerationSeconds: a toleration that covers the taint stays alone', async (t) => {
  const { create } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const tolerations = [{ operator: 'Exists' }];
  t.same(specOf(await create('pods', 'demo', pod({ tolerations })))['tolerations'], tolerations);
});

t.test('TaintNodesByCondition: a new node is tainted once', async (t) => {
  const { create } = await openFixture(t);
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
  const plain = await create('nodes', '', { metadata: { name: 'plain' } });
  t.same(specOf(plain)['taints'], [taint]);
  const tainted = await create('nodes', '', { metadata: { name: 'tainted' }, spec: { taints: [taint] } });
  t.same(specOf(tainted)['taints'], [taint]);
});

t.test('DefaultIngressClass: an Ingress gets the class that is marked, the newest of several', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const { create, registry } = await openFixture(t, { now: () => now });
  await create('namespaces', '', { metadata: { name: 'demo' } });
  const make = async (plural: string, namespace: string, metadata: object, spec: object) => {
    const found = registry(plural, 'networking.k8s.io');
    const { kind } = found.definition;
    const object = { kind, apiVersion: 'networking.k8s.io/v1', metadata: { namespace, ...metadata }, spec };
    return (await found.create(context, object)).object;
  };
  const mark = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  const classOf = async (name: string, annotations: object = {}, spec: object = {}) => {
    const defaultBackend = { service: { name: 'web', port: { number: 80 } } };
    const made = await make('ingresses', 'demo', { name, annotations }, { defaultBackend, ...spec });
    return specOf(made)['ingressClassName'];
  };
  const controller = 'example.com/c';
  await make('ingressclasses', '', { name: 'plain' }, { controller });
  t.equal(await classOf('a'), undefined);
  await make('ingressclasses', '', { name: 'old', annotations: mark }, { controller });
  t.equal(await classOf('b'), 'old');
  now += 1000;
  await make('ingressclasses', '', { name: 'new-2', annotations: mark }, { controller });
  await make('ingressclasses', '', { name: 'new-1', annotations: mark }, { controller });
  t.equal(await classOf('c'), 'new-1', 'the newest, by name where they are of one second');
  t.equal(await classOf('d', {}, { ingressClassName: 'plain' }), 'plain');
  t.equal(await classOf('e', { 'kubernetes.io/ingress.class': 'x' }), undefined);
});

t.test('DeviceAdminAccess: devices in use are looked after from marked namespaces only', async (t) => {
  const { create, registry } = await openFixture(t);
  const group = 'resource.k8s.io';
  await create('namespaces', '', { metadata: { name: 'plain' } });
  const labels = { 'resource.kubernetes.io/admin-access': 'true' };
  await create('namespaces', '', { metadata: { name: 'marked', labels } });
  const spec = (adminAccess: boolean) => ({
    devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', adminAccess } }] },
  });
  const claim = (namespace: string, adminAccess: boolean) => {
    const metadata = { name: namespace, namespace };
    const object = { kind: 'ResourceClaim', apiVersion: `${group}/v1`, metadata, spec: spec(adminAccess) };
    return registry('resourceclaims', group).create(context, object);
  };
  const why =
    'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';
  const { code, details } = await refusal(claim('plain', true));
  t.equal(code, 422);
  t.match(details?.causes, [{ field: 'spec.devices.requests[0].adminAccess', message: `Forbidden: ${why}` }]);
  const template = {
    kind: 'ResourceClaimTemplate',
    apiVersion: `${group}/v1`,
    metadata: { name: 'a', namespace: 'plain' },
    spec: { spec: spec(true) },
  };
  t.equal((await refusal(registry('resourceclaimtemplates', group).create(context, template))).code, 422);
  t.ok(await claim('marked', true));
  t.ok(await claim('plain', false));

  const result = { request: 'r', driver: 'd', pool: 'p', device: 'x', adminAccess: true };
  const give = (namespace: string) =>
    registry('resourceclaims', group).update(
      context,
      namespace,
      namespace,
      (current) => ({
        ...(current as KubeObject),
        status: { allocation: { devices: { results: [result] } } },
      }),
      { subresource: 'status' },
    );
  t.ok(await give('marked'));
  const refused = await refusal(give('plain'));
  t.match(refused.details?.causes, [{ field: 'status.allocation.devices.results[0].adminAccess' }]);
});

t.test(
  'StorageObjectInUseProtection: what storage is made of is held until a controller lets it go',
  async (t) => {
    const { create, registry } = await openFixture(t);
    await create('namespaces', '', { metadata: { name: 'demo' } });
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const finalizer = 'kubernetes.io/pvc-protection';
    const claim = (metadata: object) => create('persistentvolumeclaims', 'demo', { metadata, spec });
    t.same((await claim({ name: 'a' })).metadata.finalizers, [finalizer]);
    t.same((await claim({ name: 'b', finalizers: [finalizer] })).metadata.finalizers, [finalizer]);
    t.same((await claim({ name: 'c', finalizers: ['example.com/x'] })).metadata.finalizers, [
      'example.com/x',
      finalizer,
    ]);
    const { item } = await registry('persistentvolumeclaims').delete(context, 'demo', 'a');
    t.type(item.object.metadata.deletionTimestamp, 'string');
  },
);

t.test('DefaultStorageClass: a claim gets the class that is marked, the newest of several', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const { create, registry } = await openFixture(t, { now: () => now });
  await create('namespaces', '', { metadata: { name: 'demo' } });
  const make = async (name: string, annotations: object = {}) => {
    const metadata = { name, annotations };
    const object = { kind: 'StorageClass', apiVersion: 'storage.k8s.io/v1', metadata, provisioner: 'x' };
    await registry('storageclasses', 'storage.k8s.io').create(context, object as KubeObject);
  };
  const classOf = async (name: string, annotations: object = {}, spec: object = {}) => {
    const resources = { requests: { storage: '1Gi' } };
    const made = await create('persistentvolumeclaims', 'demo', {
      metadata: { name, annotations },
      spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
    });
    return specOf(made)['storageClassName'];
  };
  await make('plain');
  t.equal(await classOf('a'), undefined);
  await make('old', { 'storageclass.beta.kubernetes.io/is-default-class': 'true' });
  t.equal(await classOf('b'), 'old');
  now += 1000;
  await make('new', { 'storageclass.kubernetes.io/is-default-class': 'true' });
  t.equal(await classOf('c'), 'new');
  t.equal(await classOf('d', {}, { storageClassName: 'plain' }), 'plain');
  t.equal(await classOf('e', {}, { storageClassName: '' }), '', 'an empty name is a choice');
  t.equal(await classOf('f', { 'volume.beta.kubernetes.io/storage-class': 'plain' }), undefined);
});

t.test('PersistentVolumeClaimResize: a bound claim grows where its class lets it', async (t) => {
  const { create, registry } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  for (const [name, allowVolumeExpansion] of [
    ['grows', true],
    ['stays', false],
  ] as const) {
    await registry('storageclasses', 'storage.k8s.io').create(context, {
      kind: 'StorageClass',
      apiVersion: 'storage.k8s.io/v1',
      metadata: { name },
      provisioner: 'x',
      allowVolumeExpansion,
    });
  }
  const claims = registry('persistentvolumeclaims');
  const claim = async (name: string, storageClassName?: string) => {
    await create('persistentvolumeclaims', 'demo', {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        ...(storageClassName && { storageClassName }),
      },
    });
    const bind = (current: KubeObject | undefined) => ({
      ...(current as KubeObject),
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    });
    await claims.update(context, 'demo', name, bind, { subresource: 'status' });
  };
  const resize = (name: string, storage: string, more: object = {}) =>
    claims.update(context, 'demo', name, (current) => ({
      ...(current as KubeObject),
      spec: { ...specOf(current as KubeObject), resources: { requests: { storage } }, ...more },
    }));
  for (const name of ['grows', 'stays', 'unknown']) await claim(name, name);
  await claim('none');

  t.ok(await resize('grows', '2Gi'));
  for (const name of ['stays', 'unknown', 'none']) {
    const { code, message } = await refusal(resize(name, '2Gi'));
    t.equal(code, 403);
    t.equal(
      message,
      `persistentvolumeclaims "${name}" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`,
    );
    t.ok(await resize(name, '1048576Ki'), 'the same size');
  }
  const chosen = await refusal(resize('none', '2Gi', { storageClassName: 'grows' }));
  t.match(chosen.message, /only dynamically provisioned pvc/, 'a class that comes with the size');
});

t.test('RuntimeClass: a pod gets what its class costs, and where it can run', async (t) => {
  const { create, registry } = await openFixture(t);
  await create('namespaces', '', { metadata: { name: 'demo' } });
  await create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  const runtimeClass = (name: string, fields: object = {}) =>
    registry('runtimeclasses', 'node.k8s.io').create(context, {
      kind: 'RuntimeClass',
      apiVersion: 'node.k8s.io/v1',
      metadata: { name },
      handler: 'runsc',
      ...fields,
    });
  const toleration = { key: 'sandbox', operator: 'Equal', value: 'yes', effect: 'NoSchedule' };
  await runtimeClass('plain');
  await runtimeClass('sandbox', {
    overhead: { podFixed: { memory: '120Mi', cpu: '250m' } },
    scheduling: { nodeSelector: { runtime: 'sandbox' }, tolerations: [toleration] },
  });
  const make = (name: string, spec: object) =>
    create('pods', 'demo', { ...pod(spec), metadata: { name } }).then(specOf);
  const why = async (spec: object) => {
    const { code, message } = await refusal(make('bad', spec));
    t.equal(code, 403);
    return message;
  };
  const NAMED = { runtimeClassName: 'sandbox' };

  t.match(await make('a', NAMED), {
    overhead: { memory: '120Mi', cpu: '250m' },
    nodeSelector: { runtime: 'sandbox' },
  });
  const tolerationsOf = async (name: string, tolerations: object[]) =>
    ((await make(name, { ...NAMED, tolerations }))['tolerations'] as { key?: string }[]).map(
      (item) => item.key ?? 'any',
    );
  const own = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
  t.same(await tolerationsOf('b', []), [...own, 'sandbox']);
  t.same(await tolerationsOf('c', [toleration]), ['sandbox', ...own], 'once');
  t.same(await tolerationsOf('d', [{ operator: 'Exists' }]), ['any'], 'covered by another');
  const same = { ...NAMED, overhead: { cpu: '0.25', memory: '122880Ki' }, nodeSelector: { a: 'b' } };
  t.match(await make('e', same), { nodeSelector: { a: 'b', runtime: 'sandbox' } }, 'the same overhead');
  t.notMatch(await make('f', { runtimeClassName: 'plain' }), { overhead: {} });

  t.equal(
    await why({ runtimeClassName: 'none' }),
    'pods "bad" is forbidden: pod rejected: RuntimeClass "none" not found',
  );
  t.equal(
    await why({ ...NAMED, overhead: { cpu: '1' } }),
    "pods \"bad\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
  );
  t.equal(
    await why({ ...NAMED, nodeSelector: { runtime: 'other' } }),
    'pods "bad" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[runtime] = sandbox; pod.spec.nodeSelector[runtime] = other',
  );
  for (const spec of [{}, { runtimeClassName: 'plain' }]) {
    t.equal(
      await why({ ...spec, overhead: { cpu: '1' } }),
      'pods "bad" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    );
  }
});

t.test('tolerations that others cover are left out, as long as there are few enough to compare', (t) => {
  const wide = { key: 'a', operator: 'Exists' };
  const narrow = { key: 'a', operator: 'Equal', value: 'x', effect: 'NoSchedule' };
  t.same(mergeTolerations([narrow, wide], [wide]), [wide]);
  t.same(mergeTolerations([narrow], [{ ...narrow, value: 'y' }]), [narrow, { ...narrow, value: 'y' }]);
  const many = (length: number) => Array.from({ length }, () => narrow);
  t.same(mergeTolerations(many(499), [wide]), [wide]);
  t.equal(mergeTolerations(many(100_000), [wide]).length, 100_001);
  t.end();
});
