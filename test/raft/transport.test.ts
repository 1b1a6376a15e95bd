/** The transport over HTTP: streams of messages, who may connect, who is reached when, and the end. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { NO_CONFIGURATION, initialConfiguration } from '../../raft/core/configuration.js';
import { fetchCluster } from '../../raft/transport/discovery.js';
import { encodeMessage } from '../../raft/transport/codec.js';
import { headersTo } from '../../raft/transport/protocol.js';
import { TransportError } from '../../raft/transport/transport.js';
import {
  CLUSTER,
  Proxy,
  TestMember,
  append,
  arrived,
  fails,
  heartbeat,
  startMember,
  startPair,
  until,
} from './transport-harness.js';
import { freePort } from '../tools/free-port.js';

const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
const seconds = Array.from({ length: 500 }, (_, index) => index + 1);

/** Retries at once, so that a test does not wait. */
const EAGER = { pauseMsMin: 5, pauseMsMax: 20 };
/** Never retries but when it is woken. */
const PATIENT = { pauseMsMin: HOUR_MS, pauseMsMax: HOUR_MS };

/** Sends heartbeats until one arrives, whatever becomes of the first. */
async function reaches(from: TestMember, to: TestMember, round: number): Promise<void> {
  await until(`${from.id} reaches ${to.id}`, () => {
    from.transport.send([heartbeat(from.id, to.id, round)]);
    return arrived(to).includes(round);
  });
}

/** One request as a stranger makes it; resolves with the status, and what the answer says. */
async function request(
  url: string,
  { method = 'POST', headers = {} }: { method?: string; headers?: Record<string, string> },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject).end();
  });
}

// ---- Streams

t.test('messages arrive once, whole and in the order they were sent, at whom they are for', async (t) => {
  const [one, two] = await startPair(t);
  const three = await startMember(t, 3n);
  one.knows([2n, two.url], [3n, three.url]);
  three.knows([1n, one.url], [2n, two.url]);

  for (const index of seconds) one.transport.send([append(1n, 2n, index), append(1n, 3n, index * 1000)]);
  three.transport.send([heartbeat(3n, 2n, 7000)]);

  await until(
    'all arrive',
    () => arrived(two).length > seconds.length && arrived(three).length === seconds.length,
  );
  t.same(
    arrived(two).filter((index) => index < 1000),
    seconds,
  );
  t.same(
    arrived(three),
    seconds.map((index) => index * 1000),
  );
  t.strictSame(
    two.handler.received.find(({ from }) => from === 1n),
    append(1n, 2n, 1),
    'and are as they were',
  );
  t.ok(arrived(two).includes(7000));
  t.same([...one.handler.lost, ...one.warnings], [], 'nothing was lost on the way');
});

t.test('a message larger than all buffers goes through, and those behind it', async (t) => {
  const [one, two] = await startPair(t, { limits: { waitingBytesMax: MIB, windowBytes: 64 * 1024 } });
  await reaches(one, two, 9000);

  one.transport.send([append(1n, 2n, 1, 20 * MIB)]);
  await until('it arrives', () => arrived(two).includes(1));
  one.transport.send([append(1n, 2n, 2)]);

  await until('what is behind arrives', () => arrived(two).includes(2));
  const large = two.handler.received.find(({ type }) => type === 'append');
  t.strictSame(large, append(1n, 2n, 1, 20 * MIB));
});

t.test(
  'a member that comes back at the same place is sent to again, at once since it has shown itself',
  async (t) => {
    const limits = { ...PATIENT };
    const one = await startMember(t, 1n, { limits });
    const port = await freePort();
    const listenUrls = [`http://127.0.0.1:${port}`];
    const earlier = await startMember(t, 2n, { listenUrls });
    one.knows([2n, earlier.url]);
    await reaches(one, earlier, 1);

    await earlier.transport.close();
    await until('the loss is told', () => {
      one.transport.send([heartbeat(1n, 2n, 2)]);
      return one.handler.lost.length > 0;
    });
    const later = await startMember(t, 2n, { listenUrls });
    later.knows([1n, one.url]);

    await reaches(one, later, 3);
    t.same(new Set(one.handler.lost), new Set([2n]));
    t.same(
      one.log.map(({ message }) => message),
      ['connected to a peer', 'a peer cannot be reached', 'connected to a peer'],
    );
  },
);

t.test('a connection that breaks is made anew, and the loss is told', async (t) => {
  const two = await startMember(t, 2n);
  const one = await startMember(t, 1n, { limits: EAGER });
  const proxy = await Proxy.to(t, two.url);
  one.knows([2n, proxy.url]);
  await reaches(one, two, 1);

  proxy.hold();
  one.transport.send([heartbeat(1n, 2n, 2)]);
  // The write is done at the end of the running code.
  await Promise.resolve();
  proxy.cut();
  proxy.resume();

  await reaches(one, two, 3);
  t.same(new Set(one.handler.lost), new Set([2n]));
});

t.test('a member with several URLs is reached by the one that answers', async (t) => {
  const one = await startMember(t, 1n, { limits: EAGER });
  const two = await startMember(t, 2n);

  one.knows([2n, `http://127.0.0.1:${await freePort()}`, 'no URL at all', two.url]);

  await reaches(one, two, 1);
  const answer = await one.transport.ask(2n, Buffer.from('there?'), { timeoutMs: 10_000 });
  t.equal(Buffer.from(answer).toString(), 'there?', 'which questions use too');
});

t.test('what is sent to a member that nobody can reach is told as lost, once for each send', async (t) => {
  const one = await startMember(t, 1n, { limits: PATIENT });
  one.knows([2n, `http://127.0.0.1:${await freePort()}`], [3n]);
  await until('the attempts have failed', () => one.warnings.length > 0);
  await until('the pause has begun', () => {
    one.transport.send([heartbeat(1n, 2n, 0)]);
    return one.handler.lost.length > 0;
  });
  one.handler.lost.length = 0;

  one.transport.send([heartbeat(1n, 2n, 1), append(1n, 2n, 2), heartbeat(1n, 3n, 1), heartbeat(1n, 2n, 3)]);
  t.same(one.handler.lost, [], 'never within send: who sends is in the middle of a step');

  await until('it is told', () => one.handler.lost.length > 0);
  t.same(one.handler.lost, [2n, 3n]);
  t.same(one.warnings, ['a peer cannot be reached'], 'the log says it once');
});

t.test(
  'of what a member does not take in, no more is kept than the limit; what is beyond is told as lost',
  async (t) => {
    const two = await startMember(t, 2n);
    const one = await startMember(t, 1n, { limits: { waitingBytesMax: 4 * MIB, stalledMs: HOUR_MS } });
    const proxy = await Proxy.to(t, two.url);
    one.knows([2n, proxy.url]);
    await reaches(one, two, 1000);
    proxy.hold();

    one.transport.send(seconds.slice(0, 64).map((index) => append(1n, 2n, index, MIB)));
    await until('the loss is told', () => one.handler.lost.length > 0);
    one.transport.send([heartbeat(1n, 2n, 2000)]);
    proxy.resume();

    await until('what was kept arrives', () => arrived(two).includes(2000));
    await until('there is room again', () => {
      one.transport.send([append(1n, 2n, 5000)]);
      return arrived(two).includes(5000);
    });
    const kept = arrived(two).filter((index) => index <= 64);
    t.same(one.handler.lost, [2n]);
    t.same(
      kept,
      [1, 2, 3],
      'the first that fit, in order: with what frames them they are more than 1 MiB each',
    );
    t.equal(proxy.connections, 1, 'the connection has survived');
  },
);

t.test('heartbeats do not wait behind megabytes of entries', async (t) => {
  const two = await startMember(t, 2n);
  const one = await startMember(t, 1n, { limits: { windowBytes: MIB, stalledMs: HOUR_MS } });
  const proxy = await Proxy.to(t, two.url);
  one.knows([2n, proxy.url]);
  await reaches(one, two, 1000);
  proxy.hold();

  for (const index of seconds.slice(0, 8)) one.transport.send([append(1n, 2n, index, MIB)]);
  await Promise.resolve();
  one.transport.send([heartbeat(1n, 2n, 2000)]);
  proxy.resume();

  await until('all arrive', () => arrived(two).includes(8));
  const order = arrived(two).slice(arrived(two).lastIndexOf(1000) + 1);
  t.same(order, [1, 2000, 2, 3, 4, 5, 6, 7, 8], 'only what was on the way is before it');
});

t.test('a connection on which nothing is taken in is cut and made anew', async (t) => {
  const two = await startMember(t, 2n);
  const one = await startMember(t, 1n, { limits: { ...EAGER, stalledMs: 100, acceptMs: 100 } });
  const proxy = await Proxy.to(t, two.url);
  one.knows([2n, proxy.url]);
  await reaches(one, two, 1);
  proxy.hold();

  await until('another connection is tried', () => {
    one.transport.send([heartbeat(1n, 2n, 2)]);
    return proxy.connections > 1;
  });
  t.ok(one.handler.lost.length > 0, 'what was on the way is told as lost');
  proxy.resume();

  await reaches(one, two, 3);
});

t.test('a stream on which nothing is said stays up', async (t) => {
  const [one, two] = await startPair(t, { limits: { stalledMs: 200, acknowledgeMs: 5 } });
  await reaches(one, two, 1);
  await reaches(two, one, 1);

  await new Promise((resolve) => setTimeout(resolve, 500));

  t.same([...one.warnings, ...two.warnings], []);
});

t.test('bytes that are no message of its sender end the connection and nothing else', async (t) => {
  const two = await startMember(t, 2n);
  const headers = headersTo({ clusterId: CLUSTER, memberId: 1n }, 2n);
  const frame = (from: bigint, to: bigint) => Buffer.concat(encodeMessage(heartbeat(from, to, 1)).buffers);
  const broken = frame(1n, 2n);
  broken[broken.length - 1] = 0xff;

  for (const bytes of [broken, frame(3n, 2n), frame(1n, 3n), Buffer.alloc(64, 0xff)]) {
    await new Promise<void>((resolve) => {
      const request = http.request(`${two.url}/raft/stream`, { method: 'POST', headers, agent: false });
      request.on('error', () => undefined).on('close', resolve);
      request.on('response', (response) => {
        response.on('error', () => undefined);
        request.write(bytes);
      });
      request.flushHeaders();
    });
  }

  t.same(two.handler.received, []);
  t.same(two.warnings, ['a peer sends what is no message']);
  const one = await startMember(t, 1n);
  one.knows([2n, two.url]);
  await reaches(one, two, 5);
});

// ---- Who may connect

t.test('a member of another cluster id is refused, which both logs say once', async (t) => {
  const stranger = await startMember(t, 1n, { clusterId: 0xbadn, limits: EAGER });
  const two = await startMember(t, 2n);

  stranger.knows([2n, two.url]);
  await until('the stranger has tried for a while', () => {
    stranger.transport.send([heartbeat(1n, 2n, 1)]);
    return stranger.handler.lost.length > 10;
  });

  t.same(two.handler.received, []);
  t.same(two.warnings, ['refused a peer: this is a member of cluster c1a5']);
  t.same(stranger.warnings, ['a peer refuses this member: this is a member of cluster c1a5']);
  t.equal(stranger.handler.removals, 0);
});

t.test('a message for a member that is not there is refused', async (t) => {
  const one = await startMember(t, 1n, { limits: EAGER });
  const two = await startMember(t, 2n);

  one.knows([3n, two.url]);
  await until('it is refused', () => one.warnings.length > 0);

  t.same(one.warnings, ['a peer refuses this member: this is member 2, not 3']);
  await fails(t, 'refused', one.transport.ask(3n, Buffer.of(), { timeoutMs: 10_000 }));
});

t.test('a member that was removed is told so, on a new connection and on one that is up', async (t) => {
  const [one, two] = await startPair(t, { limits: { ...EAGER, stalledMs: 50 } });
  await reaches(one, two, 1);

  two.handler.cluster = { ...NO_CONFIGURATION, removed: [1n] };

  await until('it is told', () => one.handler.removals > 0);
  t.same(one.warnings.at(-1), 'a peer refuses this member: member 1 was removed from the cluster');
  t.equal(two.handler.removals, 0);
});

t.test('web pages, other methods, other paths and senseless headers are refused', async (t) => {
  const two = await startMember(t, 2n);
  const headers = headersTo({ clusterId: CLUSTER, memberId: 1n }, 2n);
  const status = async (path: string, options: Parameters<typeof request>[1]) =>
    (await request(two.url + path, options)).status;

  t.equal(await status('/raft/stream', { headers: { ...headers, origin: 'http://127.0.0.1:2380' } }), 403);
  t.equal(await status('/raft/cluster', { method: 'GET', headers: { origin: 'null' } }), 403);
  t.equal(await status('/', { method: 'GET' }), 404);
  t.equal(await status('/raft/streams', { headers }), 404);
  t.equal(await status('/raft/stream', { method: 'GET', headers }), 405);
  t.equal(await status('/raft/cluster', { headers }), 405);
  t.equal(await status('/raft/ask', {}), 400);
  t.equal(await status('/raft/ask', { headers: { ...headers, 'x-wherry-from': '12345678901234567' } }), 400);
  t.equal(await status('/raft/ask', { headers: { ...headers, 'x-wherry-protocol': '2' } }), 400);
  t.equal(await status('/raft/ask', { headers: { ...headers, 'x-wherry-from': '2' } }), 400, 'its own id');
  t.equal(await status('/raft/ask', { headers: { ...headers, 'x-wherry-to': '3' } }), 421);
  t.equal(await status('/raft/ask', { headers: { ...headers, 'x-wherry-cluster': 'c1a6' } }), 412);
  two.handler.cluster = { ...NO_CONFIGURATION, removed: [1n] };
  t.equal(await status('/raft/ask', { headers }), 410);
  t.equal(await status('/raft/snapshot', { headers }), 410);
});

t.test('whoever asks is told the cluster; what is no member is not taken for one', async (t) => {
  const one = await startMember(t, 0xfedcba9876543210n);
  const member = { id: 2n ** 63n, name: 'ä', peerUrls: [one.url], clientUrls: [] };
  one.handler.cluster = { ...initialConfiguration([member]), removed: [5n] };
  const stranger = http.createServer((_request, response) => response.end('{"clusterId":"1"}'));
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  t.teardown(() => stranger.close());
  const strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;

  t.strictSame(await fetchCluster(one.url, { timeoutMs: 10_000 }), {
    clusterId: CLUSTER,
    configuration: one.handler.cluster,
  });
  await fails(t, 'refused', fetchCluster(strangerUrl, { timeoutMs: 10_000 }));
  await fails(t, 'unreachable', fetchCluster(`http://127.0.0.1:${await freePort()}`, { timeoutMs: 10_000 }));
  await fails(t, 'unreachable', fetchCluster('nowhere', { timeoutMs: 10_000 }));
});

// ---- Members at run time

t.test('members come, move and go at run time; what is for others is dropped in silence', async (t) => {
  const [one, two] = await startPair(t);
  const three = await startMember(t, 3n);
  const moved = await startMember(t, 2n);
  await reaches(one, two, 1);

  one.transport.send([heartbeat(1n, 3n, 1)]);
  one.knows([2n, moved.url], [3n, three.url]);
  await reaches(one, moved, 2);
  await reaches(one, three, 2);
  one.knows([3n, three.url]);
  one.handler.lost.length = 0;
  one.transport.send([heartbeat(1n, 2n, 3)]);
  await fails(t, 'unreachable', one.transport.ask(2n, Buffer.of(), { timeoutMs: 10_000 }));
  await reaches(one, three, 4);

  t.notOk(arrived(two).includes(2), 'nothing goes where it was');
  t.notOk(arrived(three).includes(1), 'nor to who is no member yet');
  t.notOk(arrived(moved).includes(3), 'nor to who is none any more');
  t.same(one.handler.lost, []);
});

t.test(
  'whoever speaks can be answered, known as a member or not, until it is silent or removed',
  async (t) => {
    const leader = await startMember(t, 4n);
    const returned = await startMember(t, 1n, { limits: { stalledMs: 500 } });
    const old = await startMember(t, 2n);
    returned.knows([2n, old.url]);
    leader.knows([1n, returned.url]);

    leader.transport.send([heartbeat(4n, 1n, 1)]);
    await until('the leader is heard', () => {
      if (returned.handler.received.length === 0) leader.transport.send([heartbeat(4n, 1n, 1)]);
      return returned.handler.received.length > 0;
    });
    // An older configuration of its log, as it goes through it, does not know the leader either.
    returned.knows([2n, old.url]);
    await until('it is answered', () => {
      returned.transport.send([heartbeat(1n, 4n, 1)]);
      return leader.handler.received.length > 0;
    });
    t.same(
      await returned.transport.ask(4n, Buffer.from('who leads?'), { timeoutMs: 5000 }),
      Buffer.from('who leads?'),
    );

    returned.handler.cluster = { ...NO_CONFIGURATION, removed: [4n] };
    let answer = '';
    const ask = async () => {
      const asked = returned.transport.ask(4n, Buffer.from('?'), { timeoutMs: 5000 });
      answer = await asked.then(String, String);
    };
    await until('it is forgotten', () => {
      void ask();
      return answer.includes('nobody knows where member 4 is');
    });
    await until('and told why', () => leader.handler.removals > 0);
  },
);

t.test('a member that has moved is answered where it says that it is', async (t) => {
  const [one, gone] = await startPair(t);
  await reaches(one, gone, 1);
  await gone.transport.close();
  const moved = await startMember(t, gone.id);
  moved.knows([1n, one.url]);

  await until('it is heard', () => {
    moved.transport.send([heartbeat(2n, 1n, 2)]);
    return one.handler.received.some((message) => message.type === 'heartbeat' && message.round === 2);
  });
  // What is known of the members still says the old place.
  one.knows([2n, gone.url]);
  await reaches(one, moved, 3);
  t.pass('although the configuration does not know it');
});

t.test('members that are set before the start, and do not change, are connected once', async (t) => {
  const two = await startMember(t, 2n);
  const proxy = await Proxy.to(t, two.url);
  const one = new TestMember(1n);
  t.teardown(() => one.transport.close());

  one.knows([2n, proxy.url]);
  await one.transport.start(one.handler);
  await reaches(one, two, 1);
  one.knows([2n, proxy.url]);
  await reaches(one, two, 2);

  t.equal(proxy.connections, 1);
});

// ---- Start and close

t.test(
  "an address that cannot be had rejects the start with the system's error, and leaves nothing open",
  async (t) => {
    const two = await startMember(t, 2n);
    const port = await freePort();
    const free = `http://127.0.0.1:${port}`;
    const start = (listenUrls: string[]) => startMember(t, 1n, { listenUrls });

    await t.rejects(start([free, two.url]), {
      code: 'EADDRINUSE',
      syscall: 'listen',
      address: '127.0.0.1',
      port: Number(new URL(two.url).port),
    });
    await t.rejects(start([free, 'https://127.0.0.1:0']), /needs a certificate/);
    const one = await start([free, 'http://[::1]:0']).catch(() => start([free]));
    t.equal(one.url, free, 'the first address is free again');
  },
);

t.test('close ends all there is at once, and may come twice', async (t) => {
  const [one, two] = await startPair(t);
  const three = await startMember(t, 3n);
  one.knows([2n, two.url], [3n, three.url]);
  three.knows([1n, one.url], [2n, two.url]);
  await reaches(one, two, 1);
  await reaches(two, one, 1);
  two.handler.answer = () => new Promise(() => undefined);
  const asked = one.transport.ask(2n, Buffer.of(), { timeoutMs: HOUR_MS });
  const outcome = fails(t, 'closed', asked);

  await one.transport.close();
  await one.transport.close();

  await outcome;
  one.transport.send([heartbeat(1n, 2n, 9)]);
  await fails(t, 'closed', one.transport.ask(2n, Buffer.of(), { timeoutMs: HOUR_MS }));
  await t.rejects(request(one.url, {}), { code: 'ECONNREFUSED' });
  await two.transport.close();
  await three.transport.close();
  // Sockets are closed in a later turn.
  await until('no socket is left', () => !process.getActiveResourcesInfo().includes('TCPSocketWrap'));
  t.notOk(process.getActiveResourcesInfo().includes('TCPServerWrap'));
  t.notOk(arrived(two).includes(9));
});

t.test('a transport that is closed while it starts does not go on', async (t) => {
  const one = new TestMember(1n);
  const started = one.transport.start(one.handler);
  await one.transport.close();
  await started;

  t.same(one.transport.addresses, []);
});

// ---- Questions

t.test('questions are answered, many at once over connections that are kept', async (t) => {
  const [one, two] = await startPair(t);
  two.handler.answer = async (question) => Buffer.concat([Buffer.from('re '), question]);
  const ask = async (text: string) =>
    Buffer.from(await one.transport.ask(2n, Buffer.from(text), { timeoutMs: 10_000 })).toString();

  t.equal(await ask(''), 're ');
  t.same(await Promise.all(['a', 'b', 'c'].map(ask)), ['re a', 're b', 're c']);
  t.equal(await ask('again'), 're again');
});

t.test('a question that cannot be answered ends in a TransportError that says why', async (t) => {
  const [one, two] = await startPair(t, { limits: { askBytesMax: 1000 } });
  one.knows([2n, two.url], [3n, `http://127.0.0.1:${await freePort()}`]);
  const ask = (to: bigint, bytes: number) =>
    one.transport.ask(to, Buffer.alloc(bytes), { timeoutMs: 10_000 });

  t.equal((await ask(2n, 1000)).length, 1000, 'the limit');
  await fails(t, 'refused', ask(2n, 1001), /too large/);
  two.handler.answer = async () => Buffer.alloc(1001);
  await fails(t, 'refused', ask(2n, 1));
  two.handler.answer = () => Promise.reject(new TransportError('timeout', 'a secret'));
  const refusal = await ask(2n, 1).catch((error: unknown) => error);
  t.match(refusal, { name: 'TransportError', reason: 'refused' });
  t.notMatch(refusal, { message: /secret/ }, 'why it was refused stays there');
  await fails(t, 'unreachable', ask(3n, 1), /ECONNREFUSED/);
  await fails(t, 'unreachable', ask(9n, 1));
});

t.test('who waits no longer for an answer is told at once, and so is who was asked', async (t) => {
  const [one, two] = await startPair(t);
  let asked = 0;
  let gone = 0;
  two.handler.answer = (_question, signal) => {
    asked++;
    signal.addEventListener('abort', () => gone++);
    return new Promise(() => undefined);
  };
  const caller = new AbortController();
  const { signal } = caller;

  await fails(t, 'timeout', one.transport.ask(2n, Buffer.of(), { timeoutMs: 50 }));
  await until('the end of the first is seen', () => gone === asked);
  const second = one.transport.ask(2n, Buffer.of(), { timeoutMs: HOUR_MS, signal });
  const rejected = fails(t, 'aborted', second);
  const before = asked;
  await until('the second is asked', () => asked > before);
  caller.abort();
  await rejected;
  await until('the end of the second is seen', () => gone === asked);
  await fails(t, 'aborted', one.transport.ask(2n, Buffer.of(), { timeoutMs: HOUR_MS, signal }));
  const third = one.transport.ask(2n, Buffer.of(), { timeoutMs: HOUR_MS });
  const lost = fails(t, 'unreachable', third);
  await until('the third is asked', () => asked > gone);
  await two.transport.close();
  await lost;
});
