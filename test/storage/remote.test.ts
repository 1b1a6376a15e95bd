/** The remote client's own decisions, with connections that do what a test says. */
import { getEventListeners } from 'node:events';
import t, { type Test } from 'tap';
import { Calls, READ, WRITE } from '../../storage/client/remote/calls.js';
import { RemoteClient } from '../../storage/client/remote/client.js';
import type { Connection, Stream, StreamEvents } from '../../storage/client/remote/connection.js';
import { Connections } from '../../storage/client/remote/connections.js';
import { endpointOf } from '../../storage/client/remote/endpoint.js';
import { errorOfStatus } from '../../storage/client/remote/failures.js';
import { isProgressTrusted } from '../../storage/client/remote/progress.js';
import { Tokens } from '../../storage/client/remote/tokens.js';
import { WatchLedger } from '../../storage/client/remote/watch-ledger.js';
import type { WatchEvent, WatchResponse } from '../../storage/client/interface.js';
import { EtcdError, GrpcCode, NotSentError } from '../../storage/errors.js';
import type { WatchRequest } from '../../storage/grpc/messages/watch.js';
import type { Method } from '../../storage/grpc/method.js';
import { bytes, fails, silent, WatchReader } from './tools.js';

const headerAt = (revision: number) => ({ clusterId: 1n, memberId: 1n, revision, raftTerm: 1 });
const lost = new EtcdError(GrpcCode.Unavailable, 'lost the connection to here');

type Answer = (method: string, request: unknown, token: string | undefined) => unknown;

/** Answers what the test says; an EtcdError is thrown. */
class FakeConnection implements Connection {
  /** Calls of each method. */
  readonly calls: string[] = [];
  readonly streams: FakeStream[] = [];
  constructor(
    readonly name: string,
    private readonly answer: Answer,
  ) {}

  async ready(): Promise<void> {
    const answer = this.answer('ready', undefined, undefined);
    if (answer instanceof EtcdError) throw answer;
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { token }: { readonly token: string | undefined },
  ): Promise<Response> {
    this.calls.push(method.name);
    const answer = await this.answer(method.name, request, token);
    if (answer instanceof EtcdError) throw answer;
    return answer as Response;
  }

  open<Request, Response>(
    _method: Method<Request, Response>,
    _settings: object,
    events: StreamEvents<Response>,
  ): Stream<Request> {
    const stream = new FakeStream(events);
    this.streams.push(stream);
    return stream;
  }

  close(): void {}
}

class FakeStream implements Stream<unknown> {
  readonly sent: WatchRequest[] = [];
  paused = false;
  cancelled = false;
  constructor(readonly events: StreamEvents<never>) {}
  send(request: unknown): void {
    this.sent.push(request as WatchRequest);
  }
  end(): void {}
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  cancel(): void {
    this.cancelled = true;
  }
  tell(response: Partial<WatchResponse>): void {
    const full = { header: headerAt(1), watchId: 0, events: [], ...response };
    (this.events as StreamEvents<WatchResponse>).message(full);
  }
}

const never = new Tokens(undefined);
const put = { name: 'Put' } as Method<object, object>;
const always = (answer: unknown) => (method: string) => (method === 'ready' ? undefined : answer);

function callsOver(...connections: FakeConnection[]) {
  return new Calls({ connections: new Connections(connections, silent), tokens: never });
}

t.test('endpoints as --etcd-servers and etcdctl write them', async (t) => {
  const of = (text: string, secure = false) => endpointOf(text, { secure });
  t.same(of('http://a.example:2379'), {
    name: 'http://a.example:2379',
    address: 'a.example:2379',
    secure: false,
  });
  t.match(of(' https://127.0.0.1:1/ '), {
    name: 'https://127.0.0.1:1/',
    address: '127.0.0.1:1',
    secure: true,
  });
  t.match(of('[::1]:2379'), { address: '[::1]:2379', secure: false });
  t.match(of('host:2379', true), { address: 'host:2379', secure: true });
  for (const bad of ['', 'host', 'ftp://host:1', 'http://host', 'http://host:1/path', 'host:99999']) {
    t.throws(() => of(bad), { name: 'UrlError' }, bad);
  }
});

t.test('progress is trusted from the versions that kube-apiserver trusts', async (t) => {
  const trusted = ['3.4.31', '3.4.99', '3.5.13', '3.6.0', '3.6.0-rc.1', '3.10.0', '4.0.0'];
  const not = ['3.4.30', '3.5.0', '3.5.12', '3.3.27', '2.3.8', '', 'unknown'];
  for (const version of trusted) t.ok(isProgressTrusted(version), version);
  for (const version of not) t.notOk(isProgressTrusted(version), version);
});

t.test('what a gRPC status becomes', async (t) => {
  const of = (code: number, details: string) => errorOfStatus({ code, details }, 'http://e:1');
  const refused =
    'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1 (2026-11-26T22:00:00.000Z). Resolution note: ';
  t.match(of(14, refused), { message: 'cannot connect to http://e:1: connect ECONNREFUSED 127.0.0.1:1' });
  t.ok(of(14, refused) instanceof NotSentError);
  t.notOk(of(14, 'Connection dropped') instanceof NotSentError);
  t.match(of(14, 'Connection dropped'), { code: 14, message: /^lost the connection to http:\/\/e:1: / });
  t.match(of(13, 'Received RST_STREAM with code 2'), { code: 14 }, 'a reset stream is a lost connection');
  t.ok(of(14, 'etcdserver: no leader').is('NoLeader'), 'the server’s own text stays');
  t.ok(of(4, 'Deadline exceeded after 0.1s').is('DeadlineExceeded'));
  t.ok(of(1, 'Cancelled on client').is('Canceled'));
  t.match(of(99, 'odd'), { code: GrpcCode.Unknown, message: 'odd' });
});

t.test('what only reads goes to the next endpoint whenever one fails', async (t) => {
  const one = new FakeConnection('one', always(lost));
  const two = new FakeConnection('two', always('answer'));
  const calls = callsOver(one, two);
  t.equal(await calls.unary(put, {}, READ), 'answer');
  t.equal(await calls.unary(put, {}, READ), 'answer');
  t.same([one.calls.length, two.calls.length], [1, 2], 'the one that answered stays in use');
});

t.test('a write is repeated only when it is certain that it was not done', async (t) => {
  for (const certain of [
    new NotSentError('one', 'connect ECONNREFUSED'),
    EtcdError.of('NoLeader'),
    EtcdError.of('NotSupportedForLearner'),
  ]) {
    const two = new FakeConnection('two', always('done'));
    t.equal(await callsOver(new FakeConnection('one', always(certain)), two).unary(put, {}, WRITE), 'done');
  }
  for (const uncertain of [
    lost,
    EtcdError.of('Timeout'),
    EtcdError.of('LeaderChanged'),
    EtcdError.of('Stopped'),
  ]) {
    const one = new FakeConnection('one', always(uncertain));
    const two = new FakeConnection('two', always('done'));
    const calls = callsOver(one, two);
    await t.rejects(calls.unary(put, {}, WRITE), uncertain, uncertain.message);
    t.equal(two.calls.length, 0);
    t.equal(await calls.unary(put, {}, WRITE), 'done', 'the next call goes elsewhere');
  }
});

t.test('nobody answers: the last failure, at the deadline', async (t) => {
  const refused = new NotSentError('one', 'connect ECONNREFUSED');
  const one = new FakeConnection('one', always(refused));
  const begun = performance.now();
  await t.rejects(callsOver(one).unary(put, {}, WRITE, { timeout: 300 }), refused);
  t.ok(performance.now() - begun < 5000);
  t.ok(one.calls.length > 1, 'it was tried more than once');
  await fails(
    t,
    callsOver(new FakeConnection('slow', always(EtcdError.of('DeadlineExceeded')))).unary(put, {}, READ),
    'DeadlineExceeded',
  );
  const learner = new FakeConnection('learner', always(EtcdError.of('NotSupportedForLearner')));
  await fails(
    t,
    callsOver(learner).unary(put, {}, READ),
    'NotSupportedForLearner',
    'alone: waiting is no use',
  );
  t.equal(learner.calls.length, 1);
});

t.test('an answer that is an error of the request’s own is an answer', async (t) => {
  const one = new FakeConnection('one', always(EtcdError.of('EmptyKey')));
  await fails(t, callsOver(one, new FakeConnection('two', always(1))).unary(put, {}, READ), 'EmptyKey');
});

t.test('a signal ends a call between its attempts, and leaves no listener behind', async (t) => {
  const stop = new AbortController();
  const one = new FakeConnection('one', always(lost));
  const call = callsOver(one).unary(put, {}, READ, { signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await fails(t, call, 'Canceled');
  t.equal(getEventListeners(stop.signal, 'abort').length, 0);
});

t.test('a token is fetched once, again when it is refused, and never where the caller has one', async (t) => {
  let tokens = 0;
  let good = 'token-1';
  const server = new FakeConnection('one', (method, _request, token) => {
    if (method === 'Authenticate') return { token: `token-${++tokens}` };
    if (method === 'ready') return undefined;
    return token === good || token === 'mine'
      ? { header: headerAt(7), token }
      : EtcdError.of('InvalidAuthToken');
  });
  const client = new RemoteClient({
    connections: [server],
    user: { name: 'root', password: 'x' },
    logger: silent,
  });
  await Promise.all([1, 2, 3].map(() => client.put({ key: bytes('a'), value: bytes('') })));
  t.equal(tokens, 1);
  good = 'token-2';
  await client.put({ key: bytes('a'), value: bytes('') });
  t.equal(tokens, 2);
  await client.put({ key: bytes('a'), value: bytes('') }, { token: 'mine' });
  await fails(t, client.put({ key: bytes('a'), value: bytes('') }, { token: 'bad' }), 'InvalidAuthToken');
  t.equal(tokens, 2, 'a token of the caller’s own is not renewed');
  good = 'none';
  await fails(t, client.put({ key: bytes('a'), value: bytes('') }), 'InvalidAuthToken', 'once a call');
  await client.close();
  await fails(t, client.put({ key: bytes('a'), value: bytes('') }), 'Canceled');
});

const event = (modRevision: number, key = 'k'): WatchEvent => ({
  type: 'put',
  kv: { key: bytes(key), value: bytes(''), createRevision: 1, modRevision, version: 1, lease: 0n },
});
const told = (response: WatchResponse | undefined) => response?.events.map(({ kv }) => kv.modRevision);

t.test('the ledger: where a watch goes on', async (t) => {
  const response = (more: Partial<WatchResponse>): WatchResponse => ({
    header: headerAt(10),
    watchId: 0,
    events: [],
    ...more,
  });
  const created = (watchId: number, revision = 10) =>
    response({ watchId, created: true, header: headerAt(revision) });
  const starts = (ledger: WatchLedger) =>
    ledger
      .connected()
      .map((message) => (message.type === 'create' ? [message.watchId, message.startRevision] : message));

  t.test('behind what it was told, or behind its creation', async (t) => {
    const ledger = new WatchLedger();
    ledger.create({ key: bytes('a') });
    ledger.create({ key: bytes('b'), startRevision: 5 });
    ledger.create({ key: bytes('c'), startRevision: 500 });
    t.same(
      starts(ledger),
      [
        [0, 0],
        [1, 5],
        [2, 500],
      ],
      'not yet created: as it was asked for',
    );
    for (const id of [0, 1, 2]) t.equal(ledger.received(created(id))?.created, true);
    t.same(told(ledger.received(response({ watchId: 1, events: [event(6), event(8)] }))), [6, 8]);
    ledger.disconnected();
    t.same(starts(ledger), [
      [0, 11],
      [1, 9],
      [2, 500],
    ]);
    for (const id of [0, 1, 2]) t.equal(ledger.received(created(id)), undefined, 'created is told once');
    t.same(
      told(ledger.received(response({ watchId: 1, events: [event(8), event(12)] }))),
      [12],
      'nothing twice',
    );
    ledger.received(response({ watchId: -1, header: headerAt(20) }));
    ledger.disconnected();
    t.same(
      starts(ledger),
      [
        [0, 21],
        [1, 21],
        [2, 500],
      ],
      'progress moves all that were told everything',
    );
  });

  t.test('a revision in fragments: the rest of it, and no event twice', async (t) => {
    const ledger = new WatchLedger();
    ledger.create({ key: bytes('a'), startRevision: 5, fragment: true });
    ledger.received(created(0));
    ledger.received(response({ fragment: true, events: [event(5), event(6, 'a')] }));
    ledger.received(response({ fragment: true, events: [event(6, 'b')] }));
    ledger.disconnected();
    t.same(starts(ledger), [[0, 6]]);
    ledger.received(created(0));
    const first = ledger.received(
      response({ fragment: true, events: [event(6, 'a'), event(6, 'b'), event(6, 'c')] }),
    );
    t.same(
      first?.events.map(({ kv }) => Buffer.from(kv.key).toString()),
      ['c'],
    );
    ledger.disconnected();
    starts(ledger);
    ledger.received(created(0));
    const rest = ['a', 'b', 'c', 'd'].map((key) => event(6, key));
    const last = ledger.received(response({ events: [...rest, event(7)] }));
    t.same(
      last?.events.map(({ kv }) => Buffer.from(kv.key).toString()),
      ['d', 'k'],
    );
    ledger.disconnected();
    t.same(starts(ledger), [[0, 8]]);
  });

  t.test('ids stay: chosen ones, and the one that the server must choose comes first', async (t) => {
    const ledger = new WatchLedger();
    ledger.create({ key: bytes('a'), watchId: 7 });
    ledger.create({ key: bytes('b') });
    ledger.create({ key: bytes('c') });
    starts(ledger);
    for (const id of [7, 0, 1]) ledger.received(created(id));
    t.same(starts(ledger), [
      [0, 11],
      [7, 11],
      [1, 11],
    ]);
    for (const id of [0, 7, 1]) ledger.received(created(id));
    ledger.received(response({ watchId: 1, canceled: true }));
    const next = ledger.create({ key: bytes('d') });
    t.match(next, { watchId: 2 }, 'an id is not used again');
    const refused = response({ watchId: -1, created: true, canceled: true });
    t.equal(ledger.received(refused), refused);
    t.match(ledger.create({ key: bytes('e') }), { watchId: 2 }, 'but one that was refused is the next');
    t.throws(() => ledger.received(created(9)), { name: 'EtcdError' }, 'a server with other ideas');
  });

  t.test('a cancelled watch is silent, and ends with its connection at the latest', async (t) => {
    const ledger = new WatchLedger();
    ledger.create({ key: bytes('a') });
    ledger.received(created(0));
    t.same(ledger.cancel(0), { type: 'cancel', watchId: 0 });
    t.equal(ledger.cancel(0), undefined);
    t.equal(ledger.cancel(1), undefined);
    t.equal(ledger.received(response({ events: [event(12)] })), undefined);
    t.match(ledger.disconnected(), [{ watchId: 0, canceled: true }]);
    t.ok(ledger.isEmpty);
  });

  t.test('below the compacted revision it ends, also when it was to go on', async (t) => {
    const ledger = new WatchLedger();
    ledger.create({ key: bytes('a') });
    ledger.received(created(0));
    ledger.disconnected();
    starts(ledger);
    t.equal(ledger.received(created(0)), undefined);
    t.match(ledger.received(response({ canceled: true, compactRevision: 50 })), {
      watchId: 0,
      compactRevision: 50,
    });
    t.same(starts(ledger), []);
  });
});

/** A client of one server whose streams the test holds. */
function fakeWatch(t: Test, version = '3.6.0') {
  const server = new FakeConnection('one', (method) =>
    method === 'Status' ? { header: headerAt(1), version } : undefined,
  );
  const client = new RemoteClient({ connections: [server], logger: silent });
  t.teardown(() => client.close());
  const stream = client.watch();
  const opened = async (count: number): Promise<FakeStream> => {
    while (server.streams.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
    // The version is asked for after it.
    await new Promise((resolve) => setTimeout(resolve, 1));
    return server.streams[count - 1] as FakeStream;
  };
  return { stream, opened };
}

t.test('a reader that does not read holds the stream', async (t) => {
  const { stream, opened } = fakeWatch(t);
  const taken: (number[] | undefined)[] = [];
  let takes = false;
  stream.deliver((response) => {
    if (takes) taken.push(told(response));
    return takes;
  });
  stream.create({ key: bytes('a'), startRevision: 2 });
  const one = await opened(1);
  one.tell({ created: true });
  t.ok(one.paused);
  one.tell({ events: [event(2)] });
  one.events.ended(lost);
  const two = await opened(2);
  t.ok(two.paused, 'the next connection too');
  t.match(two.sent, [{ type: 'create', startRevision: 3 }], 'what came and waits is not asked for again');
  takes = true;
  stream.resume();
  t.same(taken, [[], [2]]);
  t.notOk(two.paused);
});

t.test(
  'a progress request is made again on the next connection, and when the server forgets it',
  async (t) => {
    const { stream, opened } = fakeWatch(t);
    const reader = new WatchReader(stream);
    stream.create({ key: bytes('a') });
    t.ok(stream.requestProgress(), 'also before there is a connection');
    const one = await opened(1);
    t.same(
      one.sent.map(({ type }) => type),
      ['create', 'progress'],
    );
    one.tell({ created: true, header: headerAt(5) });
    one.events.ended(undefined);
    const two = await opened(2);
    t.match(two.sent, [{ type: 'create', startRevision: 6 }, { type: 'progress' }]);
    two.tell({ created: true, header: headerAt(5) });
    while (two.sent.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    two.tell({ watchId: -1, header: headerAt(9) });
    const responses = await reader.until(({ watchId }) => watchId === -1);
    t.same(
      responses.map(({ created, header }) => [created ?? false, header.revision]),
      [
        [true, 5],
        [false, 9],
      ],
    );
    stream.requestProgress();
    stream.create({ key: bytes('b'), startRevision: 1 });
    two.tell({ created: true, watchId: 1 });
    two.tell({ watchId: -1, header: headerAt(9) });
    two.tell({ watchId: 1, events: [event(3)] });
    t.match(await reader.next(), { created: true });
    t.match(await reader.next(), { watchId: 1 }, 'an answer from before a watch was created does not count');
    stream.close();
    t.ok(two.cancelled);
  },
);

t.test('an old server’s word on progress is not asked for', async (t) => {
  const { stream, opened } = fakeWatch(t, '3.4.23');
  stream.create({ key: bytes('a') });
  t.ok(stream.requestProgress(), 'nobody knows yet');
  const one = await opened(1);
  t.notOk(stream.requestProgress());
  t.same(
    one.sent.map(({ type }) => type),
    ['create'],
  );
});

t.test('what no other connection will mend ends the stream', async (t) => {
  const { stream, opened } = fakeWatch(t);
  stream.create({ key: bytes('a') });
  (await opened(1)).events.ended(EtcdError.of('PermissionDenied'));
  t.match(await stream.closed, EtcdError.of('PermissionDenied'));
});
