/**
 * Our HTTP/2 (RFC 9113) and header compression (RFC 7541): with Node's client, whose encoder shares no code with ours, and
 * frame by frame with what no client should send.
 */
import { once } from 'node:events';
import {
  connect,
  type ClientHttp2Session,
  type ClientSessionOptions,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { Connection, type ConnectionOptions } from '../../storage/http2/connection.js';
import {
  ErrorCode,
  Flag,
  FrameType,
  PREFACE,
  frame,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from '../../storage/http2/frames.js';
import { HEADER_LIST_BYTES_MAX, HeaderDecoder, encodeHeaders } from '../../storage/http2/hpack.js';
import type { RequestHeaders, Stream } from '../../storage/http2/stream.js';

type Answer = (stream: Stream, headers: RequestHeaders) => void;

/** A server that answers every stream so. */
async function listen(t: Test, answer: Answer, options: Partial<ConnectionOptions> = {}) {
  const connections = new Set<Connection>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    const connection = new Connection(socket, {
      onStream: answer,
      onClose: () => undefined,
      onError: (error) => t.fail(String(error)),
      ...options,
    });
    connections.add(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

function session(t: Test, port: number, options: ClientSessionOptions = {}): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`, options);
  client.on('error', () => undefined);
  t.teardown(() => client.destroy());
  return client;
}

const OK = encodeHeaders([[':status', '200']]);
const echo: Answer = (stream) => {
  const chunks: Buffer[] = [];
  stream.serve({
    received: (chunk) => chunks.push(chunk),
    ended: () => {
      stream.respond(OK);
      stream.write(Buffer.concat(chunks));
      stream.end(encodeHeaders([['done', 'yes']]));
    },
    drained: () => undefined,
    closed: () => undefined,
  });
};

async function exchange(client: ClientHttp2Session, body: Buffer, headers: IncomingHttpHeaders = {}) {
  const call = client.request({ ':method': 'POST', ':path': '/', ...headers });
  let trailers: IncomingHttpHeaders = {};
  call.on('trailers', (given: IncomingHttpHeaders) => (trailers = given));
  call.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of call as AsyncIterable<Buffer>) chunks.push(chunk);
  return { body: Buffer.concat(chunks), trailers };
}

t.test('headers arrive as another encoder wrote them: Huffman codes, both tables, evictions', async (t) => {
  const seen: RequestHeaders[] = [];
  const { port } = await listen(t, (stream, headers) => {
    seen.push(headers);
    stream.respond(OK, { end: true });
  });
  const client = session(t, port);
  const send = async (headers: IncomingHttpHeaders) => {
    const call = client.request({ ':path': '/p', ...headers });
    call.resume();
    await once(call, 'close');
    return seen.at(-1);
  };
  // Every octet that a value may have, alone and many times over.
  for (let octet = 0x21; octet < 0x100; octet++) {
    if (octet === 0x7f) continue;
    const value = String.fromCharCode(octet).repeat(1 + (octet % 7));
    t.match(await send({ 'x-octet': value }), { 'x-octet': value }, `octet ${octet}`);
  }
  const values = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  });
  const names = fc.constantFrom(
    'x-a',
    'x-b',
    'user-agent',
    'accept',
    'cache-control',
    'x-long-name-of-a-header',
  );
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, values), async (headers) => {
      const arrived = await send(headers);
      for (const [name, value] of Object.entries(headers)) {
        if (arrived?.[name] !== value) throw new Error(`${name}: ${arrived?.[name]} is not ${value}`);
      }
    }),
    { numRuns: 300, seed },
  );
});

t.test('the examples of RFC 7541, Appendix C: three requests that share a table', async (t) => {
  const requests = [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ];
  const decoder = new HeaderDecoder();
  const decoded = requests.map((hex) => decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
  const first = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ];
  t.same(decoded[0], first);
  t.same(decoded[1], [...first, ['cache-control', 'no-cache']]);
  t.same(decoded[2]?.slice(2), [
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);
});

t.test('whatever a block of headers is, it is read or it is a ConnectionError', async (t) => {
  const malformed = ['80', 'ff8080808001', '40', '0085', '3fe13f', '0081ff8182', 'be', '8221'];
  for (const hex of malformed) {
    t.throws(() => new HeaderDecoder().decode(Buffer.from(hex, 'hex')), { name: 'ConnectionError' }, hex);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      try {
        new HeaderDecoder().decode(Buffer.from(octets));
      } catch (error) {
        if ((error as Error).name !== 'ConnectionError') throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

t.test('a client without room for a table reads what is sent', async (t) => {
  const { port } = await listen(t, echo);
  const client = session(t, port, { settings: { headerTableSize: 0 } });
  for (let count = 0; count < 3; count++) {
    t.match(await exchange(client, Buffer.from('x')), { body: Buffer.from('x'), trailers: { done: 'yes' } });
  }
});

t.test('flow control: small windows take large answers, on many streams at once', async (t) => {
  const { port } = await listen(t, echo);
  const client = session(t, port, { settings: { initialWindowSize: 100 } });
  await once(client, 'connect');
  const bodies = Array.from({ length: 20 }, (_, index) => Buffer.alloc(3000 * index + 1, index));
  const answers = await Promise.all(bodies.map((body) => exchange(client, body)));
  for (const [index, { body }] of answers.entries()) t.ok(body.equals(bodies[index] ?? Buffer.alloc(0)));
  const large = Buffer.alloc(5 * 2 ** 20, 7);
  const roomy = session(t, port, { settings: { maxFrameSize: 2 ** 20, initialWindowSize: 2 ** 24 } });
  t.ok((await exchange(roomy, large)).body.equals(large), 'more than the server’s window, in large frames');
});

t.test('an authority that is a whole url, as etcdctl 3.4 sends it', async (t) => {
  const seen: RequestHeaders[] = [];
  const raw = await rawClient(t, (stream, headers) => {
    seen.push(headers);
    stream.respond(OK, { end: true });
  });
  raw.write(opening(), request(1, [[':authority', 'http://127.0.0.1:2379']]));
  await raw.until(({ type, stream }) => type === FrameType.headers && stream === 1);
  t.match(seen, [{ ':authority': 'http://127.0.0.1:2379' }]);
});

t.test('a client may wait for the server’s settings, and send byte by byte', async (t) => {
  const raw = await rawClient(t, (stream) => stream.respond(OK, { end: true }));
  await raw.until(({ type, flags }) => type === FrameType.settings && flags === 0);
  const pieces = [opening(), frame(FrameType.ping, 0, 0, Buffer.from('pingpong')), request(1)];
  for (const octet of Buffer.concat(pieces)) raw.write(Buffer.of(octet));
  const { payload } = await raw.until(({ type, flags }) => type === FrameType.ping && flags === Flag.ack);
  t.equal(payload.toString(), 'pingpong');
  await raw.until(({ type, stream }) => type === FrameType.headers && stream === 1);
});

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A connection on which the test writes frames itself. */
async function rawClient(t: Test, answer: Answer, options: Partial<ConnectionOptions> = {}) {
  const { port, connections } = await listen(t, answer, options);
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  const frames: Frame[] = [];
  let rest = Buffer.alloc(0);
  let isClosed = false;
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      const [type = 0, flags = 0] = rest.subarray(3, 5);
      frames.push({ type, flags, stream: rest.readUInt32BE(5), payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
  });
  socket.on('close', () => (isClosed = true));
  const until = async (is: (frame: Frame) => boolean): Promise<Frame> => {
    for (;;) {
      const found = frames.find(is);
      if (found !== undefined) return found;
      if (isClosed) throw new Error('closed');
      await turn();
    }
  };
  await once(socket, 'connect');
  return {
    socket,
    frames,
    connections,
    write: (...pieces: readonly Buffer[]) => void socket.write(Buffer.concat(pieces)),
    until,
    /** The code of the GOAWAY that ends the connection. */
    end: async () => {
      const { payload } = await until(({ type }) => type === FrameType.goAway);
      return { code: payload.readUInt32BE(4), reason: payload.subarray(8).toString() };
    },
  };
}

const opening = () => Buffer.concat([PREFACE, settingsFrame([])]);
const REQUEST = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
] as const;
const request = (stream: number, more: readonly (readonly [string, string])[] = [], flags = 0) =>
  frame(FrameType.headers, Flag.endHeaders | flags, stream, encodeHeaders([...REQUEST, ...more]));
const bytes = (...octets: number[]) => Buffer.from(octets);
const pending: Answer = () => undefined;

t.test('what ends the connection, each with its code (RFC 9113 §5.4.1, §6)', async (t) => {
  const { data, headers, continuation, settings, ping, pushPromise, priority, windowUpdate } = FrameType;
  const cases: readonly (readonly [name: string, code: number, pieces: Buffer[]])[] = [
    ['not HTTP/2', ErrorCode.protocol, [Buffer.alloc(24, 0x50)]],
    ['no settings first', ErrorCode.protocol, [PREFACE, request(1)]],
    ['a frame that is too large', ErrorCode.frameSize, [opening(), frame(data, 0, 1, Buffer.alloc(16_385))]],
    ['data of stream 0', ErrorCode.protocol, [opening(), frame(data, 0, 0, bytes(1))]],
    ['data of a stream that is not open', ErrorCode.protocol, [opening(), frame(data, 0, 1, bytes(1))]],
    ['an even stream', ErrorCode.protocol, [opening(), request(2)]],
    ['headers in headers', ErrorCode.protocol, [opening(), frame(headers, 0, 1, bytes(0x82)), request(3)]],
    ['a continuation of nothing', ErrorCode.protocol, [opening(), frame(continuation, 0, 1, bytes(0x82))]],
    [
      'a continuation of another',
      ErrorCode.protocol,
      [opening(), frame(headers, 0, 1, bytes(0x82)), frame(continuation, 4, 3, bytes(0x84))],
    ],
    ['headers that are no HPACK', ErrorCode.compression, [opening(), frame(headers, 4, 1, bytes(0x80))]],
    ['more padding than payload', ErrorCode.protocol, [opening(), frame(headers, 0xc, 1, bytes(9, 0x82))]],
    ['settings of a stream', ErrorCode.protocol, [PREFACE, frame(settings, 0, 1, bytes())]],
    ['settings of another size', ErrorCode.frameSize, [PREFACE, frame(settings, 0, 0, bytes(1))]],
    [
      'an acknowledgement with settings',
      ErrorCode.frameSize,
      [PREFACE, frame(settings, 1, 0, Buffer.alloc(6))],
    ],
    ['a window that is too large', ErrorCode.flowControl, [PREFACE, settingsFrame([[4, 2 ** 31]])]],
    ['a frame size that may not be', ErrorCode.protocol, [PREFACE, settingsFrame([[5, 1]])]],
    ['push neither on nor off', ErrorCode.protocol, [PREFACE, settingsFrame([[2, 2]])]],
    ['a ping of a stream', ErrorCode.protocol, [opening(), frame(ping, 0, 1, Buffer.alloc(8))]],
    ['a ping of another size', ErrorCode.frameSize, [opening(), frame(ping, 0, 0, bytes(1))]],
    ['a promise', ErrorCode.protocol, [opening(), frame(pushPromise, 4, 1, Buffer.alloc(4))]],
    ['a priority of another size', ErrorCode.frameSize, [opening(), frame(priority, 0, 1, bytes(1))]],
    ['a reset of stream 0', ErrorCode.protocol, [opening(), resetFrame(0, 8)]],
    ['a reset of a stream that is not open', ErrorCode.protocol, [opening(), resetFrame(5, 8)]],
    ['a window of a stream that is not open', ErrorCode.protocol, [opening(), windowUpdateFrame(7, 1)]],
    ['an update by nothing', ErrorCode.protocol, [opening(), windowUpdateFrame(0, 0)]],
    ['an update of another size', ErrorCode.frameSize, [opening(), frame(windowUpdate, 0, 0, bytes(1))]],
    ['a window beyond 2^31', ErrorCode.flowControl, [opening(), windowUpdateFrame(0, 2 ** 31 - 1)]],
    [
      'a stream’s window beyond 2^31, by settings',
      ErrorCode.flowControl,
      [opening(), request(1), windowUpdateFrame(1, 2 ** 31 - 65_536), settingsFrame([[4, 70_000]])],
    ],
  ];
  for (const [name, code, pieces] of cases) {
    const raw = await rawClient(t, pending);
    raw.write(...pieces);
    t.equal((await raw.end()).code, code, name);
  }
});

t.test('what ends a stream alone (RFC 9113 §5.4.2, §8.1.1)', async (t) => {
  const cases: readonly (readonly [name: string, code: number, pieces: Buffer[]])[] = [
    ['a name in capitals', ErrorCode.protocol, [request(1, [['X-A', '1']])]],
    ['a header of connections', ErrorCode.protocol, [request(1, [['connection', 'close']])]],
    ['a value with a line end', ErrorCode.protocol, [request(1, [['x-a', 'a\nb']])]],
    ['another pseudo header', ErrorCode.protocol, [request(1, [[':status', '200']])]],
    ['a pseudo header twice', ErrorCode.protocol, [request(1, [[':path', '/']])]],
    [
      'a pseudo header after others',
      ErrorCode.protocol,
      [
        request(1, [
          ['x-a', '1'],
          [':authority', 'a'],
        ]),
      ],
    ],
    [
      'no path',
      ErrorCode.protocol,
      [frame(FrameType.headers, Flag.endHeaders, 1, encodeHeaders([[':method', 'POST']]))],
    ],
    ['headers twice', ErrorCode.protocol, [request(1), request(1)]],
    [
      'data after the end',
      ErrorCode.streamClosed,
      [request(1, [], 1), frame(FrameType.data, 0, 1, bytes(1))],
    ],
    ['a stream’s update by nothing', ErrorCode.protocol, [request(1), windowUpdateFrame(1, 0)]],
    ['a stream’s window beyond 2^31', ErrorCode.flowControl, [request(1), windowUpdateFrame(1, 2 ** 31 - 1)]],
  ];
  for (const [name, code, pieces] of cases) {
    const raw = await rawClient(t, pending);
    raw.write(opening(), ...pieces);
    const { payload } = await raw.until(({ type, stream }) => type === FrameType.resetStream && stream === 1);
    t.equal(payload.readUInt32BE(), code, name);
    raw.write(frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
    await raw.until(({ type, flags }) => type === FrameType.ping && flags === Flag.ack);
  }
});

t.test(
  'padding, priorities, pieces of headers, trailers, frames nobody knows: all that may be',
  async (t) => {
    const raw = await rawClient(t, echo);
    const block = encodeHeaders(REQUEST);
    const padded = Buffer.concat([bytes(3, 0, 0, 0, 0, 16), block.subarray(0, 2), Buffer.alloc(3)]);
    const pieces = Buffer.concat([
      opening(),
      frame(FrameType.headers, Flag.padded | Flag.priority, 1, padded),
      frame(FrameType.continuation, Flag.endHeaders, 1, block.subarray(2)),
      frame(FrameType.priority, 0, 1, bytes(0, 0, 0, 0, 1)),
      frame(99, 0, 1, bytes(1, 2, 3)),
      frame(FrameType.data, Flag.padded, 1, bytes(2, 104, 105, 0, 0)),
      frame(FrameType.goAway, 0, 0, Buffer.alloc(8)),
      frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 1, encodeHeaders([['x-end', '1']])),
    ]);
    for (const octet of pieces) raw.write(Buffer.of(octet));
    const { payload } = await raw.until(({ type, stream }) => type === FrameType.data && stream === 1);
    t.equal(payload.toString(), 'hi');
    await raw.until(({ flags, type }) => type === FrameType.headers && (flags & Flag.endStream) !== 0);
  },
);

t.test(
  'floods end the connection: resets, continuations, headers that grow, answers that nobody reads',
  async (t) => {
    const calm = { code: ErrorCode.enhanceYourCalm };
    const resets = await rawClient(t, pending);
    resets.write(opening());
    for (let id = 1; id < 3000; id += 2) resets.write(request(id), resetFrame(id, 8));
    t.match(await resets.end(), { ...calm, reason: 'too many resets' });

    const continuations = await rawClient(t, pending);
    continuations.write(opening(), frame(FrameType.headers, 0, 1, bytes()));
    for (let count = 0; count < 20; count++)
      continuations.write(frame(FrameType.continuation, 0, 1, bytes()));
    t.match(await continuations.end(), { ...calm, reason: 'too many headers' });

    // An entry of 4,000 bytes, and a byte for each time it is said again.
    const bomb = await rawClient(t, pending);
    const entry = Buffer.concat([bytes(0x40, 1, 97, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, 98)]);
    const again = Buffer.alloc(Math.ceil(HEADER_LIST_BYTES_MAX / 4000), 0x80 | 62);
    bomb.write(opening(), frame(FrameType.headers, Flag.endHeaders, 1, Buffer.concat([entry, again])));
    t.match(await bomb.end(), { ...calm, reason: 'too many headers' });

    const deaf = await rawClient(t, pending);
    deaf.socket.pause();
    const pings = Buffer.concat(
      Array.from({ length: 5000 }, () => frame(FrameType.ping, 0, 0, Buffer.alloc(8))),
    );
    deaf.write(opening());
    const [connection] = deaf.connections;
    for (let count = 0; count < 2000 && connection?.socket.destroyed === false; count++) {
      deaf.socket.write(pings);
      await turn();
    }
    t.ok(connection?.socket.destroyed);
  },
);

t.test('requests without an end are held up to a bound, on all streams together', async (t) => {
  const raw = await rawClient(t, pending);
  raw.write(opening());
  const chunk = Buffer.alloc(16_384);
  const isEnded = () => raw.frames.some(({ type }) => type === FrameType.goAway);
  // A window of each stream, as often as the connection's window is renewed.
  for (let id = 1; id < 400 && !isEnded(); id += 2) {
    raw.write(request(id));
    for (let sent = 0; sent < 2 ** 20 && !isEnded(); sent += chunk.length) {
      raw.write(frame(FrameType.data, 0, id, chunk));
    }
    await turn();
  }
  t.match(await raw.end(), { code: ErrorCode.enhanceYourCalm, reason: 'too many requests' });
});

t.test('more than a window is too much, of a stream that is not read', async (t) => {
  const raw = await rawClient(t, (stream) => stream.pause());
  raw.write(opening(), request(1));
  for (let sent = 0; sent <= 2 ** 20; sent += 16_384)
    raw.write(frame(FrameType.data, 0, 1, Buffer.alloc(16_384)));
  const { payload } = await raw.until(({ type }) => type === FrameType.resetStream);
  t.equal(payload.readUInt32BE(), ErrorCode.flowControl);
  t.notOk(raw.frames.some(({ type, stream }) => type === FrameType.windowUpdate && stream === 1));
});

t.test('what nobody foresaw ends the connection, and nothing else', async (t) => {
  const errors: unknown[] = [];
  const failing: Answer = () => {
    throw new TypeError('a secret');
  };
  const raw = await rawClient(t, failing, { onError: (error) => errors.push(error) });
  raw.write(opening(), request(1));
  t.same(await raw.end(), { code: ErrorCode.internal, reason: 'unexpected failure' });
  t.match(errors, [TypeError]);
});

t.test('answers that nobody reads wait up to a bound, on all streams together', async (t) => {
  const answer = Buffer.alloc(10 * 2 ** 20);
  const open: Stream[] = [];
  const raw = await rawClient(t, (stream) => {
    open.push(stream);
    stream.respond(OK);
    stream.write(answer);
  });
  raw.write(opening());
  for (let id = 1; id < 2 * 60; id += 2) raw.write(request(id));
  while (open.length < 60) await turn();
  const [connection] = raw.connections;
  t.equal(open.filter(({ isClosed }) => isClosed).length, 60 - 51, '51 times 10 MiB are not more than 512');
  t.ok((connection?.sender.queued ?? 0) > 490 * 2 ** 20);
  const closed = once(raw.socket, 'close');
  raw.socket.destroy();
  await closed;
  while (open.some(({ isClosed }) => !isClosed)) await turn();
  t.equal(connection?.sender.queued, 0);
});

t.test('streams beyond the limit are refused, and may come again', async (t) => {
  const open: Stream[] = [];
  const raw = await rawClient(t, (stream) => open.push(stream), { concurrentStreamsMax: 2 });
  raw.write(opening(), request(1), request(3), request(5));
  const { payload } = await raw.until(({ type, stream }) => type === FrameType.resetStream && stream === 5);
  t.equal(payload.readUInt32BE(), ErrorCode.refusedStream);
  open[0]?.respond(OK, { end: true });
  raw.write(request(7));
  while (open.length < 3) await turn();
  t.equal(open[2]?.id, 7);
});

t.test('closing: no new streams, and the end after the last of the old ones', async (t) => {
  const open: Stream[] = [];
  const raw = await rawClient(t, (stream) => open.push(stream));
  raw.write(opening(), request(1, [], Flag.endStream));
  while (open.length < 1) await turn();
  const [connection] = raw.connections;
  connection?.close();
  t.equal((await raw.end()).code, ErrorCode.none);
  raw.write(request(3));
  await raw.until(({ type, stream }) => type === FrameType.resetStream && stream === 3);
  const closed = once(raw.socket, 'close');
  open[0]?.respond(OK, { end: true });
  await raw.until(({ type, stream }) => type === FrameType.headers && stream === 1);
  await closed;
});

t.test('an answer before the request’s end asks the client to stop (RFC 9113 §8.1)', async (t) => {
  const raw = await rawClient(t, (stream) => stream.respond(OK, { end: true }));
  raw.write(opening(), request(1));
  const { payload } = await raw.until(({ type }) => type === FrameType.resetStream);
  t.equal(payload.readUInt32BE(), ErrorCode.none);
  raw.write(frame(FrameType.data, 0, 1, bytes(1)), windowUpdateFrame(1, 1), resetFrame(1, 8), request(3));
  await raw.until(({ type, stream }) => type === FrameType.headers && stream === 3);
});
