/** Requests and answers over real sockets: routes, media types, representations, discovery, health. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { request } from 'undici';
import { parse } from 'yaml';
import { allowAll } from '../../apiserver/auth/authorize.js';
import type { KubeObject } from '../../schemas/definition.js';
import { gzipBytesMin, responseChunkBytes } from '../../apiserver/http/limits.js';
import { builtinResources } from '../../schemas/index.js';
import { FakeTable } from './http-fake.js';
import { type Harness, start } from './http-harness.js';
import { differences } from '../tools/transcript.js';

const collection = '/api/v1/namespaces/default/configmaps';
const notFound = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'the server could not find the requested resource',
  reason: 'NotFound',
  details: {},
  code: 404,
};
const notAllowed = {
  ...notFound,
  message: 'the server does not allow this method on the requested resource',
  reason: 'MethodNotAllowed',
  code: 405,
};

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

async function ask(
  harness: Harness,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  const answer = await request(harness.plain + path, {
    method: method as 'GET',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const text = bytes.toString();
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: answer.statusCode, headers: answer.headers, bytes, text, json };
}

const jsonBody = (value: unknown): Asked => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const configMap = (name: string, fields: Partial<KubeObject> = {}): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, namespace: 'default', uid: 'u-1' },
  ...fields,
});

function fill(harness: Harness, count: number, bytesEach: number): void {
  const filling = 'x'.repeat(bytesEach);
  const registry = harness.table.find('', 'v1', 'configmaps');
  for (let i = 0; i < count; i++) registry?.put(configMap(`c${i}`, { data: { filling } }));
}

t.test('create, get, update, patch and delete go to the registry and come back', async (t) => {
  const harness = await start(t);
  const registry = harness.table.find('', 'v1', 'configmaps');
  const created = await ask(
    harness,
    `${collection}?dryRun=&fieldManager=me`,
    jsonBody({ metadata: { name: 'a' }, data: { k: 'v' } }),
  );
  t.equal(created.status, 422, 'an empty dryRun is none that is supported');
  const made = await ask(
    harness,
    `${collection}?fieldManager=me`,
    jsonBody({ metadata: { name: 'a' }, data: { k: 'v' } }),
  );
  t.equal(made.status, 201);
  t.match(made.json, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a', namespace: 'default' },
    data: { k: 'v' },
  });
  t.match(registry?.written, { fieldManager: 'me', dryRun: false });
  t.equal(made.headers['content-type'], 'application/json');
  t.equal(made.headers['cache-control'], 'no-cache, private');

  t.same((await ask(harness, `${collection}/a`)).json, made.json);
  const put = await ask(harness, `${collection}/a`, {
    ...jsonBody({ metadata: { name: 'a' }, data: { k: 'w' } }),
    method: 'PUT',
  });
  t.equal(put.status, 200);
  t.match(put.json['data'], { k: 'w' });

  const patches: readonly [string, unknown][] = [
    ['application/merge-patch+json', { data: { m: '1' } }],
    ['application/strategic-merge-patch+json; charset=utf-8', { data: { s: '1' } }],
    ['application/json-patch+json', [{ op: 'add', path: '/data/j', value: '1' }]],
  ];
  for (const [type, patch] of patches) {
    const patched = await ask(harness, `${collection}/a`, {
      method: 'PATCH',
      headers: { 'content-type': type },
      body: JSON.stringify(patch),
    });
    t.equal(patched.status, 200, type);
  }
  t.same((await ask(harness, `${collection}/a`)).json['data'], { j: '1', k: 'w', m: '1', s: '1' });

  const removed = await ask(harness, `${collection}/a?gracePeriodSeconds=3`, { method: 'DELETE' });
  t.equal(removed.status, 200);
  t.match(removed.json, { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps' } });
  t.notOk('code' in removed.json, 'as upstream');
  t.match(registry?.deleted, { gracePeriodSeconds: 3 });
  t.equal((await ask(harness, `${collection}/a`)).status, 404);
});

t.test(
  'an object that waits for its finalizers comes back as it is; 202 only where dependents are asked for',
  async (t) => {
    const harness = await start(t);
    const registry = harness.table.find('', 'v1', 'configmaps');
    const waiting = configMap('f');
    registry?.put({ ...waiting, metadata: { ...waiting.metadata, finalizers: ['example.com/x'] } });
    const remove = (body?: unknown) =>
      ask(
        harness,
        `${collection}/f`,
        body === undefined ? { method: 'DELETE' } : { ...jsonBody(body), method: 'DELETE' },
      );
    t.match(await remove(), { status: 200, json: { kind: 'ConfigMap' } });
    t.equal((await remove({ orphanDependents: false })).status, 202);
    t.match(registry?.deleted, { orphanDependents: false });
    t.equal(
      (await remove({ kind: 'DeleteOptions', apiVersion: 'apps/v1', preconditions: { uid: 'u-1' } })).status,
      200,
    );
    t.match(registry?.deleted, { preconditions: { uid: 'u-1' } });
    const bad = await ask(harness, collection, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: '{bad',
    });
    t.equal(bad.status, 400);
    t.equal(
      bad.json['message'],
      `couldn't get version/kind; json parse error: invalid character 'b' looking for beginning of object key string`,
    );
    const orphaned = await remove({ propagationPolicy: 'Orphan', orphanDependents: true });
    t.equal(orphaned.status, 422);
  },
);

t.test('deletecollection answers with the list of what it was about', async (t) => {
  const harness = await start(t);
  fill(harness, 3, 1);
  const answer = await ask(harness, `${collection}?fieldSelector=metadata.name%3Dc1`, { method: 'DELETE' });
  t.match(answer.json, { kind: 'ConfigMapList', items: [{ metadata: { name: 'c1' } }] });
  t.equal(harness.table.find('', 'v1', 'configmaps')?.objects.size, 2);
});

t.test('paths and methods that do not exist are 404 and 405 as in Kubernetes', async (t) => {
  const harness = await start(t);
  const rows: readonly [string, string, object | string][] = [
    ['DELETE', '/api/v1/namespaces/demo/widgets/x', notFound],
    ['GET', '/api/v2', notFound],
    ['GET', '/api/v2/configmaps', notFound],
    ['GET', '/apis/apps/v9', notFound],
    ['GET', '/apis/apps/v9/deployments', notFound],
    ['GET', '/api/v1/configmaps/x', notFound],
    ['GET', '/api/v1/namespaces/a/namespaces', notFound],
    ['GET', `${collection}/x/nosuch`, notFound],
    ['GET', `${collection}/x/status/more`, notFound],
    ['POST', '/api/v1/configmaps', notAllowed],
    ['DELETE', '/api/v1/configmaps', notAllowed],
    ['PUT', collection, notAllowed],
    ['POST', `${collection}/x`, notAllowed],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', notAllowed],
    ['DELETE', '/api/v1/namespaces', notAllowed],
    ['DELETE', '/api/v1/namespaces/a/status', notAllowed],
    ['OPTIONS', collection, notAllowed],
    ['POST', '/version', notAllowed],
    ['GET', '/nothing', '404 page not found\n'],
    ['GET', '/apis/unknown.example/v1/things', '404 page not found\n'],
    ['GET', '/apis/unknown.example', '404 page not found\n'],
    ['GET', '/version/more', '404 page not found\n'],
  ];
  for (const [method, path, expected] of rows) {
    const answer = await ask(harness, path, { method });
    if (typeof expected === 'string') t.equal(answer.text, expected, `${method} ${path}`);
    else t.same(answer.json, expected, `${method} ${path}`);
    t.equal(answer.status, typeof expected === 'string' ? 404 : (expected as { code: number }).code);
  }
});

t.test('what a body may be, and what an answer can be', async (t) => {
  const harness = await start(t);
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yam\ndata:\n  k: v\n';
  const created = await ask(harness, collection, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml' },
    body: yaml,
  });
  t.equal(created.status, 201);
  const patched = await ask(harness, `${collection}/yam`, { ...jsonBody({}), method: 'PATCH' });
  t.match(patched.json, {
    message: '415: Unsupported Media Type',
    reason: 'UnsupportedMediaType',
    details: {},
    code: 415,
  });
  const asYaml = await ask(harness, `${collection}/yam`, { headers: { accept: 'application/yaml' } });
  t.equal(asYaml.headers['content-type'], 'application/yaml');
  t.match(parse(asYaml.text), { kind: 'ConfigMap', data: { k: 'v' } });
  const listYaml = await ask(harness, collection, { headers: { accept: 'application/yaml' } });
  t.match(parse(listYaml.text), {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    items: [{ metadata: { name: 'yam' } }],
  });
  const none = await ask(harness, `${collection}/yam`, { headers: { accept: 'text/html' } });
  t.equal(none.status, 406);
  const refused = await ask(harness, collection, {
    ...jsonBody({ metadata: { name: 'z' } }),
    headers: { accept: 'text/html', 'content-type': 'application/json' },
  });
  t.equal(refused.status, 406);
  t.notOk(harness.table.find('', 'v1', 'configmaps')?.objects.has('default/z'), '406 comes before the write');
  const gone = await ask(harness, `${collection}/yam?pretty=true`);
  t.equal(gone.text, JSON.stringify(gone.json, null, 2));
  const curl = await ask(harness, collection, { headers: { 'user-agent': 'curl/8.0' } });
  t.equal(curl.text, JSON.stringify(curl.json, null, 2), 'a person reads');
  t.equal(
    (await ask(harness, `${collection}?pretty=false`, { headers: { 'user-agent': 'curl/8.0' } })).text,
    `${JSON.stringify(curl.json)}\n`,
    'with the newline',
  );
  const escaped = await ask(harness, `${collection}?pr%65tty=1`);
  t.equal(escaped.text, JSON.stringify(escaped.json, null, 2));
});

t.test("JSON ends with a newline, as Go's encoder leaves it, unless it was marshalled before", async (t) => {
  const harness = await start(t);
  await ask(harness, collection, jsonBody({ metadata: { name: 'n' } }));
  const as = 'application/json;as=';
  const rows: [path: string, accept: string, end: string][] = [
    [`${collection}/n`, 'application/json', '\n'],
    [`${collection}/absent`, 'application/json', '\n'],
    [collection, 'application/json', '\n'],
    [collection, `${as}Table;g=meta.k8s.io;v=v1`, '\n'],
    [`${collection}/n`, `${as}Table;g=meta.k8s.io;v=v1`, '\n'],
    [collection, `${as}PartialObjectMetadataList;g=meta.k8s.io;v=v1`, '\n'],
    [`${collection}/n`, `${as}PartialObjectMetadata;g=meta.k8s.io;v=v1`, '\n'],
    ['/api/v1', 'application/json', '\n'],
    ['/apis', `${as}APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2`, '\n'],
    ['/openapi/v3', 'application/json', ''],
  ];
  for (const [path, accept, end] of rows) {
    const answer = await ask(harness, path, { headers: { accept } });
    t.equal(answer.text, `${JSON.stringify(answer.json)}${end}`, `${path} ${accept}`);
    t.equal(Number(answer.headers['content-length']), answer.bytes.length);
  }
  const removed = await ask(harness, `${collection}/n`, { method: 'DELETE' });
  t.equal(removed.text, `${JSON.stringify(removed.json)}\n`, 'a Status of success');
});

t.test('unknown fields: refused, warned of or ignored (fieldValidation)', async (t) => {
  const harness = await start(t);
  const body = { metadata: { name: 'w' }, wrong: 1, 'qu"oté\n': 2 };
  const strict = await ask(
    harness,
    `${collection}?fieldValidation=Strict`,
    jsonBody({ metadata: { name: 's' }, wrong: 1 }),
  );
  t.equal(strict.status, 400);
  t.equal(
    strict.json['message'],
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "wrong"',
  );
  const warned = await ask(harness, collection, jsonBody(body));
  t.equal(warned.status, 201);
  const warnings = [warned.headers['warning']].flat().join('\n');
  t.match(warnings, '299 - "unknown field \\"wrong\\""');
  t.notMatch(warnings, /\n(?!299)/, 'no header is broken');
  t.equal((await ask(harness, `${collection}/w`, { ...jsonBody(body), method: 'PUT' })).status, 200);
  const ignored = await ask(harness, `${collection}/w?fieldValidation=Ignore`, {
    ...jsonBody(body),
    method: 'PUT',
  });
  t.equal(ignored.headers['warning'], undefined);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${'unknown'.repeat(50)}${i}`, i]));
  const bounded = await ask(harness, `${collection}/w`, {
    ...jsonBody({ metadata: { name: 'w' }, ...many }),
    method: 'PUT',
  });
  t.equal(bounded.status, 200);
  t.ok([bounded.headers['warning']].flat().join('').length < 8000, 'warnings are bounded');
});

t.test('unknown fields: as many as a body has room for do not overflow the stack', async (t) => {
  const harness = await start(t);
  const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`u${i}`, 1]));
  const put = jsonBody({ metadata: { name: 'w' }, ...many });
  t.equal((await ask(harness, collection, put)).status, 201);
  const patch = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } };
  t.equal((await ask(harness, `${collection}/w`, { ...patch, body: JSON.stringify(many) })).status, 200);
});

t.test('the object in a body must be the one that the path names', async (t) => {
  const harness = await start(t);
  fill(harness, 1, 1);
  const put = async (metadata: object) =>
    (await ask(harness, `${collection}/c0`, { ...jsonBody({ metadata }), method: 'PUT' })).json['message'];
  t.equal(
    await put({ name: 'other' }),
    'the name of the object (other) does not match the name on the URL (c0)',
  );
  t.equal(
    await put({}),
    'the name of the object (c0 based on URL) was undeterminable: name must be provided',
  );
  t.equal(
    await put({ name: 'c0', namespace: 'other' }),
    'the namespace of the provided object does not match the namespace sent on the request',
  );
});

t.test('lists: joined from buffers, whatever their number and size', async (t) => {
  const harness = await start(t);
  const registry = harness.table.find('', 'v1', 'configmaps');
  const check = async (count: number, bytesEach: number) => {
    registry?.objects.clear();
    fill(harness, count, bytesEach);
    const answer = await ask(harness, collection);
    const items = answer.json['items'] as KubeObject[];
    t.match(answer.json, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: /^\d+$/ } });
    t.equal(Number(answer.headers['content-length']), answer.bytes.length);
    const expected = [...(registry?.objects.values() ?? [])].map(({ object }) => {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
      return rest;
    });
    t.same(items, expected, `${count} objects of ${bytesEach} bytes`);
  };
  await check(0, 0);
  await check(1, 10);
  await check(1, responseChunkBytes);
  await check(1, responseChunkBytes * 3);
  await check(3, responseChunkBytes - 200);
  for (let around = 0; around < 8; around++) await check(2, responseChunkBytes / 2 - 120 - around * 20);
  await check(500, 1600);
});

t.test('pages carry continue and remainingItemCount', async (t) => {
  const harness = await start(t);
  fill(harness, 5, 1);
  const { json } = await ask(harness, `${collection}?limit=2`);
  t.match(json['metadata'], { continue: 'next', remainingItemCount: 3 });
});

t.test('a large answer is compressed where the client takes gzip, in pieces', async (t) => {
  const harness = await start(t);
  fill(harness, 300, 1600);
  const plain = await ask(harness, collection);
  t.ok(plain.bytes.length > gzipBytesMin);
  t.equal(plain.headers['content-encoding'], undefined);
  for (const encoding of ['gzip', 'deflate, gzip;q=0.5']) {
    const packed = await ask(harness, collection, { headers: { 'accept-encoding': encoding } });
    t.equal(packed.headers['content-encoding'], 'gzip');
    t.ok(gunzipSync(packed.bytes).equals(plain.bytes));
  }
  const refused = await ask(harness, collection, { headers: { 'accept-encoding': 'gzip;q=0' } });
  t.equal(refused.headers['content-encoding'], undefined);
  const small = await ask(harness, `${collection}/c1`, { headers: { 'accept-encoding': 'gzip' } });
  t.equal(small.headers['content-encoding'], undefined);
});

t.test('Table and PartialObjectMetadata, of one object and of many', async (t) => {
  const harness = await start(t);
  fill(harness, 2, 3);
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
  const one = await ask(harness, `${collection}/c0`, { headers: table });
  t.match(one.json, {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: /^\d+$/ },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', priority: 0 },
      { name: 'Data' },
      { name: 'Age' },
    ],
    rows: [
      {
        cells: ['c0', 1],
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'c0' } },
      },
    ],
  });
  const rows = async (include: string) =>
    (await ask(harness, `${collection}?includeObject=${include}`, { headers: table })).json['rows'];
  t.match(await rows('Object'), [
    { object: { kind: 'ConfigMap', data: {} } },
    { object: { metadata: { name: 'c1' } } },
  ]);
  t.match(await rows('None'), [{ object: null }, { object: null }]);
  const wrong = await ask(harness, `${collection}?includeObject=Weird`, { headers: table });
  t.equal(wrong.status, 400);
  t.equal(
    wrong.json['message'],
    `Unable to convert to Table as requested: includeObject: Invalid value: "Weird": must be 'Metadata', 'Object', 'None', or empty`,
  );
  const missing = await ask(harness, `${collection}/none`, { headers: table });
  t.equal(missing.json['kind'], 'Status', 'errors are no tables');
  const metadata = await ask(harness, collection, {
    headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
  });
  t.match(metadata.json, {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'c0' } }, {}],
  });
  const mismatch = await ask(harness, collection, {
    headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
  });
  t.equal(mismatch.status, 406);
});

t.test('HEAD is GET without the body', async (t) => {
  const harness = await start(t);
  fill(harness, 1, 10);
  for (const path of [`${collection}/c0`, collection, '/version', '/healthz', '/api']) {
    const get = await ask(harness, path);
    const head = await ask(harness, path, { method: 'HEAD' });
    t.equal(head.status, 200, path);
    t.equal(head.headers['content-length'], String(get.bytes.length), path);
    t.equal(head.bytes.length, 0);
  }
});

t.test('HTTP/2 gives the same answers, and takes bodies', async (t) => {
  const harness = await start(t);
  const session = harness.http2();
  const over = (headers: Record<string, string>, body?: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const stream = session.request(headers);
      let status = 0;
      let text = '';
      stream.on('response', (answer) => (status = Number(answer[':status'])));
      stream.on('data', (chunk) => (text += String(chunk)));
      stream.on('end', () => resolve({ status, text }));
      stream.on('error', reject);
      stream.end(body);
    });
  const made = await over(
    { ':method': 'POST', ':path': collection, 'content-type': 'application/json' },
    JSON.stringify({ metadata: { name: 'h2' } }),
  );
  t.equal(made.status, 201);
  t.equal((await over({ ':path': `${collection}/h2` })).text, made.text);
  // As `kubectl create --raw` sends it: neither a media type nor a length.
  const untyped = { ':method': 'POST', ':path': collection };
  t.equal((await over(untyped, JSON.stringify({ metadata: { name: 'untyped' } }))).status, 201);
  t.equal((await over({ ':method': 'HEAD', ':path': `${collection}/h2` })).text, '');
  t.equal((await over({ ':method': 'DELETE', ':path': `${collection}/h2` })).status, 200);
  t.equal((await over({ ':path': '/nothing' })).text, '404 page not found\n');
});

t.test('HTTP/2: a client that still sends its body gets the answer that needs none of it', async (t) => {
  const harness = await start(t);
  const session = harness.http2();
  const body = Buffer.alloc(100_000, 'x');
  /** '' where the stream ends without an answer. */
  const statusOf = (headers: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const stream = session.request(headers, { endStream: false });
      let status = '';
      stream.on('response', (answer) => (status = String(answer[':status'])));
      stream.on('close', () => resolve(status));
      // Node's client does not close a stream that was reset while it writes.
      stream.on('end', () => setImmediate(() => status === '' && resolve('')));
      stream.on('error', () => resolve(''));
      stream.resume();
      stream.end(body);
    });
  for (const [what, headers, status] of [
    ['refused for its options', { ':method': 'PATCH', ':path': `${collection}/a?timeout=x` }, '400'],
    ['refused for its host', { ':method': 'POST', ':path': collection, ':authority': 'example.com' }, '403'],
    ['answered, though a GET has no body', { ':method': 'GET', ':path': '/version' }, '200'],
  ] as const) {
    const statuses = new Set<string>();
    // A few at a time: Node's client holds 10 MB of a session's bodies at most.
    for (let round = 0; round < 20; round++) {
      const some = Array.from({ length: 12 }, () =>
        statusOf({ 'content-type': 'application/json', ...headers }),
      );
      for (const each of await Promise.all(some)) statuses.add(each);
    }
    t.same(statuses, new Set([status]), what);
  }
  t.notOk(session.destroyed, 'and the connection is still good');
});

t.test('discovery lists what is served, in both forms', async (t) => {
  const harness = await start(t);
  t.match((await ask(harness, '/api')).json, { kind: 'APIVersions', versions: ['v1'] });
  t.match((await ask(harness, '/apis/')).json, {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [{ name: 'apps' }],
  });
  t.match((await ask(harness, '/apis/apps')).json, {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'apps',
    preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
  });
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const aggregated = await ask(harness, '/apis', { headers: { accept } });
  t.equal(
    aggregated.headers['content-type'],
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  );
  t.match(aggregated.json, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
  const etag = String(aggregated.headers['etag']);
  const again = await ask(harness, '/apis', { headers: { accept, 'if-none-match': etag } });
  t.equal(again.status, 304);
  t.equal(again.bytes.length, 0);
  harness.table.registries.pop();
  for (const listener of harness.table.listeners) listener();
  const changed = await ask(harness, '/apis', { headers: { accept, 'if-none-match': etag } });
  t.equal(changed.status, 200, 'made again when resources change');
});

const facts = fileURLToPath(new URL('../../../../shared/facts/kubernetes-1.36/', import.meta.url));
const skip = existsSync(facts) ? false : 'the recorded facts are not beside this checkout';

type Facts = Record<string, unknown>;
const read = (file: string) => JSON.parse(readFileSync(`${facts}${file}.json`, 'utf8')) as Facts;

t.test(
  'legacy-discovery.json: groups, versions, resources and all that is said of them',
  { skip },
  async (t) => {
    const harness = await start(t, { registries: { table: new FakeTable(builtinResources) } });
    const expected = read('legacy-discovery');
    const ours: Facts = {};
    let compared = 0;
    for (const [path, document] of Object.entries(expected)) {
      ours[path] = (await ask(harness, path)).json;
      compared += (document as { resources?: unknown[] }).resources?.length ?? 0;
    }
    // Its values are the server's own; the address is the one that was asked.
    const fields = (version: unknown) => Object.keys(version as object).sort();
    t.same(fields(ours['/version']), fields(expected['/version']));
    delete ours['/version'];
    delete expected['/version'];
    const api = (value: Facts) =>
      value['/api'] as { serverAddressByClientCIDRs: { serverAddress: string }[] };
    for (const value of [ours, expected]) {
      for (const each of api(value).serverAddressByClientCIDRs) each.serverAddress = '<address>';
    }
    t.same(differences(expected, ours), [], `${compared} resources and subresources, in order`);
    t.end();
  },
);

t.test('aggregated-api.json, aggregated-apis.json: the same in one document each', { skip }, async (t) => {
  const harness = await start(t, { registries: { table: new FakeTable(builtinResources) } });
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  for (const [path, file] of [
    ['/api', 'aggregated-api'],
    ['/apis', 'aggregated-apis'],
  ] as const) {
    const expected = read(file);
    const ours = (await ask(harness, path, { headers: { accept } })).json;
    t.same(differences(expected, ours), [], path);
  }
  t.end();
});

t.test('a storage version hash is made of what objects are stored as', async (t) => {
  const harness = await start(t);
  const { json } = await ask(harness, '/apis/coordination.k8s.io/v1');
  const { resources } = json as { resources: { storageVersionHash: string }[] };
  const hash = createHash('sha256')
    .update('coordination.k8s.io/v1/Lease')
    .digest()
    .subarray(0, 8)
    .toString('base64');
  t.equal(resources[0]?.storageVersionHash, hash);
});

t.test('health: all checks, one, without one, and failing', async (t) => {
  let failing: Error | undefined;
  const harness = await start(t, {
    checks: [
      {
        name: 'poststarthook/mine',
        check: () => (failing === undefined ? undefined : Promise.reject(failing)),
      },
    ],
  });
  for (const endpoint of ['healthz', 'livez', 'readyz'])
    t.match(await ask(harness, `/${endpoint}`), { status: 200, text: 'ok' });
  t.equal(
    (await ask(harness, '/livez?verbose')).text,
    '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]poststarthook/mine ok\nlivez check passed\n',
  );
  t.match(await ask(harness, '/readyz/ping'), { status: 200, text: 'ok' });
  t.match(await ask(harness, '/healthz/etcd'), { status: 200, text: 'ok' });
  t.match(await ask(harness, '/readyz/poststarthook/mine'), { status: 200, text: 'ok' });
  t.match(await ask(harness, '/readyz/nope'), { status: 404, text: '404 page not found\n' });
  failing = new Error('a secret');
  const failed = await ask(harness, '/readyz');
  t.equal(failed.status, 500);
  t.match(failed.text, '[-]poststarthook/mine failed: reason withheld\n');
  t.match(failed.text, /readyz check failed\n$/);
  t.notMatch(failed.text, 'secret');
  t.ok(
    harness.log.some(({ check }) => check === 'poststarthook/mine'),
    'the log says why',
  );
  t.equal((await ask(harness, '/readyz/poststarthook/mine')).status, 500);
  t.equal((await ask(harness, '/readyz?exclude=poststarthook/mine')).status, 200);
});

t.test('version, the list of paths, and OpenAPI', async (t) => {
  const harness = await start(t);
  const version = (await ask(harness, '/version')).json;
  t.match(version, { major: '1', minor: '36', gitVersion: 'v1.36.2+wherry-0.0.0-test' });
  const { paths } = (await ask(harness, '/')).json as { paths: string[] };
  for (const path of paths) t.equal((await ask(harness, path)).status, 200, path);
  t.ok(paths.includes('/apis/apps/v1') && paths.includes('/healthz/etcd') && paths.includes('/openapi/v2'));
  const v3 = (await ask(harness, '/openapi/v3')).json as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = v3.paths['api/v1']?.serverRelativeURL ?? '';
  const document = await ask(harness, url);
  t.match(document.json, { openapi: /^3\./ });
  const again = await ask(harness, url, { headers: { 'if-none-match': String(document.headers['etag']) } });
  t.equal(again.status, 304);
  t.equal(document.headers['cache-control'], 'public, immutable', 'kube-openapi: kept for ever by its hash');
  const year = Date.parse(String(document.headers['expires'])) - Date.now();
  t.ok(year > 364 * 86_400_000 && year <= 366 * 86_400_000, 'expires a year from now');
  t.equal(document.headers['etag'], `"${url.split('hash=')[1]}"`);
  const unnamed = await ask(harness, '/openapi/v3/api/v1');
  t.equal(unnamed.headers['cache-control'], 'no-cache, private');
  t.equal(unnamed.headers['expires'], undefined);
  const stale = await ask(harness, '/openapi/v3/api/v1?hash=00');
  t.match(stale, { status: 301, text: '' });
  t.match(stale.headers, { location: url, etag: document.headers['etag'], vary: 'Accept' });
  t.equal((await ask(harness, '/openapi/v3/api/v9')).status, 404);
  const v2 = (accept: string) => ask(harness, '/openapi/v2', { headers: { accept } });
  const protobuf = 'application/com.github.proto-openapi.spec.v2';
  for (const mark of ['@', '.']) {
    const { status, headers } = await v2(`text/plain, ${protobuf}${mark}v1.0+protobuf`);
    t.equal(status, 200);
    t.equal(headers['content-type'], `${protobuf}.v1.0+protobuf`);
  }
  t.match((await v2('*/*')).json, { swagger: '2.0' });
  t.equal((await v2('text/plain')).status, 406);
});

t.test('authorization can say no', async (t) => {
  const harness = await start(t, {
    authorizer: {
      ...allowAll,
      authorize: async (_user, { verb }) => ({ allowed: verb === 'get', reason: 'only reading' }),
    },
  });
  fill(harness, 1, 1);
  t.equal((await ask(harness, `${collection}/c0`)).status, 200);
  const refused = await ask(harness, `${collection}/c0`, { method: 'DELETE' });
  t.equal(refused.status, 403);
  t.equal(
    refused.json['message'],
    'configmaps "c0" is forbidden: User "wherry:admin" cannot delete resource "configmaps" in API group "" in the namespace "default": only reading',
  );
});

t.test('a failure of ours tells the client nothing and the log everything', async (t) => {
  const harness = await start(t);
  const registry = harness.table.find('', 'v1', 'configmaps');
  if (registry !== undefined) {
    registry.get = () => Promise.reject(new TypeError('the inside'));
  }
  const answer = await ask(harness, `${collection}/a`);
  t.equal(answer.status, 500);
  t.notMatch(answer.text, 'inside');
  t.ok(harness.log.some(({ err }) => JSON.stringify(err).includes('the inside')));
});

t.test('good requests are not logged one by one', async (t) => {
  const harness = await start(t);
  for (let i = 0; i < 50; i++) await ask(harness, '/version');
  t.ok(harness.log.length < 5, `${harness.log.length} lines`);
});
