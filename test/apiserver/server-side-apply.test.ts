/**
 * Server-side apply and managedFields as clients meet them: over HTTP, on the registries of the built-in kinds. The rules
 * of the fields themselves are in managed-fields.test.ts, recorded exchanges in test/e2e/transcript.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { parse } from 'yaml';
import { createRegistries } from '../../apiserver/registry/index.js';
import { builtinResources } from '../../schemas/index.js';
import { repository } from '../tools/wherry.js';
import { start } from './http-harness.js';
import { FakeEtcd } from './registry-fake-etcd.js';

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1: Record<string, unknown>;
}
interface Answer {
  readonly status: number;
  readonly warning: string | undefined;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly message?: string;
    readonly reason?: string;
    readonly details?: { readonly causes?: readonly { reason: string; message: string; field: string }[] };
    readonly metadata: {
      readonly resourceVersion: string;
      readonly labels?: Record<string, string>;
      readonly annotations?: Record<string, string>;
      readonly managedFields?: readonly Entry[];
    };
  };
}

const applyYaml = 'application/apply-patch+yaml';
const deployments = '/apis/apps/v1/namespaces/demo/deployments';
const configMaps = '/api/v1/namespaces/demo/configmaps';

async function open(t: Pick<Test, 'teardown'>) {
  let now = Date.parse('2026-01-02T03:04:05Z');
  const registries = createRegistries({
    client: new FakeEtcd(),
    definitions: builtinResources,
    admission: [],
    now: () => (now += 1000),
  });
  t.teardown(() => registries.close());
  const { plain } = await start(t, { registries });
  const send = async (method: string, path: string, type = '', body?: unknown): Promise<Answer> => {
    const answer = await request(plain + path, {
      method: method as 'GET',
      headers: { 'user-agent': 'tester/1.0 (linux)', ...(type === '' ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const warning = answer.headers['warning'];
    return {
      status: answer.statusCode,
      warning: warning === undefined ? undefined : String(warning),
      body: (await answer.body.json()) as Answer['body'],
    };
  };
  return {
    get: (path: string) => send('GET', path),
    post: (path: string, body: unknown) => send('POST', path, 'application/json', body),
    put: (path: string, body: unknown) => send('PUT', path, 'application/json', body),
    merge: (path: string, body: unknown) => send('PATCH', path, 'application/merge-patch+json', body),
    json: (path: string, body: unknown) => send('PATCH', path, 'application/json-patch+json', body),
    apply: (path: string, body: unknown) => send('PATCH', path, applyYaml, body),
  };
}

const configMap = (name: string, data: Record<string, string>, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

const deployment = (name: string, replicas?: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'nginx' }] },
    },
  },
});

const owners = ({ body }: Answer) =>
  (body.metadata.managedFields ?? []).map(
    ({ manager, operation, subresource }) =>
      `${manager} ${operation}${subresource === undefined ? '' : ` ${subresource}`}`,
  );

t.test('every write says whose it is: a field manager, or the first word of the user agent', async (t) => {
  const api = await open(t);
  const created = await api.post(configMaps, configMap('a', { k: '1' }));
  t.same(created.body.metadata.managedFields, [
    {
      manager: 'tester',
      operation: 'Update',
      apiVersion: 'v1',
      time: created.body.metadata.managedFields?.[0]?.time,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:k': {} } },
    },
  ]);
  const put = await api.put(`${configMaps}/a?fieldManager=editor`, configMap('a', { k: '1', l: '2' }));
  t.same(put.body.metadata.managedFields?.[1]?.fieldsV1, { 'f:data': { 'f:l': {} } });
  t.same(owners(put), ['tester Update', 'editor Update']);
  const patched = await api.merge(`${configMaps}/a?fieldManager=third`, { data: { k: 'x' } });
  t.same(owners(patched), ['tester Update', 'editor Update', 'third Update']);
  t.same(patched.body.metadata.managedFields?.[0]?.fieldsV1, { 'f:data': {} }, 'the map itself stays');
});

t.test('a write that changes nothing changes no time and no version', async (t) => {
  const api = await open(t);
  const { body } = await api.post(configMaps, configMap('same', { k: '1' }));
  const again = await api.put(`${configMaps}/same`, configMap('same', { k: '1' }));
  t.same(again.body, body);
  const applied = await api.apply(`${configMaps}/mine?fieldManager=one`, configMap('mine', { k: '1' }));
  const reapplied = await api.apply(`${configMaps}/mine?fieldManager=one`, configMap('mine', { k: '1' }));
  t.equal(applied.status, 201);
  t.equal(reapplied.status, 200);
  t.same(reapplied.body, applied.body);
});

t.test('managedFields in a body: honoured where they can be read, reset by one empty entry', async (t) => {
  const api = await open(t);
  await api.apply(`${configMaps}/own?fieldManager=one`, configMap('own', { k: '1' }));
  const { body } = await api.get(`${configMaps}/own`);
  const entries = body.metadata.managedFields ?? [];
  const renamed = entries.map((entry) => ({ ...entry, manager: 'other' }));
  const moved = await api.json(`${configMaps}/own?fieldManager=x`, [
    { op: 'replace', path: '/metadata/managedFields', value: renamed },
  ]);
  t.same(owners(moved), ['other Apply']);
  const broken = await api.merge(`${configMaps}/own?fieldManager=x`, {
    metadata: { managedFields: [{ manager: 'y', operation: 'Nonsense' }] },
  });
  t.equal(broken.status, 200);
  t.same(owners(broken), ['other Apply'], 'what cannot be read is as if it were not there');
  const reset = await api.merge(`${configMaps}/own?fieldManager=x`, { metadata: { managedFields: [{}] } });
  t.same(owners(reset), []);
});

t.test('apply: creates, conflicts name each field, force takes over, what is given up goes', async (t) => {
  const api = await open(t);
  const path = `${configMaps}/shared`;
  const nothing = { ...configMap('shared', {}), data: undefined };
  const first = await api.apply(`${path}?fieldManager=one`, configMap('shared', { a: '1', b: '1', c: '1' }));
  t.equal(first.status, 201);
  const refused = await api.apply(
    `${path}?fieldManager=two`,
    configMap('shared', { a: '2', b: '2', d: '2' }),
  );
  t.equal(refused.status, 409);
  t.equal(refused.body.reason, 'Conflict');
  t.equal(refused.body.message, 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b');
  t.same(refused.body.details?.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.b' },
  ]);
  const forced = await api.apply(
    `${path}?fieldManager=two&force=true`,
    configMap('shared', { a: '2', b: '2', d: '2' }),
  );
  t.same(forced.body['data'], { a: '2', b: '2', c: '1', d: '2' });
  const given = await api.apply(`${path}?fieldManager=two`, configMap('shared', { a: '2' }));
  t.same(given.body['data'], { a: '2', c: '1' });
  const left = await api.apply(`${path}?fieldManager=one`, nothing);
  t.same(left.body['data'], { a: '2' }, 'one owned c alone');
  const none = await api.apply(`${path}?fieldManager=two`, nothing);
  t.equal(none.body['data'], undefined);
  t.same(owners(none), []);
});

t.test('apply through status and scale', async (t) => {
  const api = await open(t);
  const path = `${deployments}/web`;
  t.equal((await api.apply(`${path}?fieldManager=cd`, deployment('web', 2))).status, 201);
  const status = await api.apply(`${path}/status?fieldManager=operator`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 9 },
    status: { replicas: 2, readyReplicas: 1 },
  });
  t.equal(status.status, 200);
  t.match(status.body, { spec: { replicas: 2 }, status: { replicas: 2, readyReplicas: 1 } });
  t.same(owners(status), ['cd Apply', 'operator Apply status']);
  t.same(status.body.metadata.managedFields?.[1]?.fieldsV1, {
    'f:status': { 'f:readyReplicas': {}, 'f:replicas': {} },
  });

  const scale = (replicas: number) => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web' },
    spec: { replicas },
  });
  const refused = await api.apply(`${path}/scale?fieldManager=hpa`, scale(5));
  t.equal(refused.status, 409);
  t.match(refused.body.details?.causes, [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }]);
  const forced = await api.apply(`${path}/scale?fieldManager=hpa&force=true`, scale(5));
  t.equal(forced.status, 200);
  t.match(forced.body, { kind: 'Scale', spec: { replicas: 5 } });
  const after = await api.get(path);
  t.match(after.body, { spec: { replicas: 5 } });
  t.ok(owners(after).includes('hpa Apply scale'));
  const conflict = await api.apply(`${path}?fieldManager=cd`, deployment('web', 2));
  t.equal(conflict.status, 409);
  t.equal(
    conflict.body.message,
    'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
  );
  const without = await api.apply(`${path}?fieldManager=cd`, deployment('web'));
  t.match(without.body, { spec: { replicas: 5 } }, 'who leaves the number out leaves it to others');
  const absent = await api.apply(`${deployments}/none/status?fieldManager=x`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'none' },
  });
  t.equal(absent.status, 404);
});

t.test('dry run and preconditions of apply', async (t) => {
  const api = await open(t);
  const path = `${configMaps}/dry`;
  const dry = await api.apply(`${path}?fieldManager=one&dryRun=All`, configMap('dry', { k: '1' }));
  t.equal(dry.status, 201);
  t.equal((await api.get(path)).status, 404);
  await api.apply(`${path}?fieldManager=one`, configMap('dry', { k: '1' }));
  const changed = await api.apply(`${path}?fieldManager=one&dryRun=All`, configMap('dry', { k: '2' }));
  t.same(changed.body['data'], { k: '2' });
  t.same((await api.get(path)).body['data'], { k: '1' });
  const stale = await api.apply(
    `${path}?fieldManager=one`,
    configMap('dry', { k: '3' }, { resourceVersion: '1' }),
  );
  t.equal(stale.status, 409);
  t.match(stale.body.message, /the object has been modified/);
});

t.test('what apply refuses', async (t) => {
  const api = await open(t);
  const path = `${configMaps}/bad`;
  const nobody = await api.apply(path, configMap('bad', {}));
  t.equal(nobody.status, 422);
  t.equal(
    nobody.body.message,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  );
  const wrongKind = await api.apply(`${path}?fieldManager=x`, { ...configMap('bad', {}), kind: 'Secret' });
  t.equal(wrongKind.status, 400);
  t.equal(wrongKind.body.message, 'invalid object type: /v1, Kind=Secret');
  const managed = await api.apply(
    `${path}?fieldManager=x`,
    configMap('bad', {}, { managedFields: [{ manager: 'y' }] }),
  );
  t.equal(managed.status, 400);
  t.equal(managed.body.message, 'metadata.managedFields must be nil');
  const list = await api.apply(`${path}?fieldManager=x`, '- 1');
  t.equal(list.status, 400);
  t.match(list.body.message, /^error decoding YAML: .*cannot unmarshal array/);
  const twice = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata:\n  k: a\n  k: b\n';
  const warned = await api.apply(`${path}?fieldManager=x&dryRun=All`, twice);
  t.equal(warned.status, 201);
  t.equal(warned.warning, '299 - "line 6: key \\"k\\" already set in map"');
  const strict = await api.apply(`${path}?fieldManager=x&fieldValidation=Strict`, twice);
  t.equal(strict.status, 400);
  t.match(strict.body.message, /^error strict decoding YAML: .*line 6: key "k" already set in map/s);
  const force = await api.merge(`${path}?force=true`, {});
  t.equal(force.status, 422);
});

t.test('kubectl apply --server-side behind a client-side apply takes its fields over', async (t) => {
  const api = await open(t);
  const path = `${configMaps}/moved`;
  const clientSide = configMap('moved', { k: '1', gone: '1' });
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  await api.post(`${configMaps}?fieldManager=kubectl-client-side-apply`, {
    ...clientSide,
    metadata: { name: 'moved', annotations: { [annotation]: JSON.stringify(clientSide) } },
  });
  const applied = await api.apply(`${path}?fieldManager=kubectl`, configMap('moved', { k: '2' }));
  t.equal(applied.status, 200, 'what the annotation names is no conflict');
  t.match(applied.body['data'], { k: '2' });
});

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; uid?: string };
}

t.test('manifests of every kind are applied, and change nothing when they are applied again', async (t) => {
  const { apply } = await open(t);
  const folder = join(repository, 'test/fixtures/manifests');
  const kinds = new Set<string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('-good.yaml'))) {
    const manifest = parse(readFileSync(join(folder, file), 'utf8')) as Manifest;
    const { apiVersion, kind, metadata } = manifest;
    // The rules of a manifest may need one, but it is the server that gives it.
    delete metadata.uid;
    const definition = builtinResources.find(
      (resource) =>
        resource.kind === kind && apiVersion === [resource.group, resource.version].filter(Boolean).join('/'),
    );
    if (definition === undefined) throw new Error(`${apiVersion} ${kind} is not served`);
    const { group, version, plural, namespaced } = definition;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const path = `${root}/${namespaced ? 'namespaces/demo/' : ''}${plural}/${metadata.name}`;
    const applied = () => apply(`${path}?fieldManager=m`, manifest);
    const first = await applied();
    t.equal(first.status, 201, `${file} ${first.body.message ?? ''}`);
    const second = await applied();
    t.equal(second.status, 200, `${file} ${second.body.message ?? ''}`);
    t.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion, file);
    kinds.add(kind);
  }
  t.ok(kinds.size >= 15, `${kinds.size} kinds`);
});

t.test('an item of a list may lack one of its keys, but not all', async (t) => {
  const api = await open(t);
  const claims = '/apis/resource.k8s.io/v1/namespaces/demo/resourceclaims';
  const about = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'a' } };
  const requests = [{ name: 'r', exactly: { deviceClassName: 'c' } }];
  await api.post(claims, { ...about, spec: { devices: { requests } } });
  const share = '01234567-89ab-cdef-0123-456789abcdef';
  const device = { driver: 'd', pool: 'p', device: 'x' };
  const results = [
    { request: 'r', ...device },
    { request: 'r', ...device, shareID: share },
  ];
  const apply = (manager: string, status: object) =>
    api.apply(`${claims}/a/status?fieldManager=${manager}`, { ...about, status });
  t.equal((await apply('scheduler', { allocation: { devices: { results } } })).status, 200);
  t.equal((await apply('one', { devices: [{ ...device, data: { a: 1 } }] })).status, 200);
  const { status, body } = await apply('two', { devices: [{ ...device, shareID: share, data: { b: 2 } }] });
  t.equal(status, 200);
  t.match(body['status'], { devices: [{ data: { a: 1 } }, { shareID: share, data: { b: 2 } }] });
  const keysOf = (manager: string): string[] => {
    const entry = body.metadata.managedFields?.find((each) => each.manager === manager);
    const { 'f:status': fields } = (entry?.fieldsV1 ?? {}) as { 'f:status': { 'f:devices': object } };
    return Object.keys(fields['f:devices']);
  };
  t.same(keysOf('one'), ['k:{"device":"x","driver":"d","pool":"p"}']);
  t.same(keysOf('two'), [`k:{"device":"x","driver":"d","pool":"p","shareID":"${share}"}`]);

  const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
  const schema = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 's' },
  };
  await api.post(schemas, { ...schema, spec: { priorityLevelConfiguration: { name: 'l' } } });
  const refused = await api.apply(`${schemas}/s/status?fieldManager=me`, {
    ...schema,
    status: { conditions: [{ status: 'True' }] },
  });
  t.equal(refused.status, 500);
  t.match(
    refused.body.message,
    'element 0: associative list with keys has an element that omits all key fields ["type"] (and doesn\'t have default values for any key fields)',
  );
});
