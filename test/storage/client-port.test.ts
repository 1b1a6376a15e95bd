/** The client port: health, version and the JSON gateway in etcd's shapes, and what it refuses. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import type { RangeRequest, StatusResponse } from '../../storage/client/interface.js';
import { Members } from '../../storage/cluster/members.js';
import { EtcdError } from '../../storage/errors.js';
import type { AlarmMember } from '../../storage/server/api.js';
import { GATEWAY_BODY_BYTES_MAX, listenForClients } from '../../storage/http/client-port.js';
import { FakeCluster, memberAt } from './fake-cluster.js';

const JSON_TYPE = { 'content-type': 'application/json' };
/** Beyond 2^53: a number of JavaScript does not hold it. */
const BIG = 2n ** 64n - 1n;

interface Port {
  readonly cluster: FakeCluster;
  readonly url: string;
  readonly port: number;
  /** Reads that were made. */
  readonly reads: RangeRequest[];
  /** Of a call of the gateway. */
  readonly post: (path: string, body: string) => Promise<{ status: number; body: unknown }>;
  readonly errors: unknown[];
}

interface Setting {
  readonly range?: (request: RangeRequest) => Promise<never>;
  readonly status?: Partial<StatusResponse>;
  readonly alarms?: readonly AlarmMember[];
}

async function open(t: Test, { range, status = {}, alarms = [] }: Setting = {}): Promise<Port> {
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
  const listening = await listenForClients({
    urls: ['http://127.0.0.1:0'],
    members: new Members({ consensus, isReachable, questions }),
    status: () => ({
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
    }),
    alarms: () => alarms,
    client: {
      range: async (request) => {
        reads.push(request);
        await range?.(request);
        return { header, kvs: [], more: false, count: 0 };
      },
    },
    onError: (error) => errors.push(error),
  });
  t.teardown(() => listening.close());
  const port = listening.ports[0] ?? 0;
  const url = `http://127.0.0.1:${port}`;
  const post = async (path: string, body: string) => {
    const response = await fetch(url + path, { method: 'POST', headers: JSON_TYPE, body });
    return { status: response.status, body: await response.json() };
  };
  return { cluster, url, port, reads, post, errors };
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
  t.same(await post('/v3/maintenance/transfer-leadership', '{"targetID":"2"}'), { status: 200, body: {} });
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
  t.same(await post('/v3/cluster/member/list', '{}'), {
    status: 503,
    body: answer(14, 'etcdserver: no leader'),
  });
  t.equal((await post('/v3/cluster/member/list', '{"linearizable":false}')).status, 200);
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

t.test('a body is taken up to its limit', async (t) => {
  const { post, port } = await open(t);
  const padded = (bytes: number) => '{}'.padEnd(bytes);
  t.equal((await post('/v3/cluster/member/list', padded(GATEWAY_BODY_BYTES_MAX))).status, 200);
  const { status, text } = await raw(port, JSON_TYPE, padded(GATEWAY_BODY_BYTES_MAX + 1));
  t.equal(status, 413);
  t.match(JSON.parse(text), { code: 8 });
});

t.test('what nobody foresaw is told to the log and not to the client', async (t) => {
  const { cluster, post, errors } = await open(t);
  cluster.present = undefined as never;
  t.match(await post('/v3/cluster/member/list', '{}'), { status: 500, body: { code: 13 } });
  t.equal(errors.length, 1);
});

t.test('closing cuts what does not end', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'm1')]);
  const { consensus, isReachable, questions } = cluster;
  const listening = await listenForClients({
    urls: ['http://127.0.0.1:0', 'http://localhost:0'],
    members: new Members({ consensus, isReachable, questions }),
    status: () => ({ leader: 1n }) as StatusResponse,
    alarms: () => [],
    client: { range: () => new Promise<never>(() => undefined) },
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
  const cluster = new FakeCluster([memberAt(1n, 'm1')]);
  const { consensus, isReachable, questions } = cluster;
  const failing = listenForClients({
    urls: ['http://127.0.0.1:0', first.url],
    members: new Members({ consensus, isReachable, questions }),
    status: () => ({ leader: 1n }) as StatusResponse,
    alarms: () => [],
    client: { range: () => new Promise<never>(() => undefined) },
    onError: () => undefined,
  });
  await t.rejects(failing, { code: 'EADDRINUSE', port: first.port });
});
