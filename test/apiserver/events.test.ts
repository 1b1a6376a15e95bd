/** Events: one set of objects under two groups, core/v1 and events.k8s.io/v1, each in its own words. */
import t from 'tap';
import type { KubeObject } from '../../schemas/definition.js';
import { serve, type Served } from './served-fixture.js';

const core = '/api/v1/namespaces/demo/events';
const newer = '/apis/events.k8s.io/v1/namespaces/demo/events';
const merge = 'application/merge-patch+json';
const eventTime = '2026-01-02T03:04:05.678901Z';
const lastObservedTime = '2026-01-02T03:05:00.000000Z';
const pod = { kind: 'Pod', namespace: 'demo', name: 'p', apiVersion: 'v1', fieldPath: 'spec.containers{c}' };

/** In the older form, with everything. */
const older = (name: string) => ({
  metadata: { name, labels: { a: 'b' } },
  involvedObject: pod,
  reason: 'Pulled',
  message: 'It was pulled.',
  source: { component: 'kubelet', host: 'n' },
  firstTimestamp: '2026-01-02T03:04:05Z',
  lastTimestamp: '2026-01-02T03:06:05Z',
  count: 3,
  type: 'Normal',
});

/** In the newer form. */
const modern = (name: string) => ({
  metadata: { name },
  eventTime,
  series: { count: 2, lastObservedTime },
  reportingController: 'example.com/controller',
  reportingInstance: 'controller-0',
  action: 'Pulling',
  reason: 'Pulled',
  regarding: pod,
  related: { kind: 'Node', name: 'n' },
  note: 'It was pulled.',
  type: 'Warning',
});

async function create(server: Served, path: string, body: object): Promise<KubeObject> {
  const answer = await server.ask(path, { body });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json;
}

t.test('what one group writes the other reads', async (t) => {
  const server = await serve(t);
  const first = await create(server, core, older('old'));
  const asNewer = (await server.ask(`${newer}/old`)).json;
  t.same(asNewer, {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata: first.metadata,
    eventTime: null,
    reason: 'Pulled',
    regarding: pod,
    note: 'It was pulled.',
    type: 'Normal',
    deprecatedSource: { component: 'kubelet', host: 'n' },
    deprecatedFirstTimestamp: '2026-01-02T03:04:05Z',
    deprecatedLastTimestamp: '2026-01-02T03:06:05Z',
    deprecatedCount: 3,
  });
  const second = await create(server, newer, modern('new'));
  t.match(second, { kind: 'Event', apiVersion: 'events.k8s.io/v1', deprecatedFirstTimestamp: null });
  t.same((await server.ask(`${core}/new`)).json, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: second.metadata,
    involvedObject: pod,
    reason: 'Pulled',
    message: 'It was pulled.',
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    type: 'Warning',
    eventTime,
    series: { count: 2, lastObservedTime },
    action: 'Pulling',
    related: { kind: 'Node', name: 'n' },
    reportingComponent: 'example.com/controller',
    reportingInstance: 'controller-0',
  });
  t.same((await server.ask(`${newer}/new`)).json, second, 'there and back');
  const lists = await Promise.all([core, newer].map(async (path) => (await server.ask(path)).json));
  t.same(
    lists.map((list) => (list['items'] as KubeObject[]).map(({ metadata }) => metadata)),
    [
      [second.metadata, first.metadata],
      [second.metadata, first.metadata],
    ],
  );
  t.same(
    lists.map(({ kind, apiVersion }) => [kind, apiVersion]),
    [
      ['EventList', 'v1'],
      ['EventList', 'events.k8s.io/v1'],
    ],
  );
  const all = await server.ask('/apis/events.k8s.io/v1/events');
  t.equal((all.json['items'] as KubeObject[]).length, 2);
});

t.test('either group changes and deletes what the other has made', async (t) => {
  const server = await serve(t);
  await create(server, newer, modern('e'));
  const series = { count: 3, lastObservedTime };
  const patched = await server.ask(`${core}/e`, {
    method: 'PATCH',
    contentType: 'application/strategic-merge-patch+json',
    body: { series, message: 'Changed.' },
  });
  t.match(patched.json, { apiVersion: 'v1', series, message: 'Changed.' });
  const seen = (await server.ask(`${newer}/e`)).json;
  t.match(seen, { series, note: 'Changed.', metadata: patched.json.metadata });
  const put = await server.ask(`${newer}/e`, {
    method: 'PUT',
    body: { ...seen, series: { ...series, count: 9 } },
  });
  t.equal(put.status, 200, put.text);
  t.match((await server.ask(`${core}/e`)).json['series'], { count: 9 });
  const stale = await server.ask(`${core}/e`, { method: 'PUT', body: patched.json });
  t.equal(stale.status, 409, 'the resourceVersion is one');
  const note = await server.ask(`${newer}/e`, {
    method: 'PATCH',
    contentType: merge,
    body: { note: 'Other.' },
  });
  t.equal(
    note.json.message,
    'Event.events.k8s.io "e" is invalid: message: Invalid value: "Other.": field is immutable',
  );
  const gone = await server.ask(`${core}/e`, { method: 'DELETE' });
  t.match(gone.json, { status: 'Success', details: { name: 'e', kind: 'events' } });
  t.equal((await server.ask(`${newer}/e`)).json.message, 'events.events.k8s.io "e" not found');
  await create(server, core, older('f'));
  const deleted = await server.ask(`${newer}/f`, { method: 'DELETE' });
  t.match(deleted.json, { details: { name: 'f', group: 'events.k8s.io', kind: 'events' } });
  t.equal((await server.ask(`${core}/f`)).status, 404);
  const made = await server.ask(`${core}/g`, { method: 'PUT', body: older('g') });
  t.equal(made.status, 201, 'a PUT of an absent event makes it');
  const collection = await server.ask(newer, { method: 'DELETE' });
  t.equal(collection.status, 200);
  t.same((await server.ask(core)).json['items'], []);
});

t.test('each group watches the writes of both', async (t) => {
  const server = await serve(t);
  const { resourceVersion } = (await server.ask(core)).json.metadata;
  const watch = async (path: string) => {
    const url = `${path}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
    const { text } = await server.ask(url);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: KubeObject });
  };
  const watched = Promise.all([watch(core), watch(newer)]);
  await create(server, core, older('a'));
  await create(server, newer, modern('b'));
  await server.ask(`${newer}/a`, { method: 'DELETE' });
  await server.ask(`${core}/b`, { method: 'PATCH', contentType: merge, body: { count: 4 } });
  const expected = ['ADDED a', 'ADDED b', 'DELETED a', 'MODIFIED b'];
  const [ofCore, ofNewer] = await watched;
  for (const events of [ofCore, ofNewer]) {
    t.same(
      events.map(({ type, object }) => `${type} ${object.metadata.name}`),
      expected,
    );
  }
  t.match(ofCore[1]?.object, { apiVersion: 'v1', message: 'It was pulled.', reportingComponent: String });
  t.match(ofNewer[0]?.object, { apiVersion: 'events.k8s.io/v1', note: 'It was pulled.', deprecatedCount: 3 });
  t.match(ofNewer[2]?.object, { apiVersion: 'events.k8s.io/v1', note: 'It was pulled.' });
  t.match(ofNewer[3]?.object, { deprecatedCount: 4 });
  t.same(
    ofCore.map(({ object }) => object.metadata.resourceVersion),
    ofNewer.map(({ object }) => object.metadata.resourceVersion),
  );
});

t.test('each group has field selectors under its own names', async (t) => {
  const server = await serve(t);
  await create(server, core, older('old'));
  await create(server, newer, modern('new'));
  await create(server, core, { ...older('other'), involvedObject: { ...pod, name: 'q' }, reason: 'Failed' });
  const namesBy = async (path: string, selector: string) => {
    const answer = await server.ask(`${path}?fieldSelector=${encodeURIComponent(selector)}`);
    return answer.status === 200
      ? (answer.json['items'] as KubeObject[]).map(({ metadata }) => metadata.name)
      : answer.json.message;
  };
  const both: [core: string, newer: string, names: string[]][] = [
    ['involvedObject.kind=Pod,involvedObject.name=p', 'regarding.kind=Pod,regarding.name=p', ['new', 'old']],
    ['involvedObject.namespace=demo', 'regarding.namespace=demo', ['new', 'old', 'other']],
    ['involvedObject.apiVersion=v1', 'regarding.apiVersion=v1', ['new', 'old', 'other']],
    ['involvedObject.fieldPath!=', 'regarding.fieldPath!=', ['new', 'old', 'other']],
    ['involvedObject.uid=', 'regarding.uid=', ['new', 'old', 'other']],
    ['involvedObject.resourceVersion=7', 'regarding.resourceVersion=7', []],
    ['reason!=Pulled', 'reason!=Pulled', ['other']],
    ['type=Warning', 'type=Warning', ['new']],
    ['reportingComponent=example.com/controller', 'reportingController=example.com/controller', ['new']],
    ['metadata.name=old', 'metadata.name=old', ['old']],
    ['metadata.namespace=demo,reason=Failed', 'metadata.namespace=demo,reason=Failed', ['other']],
  ];
  for (const [ofCore, ofNewer, names] of both) {
    t.same(await namesBy(core, ofCore), names, ofCore);
    t.same(await namesBy(newer, ofNewer), names, ofNewer);
  }
  t.same(await namesBy(core, 'source=kubelet'), ['old', 'other']);
  t.same(
    await namesBy(core, 'source=example.com/controller'),
    ['new'],
    'the controller where there is no source',
  );
  for (const [path, field] of [
    [core, 'regarding.name'],
    [core, 'reportingController'],
    [newer, 'involvedObject.name'],
    [newer, 'source'],
  ] as const) {
    t.equal(await namesBy(path, `${field}=x`), `field label not supported: ${field}`);
  }
});

t.test('both groups show one table', async (t) => {
  const server = await serve(t, { now: () => Date.parse('2026-01-02T04:04:05Z') });
  await create(server, core, older('old'));
  await create(server, newer, modern('new'));
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const table = async (path: string) => (await server.ask(path, { headers: { accept } })).json;
  const [ofCore, ofNewer] = [await table(core), await table(newer)];
  const cells = (table: KubeObject) =>
    (table['rows'] as { cells: unknown[] }[]).map((row) => row.cells.filter((_, i) => i !== 0 && i !== 7));
  t.same(cells(ofCore), [
    [
      'Warning',
      'Pulled',
      'pod/p',
      'spec.containers{c}',
      'example.com/controller, controller-0',
      'It was pulled.',
      2,
      'new',
    ],
    ['Normal', 'Pulled', 'pod/p', 'spec.containers{c}', 'kubelet, n', 'It was pulled.', 3, 'old'],
  ]);
  t.same(cells(ofNewer), cells(ofCore));
  t.same(ofNewer['columnDefinitions'], ofCore['columnDefinitions']);
});

t.test('events are kept for an hour after their last write', async (t) => {
  const server = await serve(t);
  const leaseOf = async (name: string) => {
    const { kvs } = await server.client.range({ key: Buffer.from(`/registry/events/demo/${name}`) });
    return kvs[0]?.lease ?? 0n;
  };
  const secondsOf = async (name: string) =>
    (await server.client.leaseTimeToLive({ id: await leaseOf(name) })).grantedTtl;
  await create(server, core, older('old'));
  await create(server, newer, modern('new'));
  const isHour = (seconds: number) => seconds >= 3600 && seconds <= 3660;
  t.ok(isHour(await secondsOf('old')) && isHour(await secondsOf('new')));
  await server.client.leaseRevoke(await leaseOf('new'));
  t.equal((await server.ask(`${newer}/new`)).status, 404, 'gone with its lease');
  await create(server, newer, modern('again'));
  await server.ask(`${core}/again`, { method: 'PATCH', contentType: merge, body: { count: 2 } });
  t.ok(isHour(await secondsOf('again')), 'a write gives it an hour more');
});

t.test('what each group asks of an event', async (t) => {
  const server = await serve(t);
  const problemsOf = async (path: string, body: object) => {
    const { status, json } = await server.ask(path, { body });
    return status === 201 ? '' : json.message;
  };
  t.equal(
    await problemsOf(core, { ...older('x'), eventTime }),
    "Event \"x\" is invalid: [reportingComponent: Required value, reportingComponent: Invalid value: \"\": name part must be non-empty, reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), reportingInstance: Required value, action: Required value]",
  );
  const { reportingController: _, ...unreported } = modern('x');
  t.match(
    await problemsOf(newer, unreported),
    /^Event.events.k8s.io "x" is invalid: \[reportingController: Required value, /,
  );
  t.equal(
    await problemsOf(newer, { ...modern('x'), series: { count: 1 }, type: 'Odd', deprecatedCount: 1 }),
    'Event.events.k8s.io "x" is invalid: [series.count: Invalid value: "": should be at least 2, series.lastObservedTime: Required value, type: Invalid value: "": has invalid value: Odd, count: Invalid value: "": needs to be unset]',
  );
  t.equal(
    await problemsOf(core, { ...older('x'), involvedObject: { ...pod, namespace: 'other' } }),
    'Event "x" is invalid: involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  );
  const wrongGroup = await server.ask(core, {
    body: { ...modern('x'), kind: 'Event', apiVersion: 'events.k8s.io/v1' },
  });
  t.equal(wrongGroup.status, 400);
});
