/** Protobuf over HTTP: objects, lists, watches, errors and discovery, and who gets JSON all the same. */
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { gzipBytesMin, responseChunkBytes } from '../../apiserver/http/limits.js';
import { decodeMessage } from '../../apiserver/http/serializers/protobuf-decode.js';
import { decodeStoredProtobuf } from '../../apiserver/http/serializers/index.js';
import { protobufKind } from '../../apiserver/http/serializers/protobuf-kinds.js';
import { WatchFrames, type WatchShape } from '../../apiserver/http/watch-frames.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { FakeRegistry } from './http-fake.js';
import { type Harness, start } from './http-harness.js';
import { bytes, envelope, part, parts } from './protobuf-tools.js';

const protobuf = 'application/vnd.kubernetes.protobuf';
/** What client-go and kubectl send for built-in kinds. */
const goClient = `${protobuf},application/json`;
const collection = '/api/v1/namespaces/default/configmaps';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Buffer;
  readonly type: unknown;
}

async function ask(
  harness: Harness,
  path: string,
  accept: string | undefined,
  options: {
    readonly method?: string;
    readonly body?: Buffer;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Answer> {
  const { method = 'GET', body } = options;
  const answer = await request(harness.plain + path, {
    method: method as 'GET',
    body: body ?? null,
    headers: {
      ...(accept === undefined ? {} : { accept }),
      ...(body === undefined ? {} : { 'content-type': protobuf }),
      ...options.headers,
    },
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    bytes: Buffer.from(await answer.body.arrayBuffer()),
    type: answer.headers['content-type'],
  };
}

const configMap = (name: string, fields: Partial<KubeObject> = {}): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, labels: { of: name } },
  ...fields,
});

function registryOf(harness: Harness, plural: string): FakeRegistry {
  const found = harness.table.registries.find(({ definition }) => definition.plural === plural);
  if (found === undefined) throw new Error(`no ${plural}`);
  return found;
}

/** Of an envelope what it says it holds, and its message. */
function opened(sent: Buffer) {
  const unknown = sent.subarray(4);
  const typeMeta = part(unknown, 1);
  return {
    prefix: sent.subarray(0, 4).toString('latin1'),
    apiVersion: part(typeMeta, 1).toString(),
    kind: part(typeMeta, 2).toString(),
    raw: part(unknown, 2),
  };
}

const objectIn = (sent: Buffer) => decodeStoredProtobuf(sent) as KubeObject;

t.test('an object goes in and comes out in protobuf, and in JSON for who takes nothing else', async (t) => {
  const harness = await start(t);
  const body = envelope('v1', 'ConfigMap', [
    ...bytes(1, bytes(1, 'a')),
    ...bytes(2, [...bytes(1, 'k'), ...bytes(2, 'v')]),
  ]);
  const made = await ask(harness, collection, goClient, { method: 'POST', body });
  t.equal(made.status, 201);
  t.equal(made.type, protobuf);
  t.equal(made.headers['content-length'], String(made.bytes.length));
  const item = registryOf(harness, 'configmaps').objects.get('default/a');
  t.match(objectIn(made.bytes), { kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' } });
  const got = await ask(harness, `${collection}/a`, goClient);
  t.ok(got.bytes.equals(protobufKind(configMaps)?.encode(item?.object ?? {}) ?? Buffer.alloc(0)));
  t.equal(objectIn(got.bytes).metadata.resourceVersion, String(item?.revision));
  for (const accept of [undefined, '*/*', 'application/json', `application/json,${protobuf}`]) {
    t.equal((await ask(harness, `${collection}/a`, accept)).type, 'application/json', accept ?? 'no Accept');
  }
  t.equal(
    (await ask(harness, `${collection}/a`, `${protobuf};q=0.5,application/yaml`)).type,
    'application/yaml',
  );
  const gone = await ask(harness, `${collection}/a`, goClient, { method: 'DELETE' });
  t.equal(gone.type, protobuf);
  t.match(objectIn(gone.bytes), {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Success',
    details: { name: 'a', kind: 'configmaps' },
  });
});

t.test('errors come in what the client takes, and in JSON for people where it takes nothing', async (t) => {
  const harness = await start(t);
  const missing = await ask(harness, `${collection}/none`, goClient);
  t.equal(missing.status, 404);
  t.equal(missing.type, protobuf);
  const { kind, raw } = opened(missing.bytes);
  t.equal(kind, 'Status');
  t.match(decodeMessage(raw, 'meta.v1.Status'), {
    metadata: {},
    status: 'Failure',
    message: 'configmaps "none" not found',
    reason: 'NotFound',
    details: { name: 'none', kind: 'configmaps' },
    code: 404,
  });
  const unknown = await ask(harness, '/api/v1/namespaces/default/widgets', goClient);
  t.equal(opened(unknown.bytes).kind, 'Status');
  t.equal((await ask(harness, collection, goClient, { method: 'OPTIONS' })).status, 405);
  const broken = await ask(harness, collection, goClient, { method: 'POST', body: Buffer.from('nonsense') });
  t.match(decodeMessage(opened(broken.bytes).raw, 'meta.v1.Status'), { code: 400, reason: 'BadRequest' });

  const yaml = await ask(harness, `${collection}/none`, 'application/yaml');
  t.equal(yaml.type, 'application/yaml');
  t.match(yaml.bytes.toString(), /^apiVersion: v1\ncode: 404\n/);
  const table = `${protobuf};as=Table;v=v1;g=meta.k8s.io`;
  for (const accept of [table, 'text/html', 'application/json;as=Table;v=v1;g=meta.k8s.io']) {
    const answer = await ask(harness, `${collection}/none`, accept);
    t.equal(answer.type, 'application/json', accept);
    const text = answer.bytes.toString();
    t.equal(text, JSON.stringify(JSON.parse(text), null, 2), accept);
  }
  const person = await ask(harness, `${collection}/none`, undefined, {
    headers: { 'user-agent': 'curl/8.5.0' },
  });
  t.match(person.bytes.toString(), '{\n  "kind": "Status"');
  const short = await ask(harness, `${collection}/none?pretty=0`, undefined, {
    headers: { 'user-agent': 'curl/8.5.0' },
  });
  t.match(short.bytes.toString(), '{"kind":"Status"');
});

t.test('lists are joined of the messages of their items, whatever their number and size', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  const check = async (count: number, bytesEach: number) => {
    registry.objects.clear();
    for (let i = 0; i < count; i++)
      registry.put(configMap(`c${i}`, { data: { filling: 'x'.repeat(bytesEach) } }));
    const answer = await ask(harness, collection, goClient);
    t.equal(answer.type, protobuf);
    t.equal(answer.headers['content-length'], String(answer.bytes.length));
    const { prefix, apiVersion, kind, raw } = opened(answer.bytes);
    t.same([prefix, apiVersion, kind], ['k8s\0', 'v1', 'ConfigMapList']);
    t.ok(answer.bytes.subarray(-4).equals(Buffer.from([0x1a, 0, 0x22, 0])), 'nothing is behind the list');
    const [metadata, ...items] = parts(raw);
    t.equal(metadata?.number, 1);
    t.match(decodeMessage(metadata?.value as Buffer, 'meta.v1.ListMeta'), {
      resourceVersion: /^\d+$/,
      continue: '',
    });
    const expected = [...registry.objects.values()].map(({ object }) =>
      opened(protobufKind(configMaps)?.encode(object) ?? Buffer.alloc(0)).raw.toString('latin1'),
    );
    t.ok(items.every(({ number }) => number === 2));
    t.same(
      items.map(({ value }) => (value as Buffer).toString('latin1')),
      expected,
      `${count} of ${bytesEach} bytes`,
    );
  };
  await check(0, 0);
  await check(1, 10);
  await check(1, responseChunkBytes);
  await check(1, responseChunkBytes * 3);
  for (let around = 0; around < 8; around++) await check(2, responseChunkBytes / 2 - 110 - around * 20);
  await check(500, 1600);
});

t.test('a long list is compressed as any, and pages say that more follows', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  for (let i = 0; i < 200; i++) registry.put(configMap(`c${i}`, { data: { filling: 'x'.repeat(1000) } }));
  const plain = await ask(harness, collection, goClient);
  const packed = await ask(harness, collection, goClient, { headers: { 'accept-encoding': 'gzip' } });
  t.ok(plain.bytes.length > gzipBytesMin);
  t.equal(packed.headers['content-encoding'], 'gzip');
  t.equal(packed.headers['vary'], 'Accept-Encoding');
  t.ok(gunzipSync(packed.bytes).equals(plain.bytes));
  const page = opened((await ask(harness, `${collection}?limit=3`, goClient)).bytes).raw;
  t.match(decodeMessage(part(page, 1), 'meta.v1.ListMeta'), { continue: 'next', remainingItemCount: 197 });
});

t.test('metadata alone, of objects and lists, in both versions', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  registry.put(configMap('a', { data: { k: 'v' } }));
  registry.put(configMap('b', { metadata: { name: 'b', namespace: 'default', uid: 'u'.repeat(300) } }));
  for (const version of ['v1', 'v1beta1']) {
    const as = (kind: string) => `${protobuf};as=${kind};v=${version};g=meta.k8s.io,application/json`;
    const one = opened((await ask(harness, `${collection}/a`, as('PartialObjectMetadata'))).bytes);
    t.same([one.apiVersion, one.kind], [`meta.k8s.io/${version}`, 'PartialObjectMetadata']);
    t.same(
      parts(one.raw).map(({ number }) => number),
      [1],
      'nothing but metadata',
    );
    t.match(decodeMessage(part(one.raw, 1), 'meta.v1.ObjectMeta'), { name: 'a', labels: { of: 'a' } });
    const list = opened((await ask(harness, collection, as('PartialObjectMetadataList'))).bytes);
    t.same([list.apiVersion, list.kind], [`meta.k8s.io/${version}`, 'PartialObjectMetadataList']);
    const [metadata, items] = version === 'v1' ? [1, 2] : [2, 1];
    t.match(decodeMessage(part(list.raw, metadata), 'meta.v1.ListMeta'), { resourceVersion: /^\d+$/ });
    const names = parts(list.raw)
      .filter(({ number }) => number === items)
      .map(({ value }) => decodeMessage(part(value as Buffer, 1), 'meta.v1.ObjectMeta')['name']);
    t.same(names, ['a', 'b']);
    const numbers = parts(list.raw).map(({ number }) => number);
    t.same(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'fields stand in order',
    );
  }
  const wrong = await ask(harness, collection, `${protobuf};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`);
  t.equal(wrong.status, 406);
  t.equal(
    (JSON.parse(wrong.bytes.toString()) as { message: string }).message,
    'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
  );
});

t.test('a Table is JSON: protobuf is passed over, or refused', async (t) => {
  const harness = await start(t);
  registryOf(harness, 'configmaps').put(configMap('a'));
  const as = (type: string) => `application/${type};as=Table;v=v1;g=meta.k8s.io`;
  const table = await ask(harness, collection, `${as('vnd.kubernetes.protobuf')},${as('json')}`);
  t.equal((JSON.parse(table.bytes.toString()) as KubeObject).kind, 'Table');
  const none = await ask(harness, collection, as('vnd.kubernetes.protobuf'));
  t.equal(none.status, 406);
  t.match(JSON.parse(none.bytes.toString()), {
    message: `only the following media types are accepted: application/json, application/yaml, ${protobuf}`,
  });
});

/** Events in the frames of a stream. */
function framesOf(stream: Buffer): { readonly type: string; readonly object: Buffer }[] {
  const events = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt32BE(at);
    const event = stream.subarray(at + 4, at + 4 + length);
    events.push({ type: part(event, 1).toString(), object: part(part(event, 2), 1) });
    at += 4 + length;
  }
  return events;
}

async function eventually(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (test()) return;
    await sleep(10);
  }
  throw new Error(`never: ${what}`);
}

/** A watch and what it has got so far. */
async function watch(harness: Harness, query: string, accept: string) {
  const { statusCode, headers, body } = await request(`${harness.plain}${collection}?watch=true&${query}`, {
    headers: { accept },
  });
  let got = Buffer.alloc(0);
  body.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
  body.on('error', () => undefined);
  return { statusCode, headers, body, events: () => framesOf(got) };
}

t.test('a watch sends frames of a length and an event', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  registry.put(configMap('a'));
  const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const { statusCode, headers, body, events } = await watch(harness, query, goClient);
  t.equal(statusCode, 200);
  t.equal(headers['content-type'], `${protobuf};stream=watch`);
  await eventually('the bookmark', () => events().length === 2);
  registry.put(configMap('a', { data: { k: 'v' } }));
  await registry.delete({} as never, 'default', 'a');
  await eventually('the changes', () => events().length === 4);
  registry.expire();
  await once(body, 'end');
  const [added, bookmark, modified, deleted, error, ...rest] = events();
  t.same(rest, []);
  t.equal(added?.type, 'ADDED');
  t.match(objectIn(added?.object ?? Buffer.alloc(0)), { kind: 'ConfigMap', metadata: { name: 'a' } });
  t.equal(bookmark?.type, 'BOOKMARK');
  t.match(objectIn(bookmark?.object ?? Buffer.alloc(0)), {
    kind: 'ConfigMap',
    metadata: { name: '', annotations: { 'k8s.io/initial-events-end': 'true' }, resourceVersion: /^\d+$/ },
  });
  t.equal(modified?.type, 'MODIFIED');
  t.match(objectIn(modified?.object ?? Buffer.alloc(0)), { data: { k: 'v' } });
  t.equal(deleted?.type, 'DELETED');
  t.equal(error?.type, 'ERROR');
  t.match(objectIn(error?.object ?? Buffer.alloc(0)), { kind: 'Status', code: 410, reason: 'Expired' });
});

t.test('a watch of metadata, and of what cannot be streamed', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  registry.put(configMap('a', { data: { k: 'v' } }));
  const as = `${protobuf};as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json`;
  const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const { body, events } = await watch(harness, query, as);
  await eventually('the state', () => events().length === 2);
  body.destroy();
  for (const [i, type] of ['ADDED', 'BOOKMARK'].entries()) {
    const event = events()[i];
    const { apiVersion, kind, raw } = opened(event?.object ?? Buffer.alloc(0));
    t.same([event?.type, apiVersion, kind], [type, 'meta.k8s.io/v1', 'PartialObjectMetadata']);
    t.same(
      parts(raw).map(({ number }) => number),
      [1],
    );
  }
  const yaml = await ask(harness, `${collection}?watch=true`, 'application/yaml');
  t.match(JSON.stringify(yaml.bytes.toString()), `${protobuf};stream=watch`);
  t.equal(yaml.status, 406);
  const table = await watch(
    harness,
    'timeoutSeconds=1',
    `${protobuf};as=Table;v=v1;g=meta.k8s.io,application/json`,
  );
  t.equal(table.headers['content-type'], 'application/json');
  await once(table.body, 'end');
});

t.test('an event is encoded once for all its watchers', (t) => {
  const registry = new FakeRegistry(configMaps);
  const item = registry.put(configMap('a'));
  const frames = new WatchFrames();
  const shape: WatchShape = { media: 'protobuf', shape: 'object', version: '', includeObject: 'Metadata' };
  const frame = (shape: WatchShape) => frames.frame({ type: 'ADDED', item }, configMaps, shape, false);
  t.equal(frame(shape), frame(shape));
  const metadata: WatchShape = { ...shape, shape: 'PartialObjectMetadata', version: 'v1' };
  t.equal(frame(metadata), frame(metadata));
  const json: WatchShape = { ...shape, media: 'json' };
  t.equal(new Set([shape, metadata, json, { ...metadata, version: 'v1beta1' }].map(frame)).size, 4);
  frames.clear();
  t.end();
});

t.test('over a web socket each event is a binary message', async (t) => {
  const harness = await start(t);
  registryOf(harness, 'configmaps').put(configMap('a'));
  const url = `${harness.plain.replace('http', 'ws')}${collection}?watch=true&resourceVersion=0`;
  const open = async (accept: string) => {
    const socket = new WebSocket(url, { headers: { accept } });
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    socket.close();
    return { data, isBinary };
  };
  const { data, isBinary } = await open(goClient);
  t.ok(isBinary);
  t.equal(part(data, 1).toString(), 'ADDED', 'without a length in front');
  t.equal(objectIn(part(part(data, 2), 1)).metadata.name, 'a');
  t.notOk((await open('application/json')).isBinary);
});

t.test('custom resources are JSON, but for their metadata', async (t) => {
  const harness = await start(t);
  const widgets: ResourceDefinition = {
    ...configMaps,
    group: 'apps.example.com',
    kind: 'Deployment',
    listKind: 'DeploymentList',
    plural: 'widgets',
  };
  const registry = new FakeRegistry(widgets);
  harness.table.registries.push(registry);
  registry.put({ ...configMap('a'), apiVersion: 'apps.example.com/v1', kind: 'Deployment' });
  const path = '/apis/apps.example.com/v1/namespaces/default/widgets';
  for (const each of [path, `${path}/a`]) {
    t.equal((await ask(harness, each, goClient)).type, 'application/json');
    t.equal((await ask(harness, each, protobuf)).status, 406);
  }
  const as = (kind: string) => `${protobuf};as=${kind};v=v1;g=meta.k8s.io`;
  const one = opened((await ask(harness, `${path}/a`, as('PartialObjectMetadata'))).bytes);
  t.match(decodeMessage(part(one.raw, 1), 'meta.v1.ObjectMeta'), { name: 'a', labels: { of: 'a' } });
  const list = opened((await ask(harness, path, as('PartialObjectMetadataList'))).bytes);
  t.match(decodeMessage(part(part(list.raw, 2), 1), 'meta.v1.ObjectMeta'), { name: 'a' });
  const body = envelope('apps.example.com/v1', 'Deployment', []);
  t.equal((await ask(harness, path, 'application/json', { method: 'POST', body })).status, 400);
});

t.test('a scale and a review', async (t) => {
  const harness = await start(t);
  registryOf(harness, 'deployments').put({
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'd', namespace: 'default' },
    spec: { replicas: 0, selector: { matchLabels: { a: 'b' } } },
  });
  const scale = await ask(harness, '/apis/apps/v1/namespaces/default/deployments/d/scale', goClient);
  t.equal(scale.type, protobuf);
  t.match(objectIn(scale.bytes), {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'd' },
    spec: { replicas: 0 },
    status: { replicas: 0, selector: 'a=b' },
  });
  const review = envelope(
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
    bytes(2, bytes(2, bytes(1, '/x'))),
  );
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await ask(harness, path, goClient, { method: 'POST', body: review });
  t.equal(answer.status, 201);
  t.match(objectIn(answer.bytes), { spec: { nonResourceAttributes: { path: '/x' } } });
});

t.test('discovery, old and new', async (t) => {
  const harness = await start(t);
  const read = async (path: string, accept = protobuf) => {
    const answer = await ask(harness, path, accept);
    const { apiVersion, kind, raw } = opened(answer.bytes);
    return { ...answer, apiVersion, kind, raw };
  };
  const rows = [
    ['/api', '', 'APIVersions', { versions: ['v1'] }],
    ['/apis', 'v1', 'APIGroupList', { groups: [{ name: 'apps', preferredVersion: { version: 'v1' } }] }],
    ['/apis/apps', 'v1', 'APIGroup', { name: 'apps' }],
    [
      '/api/v1',
      '',
      'APIResourceList',
      { groupVersion: 'v1', resources: [{ name: 'configmaps', namespaced: true }] },
    ],
    ['/apis/apps/v1', 'v1', 'APIResourceList', { groupVersion: 'apps/v1' }],
  ] as const;
  for (const [path, apiVersion, kind, content] of rows) {
    const answer = await read(path);
    t.same([answer.type, answer.apiVersion, answer.kind], [protobuf, apiVersion, kind], path);
    t.match(decodeMessage(answer.raw, `meta.v1.${kind}`), content, path);
    t.equal((await ask(harness, path, 'application/yaml')).type, 'application/yaml');
  }
  const as = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const all = await read('/apis', `${protobuf}${as},application/json`);
  t.same([all.type, all.apiVersion], [`${protobuf}${as}`, 'apidiscovery.k8s.io/v2']);
  t.equal(all.headers['cache-control'], 'public');
  t.match(decodeMessage(all.raw, 'apidiscovery.v2.APIGroupDiscoveryList'), {
    items: [
      { metadata: { name: 'apps' }, versions: [{ version: 'v1', resources: [{ resource: 'deployments' }] }] },
    ],
  });
  const json = await ask(harness, '/apis', `application/json,application/json${as}`);
  t.equal(json.type, `application/json${as}`, 'wherever it stands in the header');
});

t.test('an object that somebody stored with a field of another type', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  registry.put(configMap('odd', { data: { k: 5 } }));
  t.equal((await ask(harness, `${collection}/odd`, 'application/json')).status, 200);
  const refused = await ask(harness, `${collection}/odd`, goClient);
  t.equal(refused.status, 500);
  t.match(objectIn(refused.bytes), { kind: 'Status', reason: 'InternalError' });
  t.equal((await ask(harness, collection, goClient)).status, 500);
  const { body, events } = await watch(harness, 'resourceVersion=0', goClient);
  await once(body, 'end');
  t.same(
    events().map(({ type }) => type),
    ['ERROR'],
    'ends the watch and nothing else',
  );
  t.equal((await ask(harness, '/healthz', undefined)).status, 200);
});

/** With a method of any name. */
const byMethod = (harness: Harness, method: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const asked = plainRequest(harness.plain + path, { method }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });

t.test('HEAD has the headers of GET; methods that nobody knows are not allowed', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  for (let i = 0; i < 200; i++) registry.put(configMap(`c${i}`, { data: { filling: 'x'.repeat(1000) } }));
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const rows: readonly [path: string, accept: string, headers?: Record<string, string>][] = [
    [`${collection}/c1`, goClient],
    [`${collection}/c1`, 'application/yaml'],
    [`${collection}/c1`, table],
    [`${collection}/none`, goClient],
    [collection, goClient],
    [collection, goClient, { 'accept-encoding': 'gzip' }],
    [collection, 'application/json', { 'accept-encoding': 'gzip' }],
    [`${collection}?limit=2`, table],
    ['/apis', 'application/json'],
    ['/version', 'application/json'],
    ['/openapi/v3', 'application/json'],
  ];
  for (const [path, accept, headers = {}] of rows) {
    const get = await ask(harness, path, accept, { headers });
    const head = await ask(harness, path, accept, { method: 'HEAD', headers });
    t.equal(head.status, get.status, path);
    t.equal(head.bytes.length, 0);
    for (const name of [
      'content-type',
      'content-length',
      'content-encoding',
      'vary',
      'cache-control',
      'etag',
    ]) {
      t.equal(head.headers[name], get.headers[name], `${path} ${accept}: ${name}`);
    }
  }
  const watched = await ask(harness, `${collection}?watch=true`, goClient, { method: 'HEAD' });
  t.same([watched.status, watched.type], [200, `${protobuf};stream=watch`]);
  for (const method of ['OPTIONS', 'PROPFIND', 'TRACE']) {
    t.equal(await byMethod(harness, method, `${collection}/c1`), 405, method);
  }
});

t.test('nothing small is compressed, also where its size is not known before', async (t) => {
  const harness = await start(t);
  const registry = registryOf(harness, 'configmaps');
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const gzip = { 'accept-encoding': 'gzip' };
  registry.put(configMap('a'));
  const small = await ask(harness, collection, table, { headers: gzip });
  t.equal(small.headers['content-encoding'], undefined);
  t.equal(small.headers['content-length'], String(small.bytes.length));
  for (let i = 0; i < 1000; i++) registry.put(configMap(`c${i}`));
  const plain = await ask(harness, collection, table);
  const large = await ask(harness, collection, table, { headers: gzip });
  t.ok(plain.bytes.length > gzipBytesMin);
  t.equal(large.headers['content-encoding'], 'gzip');
  const rows = (bytes: Buffer) => (JSON.parse(bytes.toString()) as { rows: unknown[] }).rows.length;
  t.equal(rows(gunzipSync(large.bytes)), rows(plain.bytes));
});
