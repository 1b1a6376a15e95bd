/** gRPC on the client port, as the protocol has it (gRPC over HTTP/2) and as etcd answers, with clients of all manners. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { issueAuthority, issueLeaf } from '../../cli/pki/issue.js';
import type { CallOptions, PutRequest, WatchResponse } from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import { Cluster, Health, KV, Lease, Lock, Maintenance, Watch } from '../../storage/grpc/services.js';
import type { GrpcObserver } from '../../storage/grpc/observer.js';
import { openStore } from '../../storage/open.js';
import { parseTimeout } from '../../storage/grpc/server/timeout.js';
import { LeadershipMonitor } from '../../storage/server/leadership.js';
import { FakeCluster, memberAt } from './fake-cluster.js';
import { ManualClock } from './fake-store.js';
import {
  HEADER,
  failure,
  framed,
  grpcClient,
  metadataOf,
  rawCall,
  rawSession,
  serve,
  stream,
  unary,
} from './grpc-tools.js';
import { bytes } from './tools.js';

const PUT: PutRequest = { key: bytes('k'), value: bytes('v') };
const putFrame = framed(KV.Put.request.encode(PUT));

/** A store that takes puts and remembers how it was called. */
function puts() {
  const requests: PutRequest[] = [];
  const calls: (CallOptions | undefined)[] = [];
  const put = async (request: PutRequest, options?: CallOptions) => {
    requests.push(request);
    calls.push(options);
    return { header: HEADER };
  };
  return { requests, calls, services: { client: { put } } };
}

t.test('a call: request, response, and what its metadata say', async (t) => {
  const { requests, calls, services } = puts();
  const { address } = await serve(t, { services });
  const client = grpcClient(t, address);
  t.same(await unary(client, KV.Put, PUT), { header: HEADER });
  t.same(requests, [PUT]);
  t.same(calls, [{}], 'nothing is said of who calls');
  const deadline = Date.now() + 60_000;
  await unary(client, KV.Put, PUT, metadataOf({ token: 'a.1' }), { deadline });
  t.match(calls[1], { token: 'a.1', timeout: Number });
  t.ok((calls[1]?.timeout ?? 0) > 30_000 && (calls[1]?.timeout ?? 0) <= 60_000);
  await unary(client, KV.Put, PUT, metadataOf({ authorization: 'a.2' }));
  t.match(calls[2], { token: 'a.2' });
});

t.test('errors: code and text, whatever is in it; what nobody foresaw is for the log', async (t) => {
  let error: unknown = EtcdError.of('Compacted');
  const watch = () => {
    throw new TypeError('another secret');
  };
  const { address, errors } = await serve(t, {
    services: { client: { put: () => Promise.reject(error), watch } },
  });
  const client = grpcClient(t, address);
  await t.rejects(
    unary(client, KV.Put, PUT),
    failure(11, 'etcdserver: mvcc: required revision has been compacted'),
  );
  error = new EtcdError(5, 'ein Schlüssel: 100 %\n');
  await t.rejects(unary(client, KV.Put, PUT), failure(5, 'ein Schlüssel: 100 %\n'));
  t.same(errors, []);
  error = new TypeError('a secret');
  await t.rejects(unary(client, KV.Put, PUT), { code: 2, details: /^unexpected failure/ });
  t.same(errors, [error]);
  const watching = stream(client, Watch.Watch);
  const [failed] = (await once(watching, 'error')) as [grpc.ServiceError];
  t.match(failed, { code: 2, details: /^unexpected failure/ });
  t.equal(errors.length, 2);
});

t.test('what there is not: Unimplemented, in the words of etcd’s gRPC', async (t) => {
  const { address } = await serve(t, { services: {} });
  const client = grpcClient(t, address);
  const at = (path: string) => ({ ...KV.Put, path });
  await t.rejects(
    unary(client, at('/etcdserverpb.KV/Get'), PUT),
    failure(12, 'unknown method Get for service etcdserverpb.KV'),
  );
  await t.rejects(unary(client, at('/other.KV/Put'), PUT), failure(12, 'unknown service other.KV'));
  await t.rejects(unary(client, at('/Put'), PUT), failure(12, 'malformed method name: "/Put"'));
});

t.test('a message in whatever pieces, with and without its end', async (t) => {
  const { requests, services } = puts();
  const { address } = await serve(t, { services });
  const session = await rawSession(t, address);
  const octets = [...putFrame].map((octet) => Buffer.of(octet));
  const answer = await rawCall(session, KV.Put.path, octets);
  t.match(answer.headers, { ':status': 200, 'content-type': 'application/grpc' });
  t.match(answer.trailers, { 'grpc-status': '0' });
  t.same(answer.body, framed(KV.Put.response.encode({ header: HEADER })));
  t.match((await rawCall(session, KV.Put.path, [putFrame], {}, { end: false })).trailers, {
    'grpc-status': '0',
  });
  t.match((await rawCall(session, KV.Put.path, [Buffer.concat([putFrame, putFrame])])).trailers, {
    'grpc-status': '0',
  });
  t.same(requests, [PUT, PUT, PUT], 'of a unary call the first message is all');
  for (const chunks of [[], [putFrame.subarray(0, 3)], [putFrame.subarray(0, -1)]]) {
    t.match(await rawCall(session, KV.Put.path, chunks), {
      headers: { ':status': 200, 'grpc-status': '13' },
    });
  }
  t.match(await rawCall(session, KV.Put.path, [framed(Buffer.of(10, 9))]), {
    headers: { 'grpc-status': '13', 'grpc-message': /^grpc: error unmarshalling request/ },
  });
});

t.test('a request of the largest size, and one byte more, of which nothing is read', async (t) => {
  const { requests, services } = puts();
  const requestBytesMax = 1000;
  const bytesMax = requestBytesMax + 512 * 1024;
  const { address } = await serve(t, { services, requestBytesMax });
  const client = grpcClient(t, address);
  const overhead =
    KV.Put.request.encode({ ...PUT, value: Buffer.alloc(bytesMax - 20) }).length - bytesMax + 20;
  const sized = (bytes: number) => ({ ...PUT, value: Buffer.alloc(bytes - overhead) });
  await unary(client, KV.Put, sized(bytesMax));
  t.equal(requests.length, 1);
  await t.rejects(
    unary(client, KV.Put, sized(bytesMax + 1)),
    failure(8, `grpc: received message larger than max (${bytesMax + 1} vs. ${bytesMax})`),
  );
  const session = await rawSession(t, address);
  const announced = Buffer.of(0, 0xff, 0xff, 0xff, 0xff);
  t.match(await rawCall(session, KV.Put.path, [announced], {}, { end: false }), {
    headers: { 'grpc-status': '8' },
  });
  t.match(
    (await rawCall(session, KV.Put.path, [putFrame])).trailers,
    { 'grpc-status': '0' },
    'the connection lives',
  );
});

t.test('what is not gRPC is not answered as such, nor what a web page sends', async (t) => {
  const { requests, services } = puts();
  const { address } = await serve(t, { services });
  const session = await rawSession(t, address);
  for (const type of ['application/json', 'application/grpc-web', 'text/plain']) {
    const { headers } = await rawCall(session, KV.Put.path, [putFrame], { 'content-type': type });
    t.equal(headers[':status'], 404, type);
  }
  const { headers } = await rawCall(session, KV.Put.path, [putFrame], { origin: 'http://evil.example' });
  t.equal(headers[':status'], 403);
  t.equal(requests.length, 0);
  for (const type of ['application/grpc+proto', 'application/grpc;x=1']) {
    const { trailers } = await rawCall(session, KV.Put.path, [putFrame], { 'content-type': type });
    t.equal(trailers['grpc-status'], '0', type);
  }
});

t.test('pages are served over HTTP/2 as well', async (t) => {
  const header = HEADER;
  const range = async () => ({ header, kvs: [], more: false, count: 0 });
  const { address } = await serve(t, { services: { client: { range } } });
  const session = await rawSession(t, address);
  const page = session.request({ ':path': '/health' });
  let body = '';
  page.on('data', (chunk: Buffer) => (body += chunk.toString()));
  await once(page, 'end');
  t.equal(body, '{"health":"true","reason":""}');
  const post = { 'content-type': 'application/json' };
  const answer = await rawCall(session, '/v3/kv/range', [bytes('{"key":"aw=="}')], post);
  t.match(JSON.parse(answer.body.toString()), { header: { revision: '33' } });
});

t.test('compression: gzip is read, within the limit; another is refused with what there is', async (t) => {
  const { requests, services } = puts();
  const { address } = await serve(t, { services, requestBytesMax: 0 });
  const session = await rawSession(t, address);
  const gzip = { 'grpc-encoding': 'gzip' };
  const zipped = framed(gzipSync(KV.Put.request.encode(PUT)), 1);
  t.match((await rawCall(session, KV.Put.path, [zipped], gzip)).trailers, { 'grpc-status': '0' });
  t.same(requests, [PUT]);
  t.match((await rawCall(session, KV.Put.path, [putFrame], gzip)).trailers, { 'grpc-status': '0' });
  const bomb = framed(gzipSync(Buffer.alloc(512 * 1024 + 1)), 1);
  t.match((await rawCall(session, KV.Put.path, [bomb], gzip)).headers, { 'grpc-status': '8' });
  t.match((await rawCall(session, KV.Put.path, [framed(bytes('x'), 1)], gzip)).headers, {
    'grpc-status': '13',
  });
  t.match((await rawCall(session, KV.Put.path, [zipped])).headers, { 'grpc-status': '13' });
  t.match((await rawCall(session, KV.Put.path, [putFrame], { 'grpc-encoding': 'snappy' })).headers, {
    'grpc-status': '12',
    'grpc-accept-encoding': 'identity,gzip',
  });
});

t.test('time-outs: eight digits and a unit', async (t) => {
  const read: readonly (readonly [string, number | undefined])[] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['99999999S', 99_999_999_000],
    ['4999m', 4999],
    ['1500u', 1.5],
    ['1000000n', 1],
    ['123456789S', undefined],
    ['S', undefined],
    ['1', undefined],
    ['-1S', undefined],
    ['1.5S', undefined],
  ];
  for (const [text, milliseconds] of read) t.equal(parseTimeout(text), milliseconds, text);
  const { address } = await serve(t, { services: puts().services });
  const session = await rawSession(t, address);
  const answer = await rawCall(session, KV.Put.path, [putFrame], { 'grpc-timeout': 'soon' });
  t.match(answer.headers, { 'grpc-status': '13' });
});

/** A lock that is never had; tells of the signal of who waits. */
function waitingLock() {
  const events = new EventEmitter();
  const lock = (_request: unknown, options?: CallOptions) => {
    options?.signal?.addEventListener('abort', () => events.emit('abort'));
    events.emit('waiting');
    return new Promise<never>(() => undefined);
  };
  return { events, services: { lock: { lock } } };
}
const LOCK = { name: bytes('l'), lease: 0n };

t.test('a deadline ends the call and tells whoever works for it', async (t) => {
  const { events, services } = waitingLock();
  const { address } = await serve(t, { services });
  const session = await rawSession(t, address);
  const aborted = once(events, 'abort');
  const frame = framed(Lock.Lock.request.encode(LOCK));
  const answer = await rawCall(session, Lock.Lock.path, [frame], { 'grpc-timeout': '50m' });
  t.match(answer.headers, { 'grpc-status': '4', 'grpc-message': 'etcdserver: context deadline exceeded' });
  await aborted;
});

t.test(
  'a client that cancels, and one whose connection ends, are told to whoever works for them',
  async (t) => {
    const { events, services } = waitingLock();
    const { address } = await serve(t, { services });
    const session = await rawSession(t, address);
    const open = async () => {
      const call = session.request({
        ':method': 'POST',
        ':path': Lock.Lock.path,
        'content-type': 'application/grpc',
      });
      call.on('error', () => undefined);
      call.end(framed(Lock.Lock.request.encode(LOCK)));
      await once(events, 'waiting');
      return call;
    };
    const first = await open();
    const cancelled = once(events, 'abort');
    first.close(8);
    await cancelled;
    await open();
    const gone = once(events, 'abort');
    session.destroy();
    await gone;
  },
);

/** A leadership that the test takes away. */
function leadership() {
  const listeners = new Set<() => void>();
  let leads = true;
  return {
    hasLeader: () => leads,
    onLost: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: () => {
      leads = false;
      for (const listener of listeners) listener();
    },
  };
}

t.test('who asks for a leader gets none of a member without, and its streams are cut', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const leader = leadership();
  const services = { client: { watch: () => store.client.watch(), ...puts().services.client } };
  const { address } = await serve(t, { services: { ...services, leadership: leader } });
  const client = grpcClient(t, address);
  const wants = metadataOf({ hasleader: 'true' });
  const noLeader = failure(14, 'etcdserver: no leader');
  const open = (metadata?: grpc.Metadata) => {
    const call = stream(client, Watch.Watch, metadata);
    const responses: WatchResponse[] = [];
    call.on('data', (response: WatchResponse) => responses.push(response));
    const failed = new Promise((resolve) => call.on('error', resolve));
    call.write({ type: 'create', key: bytes('k') });
    return { call, failed, responses };
  };
  const cut = open(wants);
  const spared = open();
  while (cut.responses.length + spared.responses.length < 2) await turn();
  leader.end();
  t.match(await cut.failed, noLeader);
  t.match(await open(wants).failed, noLeader);
  await t.rejects(unary(client, KV.Put, PUT, wants), noLeader);
  await unary(client, KV.Put, PUT);
  await store.client.put(PUT);
  while (spared.responses.length < 2) await turn();
  t.match(spared.responses[1]?.events, [{ kv: { key: bytes('k') } }], 'who did not ask is still served');
  spared.call.cancel();
  await spared.failed;
});

t.test('a leader is lost after three election time-outs without one, not before', async (t) => {
  const cluster = new FakeCluster([memberAt(1n, 'm1'), memberAt(2n, 'm2')]);
  const clock = new ManualClock();
  const { consensus } = cluster;
  const monitor = new LeadershipMonitor({ consensus, clock, electionTimeoutMs: 1000 });
  t.teardown(() => monitor.close());
  let lost = 0;
  const unsubscribe = monitor.onLost(() => (lost += 1));
  t.ok(monitor.hasLeader());
  cluster.lead(0n);
  t.notOk(monitor.hasLeader());
  clock.advance(2999);
  cluster.lead(2n);
  clock.advance(10_000);
  t.equal(lost, 0, 'an election');
  cluster.lead(0n);
  clock.advance(2999);
  t.equal(lost, 0);
  clock.advance(1);
  t.equal(lost, 1);
  clock.advance(10_000);
  t.equal(lost, 1, 'told once');
  unsubscribe();
  cluster.lead(1n);
  cluster.lead(0n);
  clock.advance(3000);
  t.equal(lost, 1);
});

/** A watch stream whose responses are the test's. */
function heldWatch() {
  let receiver: ((response: WatchResponse) => boolean) | undefined;
  const seen = { resumed: 0, closed: false };
  const events = new EventEmitter();
  const watch = () => ({
    create: () => true,
    cancel: () => true,
    requestProgress: () => true,
    deliver: (given: (response: WatchResponse) => boolean) => {
      receiver = given;
      events.emit('open');
    },
    resume: () => {
      seen.resumed += 1;
      events.emit('resume');
    },
    close: () => {
      seen.closed = true;
      events.emit('close');
    },
    closed: new Promise<undefined>(() => undefined),
    [Symbol.asyncIterator]: () => {
      throw new Error('not iterated');
    },
  });
  const deliver = (response: WatchResponse) => receiver?.(response) ?? false;
  return { services: { client: { watch } }, deliver, seen, events };
}

t.test('a client that does not read holds its watches back, and loses nothing', async (t) => {
  const { services, deliver, seen, events } = heldWatch();
  const { address } = await serve(t, { services });
  const client = grpcClient(t, address);
  const call = stream(client, Watch.Watch);
  call.on('error', () => undefined);
  call.pause();
  call.write({ type: 'progress' });
  await once(events, 'open');
  const kv = { key: bytes('k'), createRevision: 1, modRevision: 1, version: 1, lease: 0n };
  const value = Buffer.alloc(64 * 1024);
  let sent = 0;
  const one = (): WatchResponse => ({
    header: HEADER,
    watchId: sent,
    events: [{ type: 'put', kv: { ...kv, value } }],
  });
  // Windows of client and server, and the buffer of the server, are all that takes responses.
  for (let turns = 0; turns < 200 && sent < 1000; turns++) {
    while (sent < 1000 && deliver(one())) sent += 1;
    await turn();
  }
  t.ok(sent < 1000, `${sent} responses were taken of a client that does not read`);
  const resumed = once(events, 'resume');
  const received: number[] = [];
  call.on('data', (response: WatchResponse) => received.push(response.watchId));
  call.resume();
  await resumed;
  t.ok(deliver(one()));
  sent += 1;
  while (received.length < sent) await turn();
  t.same(
    received,
    Array.from({ length: sent }, (_, index) => index),
  );
  t.ok(seen.resumed > 0);
  call.cancel();
  await once(events, 'close');
});

t.test('a stream of the server is made as fast as it is read', async (t) => {
  let made = 0;
  const events = new EventEmitter();
  const blob = Buffer.alloc(64 * 1024);
  async function* snapshot() {
    try {
      for (; made < 500; made += 1) yield { header: HEADER, remainingBytes: made, blob, version: '' };
    } finally {
      events.emit('returned');
    }
  }
  const { address } = await serve(t, { services: { maintenance: { snapshot } } });
  const client = grpcClient(t, address);
  const open = () => {
    const { path, request, response } = Maintenance.Snapshot;
    return client.makeServerStreamRequest(
      path,
      (message: object) => request.encode(message),
      (octets) => response.decode(octets),
      {},
    );
  };
  const slow = open();
  slow.on('error', () => undefined);
  await once(slow, 'readable');
  for (let turns = 0; turns < 200; turns++) await turn();
  t.ok(made < 500, `${made} pieces were made for a client that does not read`);
  const returned = once(events, 'returned');
  slow.cancel();
  await returned;
  made = 0;
  const read: number[] = [];
  for await (const chunk of open()) read.push((chunk as { remainingBytes: number }).remainingBytes);
  t.same(
    read,
    Array.from({ length: 500 }, (_, index) => index),
  );
});

t.test('a lease after the other is kept alive; one that is not known has no time left', async (t) => {
  const asked: bigint[] = [];
  let underWay = 0;
  const leaseKeepAlive = async (id: bigint) => {
    underWay += 1;
    t.equal(underWay, 1);
    asked.push(id);
    await turn();
    underWay -= 1;
    return { header: HEADER, id, ttl: id === 7n ? 0 : 60 };
  };
  const { address } = await serve(t, { services: { client: { leaseKeepAlive } } });
  const call = stream(grpcClient(t, address), Lease.LeaseKeepAlive);
  for (const id of [1n, 7n, -1n]) call.write({ id });
  call.end();
  const answers: { id: bigint; ttl: number }[] = [];
  for await (const { id, ttl } of call as AsyncIterable<{ id: bigint; ttl: number }>)
    answers.push({ id, ttl });
  t.same(asked, [1n, 7n, -1n]);
  t.same(answers, [
    { id: 1n, ttl: 60 },
    { id: 7n, ttl: 0 },
    { id: -1n, ttl: 60 },
  ]);
});

t.test('RangeStream: pieces of one revision that together are the range', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const value = Buffer.alloc(3000);
  for (let start = 0; start < 1000; start += 100) {
    const success = Array.from({ length: 100 }, (_, index) => {
      return { type: 'put', key: bytes(`r/${start + index}`), value } as const;
    });
    await store.client.txn({ compare: [], success, failure: [] });
  }
  const { address } = await serve(t, {
    services: { client: { rangePages: (...all) => store.guardedClient.rangePages(...all) } },
  });
  const client = grpcClient(t, address);
  const { path, request, response } = KV.RangeStream;
  const all = { key: bytes('r/'), rangeEnd: bytes('r0') };
  for (const asked of [
    all,
    { ...all, limit: 150 },
    { ...all, limit: 100 },
    { ...all, limit: 1000 },
    { ...all, sortOrder: 'descend', sortTarget: 'mod' } as const,
    { ...all, countOnly: true },
    { key: bytes('r/1') },
    { key: bytes('none') },
  ]) {
    const wanted = await store.client.range(asked);
    const call = client.makeServerStreamRequest(
      path,
      (message: typeof asked) => request.encode(message),
      (octets) => response.decode(octets),
      asked,
    );
    const pieces: (typeof wanted)[] = [];
    for await (const piece of call) pieces.push((piece as { rangeResponse: typeof wanted }).rangeResponse);
    const name = JSON.stringify({ ...asked, key: '', rangeEnd: '' });
    t.same(
      pieces.flatMap(({ kvs }) => kvs),
      wanted.kvs,
      name,
    );
    t.same(pieces.at(-1), { ...wanted, kvs: pieces.at(-1)?.kvs }, name);
    t.ok(
      pieces.slice(0, -1).every(({ more, count }) => !more && count === wanted.count),
      name,
    );
    if (wanted.kvs.length > 500) t.ok(pieces.length > 3, `${pieces.length} pieces`);
  }
});

t.test('closing: streams end as those of a server that stops, what is under way is waited for', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  const events = new EventEmitter();
  const put = async () => {
    events.emit('begun');
    await once(events, 'finish');
    return { header: HEADER };
  };
  const { port, address } = await serve(t, {
    services: { client: { put, watch: () => store.client.watch() } },
  });
  const client = grpcClient(t, address);
  const watching = stream(client, Watch.Watch);
  const ended = new Promise((resolve) => watching.on('error', resolve));
  watching.write({ type: 'create', key: bytes('k') });
  await once(watching, 'data');
  const begun = once(events, 'begun');
  const call = unary(client, KV.Put, PUT);
  await begun;
  const closing = port.close();
  t.match(await ended, failure(14, 'etcdserver: server stopped'));
  events.emit('finish');
  t.same(await call, { header: HEADER });
  await closing;
  await t.rejects(unary(client, KV.Put, PUT), { code: 14 });
});

t.test('a learner refuses all but serializable ranges, its status, snapshots and its health', async (t) => {
  const header = HEADER;
  const { put } = puts().services.client;
  const range = async () => ({ header, kvs: [], more: false, count: 0 });
  async function* snapshot() {
    yield { header, remainingBytes: 0, blob: bytes('b'), version: '' };
  }
  const members = async () => ({ header, members: [] });
  const { address } = await serve(t, {
    services: {
      client: { put, range },
      cluster: { list: members },
      maintenance: { snapshot, hash: async () => ({ header, hash: 1 }) },
      leadership: { isLearner: () => true },
    },
  });
  const client = grpcClient(t, address);
  const refused = failure(9, 'etcdserver: rpc not supported for learner');
  await t.rejects(unary(client, KV.Put, PUT), refused);
  await t.rejects(unary(client, Cluster.MemberList, { linearizable: false }), refused);
  await t.rejects(unary(client, Maintenance.Hash, {}), refused);
  t.match(await unary(client, KV.Range, { key: bytes('k') }), { count: 0 });
  t.same(await unary(client, Health.Check, { service: '' }), { status: 'serving' });
  const { path, request, response } = Maintenance.Snapshot;
  const call = client.makeServerStreamRequest(
    path,
    (message: object) => request.encode(message),
    (octets) => response.decode(octets),
    {},
  );
  for await (const chunk of call) t.match(chunk, { blob: bytes('b') });
});

t.test('what is counted: calls, messages and how they end', async (t) => {
  const told: string[] = [];
  const observer: GrpcObserver = {
    started: ({ service, name, type }) => told.push(`started ${service} ${name} ${type}`),
    handled: ({ name }, code, seconds) => told.push(`handled ${name} ${code} ${seconds >= 0}`),
    messageReceived: ({ name }, bytes) => told.push(`received ${name} ${bytes}`),
    messageSent: ({ name }, bytes) => told.push(`sent ${name} ${bytes}`),
  };
  const { address } = await serve(t, { services: puts().services, observer });
  const client = grpcClient(t, address);
  await unary(client, KV.Put, PUT);
  await t.rejects(unary(client, KV.Txn, { compare: [], success: [], failure: [] }));
  t.same(told, [
    'started etcdserverpb.KV Put unary',
    'received Put 6',
    `sent Put ${KV.Put.response.encode({ header: HEADER }).length}`,
    'handled Put 0 true',
    'started etcdserverpb.KV Txn unary',
    'received Txn 0',
    'handled Txn 12 true',
  ]);
});

t.test('health, of the server as a whole', async (t) => {
  const { address } = await serve(t, { services: {} });
  const client = grpcClient(t, address);
  t.same(await unary(client, Health.Check, { service: '' }), { status: 'serving' });
  await t.rejects(unary(client, Health.Check, { service: 'x' }), failure(5, 'unknown service'));
});

t.test('many calls at once on one connection, each with its own answer', async (t) => {
  const range = async ({ key }: { readonly key: Uint8Array }) => {
    await turn();
    const kv = { key, value: Buffer.alloc(key.length * 1000), createRevision: 1, modRevision: 1, version: 1 };
    return { header: HEADER, kvs: [{ ...kv, lease: 0n }], more: false, count: 1 };
  };
  const { address } = await serve(t, { services: { client: { range } } });
  const client = grpcClient(t, address);
  const keys = Array.from({ length: 300 }, (_, index) => bytes('k'.repeat((index % 97) + 1)));
  const answers = await Promise.all(keys.map((key) => unary(client, KV.Range, { key })));
  t.same(
    answers.map(({ kvs }) => kvs[0]?.value.length),
    keys.map((key) => key.length * 1000),
  );
});

t.test('TLS: both protocols on one port; a client’s certificate says who it is', async (t) => {
  const now = Date.now();
  const authority = await issueAuthority('test', now);
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const own = await issueLeaf(authority, { commonName: 'server', usage: 'server', ...names }, now);
  const alice = await issueLeaf(authority, { commonName: 'alice', usage: 'client' }, now);
  const bob = await issueLeaf(authority, { commonName: 'bob', usage: 'client' }, now);
  const { calls, services } = puts();
  const tls = { ...own, trustedCa: authority.cert, clientCertAuth: true, allowedCn: 'alice' };
  const { address, port } = await serve(t, { services, tls });
  const as = (pair: { readonly key: string; readonly cert: string }) =>
    grpc.credentials.createSsl(Buffer.from(authority.cert), Buffer.from(pair.key), Buffer.from(pair.cert));
  await unary(grpcClient(t, address, as(alice)), KV.Put, PUT);
  t.match(calls, [{ certificateName: 'alice' }]);
  await t.rejects(unary(grpcClient(t, address, as(bob)), KV.Put, PUT), { code: 14 });
  await t.rejects(
    unary(grpcClient(t, address, grpc.credentials.createSsl(Buffer.from(authority.cert))), KV.Put, PUT),
    {
      code: 14,
    },
  );
  const version = await httpsGet(t, port.ports[0] ?? 0, { ca: authority.cert, ...alice });
  t.match(version, /^\{"etcdserver"/);
});

async function httpsGet(
  _t: Test,
  port: number,
  tls: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<string> {
  const { get } = await import('node:https');
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/version', ...tls }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}
