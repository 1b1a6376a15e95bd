/** What no web page may do on a port without credentials, and the exceptions of --cors and --host-whitelist. */
import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import t, { type Test } from 'tap';
import { corsHeaders, type GuardRules, refusalFor } from '../../storage/http/guard.js';
import type { KeepAliveOptions } from '../../storage/http2/keep-alive.js';
import { listenForClients } from '../../storage/http/client-port.js';
import { servicesWith } from './fake-services.js';
import { serve } from './grpc-tools.js';

const status = (headers: Readonly<Record<string, string>>, loopback: boolean, rules?: GuardRules) =>
  refusalFor(headers, loopback, rules)?.status;
const PAGE = { host: 'localhost', origin: 'https://a.example' };

t.test('a page is refused unless its origin is among those of --cors', async (t) => {
  t.equal(status(PAGE, true), 403);
  t.equal(status(PAGE, true, { origins: ['https://b.example'] }), 403);
  t.equal(status(PAGE, true, { origins: ['https://b.example', 'https://a.example'] }), undefined);
  t.equal(status(PAGE, true, { origins: ['*'] }), undefined);
  t.equal(status({ host: 'localhost' }, true), undefined, 'who is no page');
  t.match(corsHeaders(PAGE), { 'access-control-allow-origin': 'https://a.example', vary: 'origin' });
  t.same(corsHeaders({ host: 'localhost' }), {});
});

t.test('a port of loopback has its names, and those of --host-whitelist', async (t) => {
  t.equal(status({ host: 'a.example:2379' }, true), 403);
  t.equal(status({ host: 'a.example:2379' }, false), undefined, 'elsewhere nobody knows the names');
  t.equal(status({ host: 'a.example:2379' }, true, { hosts: ['a.example'] }), undefined);
  t.equal(status({ host: 'b.example' }, true, { hosts: ['a.example'] }), 403);
  t.equal(status({ host: 'b.example' }, true, { hosts: ['*'] }), undefined);
  t.equal(status({ host: '[::1]:2379' }, true), undefined);
});

t.test('the client port lets in whom the rules name, and has no gateway where that is off', async (t) => {
  const header = { clusterId: 1n, memberId: 1n, revision: 5, raftTerm: 2 };
  const listening = await listenForClients({
    urls: ['http://127.0.0.1:0'],
    services: servicesWith({ client: { range: async () => ({ header, kvs: [], more: false, count: 0 }) } }),
    status: () => ({ leader: 1n }),
    alarms: () => [],
    rules: { origins: ['https://a.example'] },
    hasGateway: false,
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(() => listening.close());
  const url = `http://127.0.0.1:${listening.ports[0]}`;
  const from = (origin: string, init: RequestInit = {}) =>
    fetch(`${url}/health`, { ...init, headers: { origin } });
  const allowed = await from('https://a.example');
  t.equal(allowed.status, 200);
  t.equal(allowed.headers.get('access-control-allow-origin'), 'https://a.example');
  t.equal((await from('https://a.example', { method: 'OPTIONS' })).status, 200, 'what a browser asks before');
  t.equal((await from('https://b.example')).status, 403);
  t.equal((await fetch(`${url}/health`)).headers.get('access-control-allow-origin'), null);
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
  t.equal((await fetch(`${url}/v3/maintenance/status`, json)).status, 404);
});

/** A client port with such connections. */
async function open(t: Test, options: Partial<KeepAliveOptions>) {
  const keepAlive = { minTimeMs: 0, intervalMs: 0, timeoutMs: 0, ...options };
  const { port } = await serve(t, { services: {}, keepAlive });
  return { port: port.ports[0] ?? 0 };
}

async function connected(t: Test, port: number): Promise<ClientHttp2Session> {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  return client;
}

const ping = (client: ClientHttp2Session) =>
  new Promise<void>((resolve, reject) => {
    client.ping((error) => (error === null ? resolve() : reject(error)));
  });

t.test('a client that pings too often is told so and cut off', async (t) => {
  const { port } = await open(t, { minTimeMs: 60_000 });
  const client = await connected(t, port);
  const goaway = once(client, 'goaway') as Promise<[number, number, Buffer]>;
  for (let count = 0; count < 3; count++) await ping(client);
  await ping(client).catch(() => undefined);
  const [code, , reason] = await goaway;
  t.equal(code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  t.equal(Buffer.from(reason).toString(), 'too_many_pings');
});

t.test('a client that pings seldom enough stays', async (t) => {
  const { port } = await open(t, { minTimeMs: 0 });
  const client = await connected(t, port);
  for (let count = 0; count < 10; count++) await ping(client);
  t.notOk(client.destroyed);
});

/** The least that a client says: the preface, and settings of its own without any. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const NO_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

t.test('a client of which nothing comes is asked, and cut off if it does not answer', async (t) => {
  const alive = await open(t, { intervalMs: 10, timeoutMs: 5000 });
  const client = await connected(t, alive.port);
  await once(client, 'ping');
  t.notOk(client.destroyed);
  const gone = await open(t, { intervalMs: 10, timeoutMs: 10 });
  const socket = connectSocket(gone.port, '127.0.0.1').on('error', () => undefined);
  socket.write(PREFACE);
  socket.write(NO_SETTINGS);
  socket.resume();
  await once(socket, 'close');
  t.pass('cut off');
});
