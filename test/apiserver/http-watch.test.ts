/** Watches over HTTP/1.1, HTTP/2 and web sockets: what is sent, how they end, and that a slow reader delays nobody. */
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { request } from 'undici';
import { WebSocket } from 'ws';
import type { KubeObject } from '../../schemas/definition.js';
import type { FakeRegistry } from './http-fake.js';
import { type Harness, start } from './http-harness.js';

const collection = '/api/v1/namespaces/default/configmaps';

const configMap = (name: string, fields: Partial<KubeObject> = {}): KubeObject => ({
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name, namespace: 'default' },
  ...fields,
});

function configMaps(harness: Harness): FakeRegistry {
  const registry = harness.table.find('', 'v1', 'configmaps');
  if (registry === undefined) throw new Error('no configmaps');
  return registry;
}

interface Event {
  readonly type: string;
  readonly object: Record<string, unknown> & { readonly metadata?: Record<string, unknown> };
}

const parseLines = (text: string): Event[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);

async function eventually(what: string, test: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (test()) return;
    await sleep(10);
  }
  throw new Error(`never: ${what}`);
}

/** A watch over HTTP/2 with the text it has got so far. */
function openStream(
  session: ClientHttp2Session,
  path: string,
  headers = {},
): ClientHttp2Stream & { text: string } {
  const stream = Object.assign(session.request({ ':path': path, ...headers }), { text: '' });
  stream.on('data', (chunk) => (stream.text += String(chunk)));
  stream.on('error', () => undefined);
  return stream;
}

t.test('a watch sends the present state, then every change, as one JSON object a line', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  registry.put(configMap('a'));
  const { statusCode, headers, body } = await request(`${harness.plain}${collection}?watch=true`);
  let text = '';
  body.on('data', (chunk) => (text += String(chunk)));
  await eventually('the state', () => text.includes('"a"'));
  registry.put(configMap('b'));
  registry.put(configMap('b', { data: { k: 'v' } }));
  await registry.delete({} as never, 'default', 'a');
  await eventually('the changes', () => text.includes('DELETED'));
  t.equal(statusCode, 200);
  t.equal(headers['content-type'], 'application/json');
  t.equal(headers['transfer-encoding'], 'chunked');
  const events = parseLines(text);
  t.same(
    events.map(({ type, object }) => [type, object.metadata?.['name']]),
    [
      ['ADDED', 'a'],
      ['ADDED', 'b'],
      ['MODIFIED', 'b'],
      ['DELETED', 'a'],
    ],
  );
  t.match(events[2]?.object, { kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' } });
  body.destroy();
  await eventually('the watcher is closed', () => registry.watchers.size === 0);
});

for (const [how, leave] of [
  ['says that it sends no more', (socket: Socket) => socket.end()],
  ['is gone', (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  t.test(`watches behind each other on one connection end with a client that ${how}`, async (t) => {
    const harness = await start(t);
    const registry = configMaps(harness);
    const socket = connect(harness.port, '127.0.0.1').on('error', () => undefined);
    t.teardown(() => socket.destroy());
    socket.resume();
    const watch = `GET ${collection}?watch=true&resourceVersion=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.write(watch.repeat(20));
    await eventually('20 watches', () => registry.watchers.size === 20);
    leave(socket);
    await eventually('none', () => registry.watchers.size === 0);
  });
}

t.test('timeoutSeconds ends the stream in order, on both protocols and both path forms', async (t) => {
  const harness = await start(t);
  configMaps(harness).put(configMap('a'));
  const query = 'timeoutSeconds=1&resourceVersion=0';
  const session = harness.http2();
  const stream = openStream(session, `${collection}?watch=1&${query}`);
  const [plain, legacy, named] = await Promise.all(
    [
      `${collection}?watch=true&${query}`,
      `/api/v1/watch/configmaps?${query}`,
      `/api/v1/watch/namespaces/default/configmaps/none?${query}`,
    ].map(async (path) => (await request(harness.plain + path)).body.text()),
  );
  if (!stream.closed) await once(stream, 'close');
  t.equal(parseLines(plain ?? '').length, 1);
  t.equal(parseLines(legacy ?? '').length, 1);
  t.equal(named, '', 'of the one object that the path names');
  t.equal(parseLines(stream.text).length, 1);
  t.equal(stream.rstCode, 0);
});

t.test('a watch on one object with watch=true is a get, as in Kubernetes', async (t) => {
  const harness = await start(t);
  configMaps(harness).put(configMap('a'));
  const { body } = await request(`${harness.plain}${collection}/a?watch=true`);
  t.match(await body.json(), { kind: 'ConfigMap', metadata: { name: 'a' } });
});

t.test('bookmarks, and the one that says that the initial state is complete (WatchList)', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  registry.put(configMap('a'));
  const query =
    'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
  const { body } = await request(`${harness.plain}${collection}?${query}`);
  const [added, bookmark] = parseLines(await body.text());
  t.equal(added?.type, 'ADDED');
  t.match(bookmark, {
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  });
  t.match(bookmark?.object.metadata?.['resourceVersion'], /^\d+$/);
});

t.test('history that is gone is an ERROR event in a 200 stream, which then ends', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  const answer = request(`${harness.plain}${collection}?watch=true&resourceVersion=1`);
  await eventually('the watch', () => registry.watchers.size === 1);
  registry.expire();
  const { statusCode, body } = await answer;
  t.equal(statusCode, 200);
  t.match(parseLines(await body.text()), [
    {
      type: 'ERROR',
      object: {
        kind: 'Status',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
        message: 'too old resource version: 1 (2)',
      },
    },
  ]);
});

t.test('mistakes are answers of their own and not events', async (t) => {
  const harness = await start(t);
  const { statusCode, body } = await request(`${harness.plain}${collection}?watch=true&resourceVersion=abc`);
  t.equal(statusCode, 500);
  t.match(await body.json(), { kind: 'Status', code: 500 });
  const yaml = await request(`${harness.plain}${collection}?watch=true`, {
    headers: { accept: 'application/yaml' },
  });
  t.equal(yaml.statusCode, 406);
  await yaml.body.dump();
});

t.test('as Table: columns with the first event only; as PartialObjectMetadata: nothing else', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  registry.put(configMap('a', { data: { k: 'v' } }));
  const watch = async (accept: string) => {
    const { body } = await request(`${harness.plain}${collection}?watch=true&timeoutSeconds=1`, {
      headers: { accept },
    });
    return parseLines(await body.text());
  };
  const tables = watch('application/json;as=Table;v=v1;g=meta.k8s.io,application/json');
  const partials = watch('application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
  await eventually('both', () => registry.watchers.size === 2);
  registry.put(configMap('b'));
  const [first, second] = await tables;
  t.match(first?.object, {
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
  });
  t.match(first?.object['rows'], [{ cells: ['a', 1], object: { kind: 'PartialObjectMetadata' } }]);
  t.equal(second?.object['columnDefinitions'], null);
  const [partial] = await partials;
  t.match(partial?.object, {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name: 'a' },
  });
  t.notOk(partial?.object['data']);
});

t.test('a Table holds of each object what includeObject says, in the version asked for', async (t) => {
  const harness = await start(t);
  configMaps(harness).put(configMap('a', { data: { k: 'v' } }));
  const row = async (include: string, version: string) => {
    const query = `watch=true&timeoutSeconds=1&includeObject=${include}`;
    const { body } = await request(`${harness.plain}${collection}?${query}`, {
      headers: { accept: `application/json;as=Table;v=${version};g=meta.k8s.io` },
    });
    const [first] = parseLines(await body.text());
    t.equal(first?.object['apiVersion'], `meta.k8s.io/${version}`);
    const rows = (first?.object['rows'] ?? []) as { object: KubeObject | null }[];
    return rows[0]?.object;
  };
  const metadata = { kind: 'PartialObjectMetadata', metadata: { name: 'a' } };
  const answers = await Promise.all([
    row('None', 'v1'),
    row('Object', 'v1beta1'),
    row('Metadata', 'v1beta1'),
    row('', 'v1'),
  ]);
  t.equal(answers[0], null);
  t.match(answers[1], { kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' } });
  t.match(answers[2], { ...metadata, apiVersion: 'meta.k8s.io/v1beta1' });
  t.match(answers[3], { ...metadata, apiVersion: 'meta.k8s.io/v1' });
  const { statusCode } = await request(`${harness.plain}${collection}?watch=true&includeObject=Weird`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  t.equal(statusCode, 400);
});

t.test('a web socket on the same URL gets one text message for each event', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  registry.put(configMap('a'));
  const metadata = { name: 'page', namespace: 'default', uid: 'u' };
  const account = { kind: 'ServiceAccount', apiVersion: 'v1', metadata };
  harness.table.find('', 'v1', 'serviceaccounts')?.put(account);
  const { token } = await harness.tokens.issue({
    namespace: 'default',
    account: metadata,
    bound: {},
    audiences: harness.tokens.audiences,
    seconds: 600,
  });
  for (const port of ['plain', 'secure'] as const) {
    const tls = port === 'secure' ? { ca: harness.certificates.ca, ...harness.certificates.client } : {};
    const encoded = Buffer.from(token).toString('base64url');
    const protocols = [`base64url.bearer.authorization.k8s.io.${encoded}`, 'base64.binary.k8s.io'];
    const socket = new WebSocket(
      `${harness[port].replace('http', 'ws')}${collection}?watch=true&timeoutSeconds=1`,
      protocols,
      tls,
    );
    const messages: string[] = [];
    socket.on('message', (data, binary) => messages.push(binary ? 'binary' : (data as Buffer).toString()));
    const [code] = (await once(socket, 'close')) as [number];
    t.equal(socket.protocol, 'base64.binary.k8s.io', 'the token is no protocol to choose');
    t.match(
      messages.map((message) => JSON.parse(message) as Event),
      [{ type: 'ADDED', object: { metadata: { name: 'a' } } }],
    );
    t.equal(code, 1000);
  }
  t.equal(registry.watchers.size, 0);
});

t.test('a web socket that is not read holds a bounded part of the events', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  const socket = new WebSocket(
    `${harness.plain.replace('http', 'ws')}${collection}?watch=true&resourceVersion=1`,
  );
  await once(socket, 'open');
  socket.pause();
  const big = 'x'.repeat(100_000);
  const count = 300;
  for (let i = 0; i < count; i++) registry.put(configMap(`c${i}`, { data: { big } }));
  const [watcher] = registry.watchers;
  await sleep(300);
  t.ok((watcher?.queue.length ?? 0) > count / 2, `${watcher?.queue.length} of ${count} still wait`);
  let seen = 0;
  socket.on('message', () => seen++);
  socket.resume();
  await eventually('all of them, in the end', () => seen === count);
  socket.terminate();
});

/** An HTTP/1.1 watch whose bytes are not read. */
async function stalledWatch(harness: Harness): Promise<Socket> {
  const socket = connect(harness.port, '127.0.0.1');
  socket.write(`GET ${collection}?watch=true&resourceVersion=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  socket.pause();
  return socket;
}

t.test('a client that does not read costs a fixed amount and delays no other', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  const stalled = await stalledWatch(harness);
  t.teardown(() => stalled.destroy());
  const [slow] = registry.watchers;
  const { body } = await request(`${harness.plain}${collection}?watch=true&resourceVersion=1`);
  let lines = 0;
  body.on('data', (chunk) => (lines += String(chunk).split('\n').length - 1));
  const big = 'x'.repeat(100_000);
  const count = 300;
  for (let i = 0; i < count; i++) registry.put(configMap(`c${i}`, { data: { big } }));
  await eventually('the other has all', () => lines === count);
  t.ok((slow?.queue.length ?? 0) > count / 2, `${slow?.queue.length} of ${count} still wait`);
  body.destroy();
});

t.test(
  'a stalled list of 17 MB delays neither watches nor requests of its own HTTP/2 connection',
  async (t) => {
    const harness = await start(t);
    const registry = configMaps(harness);
    const filling = 'x'.repeat(1800);
    for (let i = 0; i < 9400; i++) registry.put(configMap(`c${i}`, { data: { filling } }));
    const session = harness.http2();
    const list = session.request({ ':path': collection });
    await once(list, 'response');
    // Never read.
    list.pause();
    const watches = Array.from({ length: 100 }, () =>
      openStream(session, `${collection}?watch=true&resourceVersion=1`),
    );
    await eventually('100 watches', () => registry.watchers.size === 100);
    registry.put(configMap('after'));
    await eventually('each has the event', () => watches.every(({ text }) => text.includes('"after"')));
    const get = openStream(session, `${collection}/c1`);
    await once(get, 'end');
    t.match(JSON.parse(get.text), { metadata: { name: 'c1' } });
    let bytes = 0;
    list.on('data', (chunk: Buffer) => (bytes += chunk.length));
    list.resume();
    await once(list, 'end');
    t.ok(bytes > 17_000_000, `the list arrives whole: ${bytes}`);
  },
);

t.test(
  'many events for many watchers: each gets all of them in order, on one connection or many',
  async (t) => {
    const harness = await start(t);
    const registry = configMaps(harness);
    const session = harness.http2();
    const watches = Array.from({ length: 50 }, () =>
      openStream(session, `${collection}?watch=true&resourceVersion=1`),
    );
    await eventually('50 watches', () => registry.watchers.size === 50);
    const count = 500;
    for (let i = 0; i < count; i++) registry.put(configMap(`c${i}`));
    const expected = Array.from({ length: count }, (_, i) => `c${i}`);
    await eventually('all events', () =>
      watches.every(({ text }) => text.includes(`"c${count - 1}"`) && text.endsWith('\n')),
    );
    for (const { text } of watches) {
      const names = parseLines(text).map(({ object }) => object.metadata?.['name']);
      if (names.join() !== expected.join()) t.same(names, expected);
    }
    t.pass('in order');
  },
);

t.test('a shutdown ends watches in order, finishes what was accepted, and takes no more', async (t) => {
  const harness = await start(t);
  const registry = configMaps(harness);
  registry.put(configMap('a'));
  const { body: watch } = await request(`${harness.plain}${collection}?watch=true`);
  const stream = openStream(harness.http2(), `${collection}?watch=true`);
  const socket = new WebSocket(`${harness.plain.replace('http', 'ws')}${collection}?watch=true`);
  await eventually('three watches', () => registry.watchers.size === 3);
  const stalled = await stalledWatch(harness);
  stalled.on('error', () => undefined);
  let release = (): void => undefined;
  registry.delay = new Promise<void>((resolve) => (release = resolve));
  const slow = request(`${harness.plain}${collection}/a`);
  await sleep(50);
  const text = watch.text();
  const closed = once(socket, 'close');
  const ended = once(stream, 'end');
  setTimeout(() => release(), 100);
  const closing = harness.stop();
  t.equal((await slow).statusCode, 200, 'an accepted request is answered');
  t.equal(parseLines(await text).length, 1, 'the watch ends as it would in time');
  await Promise.all([ended, closed, closing]);
  t.equal(registry.watchers.size, 0);
  await t.rejects(request(`${harness.plain}/version`), 'nobody listens');
});
