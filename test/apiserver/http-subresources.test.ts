/** Subresources over HTTP: evictions, bindings, scales, parts of objects, and what only a kubelet could answer. */
import t from 'tap';
import type { KubeObject } from '../../schemas/definition.js';
import { type Answer, serve, type Served } from './served-fixture.js';

const pods = '/api/v1/namespaces/demo/pods';
const deployments = '/apis/apps/v1/namespaces/demo/deployments';
const merge = 'application/merge-patch+json';
const done = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

const podOf = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

async function create(server: Served, path: string, body: object): Promise<KubeObject> {
  const answer = await server.ask(path, { body });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json;
}

const evict = (server: Served, name: string, body: object = {}, query = ''): Promise<Answer> =>
  server.ask(`${pods}/${name}/eviction${query}`, { body: { metadata: { name }, ...body } });

const setPhase = (server: Served, name: string, phase: string) =>
  server.ask(`${pods}/${name}/status`, { method: 'PATCH', contentType: merge, body: { status: { phase } } });

t.test('an eviction says why, and deletes', async (t) => {
  const server = await serve(t);
  await create(server, '/api/v1/nodes', { metadata: { name: 'n' } });
  await create(server, pods, podOf('p', { nodeName: 'n' }));
  t.same((await setPhase(server, 'p', 'Running')).status, 200);
  const answer = await evict(server, 'p', { kind: 'Eviction', apiVersion: 'policy/v1' });
  t.same([answer.status, answer.json], [201, done]);
  const pod = (await server.ask(`${pods}/p`)).json;
  t.match(pod, {
    metadata: { deletionTimestamp: /Z$/, deletionGracePeriodSeconds: 30 },
    status: {
      phase: 'Running',
      conditions: [
        {
          type: 'DisruptionTarget',
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: /Z$/,
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
        },
      ],
    },
  });
  t.same(Object.keys(pod['status'] as object).slice(0, 2), ['phase', 'conditions'], 'in Go’s order');
  const again = await evict(server, 'p', { deleteOptions: { gracePeriodSeconds: 0 } });
  t.equal(again.status, 201);
  t.equal((await server.ask(`${pods}/p`)).status, 404);
  for (const phase of ['Pending', 'Succeeded', 'Failed']) {
    await create(server, pods, podOf('q'));
    await setPhase(server, 'q', phase);
    t.equal((await evict(server, 'q')).status, 201, phase);
    t.equal((await server.ask(`${pods}/q`)).status, 404, phase);
  }
});

t.test('the options of an eviction are those of its deletion', async (t) => {
  const server = await serve(t);
  const { metadata } = await create(server, pods, podOf('p'));
  const all = { deleteOptions: { dryRun: ['All'] } };
  for (const [body, query] of [
    [all, ''],
    [{}, '?dryRun=All'],
    [all, '?dryRun=All'],
  ] as const) {
    t.same((await evict(server, 'p', body, query)).json, done);
  }
  const { resourceVersion } = (await server.ask(`${pods}/p`)).json.metadata;
  t.equal(resourceVersion, metadata.resourceVersion, 'a dry run changes nothing');
  const refusals: [body: object, query: string, code: number, message: string][] = [
    [{ metadata: { name: 'other' } }, '', 400, 'name in URL does not match name in Eviction object'],
    [{ metadata: {} }, '', 400, 'name in URL does not match name in Eviction object'],
    [
      { deleteOptions: { preconditions: { uid: 'x' } } },
      '',
      409,
      `Operation cannot be fulfilled on Pod "p": the UID in the precondition (x) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    ],
    [
      { deleteOptions: { preconditions: { resourceVersion: '1' } } },
      '',
      409,
      `Operation cannot be fulfilled on Pod "p": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    ],
    [
      { deleteOptions: { dryRun: ['All', 'All'] } },
      '?dryRun=All',
      500,
      'Non-matching dry-run options in request and content: [All] and [All All]',
    ],
    [
      { deleteOptions: { dryRun: ['Some'] } },
      '',
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ],
    [{ kind: 'Binding', apiVersion: 'v1' }, '', 400, ''],
  ];
  for (const [body, query, code, message] of refusals) {
    const answer = await evict(server, 'p', body, query);
    t.equal(answer.status, code, answer.text);
    if (message !== '') t.equal(answer.json.message, message);
  }
  t.equal((await evict(server, 'none')).json.message, 'pods "none" not found');
  const { json } = await server.ask(`${pods}/p`);
  t.equal(json.metadata.resourceVersion, resourceVersion);
  const preconditions = { uid: metadata.uid, resourceVersion };
  t.equal((await evict(server, 'p', { deleteOptions: { preconditions } })).status, 201);
  t.equal((await server.ask(`${pods}/p`)).status, 404);
});

const budgets = '/apis/policy/v1/namespaces/demo/poddisruptionbudgets';
const violates = "Cannot evict pod as it would violate the pod's disruption budget.";

/** A pod that runs, and is ready or not. */
async function runningPod(
  server: Served,
  name: string,
  ready: boolean,
  labels = { app: 'web' },
): Promise<void> {
  await create(server, pods, podOf(name, {}, { labels }));
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  const body = { status: { phase: 'Running', conditions } };
  await server.ask(`${pods}/${name}/status`, { method: 'PATCH', contentType: merge, body });
}

/** A budget with the status that its controller has given it. */
async function budget(server: Served, name: string, spec: object, status: object): Promise<void> {
  const selector = { matchLabels: { app: 'web' } };
  await create(server, budgets, { metadata: { name }, spec: { selector, ...spec } });
  await count(server, name, { observedGeneration: 1, ...status });
}

const count = (server: Served, name: string, status: object): Promise<Answer> =>
  server.ask(`${budgets}/${name}/status`, { method: 'PATCH', contentType: merge, body: { status } });

const refusalOf = ({ status, json }: Answer) => {
  const { message, details } = json as unknown as { readonly message: string; readonly details?: object };
  return { status, message, details };
};
const refusal = (why: string, more: object = {}) => ({
  status: 429,
  message: violates,
  details: { causes: [{ reason: 'DisruptionBudget', message: why }], ...more },
});

t.test('an eviction is taken off the budget of the pod', async (t) => {
  const server = await serve(t);
  for (const name of ['a', 'b']) await runningPod(server, name, true);
  await runningPod(server, 'other', true, { app: 'db' });
  const counts = { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
  await budget(server, 'web', { minAvailable: 1 }, counts);

  const dry = await evict(server, 'a', { deleteOptions: { dryRun: ['All'] } });
  t.same([dry.status, dry.json], [201, done]);
  t.match((await server.ask(`${budgets}/web`)).json['status'], { ...counts, disruptedPods: undefined });

  t.equal((await evict(server, 'a')).status, 201);
  const { json } = await server.ask(`${budgets}/web`);
  t.match(json['status'], {
    ...counts,
    disruptionsAllowed: 0,
    disruptedPods: { a: /Z$/ },
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: 'False',
        observedGeneration: 1,
        lastTransitionTime: /Z$/,
        reason: 'InsufficientPods',
        message: '',
      },
    ],
  });
  const entries = json.metadata.managedFields as readonly { readonly manager: string }[];
  const writer = entries.find(({ manager }) => manager === 'kube-apiserver');
  t.match(writer, { subresource: 'status' });

  const none = 'The disruption budget web does not allow evicting pods currently';
  t.same(refusalOf(await evict(server, 'b')), refusal(none));
  t.equal((await server.ask(`${pods}/b`)).json.metadata.deletionTimestamp, undefined);
  t.equal((await evict(server, 'other')).status, 201, 'which the budget is not about');
});

t.test('a budget says why a pod has to stay', async (t) => {
  const server = await serve(t);
  await runningPod(server, 'p', true);
  await budget(server, 'web', {}, { currentHealthy: 1, desiredHealthy: 2 });
  const after = async (status: object) => {
    await count(server, 'web', status);
    return refusalOf(await evict(server, 'p'));
  };
  const named = 'The disruption budget web';
  t.same(await after({}), refusal(`${named} needs 2 healthy pods and has 1 currently`));
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  t.same(
    await after({ conditions: [{ ...condition, reason: 'SyncFailed', message: 'no scale' }] }),
    refusal(`${named} does not allow evicting pods currently because it failed sync: no scale`),
  );
  t.same(
    await after({ currentHealthy: 3, conditions: [{ ...condition, reason: 'Why', message: 'so' }] }),
    refusal(`${named} does not allow evicting pods currently (Why): so`),
  );
  t.same(
    await after({ observedGeneration: 0 }),
    refusal(`${named} is still being processed by the server.`, { retryAfterSeconds: 10 }),
  );

  const many = Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`p${i}`, '2026-01-01T00:00:00Z']));
  const full = await after({ observedGeneration: 1, disruptionsAllowed: 1, disruptedPods: many });
  t.match(full, {
    status: 403,
    message:
      'poddisruptionbudget.policy "web" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
  });
  await count(server, 'web', { disruptedPods: { p2000: null } });
  t.equal((await evict(server, 'p')).status, 201, 'of 2000 pods it is not sure yet');

  await runningPod(server, 'q', true);
  await budget(server, 'second', {}, { disruptionsAllowed: 1 });
  const two = await evict(server, 'q');
  t.match(two.json, {
    code: 500,
    message:
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  });
});

t.test('a pod that is not healthy may go where the budget does not need it', async (t) => {
  const server = await serve(t);
  for (const name of ['a', 'b', 'c']) await runningPod(server, name, false);
  await budget(server, 'web', {}, { currentHealthy: 0, desiredHealthy: 1 });
  t.equal((await evict(server, 'a')).status, 429, 'too few are healthy');
  await count(server, 'web', { currentHealthy: 1 });
  t.equal((await evict(server, 'a')).status, 201);
  await count(server, 'web', { currentHealthy: 0 });
  const spec = { unhealthyPodEvictionPolicy: 'AlwaysAllow' };
  await server.ask(`${budgets}/web`, { method: 'PATCH', contentType: merge, body: { spec } });
  t.equal((await evict(server, 'b')).status, 201);
  t.match((await server.ask(`${budgets}/web`)).json['status'], { disruptedPods: undefined });
  await server.ask(`${pods}/c/status`, {
    method: 'PATCH',
    contentType: merge,
    body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  });
  t.equal((await evict(server, 'c')).status, 429, 'now it is healthy');
});

t.test('nothing is evicted or bound where a namespace is going', async (t) => {
  const server = await serve(t);
  await create(server, pods, podOf('p', {}, { finalizers: ['example.com/stay'] }));
  await server.ask('/api/v1/namespaces/demo', { method: 'DELETE' });
  const refused =
    'pods "p" is forbidden: unable to create new content in namespace demo because it is being terminated';
  t.equal((await evict(server, 'p')).json.message, refused);
  const target = { kind: 'Node', name: 'n' };
  for (const path of [`${pods}/p/binding`, '/api/v1/namespaces/demo/bindings']) {
    const { status, json } = await server.ask(path, { body: { metadata: { name: 'p' }, target } });
    t.same([status, json.message], [403, refused], path);
  }
  const token = '/api/v1/namespaces/demo/serviceaccounts/default/token';
  t.equal((await server.ask(token, { body: { spec: {} } })).status, 403);
});

t.test('a binding keeps the place of a condition that it changes', async (t) => {
  const server = await serve(t);
  await create(server, pods, podOf('p'));
  const conditions = [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
    { type: 'Ready', status: 'False' },
  ];
  await server.ask(`${pods}/p/status`, {
    method: 'PATCH',
    contentType: merge,
    body: { status: { conditions, nominatedNodeName: 'm' } },
  });
  const body = {
    metadata: { name: 'p', labels: { 'topology.kubernetes.io/zone': 'z' } },
    target: { name: 'n' },
  };
  const bound = await server.ask(`${pods}/p/binding`, { body });
  t.same([bound.status, bound.json], [201, done]);
  const { metadata, spec, status } = (await server.ask(`${pods}/p`)).json as unknown as {
    metadata: { labels: object };
    spec: { nodeName: string };
    status: { nominatedNodeName?: string; conditions: { type: string; status: string; reason?: string }[] };
  };
  t.same(metadata.labels, { 'topology.kubernetes.io/zone': 'z' });
  t.equal(spec.nodeName, 'n');
  t.notOk(status.nominatedNodeName);
  t.match(status.conditions, [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'False' },
  ]);
  t.notOk(status.conditions[0]?.reason);
  t.equal((await server.ask(`${pods}/p/binding`)).status, 405);
});

const workload = (name: string, replicas: number) => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

for (const plural of ['deployments', 'replicasets']) {
  t.test(`${plural}/scale`, async (t) => {
    const server = await serve(t);
    const path = `/apis/apps/v1/namespaces/demo/${plural}`;
    const { metadata } = await create(server, path, workload('w', 2));
    const scale = `${path}/w/scale`;
    const got = await server.ask(scale);
    const { uid, creationTimestamp } = metadata;
    t.same(got.json, {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        name: 'w',
        namespace: 'demo',
        uid,
        resourceVersion: metadata.resourceVersion,
        creationTimestamp,
      },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=w' },
    });
    const put = (body: object, query = '') => server.ask(scale + query, { method: 'PUT', body });
    const replicasOf = async () =>
      ((await server.ask(`${path}/w`)).json['spec'] as { replicas: number }).replicas;
    const dry = await put({ ...got.json, spec: { replicas: 9 } }, '?dryRun=All');
    t.match(dry.json['spec'], { replicas: 9 });
    t.equal(await replicasOf(), 2, 'a dry run changes nothing');
    t.equal((await put({ ...got.json, spec: { replicas: 3 } })).status, 200);
    t.equal(await replicasOf(), 3);
    t.match((await server.ask(`${path}/w`)).json.metadata, { generation: 2 });
    const name = `${plural}.apps "w"`;
    const stale = await put({ ...got.json, spec: { replicas: 4 } });
    t.equal(
      stale.json.message,
      `Operation cannot be fulfilled on ${name}: the object has been modified; please apply your changes to the latest version and try again`,
    );
    const other = await put({ metadata: { name: 'w', uid: 'x' }, spec: { replicas: -1 } });
    t.match(other.json, {
      code: 409,
      message: `Operation cannot be fulfilled on ${name}: StorageError: invalid object, Code: 4, Key: /registry/${plural}/demo/w, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ${uid}`,
    });
    t.equal((await put({ metadata: { name: 'w' } })).status, 200, 'whatever there is');
    t.equal(await replicasOf(), 0);
    t.same((await server.ask(scale)).json['spec'], {}, 'Go leaves a desired 0 out');
    for (const [body, message] of [
      [{ metadata: { name: 'v' } }, 'the name of the object (v) does not match the name on the URL (w)'],
      [
        { metadata: { name: 'w', namespace: 'x' } },
        'the namespace of the provided object does not match the namespace sent on the request',
      ],
      [{}, 'the name of the object (w based on URL) was undeterminable: name must be provided'],
    ] as const) {
      const answer = await put(body);
      t.same([answer.status, answer.json.message], [400, message]);
    }
    t.match((await put(workload('w', 1))).status, 200, 'unknown fields are ignored');
    t.equal((await put({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'w' } })).status, 400);
    const strict = await put({ metadata: { name: 'w' }, spec: { size: 1 } }, '?fieldValidation=Strict');
    t.equal(
      strict.json.message,
      'Scale in version "v1" cannot be handled as a Scale: strict decoding error: unknown field "spec.size"',
    );
    t.equal(
      (await server.ask(`${path}/none/scale`, { method: 'PUT', body: { metadata: { name: 'none' } } }))
        .status,
      404,
    );
    t.equal((await server.ask(scale, { method: 'DELETE' })).status, 405);
  });
}

t.test('patches of a scale', async (t) => {
  const server = await serve(t);
  const { metadata } = await create(server, deployments, workload('w', 2));
  const patch = (contentType: string, body: unknown, query = '') =>
    server.ask(`${deployments}/w/scale${query}`, { method: 'PATCH', contentType, body });
  t.match((await patch(merge, { spec: { replicas: 3 } })).json['spec'], { replicas: 3 });
  const json = [
    { op: 'test', path: '/spec/replicas', value: 3 },
    { op: 'replace', path: '/spec/replicas', value: 4 },
  ];
  t.match((await patch('application/json-patch+json', json)).json['spec'], { replicas: 4 });
  const failed = await patch('application/json-patch+json', json);
  t.equal(failed.status, 422, 'the test of a JSON patch');
  const strategic = await patch('application/strategic-merge-patch+json', { spec: { replicas: 5 } });
  t.match(strategic.json, { kind: 'Scale', spec: { replicas: 5 } });
  t.match((await patch(merge, { spec: { replicas: 9 } }, '?dryRun=All')).json['spec'], { replicas: 9 });
  t.match((await server.ask(`${deployments}/w/scale`)).json['spec'], { replicas: 5 });
  t.equal(
    (await patch(merge, { spec: { replicas: -1 } })).json.message,
    'Scale.autoscaling "w" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
  const uid = await patch(merge, { metadata: { uid: 'x' } });
  t.match(uid.json, {
    code: 409,
    message: `Operation cannot be fulfilled on deployments/scale.apps "w": Precondition failed: UID in precondition: x, UID in object meta: ${metadata.uid}`,
  });
  t.equal((await patch(merge, { metadata: { resourceVersion: '1' } })).status, 409);
  t.equal((await patch(merge, { spec: { replicas: 'many' } })).status, 422);
  t.equal((await patch('application/json', {})).status, 415);
  t.equal(
    (await server.ask(`${deployments}/w/scale`, { headers: { accept: 'application/yaml' } })).text.split(
      '\n',
    )[0],
    'apiVersion: autoscaling/v1',
  );
});

t.test('namespaces/finalize: the last finalizer lets a namespace go', async (t) => {
  const server = await serve(t);
  const path = '/api/v1/namespaces/demo';
  const finalize = (body: object) => server.ask(`${path}/finalize`, { method: 'PUT', body });
  const { json: namespace } = await server.ask(path);
  t.same((namespace['spec'] as { finalizers: string[] }).finalizers, ['kubernetes']);
  const more = await finalize({
    ...namespace,
    spec: { finalizers: ['kubernetes', 'example.com/x'] },
    status: {},
  });
  t.match(more.json, { spec: { finalizers: ['kubernetes', 'example.com/x'] }, status: { phase: 'Active' } });
  await server.ask(path, { method: 'DELETE' });
  const { json: going } = await server.ask(path);
  t.match(going['status'], { phase: 'Terminating' });
  t.equal((await finalize({ ...going, spec: {} })).status, 200);
  t.equal((await server.ask(path)).status, 404);
  t.equal((await server.ask('/api/v1/namespaces/default/finalize')).status, 405, 'it cannot be read');
});

t.test('status: of each kind it is the status that is written, and nothing else', async (t) => {
  const server = await serve(t);
  await create(server, '/api/v1/nodes', { metadata: { name: 'n' } });
  await create(server, pods, podOf('p'));
  await create(server, '/api/v1/namespaces/demo/services', {
    metadata: { name: 's' },
    spec: { ports: [{ port: 1 }] },
  });
  await create(server, deployments, workload('d', 1));
  await create(server, '/apis/apps/v1/namespaces/demo/replicasets', workload('r', 1));
  const cases: [path: string, status: object, spec: object][] = [
    ['/api/v1/nodes/n', { capacity: { cpu: '2' } }, { unschedulable: true }],
    ['/api/v1/namespaces/demo', { phase: 'Active' }, { finalizers: [] }],
    [`${pods}/p`, { message: 'x' }, { activeDeadlineSeconds: 5 }],
    [
      '/api/v1/namespaces/demo/services/s',
      {
        conditions: [
          { type: 'T', status: 'True', reason: 'R', lastTransitionTime: '2026-01-01T00:00:00Z', message: '' },
        ],
      },
      { sessionAffinity: 'ClientIP' },
    ],
    [`${deployments}/d`, { observedGeneration: 1 }, { paused: true }],
    ['/apis/apps/v1/namespaces/demo/replicasets/r', { replicas: 1 }, { replicas: 5 }],
  ];
  for (const [path, status, spec] of cases) {
    const before = (await server.ask(path)).json;
    const patched = await server.ask(`${path}/status`, {
      method: 'PATCH',
      contentType: merge,
      body: { status, spec },
    });
    t.equal(patched.status, 200, patched.text);
    t.match(patched.json['status'], status, path);
    t.same(patched.json['spec'], before['spec'], path);
    t.same((await server.ask(`${path}/status`)).json, patched.json, 'read as the object is');
    const put = await server.ask(`${path}/status`, { method: 'PUT', body: patched.json });
    t.equal(put.status, 200, path);
    t.equal((await server.ask(`${path}/status`, { method: 'DELETE' })).status, 405);
  }
});

t.test('pods: ephemeral containers and new sizes go through subresources', async (t) => {
  const server = await serve(t);
  await create(server, pods, podOf('p'));
  const ephemeralContainers = [{ name: 'debug', image: 'busybox' }];
  const directly = await server.ask(`${pods}/p`, {
    method: 'PATCH',
    contentType: merge,
    body: { spec: { ephemeralContainers } },
  });
  t.equal(directly.status, 422);
  const strategic = 'application/strategic-merge-patch+json';
  const added = await server.ask(`${pods}/p/ephemeralcontainers`, {
    method: 'PATCH',
    contentType: strategic,
    body: { spec: { ephemeralContainers } },
  });
  t.match(added.json, { kind: 'Pod', spec: { ephemeralContainers } });
  const resources = { requests: { cpu: '1' }, limits: { cpu: '2' } };
  await create(server, pods, podOf('q', { containers: [{ name: 'c', image: 'i', resources }] }));
  const resized = await server.ask(`${pods}/q/resize`, {
    method: 'PATCH',
    contentType: strategic,
    body: { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1500m' } } }] } },
  });
  t.match(resized.json, {
    spec: { containers: [{ resources: { requests: { cpu: '1500m' }, limits: { cpu: '2' } } }] },
  });
  for (const name of ['ephemeralcontainers', 'resize']) {
    const { json } = await server.ask(`${pods}/q/${name}`);
    t.equal(json.kind, 'Pod');
    t.equal((await server.ask(`${pods}/q/${name}`, { method: 'PUT', body: json })).status, 200);
    t.equal((await server.ask(`${pods}/q/${name}`, { body: json })).status, 405);
  }
});

t.test('what only a kubelet, a pod or endpoints could answer', async (t) => {
  const server = await serve(t);
  const node = { metadata: { name: 'n' } };
  await create(server, '/api/v1/nodes', node);
  await create(server, '/api/v1/nodes', { metadata: { name: 'm' } });
  await server.ask('/api/v1/nodes/m/status', {
    method: 'PATCH',
    contentType: merge,
    body: { status: { addresses: [{ type: 'InternalIP', address: '10.1.1.1' }] } },
  });
  const two = {
    containers: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'i' },
    ],
    initContainers: [{ name: 'i', image: 'i' }],
  };
  await create(server, pods, podOf('unbound'));
  await create(server, pods, podOf('on-n', { nodeName: 'n' }));
  await create(server, pods, podOf('on-m', { nodeName: 'm' }));
  await create(server, pods, podOf('lost', { nodeName: 'gone' }));
  await create(server, pods, podOf('two', two));
  await create(server, '/api/v1/namespaces/demo/services', {
    metadata: { name: 's' },
    spec: { ports: [{ port: 80 }] },
  });
  const notConnecting = 'this server does not connect to kubelets, so not to that of node m';
  const cases: [path: string, code: number, message: string][] = [
    [`${pods}/on-n/log`, 500, 'no preferred addresses found; known addresses: []'],
    [`${pods}/on-m/log`, 501, notConnecting],
    [`${pods}/lost/log`, 404, 'nodes "gone" not found'],
    [`${pods}/none/log`, 404, 'pods "none" not found'],
    [
      `${pods}/two/log`,
      400,
      'a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]',
    ],
    [`${pods}/two/log?container=c`, 400, 'container c is not valid for pod two'],
    [`${pods}/unbound/exec?command=ls`, 400, 'pod unbound does not have a host assigned'],
    [`${pods}/unbound/attach`, 400, 'pod unbound does not have a host assigned'],
    [`${pods}/two/portforward`, 400, 'pod two does not have a host assigned'],
    [`${pods}/on-n/exec`, 500, 'no preferred addresses found; known addresses: []'],
    [`${pods}/unbound/proxy`, 400, 'address not allowed'],
    [`${pods}/http:unbound:80/proxy/a/path`, 400, 'address not allowed'],
    [`${pods}/ftp:unbound:80/proxy`, 400, 'invalid pod request "ftp:unbound:80"'],
    ['/api/v1/nodes/n/proxy/metrics', 500, 'no preferred addresses found; known addresses: []'],
    ['/api/v1/nodes/m/proxy', 501, notConnecting],
    ['/api/v1/nodes/none/proxy', 404, 'nodes "none" not found'],
    ['/api/v1/namespaces/demo/services/s/proxy', 404, 'endpoints "s" not found'],
    ['/api/v1/namespaces/demo/services/s:81/proxy', 503, 'no service port 81 found for service "s"'],
    ['/api/v1/namespaces/demo/services/s:80/proxy/x', 404, 'endpoints "s" not found'],
    ['/api/v1/namespaces/demo/services/none:80/proxy', 404, 'services "none" not found'],
  ];
  for (const [path, code, message] of cases) {
    const { status, json } = await server.ask(path);
    t.same([status, json.message], [code, message], path);
  }
  t.equal((await server.ask(`${pods}/unbound/log`)).status, 204, 'a pod without a node has no log');
  t.equal((await server.ask(`${pods}/two/log?container=i`)).status, 204);
  t.equal((await server.ask(`${pods}/unbound/exec`, { body: {} })).status, 400, 'POST is a connection too');
  t.equal((await server.ask(`${pods}/unbound/log`, { body: {} })).status, 405);
  t.equal((await server.ask(`${pods}/unbound/log/more`)).status, 404);
  t.equal((await server.ask(`${pods}/unbound/nosuch`)).status, 404);
});
