/** The client port: health, version and the JSON gateway in etcd's shapes, and what it refuses. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import t, { type Test } from 'tap';
import type { CallOptions, RangeRequest, StatusResponse } from '../../storage/client/interface.js';
import { Members } from '../../storage/cluster/members.js';
import { EtcdError } from '../../storage/errors.js';
import type { AlarmMember } from '../../storage/server/api.js';
import { listenForClients, type ClientPortOptions } from '../../storage/http/client-port.js';
import { openStore } from '../../storage/open.js';
import { FakeCluster, memberAt } from './fake-cluster.js';
import { clusterOf, servicesWith, type SomeServices } from './fake-services.js';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Beyond 2^53: a number of JavaScript does not hold it. */
const BIG = 2n ** 64n - 1n;

interface Port {
  readonly cluster: FakeCluster;
  readonly url: string;
  readonly port: number;
  readonly ports: readonly number[];
  /** Reads that were made. */
  readonly reads: RangeRequest[];
  /** Of a call of the gateway. */
  readonly post: (path: string, body: string) => Promise<{ status: number; body: unknown }>;
  readonly errors: unknown[];
}

interface Setting extends Pick<ClientPortOptions, 'requestBytesMax' | 'metrics' | 'httpUrls'> {
  readonly range?: (request: RangeRequest) => Promise<never>;
  readonly status?: Partial<StatusResponse>;
  readonly services?: SomeServices;
  readonly alarms?: readonly AlarmMember[];
}

async function open(
  t: Test,
  { range, status = {}, services = {}, alarms = [], ...more }: Setting = {},
): Promise<Port> {
  const cluster = new FakeCluster([memberAt(1n, 'm1'), memberAt(2n, 'm2')]);
  cluster.present = {
    ...cluster.present,
    learners: [BIG],
    members: [...cluster.present.members, { ...memberAt(3n, ''), id: BIG }],
  };
  const { consensus, isReachable, questions } = cluster;
  const reads: RangeRequest[] = [];
  const errors: unknown[] = [];
  const header = { clusterId: BIG, memberId: 1n, revision: 5, raftTerm: 2 };
  const members = new Members({ consensus, isReachable, questions });
  const statusNow = (): StatusResponse => ({
    header,
    version: '3.6.0',
    dbSize: 4096,
    dbSizeInUse: 0,
    leader: cluster.leaderId,
    raftIndex: 9,
    raftTerm: 2,
    raftAppliedIndex: 8,
    errors: [],
    isLearner: false,
    dbSizeQuota: 0,
    storageVersion: '',
    ...status,
  });
  const listening = await listenForClients({
    ...more,
    urls: ['http://127.0.0.1:0'],
    status: statusNow,
    alarms: () => alarms,
    services: servicesWith({
      cluster: clusterOf(members, header),
      maintenance: {
        status: async () => statusNow(),
        moveLeader: async ({ targetId }, options) => {
          await members.moveLeader(targetId, options);
          return { header };
        },
      },
      client: {
        range: async (request) => {
          reads.push(request);
          await range?.(request);
          return { header, kvs: [], more: false, count: 0 };
        },
        ...services.client,
      },
      auth: { ...services.auth },
    }),
    onError: (error) => errors.push(error),
  });
  t.teardown(() => listening.close());
  const port = listening.ports[0] ?? 0;
  const url = `http://127.0.0.1:${port}`;
  const post = async (path: string, body: string) => {
    const response = await fetch(url + path, { method: 'POST', headers: JSON_TYPE, body });
    return { status: response.status, body: await response.json() };
  };
  return { cluster, url, port, ports: listening.ports, reads, post, errors };
}

async function get(url: string): Promise<readonly [number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

t.test('health: etcd’s JSON, true only with a leader and a confirmed read', async (t) => {
  const { cluster, url, reads } = await open(t);
  t.same(await get(`${url}/health`), [200, '{"health":"true","reason":""}']);
  t.equal(reads[0]?.serializable, false);
  t.same(await get(`${url}/health?serializable=true`), [200, '{"health":"true","reason":""}']);
  t.equal(reads[1]?.serializable, true);
  cluster.leaderId = 0n;
  t.same(await get(`${url}/health`), [503, '{"health":"false","reason":"RAFT NO LEADER"}']);
  t.same(await get(`${url}/health?serializable=true`), [200, '{"health":"true","reason":""}']);
});

t.test(
  'livez and readyz: alive is who reads its own state, ready who has a majority behind it',
  async (t) => {
    const { url } = await open(t, {
      range: async ({ serializable }) => {
        if (serializable !== true) throw EtcdError.of('NoLeader');
        return undefined as never;
      },
    });
    t.same(await get(`${url}/livez`), [200, 'ok\n']);
    t.same(await get(`${url}/livez?verbose`), [200, '[+]serializable_read ok\nok\n']);
    const failed =
      '[+]data_corruption ok\n[+]serializable_read ok\n[-]linearizable_read failed: etcdserver: no leader\n';
    t.same(await get(`${url}/readyz`), [503, failed]);
    t.same(await get(`${url}/health`), [
      503,
      '{"health":"false","reason":"RANGE ERROR:etcdserver: no leader"}',
    ]);
    const well = await open(t);
    t.same(await get(`${well.url}/readyz`), [200, 'ok\n']);
  },
);

t.test(
  'an alarm makes it unhealthy, unless it is excluded; CORRUPT makes it unready (etcd: /health, /readyz)',
  async (t) => {
    const { url } = await open(t, {
      alarms: [
        { memberId: 1n, alarm: 'nospace' },
        { memberId: 2n, alarm: 'corrupt' },
      ],
    });
    t.same(await get(`${url}/health`), [503, '{"health":"false","reason":"ALARM NOSPACE"}']);
    t.same(await get(`${url}/health?exclude=NOSPACE`), [503, '{"health":"false","reason":"ALARM CORRUPT"}']);
    t.same(await get(`${url}/health?exclude=NOSPACE&exclude=CORRUPT`), [
      200,
      '{"health":"true","reason":""}',
    ]);
    t.same(await get(`${url}/livez`), [200, 'ok\n']);
    const unready =
      '[-]data_corruption failed: alarm activated: CORRUPT\n[+]serializable_read ok\n[+]linearizable_read ok\n';
    t.same(await get(`${url}/readyz`), [503, unready]);
    const full = await open(t, { alarms: [{ memberId: 1n, alarm: 'nospace' }] });
    t.same(await get(`${full.url}/readyz`), [200, 'ok\n']);
  },
);

t.test('version, and what is not there', async (t) => {
  const { url } = await open(t);
  t.same(await get(`${url}/version`), [200, '{"etcdserver":"3.6.0","etcdcluster":"3.6.0"}']);
  t.same(await get(`${url}/`), [404, '404 page not found\n']);
  t.same(await get(`${url}//x`), [404, '404 page not found\n']);
  t.equal((await fetch(`${url}/health`, { method: 'POST', headers: JSON_TYPE, body: '{}' })).status, 405);
  t.equal((await fetch(`${url}/v3/cluster/member/list`)).status, 405);
});

t.test('members: names, order and forms of etcd’s gateway; what is empty is left out', async (t) => {
  const { post } = await open(t);
  const header = { cluster_id: BIG.toString(), member_id: '1', raft_term: '2' };
  const { status, body } = await post('/v3/cluster/member/list', '{}');
  t.equal(status, 200);
  t.same(body, {
    header,
    members: [
      { ID: '1', name: 'm1', peerURLs: ['http://127.0.0.1:2001'], clientURLs: ['http://127.0.0.1:1001'] },
      { ID: '2', name: 'm2', peerURLs: ['http://127.0.0.1:2002'], clientURLs: ['http://127.0.0.1:1002'] },
      { ID: BIG.toString(), peerURLs: ['http://127.0.0.1:2003'], isLearner: true },
    ],
  });
  t.same((await post('/v3/cluster/member/list', '')).body, body, 'no body is an empty message');
  t.same(
    (await post('/v3/cluster/member/list', '{"more":[1]}')).body,
    body,
    'unknown fields are passed over',
  );
});

t.test('members are added, promoted, updated and removed, with ids as text or as numbers', async (t) => {
  const { cluster, post } = await open(t);
  cluster.matches.set(BIG, 100);
  t.equal((await post('/v3/cluster/member/promote', `{"ID": ${BIG}}`)).status, 200);
  t.ok(cluster.present.voters.includes(BIG), 'no bit of the number was lost');
  const urls = '"peerURLs":["http://127.0.0.1:9"]';
  t.equal((await post('/v3/cluster/member/update', `{"ID":"${BIG}",${urls}}`)).status, 200);
  t.same(cluster.changes.at(-1), { type: 'update', id: BIG, peerUrls: ['http://127.0.0.1:9'] });
  t.equal((await post('/v3/cluster/member/remove', `{"ID":"${BIG}"}`)).status, 200);
  const added = await post('/v3/cluster/member/add', `{${urls},"isLearner":true}`);
  t.match(added.body, {
    member: { peerURLs: ['http://127.0.0.1:9'], isLearner: true },
    members: [{}, {}, {}],
  });
  t.equal((await post('/v3/maintenance/transfer-leadership', '{"targetID":"2"}')).status, 200);
  t.same(cluster.transfers, [2n]);
});

t.test('status has a revision in its header; zeroes are left out', async (t) => {
  const { post } = await open(t, { status: { errors: ['etcdserver: no leader'], isLearner: true } });
  const { body } = await post('/v3/maintenance/status', '{}');
  t.same(body, {
    header: { cluster_id: BIG.toString(), member_id: '1', revision: '5', raft_term: '2' },
    version: '3.6.0',
    dbSize: '4096',
    leader: '1',
    raftIndex: '9',
    raftTerm: '2',
    raftAppliedIndex: '8',
    errors: ['etcdserver: no leader'],
    isLearner: true,
  });
});

t.test('errors: etcd’s text and code, and the gateway’s HTTP status for the code', async (t) => {
  const { cluster, post } = await open(t);
  const answer = (code: number, message: string) => ({ error: message, code, message });
  t.same(await post('/v3/cluster/member/remove', '{"ID":"77"}'), {
    status: 404,
    body: answer(5, 'etcdserver: member not found'),
  });
  t.same(await post('/v3/cluster/member/add', '{"peerURLs":["http://127.0.0.1:2001"]}'), {
    status: 400,
    body: answer(9, 'etcdserver: Peer URLs already exists'),
  });
  for (const body of ['xx', '[]', '{"ID":"abc"}', '{"ID":"-1"}', `{"ID":"${2n ** 64n}"}`]) {
    t.match(await post('/v3/cluster/member/remove', body), { status: 400, body: { code: 3 } }, body);
  }
  t.match(await post('/v3/cluster/member/add', '{"peerURLs":[1]}'), { status: 400, body: { code: 3 } });
  t.match(await post('/v3/cluster/member/list', '{"linearizable":1}'), { status: 400, body: { code: 3 } });
  cluster.lead(0n);
  t.same(await post('/v3/cluster/member/list', '{"linearizable":true}'), {
    status: 503,
    body: answer(14, 'etcdserver: no leader'),
  });
  t.equal((await post('/v3/cluster/member/list', '{}')).status, 200, 'as etcd, not linearizable');
});

/** With headers that fetch sets itself. */
function raw(
  port: number,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const path = body === undefined ? '/health' : '/v3/cluster/member/list';
    const method = body === undefined ? 'GET' : 'POST';
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

t.test(
  'no web page may use the port: neither by its origin, nor by a name made to point here, nor by a form',
  async (t) => {
    const { port } = await open(t);
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:1', '127.8.8.8']) {
      t.equal((await raw(port, { host })).status, 200, host);
    }
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:1', '10.0.0.1']) {
      t.equal((await raw(port, { host })).status, 403, host);
    }
    t.equal((await raw(port, { origin: 'http://127.0.0.1:1' })).status, 403);
    t.equal((await raw(port, { origin: 'null' })).status, 403);
    t.equal((await raw(port, { 'content-type': 'Application/JSON; charset=utf-8' }, '{}')).status, 200);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
      t.equal((await raw(port, { 'content-type': type }, '{}')).status, 415, type);
    }
    t.equal((await raw(port, {}, '{}')).status, 415, 'none');
  },
);

t.test('a body is taken up to its limit: the largest request, in base64', async (t) => {
  const bytesMax = Math.ceil(((1000 + 512 * 1024) * 4) / 3);
  const { post, port } = await open(t, { requestBytesMax: 1000 });
  const padded = (bytes: number) => '{}'.padEnd(bytes);
  t.equal((await post('/v3/cluster/member/list', padded(bytesMax))).status, 200);
  const { status, text } = await raw(port, JSON_TYPE, padded(bytesMax + 1));
  t.equal(status, 413);
  t.match(JSON.parse(text), { code: 8 });
});

t.test('any call of the API: base64, 64 bits as text, names of enums, both forms of a name', async (t) => {
  const header = { clusterId: 1n, memberId: 2n, revision: 7, raftTerm: 3 };
  const kv = {
    key: Buffer.from('k'),
    value: Buffer.from('v'),
    createRevision: 2,
    modRevision: 2,
    version: 1,
    lease: -1n,
  };
  const requests: unknown[] = [];
  const calls: (CallOptions | undefined)[] = [];
  const { post, url } = await open(t, {
    services: {
      client: {
        rangePages: async function* (request, options) {
          requests.push(request);
          calls.push(options);
          yield { header, kvs: [kv], more: false, count: 1 };
        },
        range: async (_request, options) => {
          calls.push(options);
          return { header, kvs: [kv], more: false, count: 1 };
        },
        txn: async (request) => {
          requests.push(request);
          const inner = { type: 'txn', header, succeeded: true, responses: [] } as const;
          return { header, succeeded: true, responses: [{ type: 'put', header, prevKv: kv }, inner] };
        },
      },
    },
  });
  const shownHeader = { cluster_id: '1', member_id: '2', revision: '7', raft_term: '3' };
  const shownKv = {
    key: 'aw==',
    create_revision: '2',
    mod_revision: '2',
    version: '1',
    value: 'dg==',
    lease: '-1',
  };
  const answer = { status: 200, body: { header: shownHeader, kvs: [shownKv], count: '1' } };
  const range = '{"key":"aw==","range_end":"bA==","limit":"9223372036854775807","sort_order":"DESCEND"}';
  t.same(await post('/v3/kv/range', range), answer);
  t.same(await post('/v3/kv/range', '{"key":"aw==","rangeEnd":"bA==","limit":3,"sortOrder":2}'), answer);
  const wanted = { key: Buffer.from('k'), rangeEnd: Buffer.from('l'), sortOrder: 'descend' };
  t.same(requests.splice(0), [
    { ...wanted, limit: Number.MAX_SAFE_INTEGER },
    { ...wanted, limit: 3 },
  ]);
  const txn = `{"compare":[{"key":"aw==","target":"MOD","result":"NOT_EQUAL","mod_revision":"4"}],
    "success":[{"requestPut":{"key":"aw==","lease":9007199254740993}},{}]}`;
  t.same(await post('/v3/kv/txn', txn), {
    status: 200,
    body: {
      header: shownHeader,
      succeeded: true,
      responses: [
        { response_put: { header: { revision: '7' }, prev_kv: shownKv } },
        { response_txn: { header: {}, succeeded: true } },
      ],
    },
  });
  t.same(requests, [
    {
      compare: [{ key: Buffer.from('k'), target: 'mod', result: 'not-equal', modRevision: 4 }],
      success: [
        { type: 'put', key: Buffer.from('k'), value: Buffer.alloc(0), lease: 9007199254740993n },
        { type: 'empty' },
      ],
      failure: [],
    },
  ]);
  for (const body of [
    '{"key":"?"}',
    '{"key":1}',
    '{"limit":1.5}',
    '{"sort_order":"UP"}',
    '{"limit":"9223372036854775808"}',
  ]) {
    t.match(await post('/v3/kv/range', body), { status: 400, body: { code: 3 } }, body);
  }
  await fetch(`${url}/v3/kv/range`, {
    method: 'POST',
    headers: { ...JSON_TYPE, authorization: 'a.token' },
    body: '{"key":"aw=="}',
  });
  t.match(calls.at(-1), { token: 'a.token' });
});

t.test('a stream is a line for each message, and ends with its error', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const { url } = await open(t, { services: { client: { watch: () => store.client.watch() } } });
  const body = '{"create_request":{"key":"aw==","start_revision":"1"}}';
  const response = await fetch(`${url}/v3/watch`, { method: 'POST', headers: JSON_TYPE, body });
  const lines = createInterface(Readable.fromWeb(response.body as ReadableStream))[Symbol.asyncIterator]();
  const next = async () => JSON.parse(String((await lines.next()).value)) as unknown;
  t.match(await next(), { result: { header: { revision: '1' }, created: true } });
  await store.client.put({ key: Buffer.from('k'), value: Buffer.from('v') });
  t.match(await next(), { result: { events: [{ kv: { key: 'aw==', value: 'dg==', mod_revision: '2' } }] } });
  await store.close();
  t.match(await next(), {
    error: { grpc_code: 14, http_code: 503, message: 'etcdserver: server stopped' },
  });
});

t.test(
  'metrics where there are some; nothing but pages at urls for HTTP, and none at the others then',
  async (t) => {
    const metrics = async () => ({ contentType: 'text/plain; version=0.0.4', body: 'etcd_up 1\n' });
    const { url } = await open(t, { metrics });
    t.same(await get(`${url}/metrics`), [200, 'etcd_up 1\n']);
    const without = await open(t);
    t.same(await get(`${without.url}/metrics`), [404, '404 page not found\n']);
    const split = await open(t, { httpUrls: ['http://127.0.0.1:0'] });
    t.equal((await fetch(`${split.url}/health`)).status, 404);
    t.equal((await fetch(`http://127.0.0.1:${split.ports[1]}/health`)).status, 200);
  },
);

t.test('what nobody foresaw is told to the log and not to the client', async (t) => {
  const { cluster, post, errors } = await open(t);
  cluster.present = undefined as never;
  t.match(await post('/v3/cluster/member/list', '{}'), { status: 500, body: { code: 13 } });
  t.equal(errors.length, 1);
});

t.test('closing cuts what does not end', async (t) => {
  const listening = await listenForClients({
    urls: ['http://127.0.0.1:0', 'http://localhost:0'],
    status: () => ({ leader: 1n }),
    alarms: () => [],
    services: servicesWith({ client: { range: () => new Promise<never>(() => undefined) } }),
    onError: () => undefined,
  });
  t.equal(listening.ports.length, 2);
  const socket = connect(listening.ports[0] ?? 0, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const closed = once(socket, 'close');
  await listening.close();
  await closed;
  t.pass('closed');
});

t.test('a url that cannot be had is told as the system tells it', async (t) => {
  const first = await open(t);
  const failing = listenForClients({
    urls: ['http://127.0.0.1:0', first.url],
    status: () => ({ leader: 1n }),
    alarms: () => [],
    services: servicesWith({ client: { range: () => new Promise<never>(() => undefined) } }),
    onError: () => undefined,
  });
  await t.rejects(failing, { code: 'EADDRINUSE', port: first.port });
});
