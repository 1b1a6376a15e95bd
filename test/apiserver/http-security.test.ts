/** No web page can use the server, and nobody without a certificate can use the secure port. */
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { connect as connectPlain } from 'node:net';
import t, { type Test } from 'tap';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { bodyBytesMax, queryParametersMax, urlBytesMax } from '../../apiserver/http/limits.js';
import { createPlain, createSecure, listen } from '../../apiserver/http/listeners.js';
import { pipelined } from '../tools/pipelined.js';
import { certificates, type Harness, start } from './http-harness.js';

const collection = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string) => JSON.stringify({ metadata: { name } });

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** With full control over headers, which fetch would forbid. */
async function ask(
  harness: Harness,
  port: 'plain' | 'secure',
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Reply> {
  const { statusCode, headers, body } = await request(harness[port] + path, {
    method: (options.method ?? 'GET') as 'GET',
    headers: options.headers ?? {},
    ...(options.body === undefined ? {} : { body: options.body }),
    ...(port === 'secure' ? { dispatcher: harness.agent } : {}),
  });
  return { status: statusCode, headers, text: await body.text() };
}

/** undici sets Host by itself; this does not. */
function askWithHost(port: number, host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const query = httpRequest({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    query.on('error', reject);
    query.end();
  });
}

/** One request over a TLS connection of its own: status and the session for the next. */
async function overTls(
  harness: Harness,
  options: ConnectionOptions,
  path: string,
  headers = '',
): Promise<{ status: number; session: Buffer | undefined; reused: boolean }> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port: harness.securePort,
    ca: harness.certificates.ca,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  let session: Buffer | undefined;
  let reused = false;
  socket.on('session', (value: Buffer) => (session = value));
  socket.on('secureConnect', () => (reused = socket.isSessionReused()));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return { status: Number(text.slice(9, 12)), session, reused };
}

t.test('the plain port hears loopback names only (DNS rebinding)', async (t) => {
  const harness = await start(t);
  for (const host of ['localhost', '127.0.0.1:1234', '[::1]:80']) {
    t.equal(await askWithHost(harness.port, host, '/version'), 200, host);
  }
  for (const host of ['evil.test', 'localhost.evil.test', '10.0.0.1', 'wherry.test']) {
    t.equal(await askWithHost(harness.port, host, '/version'), 403, host);
  }
  const noHost = await raw(harness.port, `GET /version HTTP/1.0\r\n\r\n`);
  t.match(noHost, /^HTTP\/1\.1 403 /);
});

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.on('end', () => socket.end());
  });
}

t.test('the secure port hears the names of its certificate, addresses and loopback', async (t) => {
  const harness = await start(t);
  const tls = { ca: harness.certificates.ca, servername: 'localhost' };
  const status = (host: string) =>
    new Promise<number>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: harness.securePort,
        path: '/version',
        headers: { host },
        ...tls,
      };
      const query = httpsRequest(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      query.on('error', reject);
      query.end();
    });
  for (const host of ['wherry.test', 'wherry.test:6443', '10.1.2.3', 'localhost'])
    t.equal(await status(host), 200, host);
  t.equal(await status('evil.test'), 403);
  const session = harness.http2();
  const code = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const stream = session.request({ ':path': '/version', ...headers });
      stream.on('response', (answer) => resolve(Number(answer[':status'])));
      stream.on('error', reject);
      stream.resume();
    });
  t.equal(await code({ ':authority': 'localhost' }), 200);
  t.equal(await code({ ':authority': 'evil.test' }), 403);
  t.equal(await code({ ':authority': 'localhost', host: 'evil.test' }), 403, 'both count');
});

for (const port of ['plain', 'secure'] as const) {
  t.test(`${port}: requests of a foreign origin are refused before anything is done`, async (t) => {
    const harness = await start(t);
    const headers = { 'content-type': 'application/json' };
    for (const origin of ['https://evil.test', 'null', 'http://localhost.evil.test']) {
      const create = { method: 'POST', headers: { ...headers, origin }, body: configMap('x') };
      const refused = await ask(harness, port, collection, create);
      t.equal(refused.status, 403, origin);
      t.match(JSON.parse(refused.text), { kind: 'Status', reason: 'Forbidden' });
      t.equal(refused.headers['access-control-allow-origin'], undefined);
      t.equal((await ask(harness, port, '/healthz', { headers: { origin } })).status, 403);
    }
    t.equal(harness.table.find('', 'v1', 'configmaps')?.objects.size, 0);
    const local = { ...headers, origin: 'http://localhost:3000' };
    t.equal(
      (await ask(harness, port, collection, { method: 'POST', headers: local, body: configMap('y') })).status,
      201,
    );
  });

  t.test(`${port}: an allowed origin gets the CORS headers, a preflight its answer`, async (t) => {
    const harness = await start(t, { corsAllowedOrigins: ['https://app.test'] });
    const origin = 'https://app.test';
    const answer = await ask(harness, port, '/version', { headers: { origin } });
    t.equal(answer.headers['access-control-allow-origin'], origin);
    t.equal(answer.headers['vary'], 'Origin');
    const preflight = await ask(harness, port, collection, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    t.equal(preflight.status, 204);
    t.match(preflight.headers['access-control-allow-methods'], /PATCH/);
    const foreign = await ask(harness, port, collection, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
    });
    t.equal(foreign.status, 403);
    const missing = await ask(harness, port, `${collection}/none`, { headers: { origin } });
    t.equal(missing.headers['access-control-allow-origin'], origin, 'errors can be read too');
  });

  t.test(`${port}: what a form can post is 415, never guessed`, async (t) => {
    const harness = await start(t);
    const body = configMap('form');
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'text/plain;application/json',
      'a',
    ]) {
      const answer = await ask(harness, port, collection, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      t.equal(answer.status, 415, type);
      t.match(
        (JSON.parse(answer.text) as { message: string }).message,
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      );
    }
    const post = (headers: Record<string, string>) =>
      ask(harness, port, collection, { method: 'POST', headers, body });
    t.equal((await post({ 'sec-fetch-site': 'cross-site' })).status, 415, 'no content type, from a page');
    t.equal((await post({ origin: 'http://localhost:3000' })).status, 415, 'no content type, from a page');
    t.equal(harness.table.find('', 'v1', 'configmaps')?.objects.size, 0);
    t.equal((await post({})).status, 201, 'no content type, no browser: JSON, as upstream');
    const remove = { method: 'DELETE', headers: { 'content-type': 'text/plain' }, body: '{}' };
    t.equal((await ask(harness, port, `${collection}/form`, remove)).status, 415);
  });

  t.test(`${port}: web sockets of a foreign origin or host are refused`, async (t) => {
    const harness = await start(t);
    const url = `${harness[port].replace('http', 'ws')}${collection}?watch=true`;
    const tls = port === 'secure' ? { ca: harness.certificates.ca, ...harness.certificates.client } : {};
    const outcome = (headers: Record<string, string>) =>
      new Promise<number | 'open'>((resolve) => {
        const socket = new WebSocket(url, { headers, ...tls });
        socket.on('unexpected-response', (query, response) => {
          resolve(response.statusCode ?? 0);
          query.destroy();
        });
        socket.on('open', () => {
          resolve('open');
          socket.terminate();
        });
        socket.on('error', () => undefined);
      });
    t.equal(await outcome({ origin: 'https://evil.test' }), 403);
    t.equal(await outcome({ host: 'evil.test' }), 403);
    t.equal(await outcome({ origin: 'http://localhost:8001' }), 'open');
    t.equal(await outcome({}), 'open');
  });
}

t.test('the secure port wants a certificate of our CA for everything but health and version', async (t) => {
  const harness = await start(t);
  const { client, stranger } = harness.certificates;
  for (const path of ['/healthz', '/livez', '/readyz', '/version', '/readyz?verbose']) {
    t.equal((await overTls(harness, {}, path)).status, 200, path);
  }
  for (const path of [
    '/',
    '/api',
    '/apis',
    collection,
    '/healthz/etcd',
    '/openapi/v3',
    '/versions',
    '/healthz/../api',
  ]) {
    t.equal((await overTls(harness, {}, path)).status, 401, path);
    t.equal((await overTls(harness, { ...stranger }, path)).status, 401, `another CA: ${path}`);
  }
  t.equal(
    (await overTls(harness, { ...harness.certificates.server }, '/api')).status,
    401,
    'no client certificate',
  );
  t.equal((await overTls(harness, { ...client }, '/api')).status, 200);
  const refused = await request(`${harness.secure}/api`, {
    dispatcher: new Agent({ connect: { ca: harness.certificates.ca } }),
  });
  t.match(await refused.body.json(), {
    kind: 'Status',
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  });
});

t.test('a bearer token is asked for where there is no certificate', async (t) => {
  const harness = await start(t);
  const metadata = { name: 'robot', namespace: 'default', uid: 'u' };
  const account = { kind: 'ServiceAccount', apiVersion: 'v1', metadata };
  harness.table.find('', 'v1', 'serviceaccounts')?.put(account);
  const { audiences } = harness.tokens;
  const plan = { namespace: 'default', account: metadata, bound: {}, audiences, seconds: 600 };
  const { token } = await harness.tokens.issue(plan);
  const { ca, client } = harness.certificates;
  const bearer = (text: string) => `Authorization: Bearer ${text}\r\n`;
  t.equal((await overTls(harness, {}, '/api', bearer(token))).status, 200);
  t.equal((await overTls(harness, {}, '/api', bearer('nonsense'))).status, 401);
  t.equal((await overTls(harness, {}, '/healthz', bearer('nonsense'))).status, 401, 'on public paths too');
  t.equal(
    (await overTls(harness, { ...client }, '/api', bearer('nonsense'))).status,
    200,
    'certificates come first',
  );
  const session = connectHttp2(harness.secure, { ca });
  t.teardown(() => session.destroy());
  for (const [text, status] of [
    [token, 200],
    ['nonsense', 401],
    [token, 200],
  ] as const) {
    const stream = session.request({ ':path': collection, authorization: `Bearer ${text}` });
    const [answer] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    t.equal(answer[':status'], status, 'each request of a connection for itself');
  }
  const nobody = await overTls(harness, {}, '/healthz', 'Impersonate-User: jane\r\n');
  t.equal(nobody.status, 403, 'who is nobody acts as nobody else');
});

t.test('an HTTP/2 connection without a certificate of our CA gets no further', async (t) => {
  const harness = await start(t);
  const { ca, stranger } = harness.certificates;
  for (const credentials of [{}, stranger]) {
    const session = connectHttp2(harness.secure, { ca, ...credentials });
    t.teardown(() => session.destroy());
    const status = (path: string) =>
      new Promise<number>((resolve, reject) => {
        const stream = session.request({ ':path': path });
        stream.on('response', (answer) => resolve(Number(answer[':status'])));
        stream.on('error', reject);
        stream.resume();
      });
    t.equal(await status('/healthz'), 200);
    t.equal(await status('/api'), 401);
    t.equal(await status(collection), 401);
    // Gone before it is looked at: nothing may be done in anyone's name.
    const late = session.request({
      ':path': collection,
      ':method': 'POST',
      'content-type': 'application/json',
    });
    late.on('error', () => undefined);
    late.end(configMap('late'), () => session.destroy());
    await once(session, 'close');
  }
  await sleep(100);
  t.equal(harness.table.find('', 'v1', 'configmaps')?.objects.size, 0);
});

t.test('a resumed TLS session gives no more than the first one had', async (t) => {
  const harness = await start(t);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const cases: readonly [string, ConnectionOptions, number][] = [
      ['none', {}, 401],
      ['of another CA', { ...harness.certificates.stranger }, 401],
      ['ours', { ...harness.certificates.client }, 200],
    ];
    for (const [name, credentials, status] of cases) {
      const first = await overTls(harness, { ...credentials, maxVersion }, '/api');
      t.equal(first.status, status, `${maxVersion}, certificate ${name}`);
      if (first.session === undefined) continue;
      const again = await overTls(harness, { maxVersion, session: first.session }, '/api');
      t.equal(
        again.status,
        again.reused ? status : 401,
        `${maxVersion}, certificate ${name}, resumed ${again.reused}`,
      );
    }
  }
});

t.test('limits hold at their value and not beyond', async (t) => {
  const harness = await start(t);
  const headers = { 'content-type': 'application/json' };
  const body = (bytes: number) => {
    const object = configMap('big');
    return object + ' '.repeat(bytes - object.length);
  };
  const fits = await ask(harness, 'secure', collection, {
    method: 'POST',
    headers,
    body: body(bodyBytesMax),
  });
  t.equal(fits.status, 201);
  const tooLarge = await ask(harness, 'secure', collection, {
    method: 'POST',
    headers,
    body: body(bodyBytesMax + 1),
  });
  t.equal(tooLarge.status, 413);
  t.match(JSON.parse(tooLarge.text), {
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: limit is 3145728',
  });
  const path = `${collection}?labelSelector=`;
  const long = (bytes: number) => path + 'a'.repeat(bytes - path.length);
  t.equal((await ask(harness, 'plain', long(urlBytesMax))).status, 400, 'read, and no valid label');
  t.equal((await ask(harness, 'plain', long(urlBytesMax + 1))).status, 414);
  const many = (count: number) => `${collection}?${'a=1&'.repeat(count - 1)}a=1`;
  t.equal((await ask(harness, 'plain', many(queryParametersMax))).status, 200);
  t.equal((await ask(harness, 'plain', many(queryParametersMax + 1))).status, 400);
  for (const port of ['plain', 'secure'] as const) {
    t.equal(
      (await ask(harness, port, '/version', { headers: { 'x-long': 'a'.repeat(60_000) } })).status,
      200,
    );
    t.equal(
      (await ask(harness, port, '/version', { headers: { 'x-long': 'a'.repeat(70_000) } })).status,
      431,
    );
  }
});

t.test('an upgrade to anything but a web socket is answered as if it had not been asked for', async (t) => {
  const harness = await start(t);
  const upgrade = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n';
  t.match(
    await raw(harness.port, `GET /version HTTP/1.1\r\n${upgrade}\r\n`),
    /^HTTP\/1\.1 200 [^]*"major": "1"/,
  );
  t.match(
    await raw(harness.port, `GET /version HTTP/1.1\r\n${upgrade.replace('localhost', 'evil.test')}\r\n`),
    /^HTTP\/1\.1 403 /,
  );
  t.match(
    await raw(harness.port, `POST /api HTTP/1.1\r\n${upgrade}Content-Length: 2\r\n\r\n{}`),
    /^HTTP\/1\.1 400 /,
  );
  // As kubectl asks for SPDY: without a body, which it says.
  t.match(
    await raw(harness.port, `POST /api HTTP/1.1\r\n${upgrade}Content-Length: 0\r\n\r\n`),
    /^HTTP\/1\.1 405 [^]*"reason":"MethodNotAllowed"/,
  );
});

t.test(
  'a web socket whose request has a body, or whose handshake is none, is answered and ended',
  async (t) => {
    const harness = await start(t);
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const version = 'Sec-WebSocket-Version: 13\r\n';
    const ask = (method: string, headers: string, body = '') =>
      raw(
        harness.port,
        `${method} ${collection}?watch=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n${body}`,
      );
    // The body would never be read, and the request never answered.
    const refused = /^HTTP\/1\.1 400 [^]*"message":"a request that asks for an upgrade cannot have a body"/;
    t.match(await ask('POST', `${key}${version}Content-Length: 2\r\n`, '{}'), refused);
    t.match(await ask('POST', `${key}${version}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n'), refused);
    t.match(await ask('GET', `${key}${version}Content-Length: 9\r\n`, '{'), refused, 'half of it');
    for (const [headers, why] of [
      [`${key}Sec-WebSocket-Version: 7\r\n`, /Sec-WebSocket-Version/],
      [`Sec-WebSocket-Key: x\r\n${version}`, /Sec-WebSocket-Key/],
      [version, /Sec-WebSocket-Key/],
      [`${key}${version}Sec-WebSocket-Protocol: a, a\r\n`, /Sec-WebSocket-Protocol/],
    ] as const) {
      const answer = await ask('GET', headers);
      t.match(answer, /^HTTP\/1\.1 400 [^]*"reason":"BadRequest"/, headers);
      t.match(answer, why);
    }
  },
);

t.test(
  'an upgrade behind a request that is not answered yet ends the connection, and nothing else',
  async (t) => {
    const harness = await start(t);
    const watch = `GET ${collection}?watch=1&timeoutSeconds=1 HTTP/1.1\r\nHost: localhost\r\n`;
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    for (const upgrade of ['h2c', 'websocket'])
      t.match(
        await raw(
          harness.port,
          `${watch}\r\n${watch}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n${key}\r\n`,
        ),
        /^HTTP\/1\.1 /,
      );
    t.match(await raw(harness.port, 'GET /version HTTP/1.0\r\nHost: localhost\r\n\r\n'), /^HTTP\/1\.1 200 /);
  },
);

t.test('many short headers are as much too much as a long one', async (t) => {
  const harness = await start(t);
  const head = (count: number) =>
    raw(
      harness.port,
      `GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${'X: y\r\n'.repeat(count)}\r\n`,
    );
  t.match(await head(500), /^HTTP\/1\.1 200 /);
  t.match(await head(40_000), /^HTTP\/1\.1 431 [^]*\r\n\r\n431 Request Header Fields Too Large$/);
});

t.test('what is no HTTP behind a request does not cut the answer to it', async (t) => {
  const server = createPlain((_request, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('first');
    server.once('clientError', () => setImmediate(() => response.end('-last')));
  });
  t.teardown(() => server.close());
  const port = await listen(server, 0, '127.0.0.1');
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connectPlain(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    );
    let text = '';
    socket.once('data', () => socket.write('NO HTTP\r\n\r\n'));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  t.match(answer, /^HTTP\/1\.1 200 [^]*\r\n\r\nfirst-lastHTTP\/1\.1 400 /);
});

/** Everything a server sends to some bytes, read slowly; rejects when the connection is reset. */
function readSlowly(port: number, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(sent));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
}

t.test('requests before what is no HTTP are all answered in full, and it after them', async (t) => {
  const size = 600_000;
  const server = createPlain((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Length': size });
    // As answers are written that are larger than a piece.
    response.write(Buffer.alloc(size - 1, 'a'));
    response.once('drain', () => setTimeout(() => response.end('z'), 5));
  });
  t.teardown(() => server.close());
  const port = await listen(server, 0, '127.0.0.1');
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const bad of ['NO HTTP\r\n\r\n', `NO HTTP\r\n\r\n${'x'.repeat(300_000)}`]) {
    const answers = await readSlowly(port, get.repeat(3) + bad);
    const heads = answers.match(/HTTP\/1\.1 \d+/g);
    t.same(heads, ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
    t.equal(answers.match(/aaz/g)?.length, 3, 'each to its end');
  }
  // Half a body has no answer of its own yet, or has one that had begun before.
  const half = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n';
  const answers = await readSlowly(port, get + half);
  t.match(answers, /^HTTP\/1\.1 200 [^]*aaz/);
});

t.test('100 Continue never gets into the answer of a request that waits for those before it', async (t) => {
  const harness = await start(t);
  const get = 'GET /openapi/v2 HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const body = JSON.stringify({ metadata: { name: 'expected' } });
  const post = (name: string) =>
    `POST ${collection}${name} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const last = 'GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const answers = await readSlowly(harness.port, get + post('') + last);
  t.match(answers, /HTTP\/1\.1 201 Created\r\n(?:[^\r]+\r\n)+\r\n\{"kind":"ConfigMap"/);
  t.notMatch(answers, '100 Continue');
  const first = await raw(harness.port, post('?dryRun=All') + last);
  t.match(first, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 409 /, 'the first of a connection is told');
});

t.test('requests before an upgrade that must wait for them are answered in full', async (t) => {
  const harness = await start(t);
  const get = 'GET /openapi/v2 HTTP/1.1\r\nHost: localhost\r\n';
  const alone = await readSlowly(harness.port, `${get}Connection: close\r\n\r\n`);
  const body = alone.slice(alone.indexOf('\r\n\r\n') + 4);
  for (const upgrade of ['h2c', 'websocket']) {
    const answers = await readSlowly(
      harness.port,
      `${`${get}\r\n`.repeat(3)}GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`,
    );
    t.equal(answers.split(body).length, 4, `three documents before ${upgrade}`);
    t.match(answers, /HTTP\/1\.1 400 [^]*"message":"a request that asks for an upgrade must wait/);
  }
});

t.test('a path that begins with two slashes names nothing, and no other host', async (t) => {
  const harness = await start(t);
  for (const path of ['//apis', '//apis/apps/v1/deployments', '///api', '//evil.test/api'])
    t.match(
      await raw(harness.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 40[34] /,
      path,
    );
});

t.test('a web socket that asks for no watch is answered in HTTP', async (t: Test) => {
  const harness = await start(t);
  const status = await new Promise<number>((resolve) => {
    const socket = new WebSocket(`${harness.plain.replace('http', 'ws')}${collection}/x`);
    socket.on('unexpected-response', (query, response) => {
      resolve(response.statusCode ?? 0);
      query.destroy();
    });
    socket.on('error', () => undefined);
  });
  t.equal(status, 404);
});

t.test('HTTP/2: a stream whose body does not come in time is ended, an answer before it stays', async (t) => {
  const { server: pair, ca } = await certificates();
  const server = createSecure(
    { ...pair, clientCa: ca },
    (request, response) => {
      if (request.url === '/answered') response.end('early');
      else request.resume().once('end', () => response.end('whole'));
    },
    200,
  );
  const port = await listen(server, 0, '127.0.0.1');
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca });
  t.teardown(() => {
    session.destroy();
    server.close();
  });
  /** What is answered to a request of which `body` is all that ever comes, and the code its stream ends with. */
  const ask = async (path: string, body: readonly string[], isWhole: boolean) => {
    const stream = session.request({ ':method': 'POST', ':path': path }, { endStream: false });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.on('error', () => undefined);
    for (const part of body) stream.write(part);
    if (isWhole) stream.end();
    if (!stream.closed) await once(stream, 'close');
    return [text, stream.rstCode];
  };
  const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;
  t.same(await ask('/', ['half'], false), ['', NGHTTP2_CANCEL]);
  t.same(await ask('/answered', ['half'], false), ['early', NGHTTP2_NO_ERROR]);
  t.same(await ask('/', ['all', 'of it'], true), ['whole', NGHTTP2_NO_ERROR]);
});

t.test('over TLS, too, requests are answered in order while their client does not read', async (t) => {
  const { server: pair, ca } = await certificates();
  const large = 'x'.repeat(1_000_000);
  const server = createSecure({ ...pair, clientCa: ca }, ({ url }, response) =>
    response.end(url === '/large' ? large : url),
  );
  const port = await listen(server, 0, '127.0.0.1');
  const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'] });
  t.teardown(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'secureConnect');
  // Many records of TLS, which reach the server at once: it must stop between them while it cannot write.
  const paths = ['/large', ...Array.from({ length: 2000 }, (_, index) => `/${index}`)];
  t.strictSame(
    (await pipelined(socket, paths)).map(({ status, body }) => [status, body === large ? '/large' : body]),
    paths.map((path) => [200, path]),
  );
});
